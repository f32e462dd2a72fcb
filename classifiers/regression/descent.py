"""Mini-batch gradient descent on shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from building_blocks.fixed_point.arithmetic import multiply, truncate
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint
from building_blocks.operand import Operand
from building_blocks.shares import Shares, stack
from classifiers.regression.columns import Columns
from classifiers.regression.schedule import Schedule
from classifiers.regression.step import Reach, Rule, Step
from privml.errors import RangeError, SettingError
from privml.units.unit import Unit

ERROR_BITS: Final = 16
"""Fractional bits of probabilities and of errors."""

IMPORTANCE_BITS: Final = 6
"""Fractional bits of the weights of classes."""

RATE_BITS: Final = 6
"""Leading bits of a rate over a batch's size, at least: it enters as one public integer."""

SUM_BITS: Final = RANGE_BITS - 2
"""Bits that sums are given before they are truncated; one is left for what rounding adds."""

Probabilities = Callable[[Unit, FixedPoint, int], FixedPoint]


@dataclass(frozen=True, slots=True)
class Batch:
    """Records, what their probabilities should be, (n, m), and how much each record counts, (n, 1), if it matters."""

    records: Operand
    targets: Shares
    importance: Shares | None = None

    def __len__(self) -> int:
        """Return the number of records."""
        return self.records.shape[0]


@dataclass(frozen=True, slots=True)
class Position:
    """Where the descent is: weights and intercepts, (width + 1, m); how far they can be from 0; steps to here."""

    weights: Shares
    reach: float = 0.0
    steps: int = 0


