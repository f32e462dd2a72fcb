"""How a tree grows on shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from building_blocks.fixed_point.joined import multiply_all
from building_blocks.operand import fix_operand, fix_operands, multiply_operands, values
from building_blocks.product import multiply
from building_blocks.shares import Shares, concatenate, open_shares, public
from classifiers.records import Records
from classifiers.tree.curve import MOST
from classifiers.tree.examiner import Examiner
from classifiers.tree.frontier import children_of, parent_of
from classifiers.tree.growth import Growth, added
from classifiers.tree.routes import Routes, descend
from classifiers.tree.turns import take_turns, turns
from privml.units.unit import Unit


@dataclass(frozen=True)
class Grower:
    """The rules by which a tree grows.

    Parameters
    ----------
    examiner
        Splits leaves.
    grace
        Records that a leaf must see before it is examined (again).
    watch_all
        Whether all leaves count values, and not only those that can still be split.
    """

    examiner: Examiner
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
        if growth.since < self.grace or not len(self.examiner.tests) or not growth.frontier.growing:
            return growth
        return self._examined(unit, growth)

    def routes(self, unit: Unit, growth: Growth) -> Routes:
        """Open under a mask which values pass at each inner node. One round."""
        inner = sorted(growth.frontier.inner)
        passing = self.examiner.tests.passing @ growth.choices[inner].transposed
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
        shape = len(watched), classes.shape[1], records.features.shape[1]
        by_value = Shares(by_value.words.reshape(shape).swapaxes(1, 2))
        places = [frontier.end_places[number] for number in watched]
        return growth.counted(frontier.end_places, places, by_end.sum(axis=0), by_value)

    def _examined(self, unit: Unit, growth: Growth) -> Growth:
        """Examine the leaves whose turn it is, and split those that are to be.

        Twelve rounds beside the examination itself, or eight if it is everybody's turn; and one more to open which
        nodes are split if the structure is known. What is opened of tables grows with the leaves that there may be,
        and the examination with the turns alone.
        """
        frontier, places = growth.frontier, growth.frontier.growing_places
        nodes, rows = map(list, zip(*frontier.candidates, strict=True))
        at_place = np.array(rows)[:, None] == np.arange(len(places))
        # a candidate is the leaf at its place, or it is none
        leaves = self._leaf(unit, growth, nodes)[:, None] * at_place
        # a place whose leaf is as deep as it gets takes no turn: nobody waits there
        none = public(unit, np.ones(len(places), dtype=np.uint64)) - leaves.sum(axis=0)
        waiting = growth.waiting[places] - none * MOST
        taken = take_turns(unit, waiting, self.grace, turns(growth.since, self.grace))
        saw = growth.seen.at(places)
        turn, table, leaf = fix_operands(unit, taken, saw.joined, leaves)
        examined = saw.parted(multiply_operands(unit, turn, table, transpose_left=True))
        outcome = self.examiner.examine(unit, examined.classes, examined.values, growth.records)
        turn_of_node = multiply_operands(unit, leaf, turn)
        pairs = [(turn_of_node, outcome.split[None]), (taken.sum(axis=1), growth.waiting[places])]
        split, waited = multiply_all(unit, pairs)

        first, second = examined.children(outcome.passing)
        news = [outcome.choice, first.joined - examined.joined, second.joined]
        happening, change = fix_operands(unit, split, concatenate(news, axis=1))
        changes = multiply_operands(unit, happening, change).words
        ends = np.cumsum([part.shape[1] for part in news])[:-1]
        choices, to_first, to_second = map(Shares, np.split(changes, ends, axis=1))
        by_place: Shares = at_place.T.astype(np.uint64) @ to_first
        new_places = [frontier.place(children_of(node)[1]) for node in nodes]
        splits = split.sum(axis=1)
        shown = np.array(nodes)[open_shares(unit, splits)[0] == 1].tolist() if frontier.known else []
        return replace(
            growth,
            frontier=frontier.grown(shown),
            splits=added(growth.splits, nodes, splits),
            choices=added(growth.choices, nodes, choices),
            seen=growth.seen.added(places, saw.parted(by_place)).added(new_places, saw.parted(to_second)),
            waiting=added(growth.waiting, places, -waited),
            since=0,
        )

    def _leaf(self, unit: Unit, growth: Growth, nodes: Sequence[int]) -> Shares:
        """Whether nodes are leaves: not split, and below one that is. Local."""
        roots = np.array(nodes) == 0  # above which there is nothing
        above: Shares = growth.splits[[parent_of(node) for node in nodes]] * ~roots
        return above + public(unit, roots) - growth.splits[list(nodes)]
