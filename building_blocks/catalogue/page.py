"""The tables of the page `building_blocks/README.md`: what is stated of each block, and what was measured."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import building_blocks
from building_blocks.catalogue.block import Block
from building_blocks.catalogue.ciphertext_blocks import CiphertextBlock
from building_blocks.catalogue.figures import Cost, Figures, Keys, measure, measure_on_ciphertexts

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
CIPHERTEXT_HEADINGS: Final = (
    "block",
    "computes",
    "range",
    "error",
    "rests on",
    "rounds",
    "bytes to SU",
    "bytes to MU",
    "dealt bytes",
    "source",
)


def row(block: Block) -> str:
    """Return a block's row: what the catalogue states, and what running it costs."""
    figures = measure(block)
    return _line(
        (
            _name(block.name, block.function, *block.also),
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


def ciphertext_row(block: CiphertextBlock, keys: Keys) -> str:
    """Return the row of a block on ciphertexts."""
    figures = measure_on_ciphertexts(block, keys)
    return _line(
        (
            _name(block.name, block.function),
            block.formula,
            block.ranges,
            block.error,
            block.rests_on,
            str(figures.rounds),
            *(f"{cost.each:.0f}" for cost in (figures.to_secondary, figures.to_master, figures.dealt)),
            block.source,
        )
    )


def table(headings: Sequence[str], rows: Iterable[str]) -> str:
    """Return a table."""
    return "\n".join([_line(headings), "|" + "---|" * len(headings), *rows])


def replaced(page: str, name: str, table: str) -> str:
    """Put a table where the page's comments ask for the one of that name."""
    begin, end = f"<!-- {name}: begin -->\n", f"<!-- {name}: end -->"
    before, after = page.split(begin)
    return f"{before}{begin}{table}\n{end}{after.split(end)[1]}"


def _name(name: str, *functions: Callable[..., Any]) -> str:
    file = Path(inspect.getfile(functions[0])).relative_to(PACKAGE)
    return f"[{name}]({file.as_posix()}) {', '.join(f'`{_path(each)}`' for each in functions)}"


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
