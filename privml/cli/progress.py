"""A bar for those who wait: how far, how fast, how long still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

from privml.roles.data_owner import Progress as Advance


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        """Records a second, once there is something to tell."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} records/s")


@contextmanager
def bar(screen: Console, what: str, total: int | None, done: int = 0) -> Iterator[Advance]:
    """Show a bar of records on a terminal, and nothing elsewhere; it is told as many as were just done.

    Parameters
    ----------
    screen
        Where.
    what
        What is done.
    total
        Records in all, None if nobody knows.
    done
        Of these, the records that were done before, which count for no rate.
    """
    with Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
        console=screen,
        disable=not screen.is_terminal,
    ) as bars:
        task = bars.add_task(what, total=total, completed=done)
        yield lambda records: bars.advance(task, records)
