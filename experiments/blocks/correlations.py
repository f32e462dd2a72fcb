"""What correlated randomness costs by the piece, from the dealer and by transfers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from building_blocks.gates import WINDOW, Gate, run_of
from experiments.blocks.cost import Cost, affordable, observe, often
from experiments.both_units import BothUnits
from experiments.report import Report, Stages, number
from experiments.settings import Settings
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


def measure_correlations(report: Report, settings: Settings, stages: Stages) -> None:
    """Time and traffic of each kind, a piece, in the largest batch that the budget allows."""
    rows = []
    with BothUnits() as dealt, BothUnits(correlations="ot") as transferring:
        for kind, make in KINDS.items():
            stages.begin(f"correlations: {kind}")
            for source, both in (("dealer", dealt), ("transfers", transferring)):
                cost = _measure(both, settings, make)
                figures = [
                    ("each", cost.making.median * 1e6, "us"),
                    ("each, one way", cost.made_bytes, "bytes"),
                    *((f"each at {link.name}", cost.making_over(link) * 1e6, "us") for link in LINKS),
                ]
                for what, value, unit in figures:
                    report.add(CORRELATIONS, f"{kind}, {source}: {what}", value, unit, keyless=True, in_grid=True)
                rows.append((kind, source, f"{cost.count:,}", *(number(value) for _, value, _ in figures)))
    headings = ("correlation", "from", "batch", "us", "bytes", *(link.name for link in LINKS))
    report.grid(CORRELATIONS, f"{CORRELATIONS}: us and bytes each", headings, rows)
    report.note(
        CORRELATIONS,
        "Bytes go from the dealer to the Secondary in one message, or each way between the units.",
    )


def _measure(both: BothUnits, settings: Settings, make: Callable[[int], Correlation]) -> Cost:
    small, wanted = settings.batches[-2:][0], settings.batches[-1]
    for _ in range(2):  # the first draw of all sets the link up
        cost = observe(both, _draw, (make(small),), small, 1)
    count = affordable(wanted, cost.timing.median, settings.budget)
    return observe(both, _draw, (make(count),), count, often(settings, cost.timing.median * count))


def _draw(unit: Unit, correlation: Correlation) -> None:
    unit.correlations.draw(correlation)
