"""The tree on shares is the Hoeffding tree in plaintext: every split, every count, every answer."""

from __future__ import annotations

from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river.tree import HoeffdingTreeClassifier

from classifiers.decision_tree import DecisionTree, PublicStructureWarning
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.model import DecisionTreeModel
from classifiers.tree.nodes import TreeLeaf, TreeNode
from classifiers.trial import Keys, Trial
from experiments.plaintext.hoeffding_tree import HoeffdingTree, Node
from privml import Client, DataOwner, Schema
from privml.crypto.keygen import StrongKey
from privml.data.encoding import encode
from privml.errors import ClassifierError, PrivMLError
from privml.roles.words import words_of
from tests.classifiers.tree.scene import EAGER, KINDS, SCHEMA, Codes, schema_of, table
from tests.privml.roles.world import SCHEMA as WORLD
from tests.privml.roles.world import columns, new_provider


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


class Both:
    """A tree on shares, and its twin."""

    def __init__(self, keys: Keys, schema: Schema, **options: Any) -> None:
        self.schema = schema
        self.trial = Trial(DecisionTree, schema, options, keys)
        self.twin = HoeffdingTree(schema, self.trial.halves.master.options)
        self.learned = 0

    def learn(self, codes: Codes, labels: Codes) -> None:
        self.trial.learn(f"chunk {self.learned}", codes, labels)
        self.twin.learn(codes, labels)
        self.learned += 1

    def model(self) -> DecisionTreeModel:
        owner = self.trial.keys.owner
        packed = self.trial.reveal(owner.public_key)
        assert packed is not None
        return DecisionTree.read_model(self.schema, words_of(packed.decrypt(owner)))

    def require_equal(self, queries: Codes) -> None:
        model = self.model()
        assert_same_tree(model.root, self.twin.root, self.twin.tests)
        expected = [self.schema.classes[code] for code in self.twin.predict(queries)]
        assert self.trial.ask(queries).tolist() == expected
        found = self.trial.ask(queries, "probabilities")
        np.testing.assert_allclose(found, self.twin.proportions(queries), atol=2e-4)
        if not self.twin.naive_bayes:
            assert model.predict(queries).tolist() == expected
            np.testing.assert_allclose(found, model.predict_proba(queries), atol=2e-4)


class EveryLeafAtOnce(HoeffdingTree):
    """Examines every leaf that is due, however many there are."""

    def _turns(self) -> int:
        return 1 << self.depth


def assert_same_tree(found: TreeNode, expected: Node, tests: BinaryTests) -> None:
    if isinstance(found, TreeLeaf):
        assert expected.test is None
        assert found.counts.tolist() == expected.counts.tolist()
        return
    assert expected.test is not None
    assert found.test == tests[expected.test]
    for node, twin in zip((found.passing, found.failing), expected.children, strict=True):
        assert_same_tree(node, twin, tests)


def levels(node: Node) -> int:
    return max((1 + levels(child) for child in node.children), default=0)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Schema, list[int], dict[str, Any], int]:
    kinds = draw(st.lists(st.tuples(KINDS, st.integers(1, 10)), min_size=1, max_size=4))
    chunks = draw(st.lists(st.integers(1, 90), min_size=1, max_size=4))
    options = {
        "depth": draw(st.integers(1, 4)),
        "grace_period": draw(st.integers(1, 30)),
        "delta": draw(st.sampled_from([0.5, 0.1, 1e-4])),
        "tau": draw(st.sampled_from([0.0, 0.05, 0.3, 2.0])),
        "batch": draw(st.integers(3, 60)),
        "criterion": draw(st.sampled_from(["information_gain", "information_gain", "gini"])),
        "leaf_prediction": draw(st.sampled_from(["majority", "majority", "naive_bayes"])),
        "reveal_structure": draw(st.integers(0, 4)) == 0,
    }
    return schema_of(kinds, draw(st.integers(2, 4))), chunks, options, draw(st.integers(0, 2**32))


