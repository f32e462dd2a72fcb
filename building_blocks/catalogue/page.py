"""The table of all blocks on the page `building_blocks/README.md`, of what is stated and what was measured."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import building_blocks
from building_blocks.catalogue.block import Block
from building_blocks.catalogue.figures import Cost, Figures, measure

PACKAGE: Final = Path(building_blocks.__file__).parent
PAGE: Final = PACKAGE / "README.md"

HEADINGS: Final = (
    "block",
    "computes",
    "range",
    "error",
    "rounds",
    "bytes each way",
    "correlations",
    "dealt bytes",
    "MU sees",
    "SU sees",
    "source",
)


def row(block: Block) -> str:
    """Return a block's row: what the catalogue states, and what running it costs."""
    figures = measure(block)
    return _line(
        (
            _name(block),
            block.formula,
            block.ranges,
            block.error,
            str(figures.rounds),
            _traffic(figures),
            _draws(figures),
            _bytes(figures.dealt),
            block.sees,
            block.secondary_sees or block.sees,
            block.source,
        )
    )


def table(blocks: Iterable[Block]) -> str:
    """Return the table of blocks, one row each."""
    return "\n".join([_line(HEADINGS), "|" + "---|" * len(HEADINGS), *map(row, blocks)])


def replaced(page: str, name: str, table: str) -> str:
    """Put a table where the page's comments ask for the one of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"\n<!-- {name}: end -->"
    return re.sub(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", lambda _: table, page, flags=re.DOTALL)


def _name(block: Block) -> str:
    functions = ", ".join(f"`{_path(each)}`" for each in (block.function, *block.also))
    file = Path(inspect.getfile(block.function)).relative_to(PACKAGE)
    return f"[{block.name}]({file.as_posix()}) {functions}"


def _path(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('building_blocks.')}.{function.__name__}"


def _traffic(figures: Figures) -> str:
    there, back = map(_bytes, (figures.to_secondary, figures.to_master))
    return there if there == back else f"{there} to SU, {back} to MU"


def _bytes(cost: Cost) -> str:
    each, once = (f"{value:.3f}".rstrip("0").rstrip(".") for value in cost)
    return f"{each}, and {once} once" if cost.once else each


def _draws(figures: Figures) -> str:
    """List kinds in the words of their names: "2 × bit products, random word"."""
    kinds = {re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind).lower(): count for kind, count in figures.draws.items()}
    return ", ".join(f"{count} × {kind}" if count > 1 else kind for kind, count in sorted(kinds.items()))


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
