"""Mini-batch gradient descent on shares."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from building_blocks import truncation
from building_blocks.fixed_point.arithmetic import multiply, truncate
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint
from building_blocks.operand import Operand
from building_blocks.shares import Shares, stack
from classifiers.regression.columns import Columns
from classifiers.regression.importance import IMPORTANCE_BITS
from classifiers.regression.schedule import Schedule
from classifiers.regression.step import Reach, Rule, Step
from privml.errors import RangeError, SettingError
from privml.units.unit import Unit

ERROR_BITS: Final = 16
"""Fractional bits of probabilities and of errors."""

RATE_BITS: Final = 6
"""Leading bits of a rate over a batch's size, at least: it enters as one public integer."""

MEAN_BITS: Final = 12
"""Leading bits of one over the number of steps whose mean is taken."""

LARGEST_ERROR: Final = (1 << ERROR_BITS) + (1 << ERROR_BITS - 8)
"""A difference of a probability, which may err beyond [0, 1], and a bit."""

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
        limits = {"epochs": (1, 1 << 20), "batch": (1, 1 << 20), "fraction_bits": (16, 30)}
        for name, (least, most) in limits.items():
            value = getattr(self, name)
            if not isinstance(value, int) or not least <= value <= most:
                raise SettingError(f"{name} is an integer in {least}..{most}; got {value}")
        if self.schedule.rate * self.rule.l2 > 1:
            raise SettingError(
                f"learning_rate times l2 is at most 1, or weights would change sign; got {self.schedule.rate:g} times "
                f"{self.rule.l2:g}"
            )
        largest = self.batch * self.columns.largest * self._steepest / (1 - self.rule.momentum)
        spare = SUM_BITS - 1 - self._gradient_bits - math.log2(largest)
        if spare < RATE_BITS:
            raise SettingError(
                f"sums over batches of {self.batch} records leave {spare:.0f} of {RANGE_BITS} bits for the "
                f"learning rate, which needs {RATE_BITS}: make batches, weights of classes or momentum smaller, or "
                "scales of features larger"
            )
        self.reach(0.0, 0, 1)

    def batches(self, records: int) -> int:
        """Into how many batches so many records go."""
        return -(-records // self.batch)

    def steps(self, records: int) -> int:
        """How many steps are made of so many records."""
        return self.epochs * self.batches(records)

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
        of_scores = math.log2(self.score_bound(reach.weights))
        of_mean = math.log2(self._bound(reach.weights) * batches) + MEAN_BITS
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
            change, velocity = self._move(unit, step, (weights, velocity), gradient, len(batch), reach)
            weights, reach = weights + change, self._after(step, reach)
            if number >= len(rates) - len(batches):
                total += weights
        if self.average and len(batches) > 1:
            weights = self._mean(unit, total, len(batches), reach.weights)
        return Position(weights, reach.weights, start.steps + len(rates))

    @property
    def score_bits(self) -> int:
        """Fractional bits of scores."""
        return self.fraction_bits + self.columns.fraction_bits

    def score_bound(self, reach: float) -> int:
        """Largest integer that a score can be."""
        return math.ceil(reach * self.columns.largest_score * 2.0**self.score_bits) + 1

    def _gradient(self, unit: Unit, batch: Batch, weights: Shares, reach: Reach) -> FixedPoint:
        """X'e, summed over the batch."""
        words = self.columns.scores(unit, batch.records, weights)
        scores = FixedPoint(words, self.score_bits, self.score_bound(reach.weights))
        probabilities = self.probabilities(unit, scores, ERROR_BITS)
        errors = FixedPoint(probabilities.shares - batch.targets * (1 << ERROR_BITS), ERROR_BITS, LARGEST_ERROR)
        if batch.importance is not None:
            bound = round(self._steepest * 2**IMPORTANCE_BITS)
            errors = multiply(unit, errors, FixedPoint(batch.importance, IMPORTANCE_BITS, bound))
        bound = math.ceil(errors.bound * len(batch) * self.columns.largest) << self.columns.fraction_bits
        return FixedPoint(self.columns.correlate(unit, batch.records, errors.shares), self._gradient_bits, bound)

    def _move(
        self, unit: Unit, step: Step, state: tuple[Shares, Shares], gradient: FixedPoint, records: int, reach: Reach
    ) -> tuple[Shares, Shares]:
        """Change of the weights, and the new velocity, at as fine a scale as there is room for; then truncated."""
        weights = FixedPoint(state[0], self.fraction_bits, self._bound(reach.weights))
        velocity = FixedPoint(state[1], self.fraction_bits, self._bound(reach.velocity))
        largest = self.columns.largest * step.largest_sum(reach, self._steepest)
        bits = min(RANGE_BITS - 1, SUM_BITS - math.ceil(math.log2(largest)))
        more = bits - self.fraction_bits
        shrunk = np.ones((weights.shape[0], 1))
        shrunk[-1] = 0  # the intercepts do not

        def sum_of(along: float, against: float, shrink: float) -> Shares:
            exact = against / records * 2.0 ** (bits - gradient.fraction_bits)
            # one that has few bits is rounded down: no step is longer than its reach says
            rate = round(exact) if exact >= 1 << RATE_BITS else math.floor(exact)
            downhill = FixedPoint(gradient.shares * rate, bits, gradient.bound * rate)
            return (velocity.scaled(along, more) - downhill - weights.scaled(shrink * shrunk, more)).shares

        change = sum_of(step.along, step.against, step.shrink)
        if not step.keep:
            return truncation.truncate(unit, change, more), state[1]
        both = truncation.truncate(unit, stack([change, sum_of(step.keep, step.rate, 0.0)]), more)
        return both[0], both[1]

    def _mean(self, unit: Unit, total: Shares, count: int, reach: float) -> Shares:
        """Divide the sum of so many weights by their number."""
        bound = self._bound(reach)
        more = SUM_BITS - bound.bit_length()
        mean = FixedPoint(total, self.fraction_bits, bound * count).scaled(1 / count, more)
        return truncate(unit, mean, self.fraction_bits).shares

    def _after(self, step: Step, reach: Reach) -> Reach:
        return step.after(reach, self._steepest, 2.0**-self.fraction_bits)

    def _bound(self, reach: float) -> int:
        """Largest integer that a weight or velocity can be."""
        return math.ceil(reach * self.columns.largest * 2.0**self.fraction_bits) + 1

    @property
    def _steepest(self) -> float:
        """Largest mean gradient for a column of magnitude 1, apart from what errors err."""
        return self.importance or 1.0

    @property
    def _gradient_bits(self) -> int:
        return ERROR_BITS + self.columns.fraction_bits + (0 if self.importance is None else IMPORTANCE_BITS)