@pytest.mark.filterwarnings("ignore::classifiers.decision_tree.PublicStructureWarning")
@settings(max_examples=60)
@given(problem=problems())
def test_it_is_the_plaintext_tree(problem: tuple[Schema, list[int], dict[str, Any], int], keys: Keys) -> None:
    """However chunks and batches fall, with cells that are unknown, with ties, whatever the options."""
    schema, chunks, options, seed = problem
    both = Both(keys, schema, **options)
    for number, rows in enumerate(chunks):
        both.learn(*table(schema, rows, seed + number, unknown=0.1))
    both.require_equal(table(schema, 30, seed + 99, unknown=0.2)[0])


@pytest.mark.parametrize("criterion", ["information_gain", "gini"])
@pytest.mark.parametrize("leaf_prediction", ["majority", "naive_bayes"])
def test_it_grows_several_levels(criterion: str, leaf_prediction: str, keys: Keys) -> None:
    both = Both(keys, SCHEMA, **EAGER | {"criterion": criterion, "leaf_prediction": leaf_prediction, "depth": 4})
    for number in range(3):
        both.learn(*table(SCHEMA, 220, number, unknown=0.05))
        both.require_equal(table(SCHEMA, 40, 10 + number, unknown=0.1)[0])
    assert levels(both.twin.root) == 4


def test_a_tree_whose_structure_is_open_is_the_same(keys: Keys) -> None:
    with pytest.warns(PublicStructureWarning, match="which nodes"):
        both = Both(keys, SCHEMA, **EAGER, reveal_structure=True)
    hidden = Both(keys, SCHEMA, **EAGER)
    for number in range(3):
        records = table(SCHEMA, 200, number, unknown=0.05)
        both.learn(*records)
        hidden.learn(*records)
    both.require_equal(table(SCHEMA, 40, 9)[0])
    hidden.require_equal(table(SCHEMA, 40, 9)[0])
    master = both.trial.halves.master
    assert isinstance(master, DecisionTree)
    assert len(master._growth.frontier.ends) == len(list(both.twin.leaves())) > 4
    sent = [sum(passage.length for passage in each.trial.trace[0]) for each in (both, hidden)]
    assert sent[0] < sent[1]


FULL_DEPTH_WAITS = [
    ([[1, 1, 0], [1, 1, 0], [0, 1, 1], [0, 0, 0], [0, 1, 1]], [1, 0, 1, 0, 1]),
    ([[0, 1, 1], [0, 0, 1], [0, 1, 0]], [1, 1, 0]),
    ([[1, 1, 0], [1, 1, 0], [1, 0, 0], [0, 1, 1], [1, 1, 1]], [1, 1, 0, 1, 1]),
    ([[0, 0, 0], [1, 1, 0], [0, 1, 0]], [0, 1, 0]),
    ([[0, 0, 1], [0, 0, 0], [0, 1, 1], [1, 0, 1]], [1, 0, 1, 0]),
    ([[1, 0, 0], [0, 0, 1], [0, 0, 0], [0, 0, 1]], [1, 1, 0, 1]),
]
"""At the end a leaf that is as deep as it gets has many records waiting, left of one that is due."""

RIGHT_IS_SHALLOW = [
    ([[1, 1, 0], [1, 0, 0], [0, 1, 1], [0, 0, 1], [1, 1, 1]], [1, 0, 0, 1, 1]),
    ([[0, 1, 0], [0, 0, 0], [0, 1, 1]], [0, 0, 1]),
    ([[1, 0, 0], [1, 0, 0], [0, 1, 0]], [0, 0, 0]),
    ([[0, 0, 0], [1, 1, 1], [0, 0, 0], [0, 0, 1]], [1, 1, 0, 1]),
    ([[1, 1, 0], [0, 1, 0], [0, 0, 1]], [1, 0, 1]),
    ([[1, 1, 1], [0, 1, 1], [0, 0, 1], [1, 0, 1], [0, 1, 0]], [1, 1, 1, 1, 0]),
]
"""At the end two leaves are due, the one further right a level above the other."""


