"""The loss that is descended: what probabilities are, and what its convexity says of any records."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.sigmoid import SIGMOID_ERROR, sigmoid
from building_blocks.fixed_point.softmax import softmax, softmax_error
from privml.units.unit import Unit

ERROR_BITS: Final = 16
"""Fractional bits of probabilities and of errors."""

Probabilities = Callable[[Unit, FixedPoint, int], FixedPoint]


@dataclass(frozen=True)
class Loss:
    """Mean log loss: convex in the weights, never negative.

    Attributes
    ----------
    probabilities
        Of scores: `sigmoid` or `softmax`.
    candidates
        Of how many probabilities it is that add up to 1.
    together
        How many scores they follow from.
    error
        What `probabilities` errs at most.
    """

    probabilities: Probabilities
    candidates: int
    together: int
    error: float

    @classmethod
    def logistic(cls) -> Loss:
        """Of one score; of several, each by itself."""
        return cls(sigmoid, 2, 1, SIGMOID_ERROR + 2.0**-ERROR_BITS + 2.0**-18)

    @classmethod
    def multinomial(cls, classes: int) -> Loss:
        """Of a score for each class."""
        return cls(softmax, classes, classes, softmax_error(classes, ERROR_BITS) + 2.0**-17)

    @property
    def at_zero(self) -> float:
        """The loss where all scores are 0: each candidate is as probable as the others."""
        return math.log(self.candidates)

    @property
    def longest(self) -> float:
        """Euclidean length of a record's errors, at most."""
        return 1.0 if self.together == 1 else math.sqrt(2)

    def inexact(self, scores: float) -> float:
        """Euclidean length of what a record's errors err, for scores that err so much: no slope exceeds 1/2."""
        return math.sqrt(self.together) * (self.error + scores / 2)
