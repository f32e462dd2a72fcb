"""What units see while a tree grows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from building_blocks.operand import fix_operands
from building_blocks.shares import Shares, open_shares
from classifiers.records import Records
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.criterion import CRITERIA, split_margin
from classifiers.tree.examiner import Examiner
from classifiers.tree.frontier import Frontier
from classifiers.tree.grower import Grower
from classifiers.tree.growth import Growth
from classifiers.tree.routes import descend
from privml import Categorical, Numeric, Schema
from privml.data.encoding import one_hot, one_hot_labels
from privml.units.unit import Unit
from tests.two_units import Run, join, run, split, suspicious

SCHEMA = Schema((Categorical("f", ("a", "b", "c")), Numeric("g", (1, 2, 3))), "y", ("p", "q"))
TESTS = BinaryTests(SCHEMA)
ROWS = 60


class ShowsWhereRecordsGo(Grower):
    def _counted(self, unit: Unit, growth: Growth, records: Records, reach: Shares) -> Growth:
        open_shares(unit, reach)
        return super()._counted(unit, growth, records, reach)


def grower(kind: type[Grower] = Grower, criterion: str = "information_gain") -> Grower:
    chosen = CRITERIA[criterion]
    return kind(Examiner(TESTS, chosen, split_margin(chosen, 2, 0.3, 0.5)), 20, watch_all=True)


def grow(rules: Grower, batches: int = 4, constant: bool = False) -> Run[Growth]:
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, 3, ROWS * batches), rng.integers(0, 4, ROWS * batches)], axis=1)
    labels = (codes[:, 0] + codes[:, 1]) % 2
    if constant:
        codes, labels = codes * 0, labels * 0

    def program(unit: Unit, features: Shares, classes: Shares) -> Growth:
        growth = Growth.start(Frontier(2), TESTS, keep_earlier=True)
        for start in range(0, ROWS * batches, ROWS):
            part = slice(start, start + ROWS)
            growth = rules.learn(unit, growth, Records(*fix_operands(unit, features[part], classes[part])))
        return growth

    return run(program, split(one_hot(SCHEMA, codes)), split(one_hot_labels(SCHEMA, labels)))


def shared(grown: Run[Growth], name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """An array of the tree, or of what its leaves saw."""
    one, other = (
        getattr(growth.seen if hasattr(growth.seen, name) else growth, name)
        for growth in (grown.master, grown.secondary)
    )
    return join(Run(one, other, grown.views))


@pytest.mark.parametrize("criterion", CRITERIA)
def test_units_see_uniform_words(criterion: str) -> None:
    grown = grow(grower(criterion=criterion))
    assert shared(grown, "splits").sum() > 0
    for view in grown.views:
        assert suspicious(view, lately=True) == []


def test_that_they_do_is_noticed_if_they_do_not() -> None:
    grown = grow(grower(ShowsWhereRecordsGo))
    assert any(suspicious(view, lately=True) for view in grown.views)


def test_children_answer_by_what_their_parent_saw_and_begin_anew() -> None:
    grown = grow(grower(), batches=1)
    assert shared(grown, "splits").tolist() == [1, 0, 0]
    inherited = shared(grown, "inherited")
    assert inherited.sum() == ROWS
    assert (inherited[[0, 2]].sum(axis=1) > 0).all()
    assert not any(shared(grown, name).any() for name in ("classes", "values", "waiting"))
    earlier = shared(grown, "earlier")
    np.testing.assert_array_equal(earlier[0], earlier[2])
    assert earlier[0].sum() == 2 * ROWS  # two features
    assert not earlier[[1, 3]].any()


def test_traces_are_equal() -> None:
    one, other = grow(grower()), grow(grower(), constant=True)
    assert shared(other, "splits").sum() == 0
    assert [view.trace for view in one.views] == [view.trace for view in other.views]


def test_records_come_to_one_end() -> None:
    """Whatever is split: to the left where a node is not."""
    rules, frontier = grower(), Frontier(2, frozenset({0, 1, 2}))
    choices = np.zeros((3, len(TESTS)), np.int64)
    choices[0, 0] = choices[2, 3] = 1
    codes = np.array([[0, 0], [1, 0], [2, 3], [0, 3], [-1, 0]])

    def program(unit: Unit, splits: Shares, chosen: Shares, features: Shares, classes: Shares) -> Shares:
        growth = replace(Growth.start(frontier, TESTS, keep_earlier=False), splits=splits, choices=chosen)
        (opened, _) = fix_operands(unit, features, classes)
        return descend(unit, frontier, rules.routes(unit, growth), opened)

    nothing = split(np.zeros((5, 2), np.int64))
    found = join(run(program, split(np.array([1, 0, 1])), split(choices), split(one_hot(SCHEMA, codes)), nothing))
    # f = a, then nothing; else g <= 1
    assert found.argmax(axis=1).tolist() == [0, 2, 3, 0, 2]
    assert (found.sum(axis=1) == 1).all()
