"""Batches whose records are divided among the units' lanes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.operand import values
from building_blocks.shares import Shares, Words
from classifiers.records import Records, open_records
from classifiers.regression.descent import Batch, Descent, Point
from classifiers.regression.ranges import Extent
from privml.data.schema import Schema
from privml.units.lanes import Lane, Lanes
from privml.units.unit import Unit

_BATCHES: Final = "batches of logistic regression"
"""What a lane remembers them by; a unit goes through one chunk at a time."""


@dataclass(frozen=True)
class Recipe:
    """How batches are made of records: what both units know of it, and this unit's shares of the scales, if any."""

    schema: Schema
    descent: Descent
    importance: NDArray[np.int64] | None
    scales: Words | None = field(default=None, repr=False)

    def carried(self) -> Recipe:
        """The same without an object that may not travel: scales as words."""
        columns = self.descent.columns
        if columns.scales is None:
            return self
        return replace(
            self, descent=replace(self.descent, columns=replace(columns, scales=None)), scales=columns.scales.words
        )

    def unpacked(self) -> Recipe:
        """What was carried, as it was."""
        if self.scales is None:
            return self
        columns = replace(self.descent.columns, scales=Shares(self.scales))
        return replace(self, descent=replace(self.descent, columns=columns), scales=None)

    def batches(self, unit: Unit, records: Sequence[Records]) -> list[Batch]:
        """Make a batch of each block of records. Local."""
        return [self._batch(unit, block) for block in records]

    def _batch(self, unit: Unit, block: Records) -> Batch:
        classes = values(unit, block.classes)
        targets = classes[:, 1:] if self.schema.class_count == 2 else classes
        return Batch(block.features, targets, None if self.importance is None else classes @ self.importance)


@dataclass(frozen=True)
class DividedBatch:
    """A batch of which each of some lanes holds a part; the lane opened it under a mask of its own."""

    lanes: Lanes
    parts: int
    number: int
    records: int

    def __len__(self) -> int:
        """Return the number of records."""
        return self.records

    def gradient(self, unit: Unit, descent: Descent, point: Point) -> Shares:
        """Add up what the lanes make of their parts; each errs as `Descent.gradient` does."""
        arguments = self.number, point.for_scores.words, point.coarser, point.extent
        parts = self.lanes.map(unit, _gradient, [arguments] * self.parts)
        return Shares(_together(parts))


@contextmanager
def divided(
    unit: Unit, lanes: Lanes, parts: int, recipe: Recipe, blocks: Sequence[Words], refusal: str
) -> Iterator[list[DividedBatch]]:
    """Divide each block of records among so many of the unit's lanes; they keep them open until the context ends.

    Raises
    ------
    ValidationError
        They are no records; `refusal` is the message.
    """
    shared = zip(*(np.array_split(block, parts) for block in blocks), strict=True)
    lanes.map(unit, _hold, [(list(part), recipe.carried(), refusal) for part in shared])
    yield [DividedBatch(lanes, parts, number, len(block)) for number, block in enumerate(blocks)]
    lanes.map(unit, _drop, [()] * parts)


def _hold(lane: Lane, blocks: list[Words], carried: Recipe, refusal: str) -> None:
    """Open this lane's part of every batch, check it, and keep it."""
    recipe = carried.unpacked()
    records = open_records(lane.unit, recipe.schema, blocks, refusal)
    lane.memory[_BATCHES] = recipe.descent, recipe.batches(lane.unit, records)


def _gradient(lane: Lane, number: int, for_scores: Words, coarser: int, extent: Extent) -> Words:
    """Gradient over this lane's part of a batch."""
    descent, batches = lane.memory[_BATCHES]
    words: Words = descent.gradient(lane.unit, batches[number], Point(Shares(for_scores), coarser, extent)).words
    return words


def _together(parts: Sequence[Words]) -> Words:
    return np.asarray(np.sum(parts, axis=0, dtype=np.uint64))


def _drop(lane: Lane) -> None:
    """Forget the batches."""
    del lane.memory[_BATCHES]
