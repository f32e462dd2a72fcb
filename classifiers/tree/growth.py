"""A tree as far as it has grown, on shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from building_blocks.shares import Shares
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.frontier import Frontier


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
    inherited
        Records of each class that a leaf's parent had seen on its side, (places, C).
    classes, values
        Records of each class, and of each value and class, that each leaf has seen: (places, C), (places, width, C).
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
    inherited: Shares
    classes: Shares
    values: Shares
    waiting: Shares
    records: int = 0
    since: int = 0

    @classmethod
    def start(cls, frontier: Frontier, tests: BinaryTests) -> Growth:
        """A root that has seen nothing."""
        nodes, places, classes = frontier.nodes, frontier.places, tests.schema.class_count
        return cls(
            frontier,
            splits=_zeros(nodes),
            choices=_zeros(nodes, len(tests)),
            inherited=_zeros(places, classes),
            classes=_zeros(places, classes),
            values=_zeros(places, tests.schema.width, classes),
            waiting=_zeros(places),
        )

    @property
    def counts(self) -> Shares:
        """Records of each class that a leaf's answer rests on, (places, C)."""
        return self.inherited + self.classes

    def counted(self, ends: list[int], watched: list[int], by_end: Shares, by_value: Shares) -> Growth:
        """Add records: by class at some places, (ends, C), and by value and class at some of these."""
        return replace(
            self,
            classes=added(self.classes, ends, by_end),
            values=added(self.values, watched, by_value),
            waiting=added(self.waiting, ends, by_end.sum(axis=1)),
        )


def added(x: Shares, rows: Sequence[int], more: Shares) -> Shares:
    """Add to some rows, each at most once."""
    words = x.words.copy()
    words[list(rows)] += more.words
    return Shares(words)


def _zeros(*shape: int) -> Shares:
    return Shares(np.zeros(shape, dtype=np.uint64))
