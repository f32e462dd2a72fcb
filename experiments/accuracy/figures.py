"""What was found of the errors of blocks, as records and as tables."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from building_blocks.catalogue import Input
from experiments.accuracy.worst import Worst
from experiments.record import Peer
from experiments.report import Report, number
from experiments.targets import Limit, Measure
from experiments.trial import Values

BOUNDED: Final = "blocks with an error"
EXACT: Final = "exact blocks"

NONE_BROKEN: Final = Limit("stated bounds", Measure.VALUE, None, 0, "values", None)
"""What the catalogue promises; a block that breaks it is wrong, not slow."""


def write_errors(report: Report, found: Sequence[Worst]) -> None:
    """Write a section of the blocks that may err, and one of those that may not."""
    bounded = [worst for worst in found if not worst.is_exact]
    exact = [worst for worst in found if worst.is_exact]
    for section, several in ((BOUNDED, bounded), (EXACT, exact)):
        for worst in several:
            _write(report, section, worst)
    if bounded:
        headings = ("block", "values", "beyond", "worst error", "stated bound", "used", "at")
        report.grid(BOUNDED, f"{BOUNDED}: the worst that was found", headings, [_cells(worst) for worst in bounded])
        report.note(
            BOUNDED,
            "Where most of the bound is used; of numbers with fractional bits, in real units. 'beyond': values.",
        )
    if exact:
        rows = [(worst.block.name, f"{worst.tried:,}", f"{worst.broken:,}") for worst in exact]
        report.grid(EXACT, EXACT, ("block", "values", "mismatches"), rows)


def _write(report: Report, section: str, worst: Worst) -> None:
    name = worst.block.name
    report.add(section, f"{name}: values tried", worst.tried, "values", keyless=True, in_grid=True)
    report.add(
        section, f"{name}: values beyond the bound", worst.broken, "values",
        limit=NONE_BROKEN, keyless=True, in_grid=True,
    )  # fmt: skip
    if not worst.is_exact and math.isfinite(worst.error):
        bound = Peer("stated bound", worst.bound, worst.share if worst.bound else None)
        report.add(section, f"{name}: worst error", worst.error, "", peer=bound, keyless=True, in_grid=True)
        scalars = (place for place in _real(worst) if place.ndim == 0)
        for position, place in enumerate(scalars, start=1):
            report.add(section, f"{name}: worst error, input {position}", float(place), "", keyless=True, in_grid=True)
    if worst.broken:
        integers = "; ".join(np.array2string(place, separator=", ") for place in worst.place)
        report.note(section, f"{name} breaks its bound, by an error of {worst.error:g}, at the integers {integers}.")


def _cells(worst: Worst) -> tuple[str, ...]:
    at = ", ".join(_shown(place) for place in _real(worst))
    figures = (f"{worst.tried:,}", f"{worst.broken:,}", number(worst.error), number(worst.bound), f"{worst.share:.0%}")
    return (worst.block.name, *figures, at)


def _real(worst: Worst) -> list[Values]:
    """The inputs at the worst error, in their own units."""
    batched = [operand for operand in worst.block.inputs if operand.batched]
    return [_scaled(operand, place) for operand, place in zip(batched, worst.place, strict=False)]


def _scaled(operand: Input, place: Values) -> Values:
    return place if operand.fraction_bits is None else np.asarray(place / 2**operand.fraction_bits)


def _shown(place: Values) -> str:
    if place.ndim == 0:
        return f"{place:.7g}"
    return f"({place.reshape(-1)[0]:.4g}, ...)"
