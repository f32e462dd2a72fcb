"""The online decision tree: a Hoeffding tree on shares."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.number import decode
from building_blocks.operand import Operand
from building_blocks.shares import Shares, Words, concatenate
from classifiers.labels import read_labels
from classifiers.records import BLOCK, Records
from classifiers.sequential import SequentialClassifier
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.criterion import CRITERIA, split_margin
from classifiers.tree.curve import MOST
from classifiers.tree.examiner import Examiner
from classifiers.tree.frontier import Frontier
from classifiers.tree.grower import Grower
from classifiers.tree.growth import Growth, Seen
from classifiers.tree.leaves import ANSWER_BITS, LEAVES, SCORE_BITS, Leaves, score_limit
from classifiers.tree.model import DecisionTreeModel
from classifiers.tree.routes import Routes, descend
from privml.data.schema import Schema
from privml.errors import CapacityError, ClassifierError, SettingError
from privml.units.unit import Unit

DEEPEST: Final = 10
"""Levels of nodes at most: a level more doubles the work."""

CLASSES: Final = 64
"""Classes at most."""

TIED: Final = 0.3
"""Share of the largest gain below which the Hoeffding bound calls a tie, if `tau` does not say."""


class PublicStructureWarning(UserWarning):
    """A tree that shows both units, and whoever watches their messages, how it grows."""


class DecisionTree(SequentialClassifier):
    """Online decision tree; nobody but the client learns an answer, nobody but a recipient the model.

    VFDT, the Hoeffding tree (Domingos and Hulten, KDD 2000), of a public depth. Which record goes where, which node is
    split and by which test stays secret: every record goes down all the way of a complete tree, and every leaf that
    there may be is examined, whether there is one or not. Nodes test ``feature = value``, or ``feature <= edge`` for
    ordinal and numeric features; a cell that was left out fails every test.

    A leaf is split by the test that gains most, if it gains so much more than the best test of any other feature, and
    than no split at all, that this is no chance, by Hoeffding's bound; of equally good ones the first is the best. Its
    children begin anew: they answer by the records that the parent saw on their side, and by their own.

    Everything that decides is computed exactly, by integers: the same records in the same chunks grow the same tree,
    the very one that the plaintext algorithm grows with the same integers. n log2 n is a curve of quadratics, off by
    sqrt(n) / 32 at most, a fraction of the bound.

    Parameters
    ----------
    schema
        Features and at most 64 classes; no continuous feature.
    depth
        Tests on the way to a leaf, at most, in 1..10.
    grace_period
        Records that a leaf must see before its splits are examined, and again before they are the next time. Leaves are
        examined when a batch ends and so many records came since the last time: one leaf for each `grace_period` of
        them, rounded up, those further left in the tree first. More cannot be due for long.
    delta
        Chance of a split that is not the best, in (0, 1).
    tau
        Where the Hoeffding bound is at most this, the best is taken as it is. 0: never. None: 0.3 of the largest
        gain of a record (log2 C bits; 1 for "gini"), reached after so many records however many classes there are: 90
        for this delta.
    criterion
        "information_gain" or "gini".
    leaf_prediction
        "majority", or "naive_bayes" on what the leaf and its parent saw; for at most 711 features. The latter is mostly
        better, and takes twice the time for queries.
    batch
        Records of a chunk that go down the tree together, at most, in 1..8192. They are no more than a quarter of
        those before them, or than two grace periods: young trees are examined more often. A chunk ends a batch.
    reveal_structure
        Opens which nodes are split, to both units, each time that leaves were examined, and warns of it. That saves the
        work on nodes that are not there: up to three quarters. By which tests stays secret, and so does where records
        go; but how a tree grows says much about how hard the records are to tell apart.
    retain
        Whether the units keep their shares of the records, so that a chunk can be withdrawn: the tree is then grown
        anew from the others, in their order, when it is next needed. Without it memory does not grow with the records.

    Raises
    ------
    SettingError
        An option is out of range, or the schema has continuous features or too many classes.

    Notes
    -----
    Public: schema, options, the number of records of each chunk, of chunks, refreshes and queries. Fewer than 2^21
    records. A batch of a tree of depth d: d + 2 rounds to count it and about 45 to examine leaves (75 for "gini"); to
    open a chunk 1 for each 8192 records, and 2. A batch of queries 3, d to go down, and 1; 1 more after a change of the
    model, and a few for what all leaves answer; those of `argmax` or `softmax` with "naive_bayes".

    Training takes time linear in the records. Each examination lets the tree grow a level, and the work on a batch
    grows with the leaves that there may be, until after d examinations there may be all. Then a batch takes as many
    rounds as the one before it, and bytes and time that hardly grow: by a hundredth for twice as many records.
    """

    name = "decision_tree"
    answers: ClassVar[Mapping[str, str]] = {
        "label": "the most probable class",
        "probabilities": "the probability of every class; it makes the model easier to copy than labels do",
    }

    def __init__(
        self,
        schema: Schema,
        *,
        depth: int = 6,
        grace_period: int = 200,
        delta: float = 1e-7,
        tau: float | None = None,
        criterion: str = "information_gain",
        leaf_prediction: str = "majority",
        batch: int = 1000,
        reveal_structure: bool = False,
        retain: bool = False,
    ) -> None:
        super().__init__(schema, retain)
        _require_range("depth", depth, DEEPEST)
        _require_range("grace_period", grace_period, MOST)
        _require_range("batch", batch, BLOCK)
        if not schema.one_hot:
            raise SettingError("a decision tree tests values: make continuous features Numeric ones, with bins")
        if schema.class_count > CLASSES:
            raise SettingError(f"a decision tree takes at most {CLASSES} classes; the schema has {schema.class_count}")
        for what, value, known in (("criterion", criterion, CRITERIA), ("leaf_prediction", leaf_prediction, LEAVES)):
            if value not in known:
                raise SettingError(f"{what} is {' or '.join(known)}; got {value!r}")
        if leaf_prediction == "naive_bayes" and score_limit(schema) >> 62 - SCORE_BITS:
            raise SettingError(
                f"naive Bayes leaves add up too many features: {len(schema.features)}; take majority ones"
            )
        self.depth, self.grace_period, self.delta, self.batch = depth, grace_period, delta, batch
        self.tau = CRITERIA[criterion].spread(schema.class_count) * TIED if tau is None else tau
        self.criterion, self.leaf_prediction, self.reveal_structure = criterion, leaf_prediction, reveal_structure
        if reveal_structure:
            warnings.warn(
                "reveal_structure=True shows both units which nodes of the tree are split, each time that it grows",
                PublicStructureWarning,
                stacklevel=2,
            )
        self._tests = BinaryTests(schema)
        margin = split_margin(CRITERIA[criterion], schema.class_count, delta, self.tau)
        self._by_values = LEAVES[leaf_prediction].by_values
        examiner = Examiner(self._tests, CRITERIA[criterion], margin)
        self._grower = Grower(examiner, grace_period, watch_all=self._by_values)
        self._restart()

    @property
    def options(self) -> Mapping[str, Any]:
        """All options."""
        return {
            "depth": self.depth,
            "grace_period": self.grace_period,
            "delta": self.delta,
            "tau": self.tau,
            "criterion": self.criterion,
            "leaf_prediction": self.leaf_prediction,
            "batch": self.batch,
            "reveal_structure": self.reveal_structure,
            "retain": self.retain,
        }

    def admit(self, chunk: str, rows: int, layout: Any) -> None:
        """Check a chunk before anything is done with it; see `Classifier.admit`."""
        super().admit(chunk, rows, layout)
        if self.records + rows >= MOST:
            raise CapacityError(
                f"a decision tree learns from fewer than {MOST} records: {rows} more than its {self.records} do not fit"
            )

    def _blocks(self, rows: Words) -> list[Words]:
        """Batches: of no more than a quarter of the records that were learned before, or than two grace periods."""
        ends = [0]
        while ends[-1] < len(rows):
            before = self._growth.records + ends[-1]
            ends.append(ends[-1] + min(self.batch, max(2 * self.grace_period, before // 4)))
        return [rows[start:end] for start, end in pairwise(ends)]

    def _restart(self) -> None:
        frontier = Frontier(self.depth, known=self.reveal_structure)
        self._growth = Growth.start(frontier, self._tests, keep_earlier=self._by_values)
        self._leaves: Leaves | None = None
        self._routes: Routes | None = None

    def _train(self, unit: Unit, records: Sequence[Records]) -> None:
        for batch in records:
            self._growth = self._grower.learn(unit, self._growth, batch)

    def _settle(self, unit: Unit) -> None:
        self._leaves, self._routes = LEAVES[self.leaf_prediction](self.schema, self._growth), None

    def _answer(self, unit: Unit, queries: Operand, answer: str) -> Words:
        if self._leaves is None:
            raise ClassifierError("the model was not refreshed")
        if self._routes is None:
            self._routes = self._grower.routes(unit, self._growth)
        reach = descend(unit, self._growth.frontier, self._routes, queries)
        give = self._leaves.label if answer == "label" else self._leaves.probabilities
        return give(unit, reach, queries).words

    @classmethod
    def answer_shape(cls, schema: Schema, rows: int, answer: str) -> tuple[int, ...]:
        """One word a record for labels, one for each class for probabilities."""
        return (rows,) if answer == "label" else (rows, schema.class_count)

    @classmethod
    def read_answer(cls, schema: Schema, words: Words, answer: str) -> NDArray[Any]:
        """Labels as the schema's texts, shape (n,); probabilities of shape (n, C).

        Raises
        ------
        DecryptionError
            A word stands for no class.
        """
        if answer == "label":
            return read_labels(schema, words)
        probabilities = np.clip(decode(words, ANSWER_BITS), 0, 1)
        return np.asarray(probabilities / probabilities.sum(axis=1, keepdims=True))

    def _model(self) -> Words:
        growth = self._growth
        chosen = (growth.choices * np.arange(len(self._tests))).sum(axis=1)
        return concatenate([growth.splits, chosen, growth.counts.reshape(-1)]).words

    @classmethod
    def read_model(cls, schema: Schema, words: Words) -> DecisionTreeModel:
        """Turn an opened release into a tree that prints itself."""
        return DecisionTreeModel.read(schema, words)

    def _learned(self) -> Mapping[str, Any]:
        growth = self._growth
        inner = np.isin(np.arange(growth.frontier.nodes), list(growth.frontier.inner)).astype(np.uint64)
        shares = {name: getattr(growth, name).words for name in _OF_TREE}
        seen = {name: getattr(growth.seen, name).words for name in _OF_LEAVES}
        return {**shares, **seen, "inner": inner, "records": growth.records, "since": growth.since}

    def _take_over(self, learned: Mapping[str, Any]) -> None:
        inner = np.flatnonzero(learned["inner"]).tolist()
        self._restart()
        self._growth = replace(
            self._growth,
            frontier=replace(self._growth.frontier, inner=frozenset(inner)),
            records=learned["records"],
            since=learned["since"],
            seen=Seen(**{name: Shares(learned[name]) for name in _OF_LEAVES}),
            **{name: Shares(learned[name]) for name in _OF_TREE},
        )


_OF_TREE: Final = ("splits", "choices", "waiting")
_OF_LEAVES: Final = ("inherited", "classes", "values", "earlier")
"""What of a tree is shared."""


def _require_range(what: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise SettingError(f"{what} lies in 1..{most}; got {value}")