@dataclass(frozen=True)
class Descent:
    """Mini-batch gradient descent on the mean log loss.

    With errors e = p(Xw + b) - y, the gradient of a batch of n records is X'e / n. Weights have f fractional bits and
    errors 16. Rate over n is one public integer that the exact sum X'e is multiplied by, and then it is truncated,
    once: no rate is too small. Nobody may know weights or losses, so the number of steps is fixed beforehand.

    Parameters
    ----------
    columns
        What records consist of.
    probabilities
        `sigmoid` or `softmax`.
    schedule, rule
        What each step does.
    epochs
        How often a chunk is gone through, batch by batch.
    batch
        Records of a batch, at most.
    average
        Whether the result is the mean of the weights after each step of a chunk's last epoch.
    importance
        What a record counts at most, if not all the same.
    fraction_bits
        f, in 16..30.

    Raises
    ------
    SettingError
        A number is out of range, or batches of this size leave too few bits for the rate.
    RangeError
        One batch is enough for scores to leave 62 bits.
    """

    columns: Columns
    probabilities: Probabilities
    schedule: Schedule
    rule: Rule
    epochs: int
    batch: int
    average: bool
    importance: float | None
    fraction_bits: int

    def __post_init__(self) -> None:
        if not 16 <= self.fraction_bits <= 30:
            raise SettingError(f"fraction_bits lies in 16..30; got {self.fraction_bits}")
        for name, value in (("epochs", self.epochs), ("batch", self.batch)):
            if not 1 <= value <= 1 << 20:
                raise SettingError(f"{name} lies in 1..2^20; got {value}")
        if self.schedule.rate * self.rule.l2 > 1:
            raise SettingError(
                f"learning_rate times l2 is at most 1, or weights would change sign; got {self.schedule.rate:g} times "
                f"{self.rule.l2:g}"
            )
        largest = self.batch * self.columns.largest * self._steepest
        spare = SUM_BITS - 1 - self._gradient_bits - math.log2(largest)
        if spare < RATE_BITS:
            raise SettingError(
                f"sums over batches of {self.batch} records leave {spare:.0f} of {RANGE_BITS} bits for the learning "
                f"rate, which needs {RATE_BITS}: make batches or weights of classes smaller, or scales of features larger"
            )
        self.reach(0.0, 0, 1)

    def batches(self, records: int) -> int:
        """Into how many batches so many records go."""
        return -(-records // self.batch)

    def reach(self, start: float, done: int, records: int) -> float:
        """How far weights can be from 0 after so many records more.

        Parameters
        ----------
        start, done
            How far they can be before, and how many steps led there.
        records
            Of the chunk.

        Raises
        ------
        RangeError
            Scores, or the sum that becomes the mean, could leave 62 bits.
        """
        reach, batches = Reach(start), self.batches(records)
        rates = self.schedule.rates(done, self.epochs * batches)
        for rate in rates:
            reach = self._after(self.rule.step(rate), reach)
        of_scores = self.fraction_bits + self.columns.fraction_bits + math.log2(
            1 + reach.weights * self.columns.largest_score
        )
        of_mean = math.log2(self._weight_bound(reach.weights) * batches) + RATE_BITS
        if max(of_scores, of_mean) > SUM_BITS:
            raise RangeError(
                f"after {done + len(rates)} steps weights could be {reach.weights:.3g} from 0, which takes "
                f"{max(of_scores, of_mean):.1f} of {SUM_BITS} bits: take a smaller learning_rate, fewer epochs, larger "
                "batches or fewer fraction_bits"
            )
        return reach.weights

    def train(self, unit: Unit, batches: Sequence[Batch], start: Position) -> Position:
        """Go through the batches, epoch by epoch.

        Seven rounds a step with the sigmoid: weights and errors are opened under masks, four for probabilities, and the
        change is truncated. One more each: if f > 16 or a feature is continuous; if scores can reach 2^10; with weights
        of classes. One in the end for the mean.
        """
        rates = self.schedule.rates(start.steps, self.epochs * len(batches))
        weights, reach = start.weights, Reach(start.reach)
        velocity = total = weights * 0
        for number, rate in enumerate(rates):
            step, batch = self.rule.step(rate), batches[number % len(batches)]
            gradient = self._gradient(unit, batch, weights, reach)
            change, velocity = self._move(unit, step, weights, velocity, gradient, len(batch), reach)
            weights, reach = weights + change, self._after(step, reach)
            if number >= len(rates) - len(batches):
                total += weights
        if self.average and len(batches) > 1:
            weights = self._mean(unit, total, len(batches), reach)
        return Position(weights, reach.weights, start.steps + len(rates))

    def scores(self, unit: Unit, records: Operand, weights: Shares, reach: float) -> FixedPoint:
        """Xw + b. One round."""
        bits = self.fraction_bits + self.columns.fraction_bits
        bound = math.ceil(reach * self.columns.largest_score * 2**bits) + 1
        return FixedPoint(self.columns.scores(unit, records, weights), bits, bound)

    def _gradient(self, unit: Unit, batch: Batch, weights: Shares, reach: Reach) -> FixedPoint:
        """X'e, summed over the batch."""
        scores = self.scores(unit, batch.records, weights, reach.weights)
        probabilities = self.probabilities(unit, scores, ERROR_BITS)
        errors = FixedPoint(probabilities.shares - batch.targets * (1 << ERROR_BITS), ERROR_BITS, LARGEST_ERROR)
        if batch.importance is not None and self.importance is not None:
            bound = round(self.importance * 2**IMPORTANCE_BITS)
            errors = multiply(unit, errors, FixedPoint(batch.importance, IMPORTANCE_BITS, bound))
        bound = math.ceil(errors.bound * len(batch) * self.columns.largest) << self.columns.fraction_bits
        return FixedPoint(self.columns.correlate(unit, batch.records, errors.shares), self._gradient_bits, bound)

    def _move(
        self,
        unit: Unit,
        step: Step,
        weights: Shares,
        velocity: Shares,
        gradient: FixedPoint,
        records: int,
        reach: Reach,
    ) -> tuple[Shares, Shares]:
        """Change of the weights, and new velocity; one round."""
        ...

    def _mean(self, unit: Unit, total: Shares, count: int, reach: Reach) -> Shares:
        """Divide the sum of so many weights."""
        ...
