"""What correlated randomness costs by the piece, from the dealer and by transfers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import numpy as np

from building_blocks.gates import WINDOW, Gate, run_of
from experiments.blocks.cost import Cost, affordable, observe
from experiments.both_units import BothUnits
from experiments.report import Report, Stages, number
from experiments.settings import Settings
from privml.roles.sources import CorrelationsFrom
from privml.units.correlations import BitProducts, Correlation, ProductTriple, RandomWord, TruncationMask
from privml.units.link import LINKS
from privml.units.unit import Unit

CORRELATIONS: Final = "correlations by the piece"

_WINDOWS: Final = Gate(1, [[run_of(0, 1, length)] for length in range(1, WINDOW + 1)])

KINDS: Final[dict[str, Callable[[int], Correlation]]] = {
    "product triple": lambda count: ProductTriple((count,), (count,)),
    "AND of two 64-bit words": lambda count: BitProducts((count,), np.uint64, 2, (((0, 0), (1, 0)),)),
    "truncation mask": lambda count: TruncationMask((count,), 20),
    "random word of a comparison": lambda count: RandomWord((count,), _WINDOWS.patterns),
}

SOURCES: Final[dict[CorrelationsFrom, str]] = {"dealer": "dealer", "ot": "transfers"}


def measure_correlations(report: Report, settings: Settings, stages: Stages) -> None:
    """Time and traffic of each kind, a piece, in the largest batch that the budget allows."""
    rows = []
    with BothUnits() as dealt, BothUnits(correlations="ot") as transferring:
        for kind, make in KINDS.items():
            stages.begin(f"correlations: {kind}")
            for source, both in (("dealer", dealt), ("transfers", transferring)):
                cost = _measure(both, settings, make)
                name = f"{kind}, {source}"
                figures = [("each", cost.making_seconds * 1e6, "us"), ("each, to one side", cost.making_bytes, "bytes")]
                over = [(f"each at {link.name}", cost.making_over(link) * 1e6, "us") for link in LINKS]
                for what, value, unit in (*figures, *over):
                    report.add(CORRELATIONS, f"{name}: {what}", value, unit, keyless=True, in_grid=True)
                cells = [number(value) for _, value, _ in (*figures, *over)]
                rows.append((name, f"{cost.count:,}", *cells))
    headings = ("correlation", "batch", "us", "bytes", *(f"us, {link.name}" for link in LINKS))
    report.grid(CORRELATIONS, f"{CORRELATIONS}: us and bytes each", headings, rows)
    report.note(
        CORRELATIONS,
        "Bytes: from the dealer to the Secondary, or each way between the units. A dealer's times over a link are those "
        "of its corrections, in one message.",
    )


def _measure(both: BothUnits, settings: Settings, make: Callable[[int], Correlation]) -> Cost:
    small, wanted = settings.batches[len(settings.batches) // 2], settings.batches[-1]
    for _ in range(2):  # the first draw of all sets the link up
        cost = observe(both, _draw(make(small)), (), small, 1)
    count = affordable(wanted, cost.timing.median, settings.budget)
    return observe(both, _draw(make(count)), (), count, 1 if count == wanted else settings.repeats)


def _draw(correlation: Correlation) -> Callable[[Unit], Any]:
    return partial(_drawn, correlation)
