"""Mini-batch gradient descent on shares."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, Protocol

import numpy as np

from building_blocks import truncation
from building_blocks.fixed_point.arithmetic import multiply, truncate
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint
from building_blocks.operand import Operand
from building_blocks.shares import Shares, public, stack
from classifiers.regression.columns import Columns
from classifiers.regression.importance import IMPORTANCE_BITS
from classifiers.regression.loss import ERROR_BITS, Loss
from classifiers.regression.ranges import RATE_BITS, SUM_BITS, Extent, Ranges
from classifiers.regression.schedule import Schedule
from classifiers.regression.step import Rule, Step
from privml.errors import RangeError, SettingError
from privml.units.unit import Unit

MEAN_BITS: Final = 12
"""Leading bits of one over the number of steps whose mean is taken."""

LARGEST_ERROR: Final = (1 << ERROR_BITS) + (1 << ERROR_BITS - 8)
"""A difference of a probability, which may err beyond [0, 1], and a bit."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Records, what their probabilities should be, (n, m), and how much each record counts, (n, 1), if it matters."""

    records: Operand
    targets: Shares
    importance: Shares | None = None

    def __len__(self) -> int:
        """Return the number of records."""
        return self.records.shape[0]

    def gradient(self, unit: Unit, descent: Descent, point: Point) -> Shares:
        """X'e, summed over the records; see `Descent.gradient`."""
        return descent.gradient(unit, self, point)


@dataclass(frozen=True, slots=True)
class Position:
    """Where the descent is: weights and intercepts, (width + 1, m); how far they can be from 0; steps to here."""

    weights: Shares
    extent: Extent = field(default_factory=Extent)
    steps: int = 0


@dataclass(frozen=True, slots=True)
class Point:
    """Where a gradient is taken: weights for scores, with so many fewer fractional bits; how far they can be from 0."""

    for_scores: Shares
    coarser: int
    extent: Extent


class AnyBatch(Protocol):
    """A batch, wherever its records are."""

    def __len__(self) -> int:
        """Return the number of records."""
        ...

    def gradient(self, unit: Unit, descent: Descent, point: Point) -> Shares:
        """X'e, summed over the records; see `Descent.gradient`."""
        ...


