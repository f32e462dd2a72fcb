"""A tree as far as it has grown, on shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import prod

import numpy as np

from building_blocks.shares import Shares, concatenate
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.frontier import Frontier


@dataclass(frozen=True, slots=True)
class Seen:
    """What leaves saw, a row for each leaf, or for each place of one.

    Parameters
    ----------
    inherited
        Records of each class that its parent had seen on its side, (leaves, C).
    classes, values
        Records of each class, and of each value and class, that it saw itself: (leaves, C), (leaves, width, C).
    earlier
        `values` of its parent, (leaves, width, C); (leaves, 0, C) if nobody asks.
    """

    inherited: Shares
    classes: Shares
    values: Shares
    earlier: Shares

    @classmethod
    def nothing(cls, leaves: int, tests: BinaryTests, keep_earlier: bool) -> Seen:
        """Nothing."""
        width, classes = tests.schema.width, tests.schema.class_count
        shapes = (classes,), (classes,), (width, classes), (width * keep_earlier, classes)
        return cls(*(_zeros(leaves, *shape) for shape in shapes))

    def at(self, rows: Sequence[int]) -> Seen:
        """Some of the leaves."""
        return Seen(*(part[list(rows)] for part in self._parts))

    def children(self, passing: Shares) -> tuple[Seen, Seen]:
        """What leaves' children begin with, where so many records of each class pass the test; those that pass first.

        They answer by what their parent saw, and see for themselves whether to split.
        """
        earlier = self.values[:, : self.earlier.shape[1]]
        sides = passing, self.classes - passing
        first, second = (Seen(side, self.classes * 0, self.values * 0, earlier) for side in sides)
        return first, second

    @property
    def joined(self) -> Shares:
        """All of it side by side, one row for each leaf."""
        return concatenate([part.reshape(part.shape[0], -1) for part in self._parts], axis=1)

    def parted(self, joined: Shares) -> Seen:
        """Turn rows side by side into what leaves saw, with columns as these have them."""
        shapes = [part.shape[1:] for part in self._parts]
        parts = np.split(joined.words, np.cumsum([prod(shape) for shape in shapes])[:-1], axis=1)
        return Seen(*(Shares(part.reshape(len(part), *shape)) for part, shape in zip(parts, shapes, strict=True)))

    def added(self, rows: Sequence[int], more: Seen) -> Seen:
        """Add to some rows, each at most once."""
        return Seen(*(added(old, rows, new) for old, new in zip(self._parts, more._parts, strict=True)))

    @property
    def _parts(self) -> tuple[Shares, ...]:
        return self.inherited, self.classes, self.values, self.earlier


@dataclass(frozen=True)
class Growth:
    """A tree as far as it has grown: shares, and what is public of it. Nothing in it is ever changed, only replaced.

    Of nodes that may be split, and of places, see `Frontier`.

    Parameters
    ----------
    frontier
        Where it may have grown to.
    splits, choices
        Whether each node is split, shape (nodes,), and by which test, one-hot, (nodes, tests).
    seen
        What the leaf at each place saw.
    waiting
        Records that each leaf has seen since its splits were last examined, (places,).
    records
        Records learned.
    since
        Records since leaves were last examined.
    """

    frontier: Frontier
    splits: Shares
    choices: Shares
    seen: Seen
    waiting: Shares
    records: int = 0
    since: int = 0

    @classmethod
    def start(cls, frontier: Frontier, tests: BinaryTests, keep_earlier: bool) -> Growth:
        """A root that has seen nothing."""
        nodes, places = frontier.nodes, frontier.places
        seen = Seen.nothing(places, tests, keep_earlier)
        return cls(frontier, _zeros(nodes), _zeros(nodes, len(tests)), seen, _zeros(places))

    @property
    def counts(self) -> Shares:
        """Records of each class that a leaf's answer rests on, (places, C)."""
        return self.seen.inherited + self.seen.classes

    def counted(self, ends: list[int], watched: list[int], by_end: Shares, by_value: Shares) -> Growth:
        """Add records: by class at some places, (ends, C), and by value and class at some of these."""
        classes, values = added(self.seen.classes, ends, by_end), added(self.seen.values, watched, by_value)
        return replace(
            self,
            seen=replace(self.seen, classes=classes, values=values),
            waiting=added(self.waiting, ends, by_end.sum(axis=1)),
        )


def added(x: Shares, rows: Sequence[int], more: Shares) -> Shares:
    """Add to some rows, each at most once."""
    words = x.words.copy()
    words[list(rows)] += more.words
    return Shares(words)


def _zeros(*shape: int) -> Shares:
    return Shares(np.zeros(shape, dtype=np.uint64))
