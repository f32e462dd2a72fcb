"""How large the numbers of a descent can get, whatever the records; and what room that leaves."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

from building_blocks.fixed_point.number import RANGE_BITS
from classifiers.regression.columns import Columns
from classifiers.regression.loss import Loss
from classifiers.regression.step import Gradients, Reach, Step

SUM_BITS: Final = RANGE_BITS - 2
"""Bits that sums are given before they are truncated; one is left for what rounding adds."""

RATE_BITS: Final = 6
"""Leading bits of a rate over a batch's size, at least: it enters as one public integer."""

COARSE_BITS: Final = 16
"""Fractional bits of the weights that scores are made with, where scores would be rounded to so many otherwise."""


@dataclass(frozen=True)
class Extent:
    """How far weights and velocity can be from zero.

    Attributes
    ----------
    single
        For a column of magnitude 1; for larger ones in proportion.
    length
        Euclidean length, together with the intercept: of each class by itself, or of all together, as the loss has it.
    """

    single: Reach = field(default_factory=Reach)
    length: Reach = field(default_factory=Reach)

    @property
    def at_rest(self) -> Extent:
        """Without velocity."""
        return Extent(Reach(self.single.weights), Reach(self.length.weights))


class Scale(NamedTuple):
    """What the sums of a step are truncated by."""

    dropped: int
    """Bits that are dropped."""
    coarser: int
    """How many fractional bits fewer than the weights those have that scores are made with."""


@dataclass(frozen=True)
class Ranges:
    """Bounds that hold for any records.

    Parameters
    ----------
    columns, loss, fraction_bits
        Those of the descent.
    importance
        What a record counts at most.
    """

    columns: Columns
    loss: Loss
    fraction_bits: int
    importance: float

    def after(self, step: Step, extent: Extent) -> Extent:
        """How far a step can lead."""
        rounding = 2.0**-self.fraction_bits
        places = (len(self.columns.factors) + 1) * self.loss.together
        return Extent(
            step.after(extent.single, self._single, rounding),
            step.after(extent.length, self._length, rounding * math.sqrt(places)),
        )

    def weight(self, extent: Extent) -> float:
        """Largest magnitude of a weight."""
        return min(extent.single.weights * self.columns.largest, extent.length.weights)

    def weight_bound(self, extent: Extent) -> int:
        """Largest integer that a weight can be."""
        return math.ceil(self.weight(extent) * 2.0**self.fraction_bits) + 1

    def score_bound(self, extent: Extent, coarser: int = 0) -> int:
        """Largest integer that a score can be, of weights with so many fractional bits less."""
        bits = self.fraction_bits - coarser
        rounding = 2.0**-bits if coarser else 0.0
        places = math.sqrt(len(self.columns.factors) + 1)
        largest = min(
            (extent.single.weights + rounding) * self.columns.largest_score,
            (extent.length.weights + rounding * places) * self.columns.longest,
        )
        return math.ceil(largest * 2.0 ** (bits + self.columns.fraction_bits)) + 1

    def scale(self, step: Step, extent: Extent, rate: float, gradient_bits: int) -> Scale:
        """Find as fine a scale for the sums of a step as there is room for.

        Where features are one-hot, scores have as many fractional bits as the weights that they are made with: those
        weights come out of the same sums, with as many bits as the logistic function takes. Unless so little would be
        left of the rate over the batch's size.
        """
        change = min(
            self.columns.largest * step.largest_sum(extent.single, self._single),
            step.largest_sum(extent.length, self._length),
        )
        bits = min(RANGE_BITS - 1, SUM_BITS - math.ceil(math.log2(change)))
        coarser = max(0, self.fraction_bits - COARSE_BITS)
        if coarser and not self.columns.fraction_bits:
            room = SUM_BITS - math.ceil(math.log2(self.weight(extent) + change))
            coarse_bits = min(room, bits - coarser)
            if rate * 2.0 ** (coarse_bits - gradient_bits) >= 1 << RATE_BITS and coarse_bits >= self.fraction_bits:
                return Scale(coarse_bits - COARSE_BITS, coarser)
        return Scale(bits - self.fraction_bits, 0)

    @cached_property
    def _single(self) -> Gradients:
        """Of a column of magnitude 1, apart from what errors err."""
        return Gradients(self.importance)

    @cached_property
    def _length(self) -> Gradients:
        """Euclidean length."""
        steepest = self.importance * self.columns.longest
        # scores of coarser weights
        inexact = self.loss.inexact(2.0**-COARSE_BITS * (len(self.columns.features) + 1))
        at_zero = self.importance * self.loss.at_zero
        return Gradients(steepest * self.loss.longest, at_zero, steepest * inexact)