@dataclass(frozen=True, slots=True)
class _State:
    """Between two steps: weights, velocity, and where the next gradient is taken."""

    weights: Shares
    velocity: Shares
    point: Point

    @property
    def extent(self) -> Extent:
        """How far weights and velocity can be from 0."""
        return self.point.extent


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
    loss
        What is descended.
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
    loss: Loss
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
        largest = self.batch * self.columns.largest * self.ranges.importance / (1 - self.rule.momentum)
        spare = SUM_BITS - 1 - self._gradient_bits - math.log2(largest)
        if spare < RATE_BITS:
            raise SettingError(
                f"sums over batches of {self.batch} records leave {spare:.0f} of {RANGE_BITS} bits for the "
                f"learning rate, which needs {RATE_BITS}: make batches, weights of classes or momentum smaller, or "
                "scales of features larger"
            )
        self.forecast(Extent(), 0, 1)

    @cached_property
    def ranges(self) -> Ranges:
        """How large numbers can get."""
        return Ranges(self.columns, self.loss, self.fraction_bits, self.importance or 1.0)

    def batches(self, records: int) -> int:
        """Into how many batches so many records go."""
        return -(-records // self.batch)

    def steps(self, records: int) -> int:
        """How many steps are made of so many records."""
        return self.epochs * self.batches(records)

    def forecast(self, start: Extent, done: int, records: int) -> Extent:
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
        extent, batches = start.at_rest, self.batches(records)
        rates = self.schedule.rates(done, self.epochs * batches)
        for rate in rates:
            extent = self.ranges.after(self.rule.step(rate), extent)
        of_scores = math.log2(self.ranges.score_bound(extent))
        of_mean = math.log2(self.ranges.weight_bound(extent) * batches) + MEAN_BITS
        if max(of_scores, of_mean) > SUM_BITS:
            raise RangeError(
                f"after {done + len(rates)} steps weights could be {self.ranges.weight(extent):.3g} from 0, which "
                f"takes {max(of_scores, of_mean):.1f} of {SUM_BITS} bits: take a smaller learning_rate, fewer epochs, "
                "larger batches or fewer fraction_bits"
            )
        return extent.at_rest

    def train(self, unit: Unit, batches: Sequence[AnyBatch], start: Position) -> Position:
        """Go through the batches, epoch by epoch.

        Seven rounds a step with the sigmoid: weights and errors are opened under masks, four for probabilities, and the
        change is truncated. One more each: if a feature is continuous, or in the first step of a later chunk if f > 16;
        if scores can reach 2^18; with weights of classes. The first step of all takes two. One in the end for the mean.
        """
        rates = self.schedule.rates(start.steps, self.epochs * len(batches))
        state = _State(start.weights, start.weights * 0, Point(start.weights, 0, start.extent.at_rest))
        total = start.weights * 0
        for number, rate in enumerate(rates):
            batch = batches[number % len(batches)]
            gradient = batch.gradient(unit, self, state.point)
            state = self._move(unit, self.rule.step(rate), state, gradient, len(batch))
            if number >= len(rates) - len(batches):
                total += state.weights
        weights = state.weights
        if self.average and len(batches) > 1:
            weights = self._mean(unit, total, len(batches), state.extent)
        return Position(weights, state.extent.at_rest, start.steps + len(rates))

    @property
    def score_bits(self) -> int:
        """Fractional bits of scores."""
        return self.fraction_bits + self.columns.fraction_bits

    def gradient(self, unit: Unit, batch: Batch, point: Point) -> Shares:
        """X'e, summed over the batch: exact but for what probabilities err."""
        errors = self._probabilities(unit, batch, point) - batch.targets * (1 << ERROR_BITS)
        if batch.importance is not None:
            bound = round(self.ranges.importance * 2**IMPORTANCE_BITS)
            weight = FixedPoint(batch.importance, IMPORTANCE_BITS, bound)
            errors = multiply(unit, FixedPoint(errors, ERROR_BITS, LARGEST_ERROR), weight).shares
        return self.columns.correlate(unit, batch.records, errors)

    def _probabilities(self, unit: Unit, batch: Batch, point: Point) -> Shares:
        if not point.extent.length.weights:
            # the first step of all: weights are known to be 0
            return public(unit, np.full(batch.targets.shape, (1 << ERROR_BITS) // self.loss.candidates))
        scores = self.columns.scores(unit, batch.records, point.for_scores)
        bound = self.ranges.score_bound(point.extent, point.coarser)
        return self.loss.probabilities(
            unit, FixedPoint(scores, self.score_bits - point.coarser, bound), ERROR_BITS
        ).shares

    def _move(self, unit: Unit, step: Step, state: _State, gradient: Shares, records: int) -> _State:
        """Make a step: sums are exact, at as fine a scale as there is room for, and then truncated."""
        dropped, coarser = self.ranges.scale(step, state.extent, step.rate / records, self._gradient_bits)
        bits = self.fraction_bits + dropped - coarser

        def downhill(rate: float) -> Shares:
            exact = rate / records * 2.0 ** (bits - self._gradient_bits)
            # one that has few bits is rounded down: no step is longer than its reach says
            return gradient * (round(exact) if exact >= 1 << RATE_BITS else math.floor(exact))

        def scaled(x: Shares, factor: float) -> Shares:
            return x * round(factor * 2.0 ** (bits - self.fraction_bits))

        change = -downhill(step.against)
        if step.keep:
            change += scaled(state.velocity, step.along)
        if step.shrink:
            shrunk = np.ones((gradient.shape[0], 1), dtype=np.int64)
            shrunk[-1] = 0  # the intercepts do not
            change -= scaled(state.weights, step.shrink) * shrunk
        sums = [change * (1 << coarser)]
        if step.keep:
            sums.append((scaled(state.velocity, step.keep) - downhill(step.rate)) * (1 << coarser))
        if coarser:
            sums.append(scaled(state.weights, 1) + change)
        rounded = truncation.truncate(unit, stack(sums), dropped)
        weights = state.weights + rounded[0]
        return _State(
            weights,
            rounded[1] if step.keep else state.velocity,
            Point(rounded[-1] if coarser else weights, coarser, self.ranges.after(step, state.extent)),
        )

    def _mean(self, unit: Unit, total: Shares, count: int, extent: Extent) -> Shares:
        """Divide the sum of so many weights by their number."""
        bound = self.ranges.weight_bound(extent)
        more = SUM_BITS - bound.bit_length()
        mean = FixedPoint(total, self.fraction_bits, bound * count).scaled(1 / count, more)
        return truncate(unit, mean, self.fraction_bits).shares

    @property
    def _gradient_bits(self) -> int:
        return ERROR_BITS + self.columns.fraction_bits + (0 if self.importance is None else IMPORTANCE_BITS)