@pytest.mark.filterwarnings("ignore::classifiers.decision_tree.PublicStructureWarning")
@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize(
    ("depth", "chunks"), [(2, FULL_DEPTH_WAITS), (3, RIGHT_IS_SHALLOW)], ids=["full depth", "shallow right"]
)
def test_turns_go_to_leaves_that_can_be_split_from_the_left(
    depth: int, chunks: list[tuple[list[list[int]], list[int]]], known: bool, keys: Keys
) -> None:
    options = {"depth": depth, "grace_period": 4, "delta": 0.5, "tau": 2.0, "batch": 8, "reveal_structure": known}
    both = Both(keys, schema_of([("categorical", 2)] * 3, 2), **options)
    for codes, labels in chunks:
        both.learn(np.array(codes), np.array(labels))
    both.require_equal(np.array(list(product((0, 1), repeat=3))))


@st.composite
def contests(draw: st.DrawFn) -> tuple[dict[str, Any], int]:
    """Options by which more leaves are due than there are turns, again and again."""
    grace = draw(st.integers(2, 8))
    options = {
        "depth": draw(st.integers(2, 4)),
        "grace_period": grace,
        "delta": 0.5,
        "tau": 2.0,
        "batch": draw(st.integers(max(1, grace // 2), grace + 3)),
        "reveal_structure": draw(st.booleans()),
    }
    return options, draw(st.integers(0, 2**32))


@pytest.mark.filterwarnings("ignore::classifiers.decision_tree.PublicStructureWarning")
@settings(max_examples=25)
@given(contest=contests())
def test_whoever_waits_the_tree_is_the_plaintext_one(contest: tuple[dict[str, Any], int], keys: Keys) -> None:
    options, seed = contest
    both = Both(keys, schema_of([("categorical", 2)] * 3, 2), **options)
    for number in range(6):
        both.learn(*table(both.trial.schema, 7, seed + number))
    both.require_equal(table(both.trial.schema, 20, seed + 99)[0])


def test_leaves_wait_for_their_turn(keys: Keys) -> None:
    """Of more leaves that are due than there are turns, the last wait: a tree without turns is another one."""
    both = Both(keys, SCHEMA, **EAGER | {"depth": 4, "batch": 100, "grace_period": 50})
    hasty = EveryLeafAtOnce(SCHEMA, both.trial.halves.master.options)
    records = table(SCHEMA, 900, 1)
    for start, stop in pairwise([0, 50, 100, 200, *range(250, 901, 50)]):
        both.learn(*(part[start:stop] for part in records))
        hasty.learn(*(part[start:stop] for part in records))
    both.require_equal(table(SCHEMA, 40, 9)[0])
    with pytest.raises(AssertionError):
        assert_same_tree(both.model().root, hasty.root, hasty.tests)


def test_a_young_tree_is_examined_more_often() -> None:
    tree = DecisionTree(SCHEMA, grace_period=20, batch=100)
    rows = np.arange(500)[:, None].astype(np.uint64)
    batches = tree._blocks(rows)
    assert [len(batch) for batch in batches] == [40, 40, 40, 40, 40, 50, 62, 78, 97, 13]
    np.testing.assert_array_equal(np.concatenate(batches), rows)
    eager = DecisionTree(SCHEMA, grace_period=300, batch=100)
    assert [len(batch) for batch in eager._blocks(rows)] == [100] * 5


def test_new_leaves_of_naive_bayes_answer_by_what_their_parent_saw(keys: Keys) -> None:
    """Right after a split, when they have seen nothing: differently for records that differ below it."""
    both = Both(keys, SCHEMA, **EAGER | {"depth": 1, "leaf_prediction": "naive_bayes", "grace_period": 100})
    both.learn(*table(SCHEMA, 100))
    assert [leaf.classes.sum() for leaf in both.twin.leaves()] == [0, 0]
    asked = table(SCHEMA, 60, 5)[0]
    both.require_equal(asked)
    found = both.trial.ask(asked, "probabilities")
    assert len(np.unique(found.round(3), axis=0)) > 2


def test_ties_go_to_the_first(keys: Keys) -> None:
    """Two features that say the same, in every record, and a third one that says the opposite."""
    schema = schema_of([("categorical", 2)] * 3, 2)
    labels = np.arange(200) % 2
    codes = np.stack([labels, labels, 1 - labels], axis=1)
    both = Both(keys, schema, **EAGER | {"depth": 1})
    both.learn(codes, labels)
    assert both.twin.root.test == 0
    both.require_equal(codes[:4])


def test_what_gains_nothing_is_no_split(keys: Keys) -> None:
    """Not even where ties are broken at once."""
    schema = schema_of([("categorical", 3), ("numeric", 4)], 2)
    both = Both(keys, schema, **EAGER | {"tau": 100.0})
    both.learn(np.zeros((100, 2), np.int64), np.arange(100) % 2)
    assert both.twin.root.test is None
    both.require_equal(np.zeros((1, 2), np.int64))


def test_a_schema_without_tests_has_a_root_alone(keys: Keys) -> None:
    schema = schema_of([("categorical", 1)], 2)
    both = Both(keys, schema, **EAGER)
    both.learn(np.zeros((60, 1), np.int64), np.ones(60, np.int64))
    both.require_equal(np.array([[0], [-1]]))


class TestSecrecy:
    def trace_of(self, codes: Codes, labels: Codes, keys: Keys, **options: Any) -> Any:
        trial = Trial(DecisionTree, SCHEMA, EAGER | options, keys)
        for number in range(3):
            part = slice(number, None, 3)
            trial.learn(f"chunk {number}", codes[part], labels[part])
            for answer in DecisionTree.answers:
                trial.words(codes[:20], answer)
        trial.reveal(keys.owner.public_key)
        return trial.trace

    @pytest.mark.parametrize("leaf_prediction", ["majority", "naive_bayes"])
    def test_messages_do_not_tell_how_a_tree_grew(self, leaf_prediction: str, keys: Keys) -> None:
        codes, labels = table(SCHEMA, 300)
        one = self.trace_of(codes, labels, keys, leaf_prediction=leaf_prediction)
        assert one == self.trace_of(codes * 0, labels * 0, keys, leaf_prediction=leaf_prediction)
        assert one == self.trace_of(codes, labels[::-1], keys, leaf_prediction=leaf_prediction)

    @pytest.mark.filterwarnings("ignore::classifiers.decision_tree.PublicStructureWarning")
    def test_they_do_where_that_was_asked_for(self, keys: Keys) -> None:
        codes, labels = table(SCHEMA, 300)
        traces = [self.trace_of(codes, each, keys, reveal_structure=True) for each in (labels, labels * 0)]
        assert traces[0] != traces[1]

    def test_long_runs_do_not_slow_down(self, keys: Keys) -> None:
        """Once a tree is as large as it may get, batches take as many rounds, and bytes that hardly grow."""
        trial = Trial(DecisionTree, SCHEMA, EAGER, keys)
        taken = []
        for number in range(40):
            before = trial.units.master.channel.statistics
            trial.learn(f"chunk {number}", *table(SCHEMA, 25, number))
            taken.append(trial.units.master.channel.statistics - before)
        grown = taken[8:]
        assert len({each.rounds for each in grown}) == 1
        assert taken[0].bytes_sent < grown[0].bytes_sent
        assert max(each.bytes_sent for each in grown) < 1.1 * min(each.bytes_sent for each in grown)

    def test_state_is_bounded(self, keys: Keys) -> None:
        """By schema and depth, whatever was learned."""
        sizes = set()
        for rows in (1, 400):
            both = Both(keys, SCHEMA, **EAGER)
            both.learn(*table(SCHEMA, rows))
            state = both.trial.halves.master.state()["learned"]
            sizes.add(sum(value.nbytes for value in state.values() if isinstance(value, np.ndarray)))
        assert len(sizes) == 1


class TestWithdrawal:
    def test_the_tree_is_grown_anew(self, keys: Keys) -> None:
        both = Both(keys, SCHEMA, **EAGER, retain=True)
        parts = [table(SCHEMA, 150, number) for number in range(4)]
        for part in parts:
            both.trial.learn(f"chunk {both.learned}", *part)
            both.learned += 1
        both.trial.withdraw("chunk 1")
        both.trial.withdraw("chunk 2")
        both.trial.learn("late", *parts[1])
        for number in (0, 3, 1):
            both.twin.learn(*parts[number])
        both.require_equal(table(SCHEMA, 30, 9)[0])

    def test_it_takes_retained_records(self, keys: Keys) -> None:
        both = Both(keys, SCHEMA, **EAGER)
        both.learn(*table(SCHEMA, 60))
        with pytest.raises(ClassifierError, match="retain=True"):
            both.trial.withdraw("chunk 0")
        assert not both.trial.halves.master.state()["rows"]


def test_at_a_provider(strong_key: StrongKey) -> None:
    """Statistics are refused at the owner; a withdrawal at the provider, which goes on."""
    provider = new_provider(strong_key)
    owner, client = DataOwner.join(provider, "owner"), Client.join(provider, "client")
    card = provider.create_model("tree", "decision_tree", WORLD, options=EAGER)
    records = columns(150)
    with pytest.raises(ClassifierError, match="send sealed chunks"):
        owner.upload(card, records, path="homomorphic")
    assert not owner.receipts
    receipts = owner.upload(card, records, chunk_rows=60)
    with pytest.raises(PrivMLError, match="withdrawn"):
        owner.withdraw(card, receipts[0])
    twin, learned = HoeffdingTree(WORLD, card.options), encode(WORLD, records)
    assert learned.labels is not None
    for start in range(0, 150, 60):
        twin.learn(learned.codes[start : start + 60], learned.labels[start : start + 60])
    asked = columns(20, seed=1)
    with client.open_session(card) as session:
        expected = [WORLD.classes[code] for code in twin.predict(encode(WORLD, asked).codes)]
        assert session.predict(asked).tolist() == expected
    provider.close()


def test_it_is_about_as_good_as_another_implementation(keys: Keys) -> None:
    """river's tree, which sees records one by one, on features of two values: its splits are binary then, too."""
    schema = schema_of([("categorical", 2)] * 6, 2)
    rng = np.random.default_rng(5)
    codes = rng.integers(0, 2, (2500, 6))
    labels = np.where(rng.random(2500) < 0.9, codes[:, 0] & codes[:, 3] | codes[:, 4], rng.integers(0, 2, 2500))
    learned, asked = slice(0, 2000), slice(2000, None)
    options: dict[str, Any] = {"grace_period": 50, "delta": 1e-3, "tau": 0.1}
    both = Both(keys, schema, **options, depth=4, batch=100)
    both.learn(codes[learned], labels[learned])
    names = list(schema.names)
    river: Any = HoeffdingTreeClassifier(**options, max_depth=4, leaf_prediction="mc", nominal_attributes=names)
    for row, label in zip(codes[learned].tolist(), labels[learned].tolist(), strict=True):
        river.learn_one(dict(zip(names, row, strict=True)), label)
    theirs = [river.predict_one(dict(zip(names, row, strict=True))) for row in codes[asked].tolist()]
    ours = [schema.classes.index(label) for label in both.trial.ask(codes[asked])]
    accuracies = [float((np.array(found) == labels[asked]).mean()) for found in (ours, theirs)]
    assert min(accuracies) > 0.9
    assert abs(accuracies[0] - accuracies[1]) < 0.03
