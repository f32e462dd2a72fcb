"""Whether a leaf is split, and by which test, on shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from building_blocks.comparison import bit_to_integer, sign
from building_blocks.fixed_point.joined import multiply_all
from building_blocks.shares import Shares, concatenate
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.criterion import Criterion
from classifiers.tree.curve import Curve
from classifiers.tree.tournament import best_in_groups, first_two
from privml.units.unit import Unit

TOGETHER: Final = 1 << 16
"""Counts of splits that are scored at a time: bounds the memory."""

OUT_OF_THE_QUESTION: Final = 1 << 60
"""What the margin is short of where no split is the best: more than any margin."""


class Examination(NamedTuple):
    """What came of examining leaves, one row each."""

    split: Shares
    """Whether it is to be split."""
    choice: Shares
    """The best test, one-hot; zeros if no split is better."""
    passing: Shares
    """Records of each class that pass it."""


@dataclass(frozen=True)
class Examiner:
    """The rules by which leaves are split.

    Parameters
    ----------
    tests
        Of the schema.
    criterion
        What makes a split good.
    margin
        By how much the best must beat the second best; see `split_margin`.
    """

    tests: BinaryTests
    criterion: Criterion
    margin: Curve

    def examine(self, unit: Unit, classes: Shares, values: Shares, most: int) -> Examination:
        """Score all splits of leaves, and say whether the best is good enough. A leaf without records is not split.

        Parameters
        ----------
        classes, values
            Records of each class, (leaves, C), and of each value and class, (leaves, width, C).
        most
            Records that a leaf can have.
        """
        together = max(1, TOGETHER // ((2 * len(self.tests) + 1) * (self.tests.schema.class_count + 1)))
        parts = [
            self._examine(unit, classes[start : start + together], values[start : start + together], most)
            for start in range(0, len(classes.words), together)
        ]
        return Examination(*map(concatenate, zip(*parts, strict=True)))

    def _examine(self, unit: Unit, classes: Shares, values: Shares, most: int) -> Examination:
        passing = Shares(self.tests.counts(values.words))
        scores = self._scores(unit, classes, passing, most)
        inside, best = best_in_groups(unit, scores[:, 1:], self.tests.groups)
        # no split comes first: it wins against a split that gains nothing
        field = concatenate([scores[:, :1], best], axis=1)
        first, second = first_two(unit, field)
        of_group = np.repeat(range(len(self.tests.groups)), [group.stop - group.start for group in self.tests.groups])
        choice, leads = multiply_all(unit, [(inside, first[:, 1 + of_group]), (first - second, field)])
        (passing,) = multiply_all(unit, [(choice[:, :, None], passing)])
        lead = leads.sum(axis=1) - first[:, 0] * OUT_OF_THE_QUESTION
        margin = self.margin.shared(unit, classes.sum(axis=1), most)
        return Examination(bit_to_integer(unit, sign(unit, margin - lead)), choice, passing.sum(axis=1))

    def _scores(self, unit: Unit, classes: Shares, passing: Shares, most: int) -> Shares:
        """Purities of both sides together, for no split and for every test, shape (leaves, 1 + tests)."""
        whole, tests = classes[:, None, :], len(self.tests)
        sides = concatenate([whole, passing, whole - passing], axis=1)
        purity = self.criterion.purity(unit, sides, most)
        return concatenate([purity[:, :1], purity[:, 1 : 1 + tests] + purity[:, 1 + tests :]], axis=1)
