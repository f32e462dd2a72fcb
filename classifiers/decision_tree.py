"""The online decision tree: a Hoeffding tree on shares."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
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
from classifiers.tree.frontier import Frontier
from classifiers.tree.grower import Grower
from classifiers.tree.growth import Growth
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

    Everything that decides is computed exactly, by integers: the same records in the same batches grow the same tree,
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
        examined when a batch ends and so many records came since the last time.
    delta
        Chance of a split that is not the best, in (0, 1).
    tau
        Where the Hoeffding bound is below it, the best is taken as it is. 0: never.
    criterion
        "information_gain" or "gini".
    leaf_prediction
        "majority", or "naive_bayes" on what the leaf saw; for at most 711 features.
    batch
        Records of a chunk that go down the tree together, in 1..8192. A chunk ends a batch.
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
    records. A batch of a tree of depth d: d + 2 rounds to count it and about 40 to examine leaves (70 for "gini"); to
    open a chunk 1 for each 8192 records, and 5. A batch of queries 6, d to go down, and 1; 1 more after a change of the
    model, and a few for what all leaves answer; those of `argmax` or `softmax` with "naive_bayes".
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
        tau: float = 0.05,
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
        self.depth, self.grace_period, self.delta, self.tau, self.batch = depth, grace_period, delta, tau, batch
        self.criterion, self.leaf_prediction, self.reveal_structure = criterion, leaf_prediction, reveal_structure
        if reveal_structure:
            warnings.warn(
                "reveal_structure=True shows both units which nodes of the tree are split, each time that it grows",
                PublicStructureWarning,
                stacklevel=2,
            )
        self._tests = BinaryTests(schema)
        margin = split_margin(CRITERIA[criterion], schema.class_count, delta, tau)
        watch_all = LEAVES[leaf_prediction].watch_all
        self._grower = Grower(self._tests, CRITERIA[criterion], margin, grace_period, watch_all)
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
        return [rows[start : start + self.batch] for start in range(0, len(rows), self.batch)]

    def _restart(self) -> None:
        self._growth = Growth.start(Frontier(self.depth, known=self.reveal_structure), self._tests)
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
        shares = {name: getattr(growth, name).words for name in _SHARED}
        return {**shares, "inner": inner, "records": growth.records, "since": growth.since}

    def _take_over(self, learned: Mapping[str, Any]) -> None:
        inner = np.flatnonzero(learned["inner"]).tolist()
        self._restart()
        self._growth = replace(
            self._growth,
            frontier=replace(self._growth.frontier, inner=frozenset(inner)),
            records=learned["records"],
            since=learned["since"],
            **{name: Shares(learned[name]) for name in _SHARED},
        )


_SHARED: Final = ("splits", "choices", "inherited", "classes", "values", "waiting")
"""What of a tree is shared."""


def _require_range(what: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise SettingError(f"{what} lies in 1..{most}; got {value}")
