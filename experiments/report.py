"""Progress for who waits, on stderr, and tables for who reads, on stdout: 100 columns also where it is piped."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

from rich import box
from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from experiments.record import Peer, Record, Scribe
from experiments.targets import ROWS, Limit
from experiments.timing import Timing
from privml.units.channel import ChannelStatistics
from privml.units.link import LINKS

WIDTH = 100
SCALE = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}


@dataclass(frozen=True, slots=True)
class Line:
    """A record, and how a table shows it, if not a grid of its section does."""

    shown: str
    record: Record
    spread: float | None = None
    in_grid: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of many figures to a row; the first cell of a row names it."""

    title: str
    headings: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Step:
    """What happened between the units in one step."""

    name: str
    seconds: float
    traffic: ChannelStatistics


@dataclass
class Report:
    """Records and steps of one experiment, in sections, as they come.

    Parameters
    ----------
    scribe
        Writes the records.
    """

    scribe: Scribe
    sections: dict[str, list[Line]] = field(default_factory=dict)
    steps: dict[str, list[Step]] = field(default_factory=dict)
    grids: dict[str, list[Grid]] = field(default_factory=dict)
    notes: dict[str, list[str]] = field(default_factory=dict)

    def at(self, key_bits: int) -> Report:
        """Return the same report, for what is measured with keys of another size."""
        return replace(self, scribe=replace(self.scribe, key_bits=key_bits))

    @property
    def records(self) -> list[Record]:
        """All records in the order in which they are shown."""
        return [line.record for lines in self.sections.values() for line in lines]

    def add(
        self,
        section: str,
        name: str,
        value: float,
        unit: str,
        *,
        peer: Peer | None = None,
        limit: Limit | None = None,
        keyless: bool = False,
        spread: float | None = None,
        in_grid: bool = False,
    ) -> None:
        """Write down a number; the record's name begins with that of its section.

        With `in_grid` it has no line of its own: a grid of the section shows it.
        """
        record = self.scribe.record(f"{section}: {name}", value, unit, peer=peer, limit=limit, keyless=keyless)
        self.sections.setdefault(section, []).append(Line(name, record, spread, in_grid))

    def time(
        self,
        section: str,
        name: str,
        timing: Timing,
        unit: str,
        *,
        peer: tuple[str, Timing] | None = None,
        limit: Limit | None = None,
        keyless: bool = False,
    ) -> None:
        """Write down a time's median, and its peer's."""
        rival = Peer(peer[0], peer[1].median * SCALE[unit], timing.ratio(peer[1])) if peer else None
        value = timing.median * SCALE[unit]
        self.add(section, name, value, unit, peer=rival, limit=limit, keyless=keyless, spread=timing.spread)

    def step(
        self, section: str, name: str, seconds: float, traffic: ChannelStatistics, *, keyless: bool = False
    ) -> None:
        """Write down what the units said to each other in a step, and what that costs over two links."""
        self.steps.setdefault(section, []).append(Step(name, seconds, traffic))
        figures = [
            ("rounds", float(traffic.rounds), "rounds"),
            ("Master to Secondary", float(traffic.bytes_sent), "bytes"),
            ("Secondary to Master", float(traffic.bytes_received), "bytes"),
            *((f"at {link.name}", link.seconds(seconds, traffic), "s") for link in LINKS),
        ]
        for what, value, unit in figures:
            self.add(section, f"{name}: {what}", value, unit, keyless=keyless)

    def grid(self, section: str, title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Show a table of many figures to a row, above what else a section has."""
        self.grids.setdefault(section, []).append(Grid(title, headings, rows))

    def note(self, section: str, text: str) -> None:
        """Say something below a section."""
        self.notes.setdefault(section, []).append(text)

    def show(self) -> None:
        """Print every section, and which targets are kept."""
        console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
        for section, lines in self.sections.items():
            for grid in self.grids.get(section, []):
                console.print(_grid(grid))
            stepped = tuple(f"{step.name}: " for step in self.steps.get(section, []))
            # what a step said is shown in a table of its own
            alone = [line for line in lines if not line.in_grid]
            measured = [line for line in alone if not (stepped and line.shown.startswith(stepped))]
            if measured:
                console.print(_measurements(section, measured))
            if section in self.steps:
                console.print(_traffic(section, self.steps[section]))
            for text in self.notes.get(section, []):
                console.print(f"  {text}", style="dim", highlight=False, markup=False)
            console.print()
        self._summary(console)

    def _summary(self, console: Console) -> None:
        judged = [record for record in self.records if record.met is not None]
        missed = [record for record in judged if not record.met]
        machine = self.records[0].machine
        console.print(
            f"{len(judged) - len(missed)} of {len(judged)} targets met; times are medians, ± half the quartile range"
        )
        for record in missed:
            console.print(
                f"  missed: {record.name}, {number(record.value)} {record.unit}; {record.target}", markup=False
            )
        versions = f"Python {machine.python}, numpy {machine.numpy}, gmpy2 {machine.gmpy2}"
        where = f"{machine.cpu}, {machine.cores} cores; {versions}"
        commit = self.records[0].commit or "unknown"
        sizes = sorted({record.key_bits for record in self.records if record.key_bits is not None})
        keys = f"keys of {' and '.join(map(str, sizes))} bits, " if sizes else ""
        console.print(
            f"{where}\n{keys}seed {self.scribe.seed}, commit {commit}", style="dim", highlight=False, markup=False
        )


@contextmanager
def progress(total: int) -> Iterator[Stages]:
    """Show a bar on stderr while an experiment runs its stages."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        yield Stages(bar, total)


class Stages:
    """The stages of a running experiment."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar = bar
        self._task = bar.add_task("starting", total=total)
        self._started = False

    def begin(self, name: str) -> None:
        """Say what runs now."""
        self._bar.update(self._task, description=name, advance=1 if self._started else 0)
        self._started = True


def target_table() -> Table:
    """All targets in the words they were set in."""
    table = Table("what", "target", title="targets", title_justify="left", show_lines=True)
    for what, text in ROWS.items():
        table.add_row(what, text)
    return table


def _measurements(title: str, lines: Sequence[Line]) -> Table:
    table, rows = _table(title), [_cells(line) for line in lines]
    # what no row has needs no column
    shown = [index for index in range(len(_HEADINGS)) if index < 2 or any(row[index] for row in rows)]
    for index in shown:
        heading, justify, ratio = _HEADINGS[index]
        table.add_column(heading, justify=justify, ratio=ratio, no_wrap=ratio is None)
    for row in rows:
        table.add_row(*(row[index] for index in shown))
    return table


_HEADINGS: Final[tuple[tuple[str, JustifyMethod, int | None], ...]] = (
    ("measured", "left", 5),
    ("ours", "right", None),
    ("±", "right", None),
    ("peer", "left", 4),
    ("ours/peer", "right", None),
    ("target", "left", None),
    ("met", "left", None),
)


def _cells(line: Line) -> tuple[str, ...]:
    record = line.record
    return (
        line.shown,
        f"{number(record.value)} {record.unit}".strip(),
        "" if line.spread is None else f"{line.spread:.0%}",
        "" if record.peer_value is None else f"{number(record.peer_value)} {record.peer}",
        quotient(record.ratio),
        record.target or "",
        "" if record.met is None else "[green]yes[/]" if record.met else "[red]NO[/]",
    )


def _grid(grid: Grid) -> Table:
    table = _table(grid.title)
    for position, (heading, *cells) in enumerate(zip(grid.headings, *grid.rows, strict=True)):
        if position == 0:
            table.add_column(heading, ratio=1)
        else:
            # headings fold at spaces, figures do not
            table.add_column(heading, justify="right", width=max(map(len, [*heading.split(" "), *cells])))
    for row in grid.rows:
        table.add_row(*row)
    return table


def _traffic(title: str, steps: Sequence[Step]) -> Table:
    table = _table(f"{title}: between the units")
    table.add_column("step", ratio=1)
    for heading in ("seconds here", "rounds", "MB to SU", "MB to MU", *(link.name for link in LINKS)):
        table.add_column(heading, justify="right")
    for step in steps:
        traffic = step.traffic
        megabytes = [f"{count / 1e6:.3f}" for count in (traffic.bytes_sent, traffic.bytes_received)]
        over = [f"{link.seconds(step.seconds, traffic):.3f} s" for link in LINKS]
        table.add_row(step.name, f"{step.seconds:.4f}", str(traffic.rounds), *megabytes, *over)
    return table


def _table(title: str) -> Table:
    return Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        expand=True,
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )


def number(value: float) -> str:
    """Write a figure as tables show it."""
    if abs(value) < 1e12 and value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"


def quotient(ratio: float | None) -> str:
    """Write ours divided by a peer's as tables show it."""
    if ratio is None:
        return ""
    # a small number says less to a reader than how many times faster
    return f"1/{1 / ratio:.1f}" if 0 < ratio < 0.5 else f"{ratio:.2f}"
