"""How a tree grows on shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from building_blocks.boolean import conjunction
from building_blocks.comparison import bit_to_integer, sign
from building_blocks.fixed_point.joined import multiply_all
from building_blocks.operand import fix_operand, multiply_operands, values
from building_blocks.product import multiply
from building_blocks.shares import BooleanShares, Shares, concatenate, open_shares, public, stack
from classifiers.records import Records
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.criterion import Criterion
from classifiers.tree.curve import Curve
from classifiers.tree.frontier import children_of, parent_of
from classifiers.tree.growth import Growth, added
from classifiers.tree.routes import Routes, descend
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
    due: Shares
    """Whether it had seen enough records to be examined at all."""
    choice: Shares
    """The best test, one-hot; zeros if no split is better."""
    passing: Shares
    """Records of each class that pass it."""


@dataclass(frozen=True)
class Grower:
    """The rules by which a tree grows.

    Parameters
    ----------
    tests
        Of the schema.
    criterion
        What makes a split good.
    margin
        By how much the best must beat the second best; see `split_margin`.
    grace
        Records that a leaf must see before it is examined (again).
    watch_all
        Whether all leaves count values, and not only those that can still be split.
    """

    tests: BinaryTests
    criterion: Criterion
    margin: Curve
    grace: int
    watch_all: bool

    def learn(self, unit: Unit, growth: Growth, records: Records) -> Growth:
        """Learn from a batch of records: send them down, count them, and examine leaves if it is time.

        Leaves are examined after every `grace` records, rounded up to whole batches: what each message holds, and when,
        depends on numbers of records alone.
        """
        if growth.frontier.inner:
            reach = descend(unit, growth.frontier, self.routes(unit, growth), records.features)
            growth = self._counted(unit, growth, records, reach)
        else:
            growth = self._counted_at_root(unit, growth, records)
        growth = replace(growth, records=growth.records + len(records), since=growth.since + len(records))
        if growth.since < self.grace or not len(self.tests):
            return growth
        return self._examined(unit, replace(growth, since=0))

    def routes(self, unit: Unit, growth: Growth) -> Routes:
        """Open under a mask which values pass at each inner node. One round."""
        inner = sorted(growth.frontier.inner)
        passing = self.tests.passing @ growth.choices[inner].transposed
        return Routes(
            {node: column for column, node in enumerate(inner)},
            fix_operand(unit, passing),
            public(unit, np.ones(len(inner), dtype=np.uint64)) - growth.splits[inner],
        )

    def _counted_at_root(self, unit: Unit, growth: Growth, records: Records) -> Growth:
        """As long as there is one leaf, counting is a product of what is open under masks: no message."""
        by_value = multiply_operands(unit, records.features, records.classes, transpose_left=True)
        return growth.counted([0], [0], values(unit, records.classes).sum(axis=0)[None], by_value[None])

    def _counted(self, unit: Unit, growth: Growth, records: Records, reach: Shares) -> Growth:
        """Add a batch to the counts of the leaves that its records reach. Two rounds."""
        frontier, classes = growth.frontier, values(unit, records.classes)
        by_end = multiply(unit, reach[:, :, None], classes[:, None, :])
        watched = list(range(len(frontier.ends))) if self.watch_all else frontier.growing
        columns = fix_operand(unit, by_end[:, watched].reshape(len(records), -1))
        by_value = multiply_operands(unit, columns, records.features, transpose_left=True)
        by_value = Shares(
            by_value.words.reshape(len(watched), classes.shape[1], self.tests.schema.width).swapaxes(1, 2)
        )
        places = [frontier.end_places[number] for number in watched]
        return growth.counted(frontier.end_places, places, by_end.sum(axis=0), by_value)

    def _examined(self, unit: Unit, growth: Growth) -> Growth:
        places = growth.frontier.growing_places
        together = max(1, TOGETHER // ((2 * len(self.tests) + 1) * (self.tests.schema.class_count + 1)))
        blocks = [places[start : start + together] for start in range(0, len(places), together)]
        if not blocks:
            return growth
        parts = zip(*(self._examine(unit, growth, block) for block in blocks), strict=True)
        return self._split(unit, growth, Examination(*(concatenate(part) for part in parts)))

    def _examine(self, unit: Unit, growth: Growth, places: list[int]) -> Examination:
        """Score all splits of the leaves at these places, and say whether the best is good enough."""
        counts = growth.classes[places]
        passing = Shares(self.tests.counts(growth.values[places].words))
        scores = self._scores(unit, counts, passing, growth.records)
        inside, best = best_in_groups(unit, scores[:, 1:], self.tests.groups)
        # no split comes first: it wins against a split that gains nothing
        field = concatenate([scores[:, :1], best], axis=1)
        first, second = first_two(unit, field)
        of_group = np.repeat(range(len(self.tests.groups)), [group.stop - group.start for group in self.tests.groups])
        choice, leads = multiply_all(unit, [(inside, first[:, 1 + of_group]), (first - second, field)])
        (passing,) = multiply_all(unit, [(choice[:, :, None], passing)])
        lead = leads.sum(axis=1) - first[:, 0] * OUT_OF_THE_QUESTION
        margin = self.margin.shared(unit, counts.sum(axis=1), growth.records)
        grace = public(unit, np.full(len(places), self.grace - 1, dtype=np.int64))
        ahead, due = sign(unit, stack([margin - lead, grace - growth.waiting[places]])).words
        split = conjunction(unit, BooleanShares(ahead), BooleanShares(due))
        outcome = bit_to_integer(unit, BooleanShares(np.stack([split.words, due])))
        return Examination(outcome[0], outcome[1], choice, passing.sum(axis=1))

    def _scores(self, unit: Unit, counts: Shares, passing: Shares, most: int) -> Shares:
        """Purities of both sides together, for no split and for every test, shape (leaves, 1 + tests)."""
        whole, tests = counts[:, None, :], len(self.tests)
        sides = concatenate([whole, passing, whole - passing], axis=1)
        purity = self.criterion.purity(unit, sides, most)
        return concatenate([purity[:, :1], purity[:, 1 : 1 + tests] + purity[:, 1 + tests :]], axis=1)

    def _split(self, unit: Unit, growth: Growth, outcome: Examination) -> Growth:
        """Split the leaves that are to be. Two rounds, and one more to open which if the structure is not hidden."""
        frontier, places = growth.frontier, growth.frontier.growing_places
        nodes, rows = zip(*frontier.candidates, strict=True)
        (now,) = multiply_all(unit, [(self._leaf(unit, growth, nodes), outcome.split[list(rows)])])
        of_row = np.arange(len(places))[:, None] == np.array(rows)
        happens: Shares = of_row.astype(np.uint64) @ now

        counts, inherited = growth.classes[places], growth.inherited[places]
        failing = counts - outcome.passing
        seen = growth.values[places].reshape(len(places), -1)
        choices, to_right, changes, waited = multiply_all(
            unit,
            [
                (now[:, None], outcome.choice[list(rows)]),
                (now[:, None], failing[list(rows)]),
                (happens[:, None], concatenate([outcome.passing - inherited, counts, seen], axis=1)),
                (outcome.due, growth.waiting[places]),
            ],
        )
        classes = self.tests.schema.class_count
        to_left, counts, seen = (Shares(part) for part in np.split(changes.words, [classes, 2 * classes], axis=1))
        right = [frontier.place(children_of(node)[1]) for node in nodes]
        grown = replace(
            growth,
            splits=added(growth.splits, nodes, now),
            choices=added(growth.choices, nodes, choices),
            inherited=added(added(growth.inherited, places, to_left), right, to_right),
            classes=added(growth.classes, places, -counts),
            values=added(growth.values, places, -seen.reshape(len(places), -1, classes)),
            waiting=added(growth.waiting, places, -waited),
        )
        shown = np.array(nodes)[open_shares(unit, now)[0] == 1].tolist() if frontier.known else []
        return replace(grown, frontier=frontier.grown(shown))

    def _leaf(self, unit: Unit, growth: Growth, nodes: Sequence[int]) -> Shares:
        """Whether nodes are leaves: not split, and below one that is. Local."""
        roots = np.array(nodes) == 0  # above which there is nothing
        above: Shares = growth.splits[[parent_of(node) for node in nodes]] * ~roots
        return above + public(unit, roots) - growth.splits[list(nodes)]
