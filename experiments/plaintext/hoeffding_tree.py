"""A Hoeffding tree in plaintext, node by node: what the private one must equal, split by split."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.criterion import CRITERIA, split_margin
from classifiers.tree.leaves import SCORE_BITS, log2_of_count
from privml.data.encoding import one_hot
from privml.data.schema import Schema

Codes = NDArray[np.int64]


class Node:
    """A leaf that watches its records, or a node that tests them."""

    def __init__(self, tests: BinaryTests, level: int, inherited: Codes) -> None:
        self.level = level
        self.inherited = inherited
        self.classes = np.zeros_like(inherited)
        self.values, self.earlier = np.zeros((2, tests.schema.width, len(inherited)), dtype=np.int64)
        self.waiting = 0
        self.test: int | None = None
        self.children: tuple[Node, ...] = ()

    @property
    def counts(self) -> Codes:
        """Records of each class, with those its parent had seen."""
        return np.asarray(self.inherited + self.classes)


class HoeffdingTree:
    """VFDT (Domingos and Hulten, KDD 2000) on a schema's tests, for the options of `classifiers.decision_tree`."""

    def __init__(self, schema: Schema, options: Mapping[str, Any]) -> None:
        self.schema = schema
        self.tests = BinaryTests(schema)
        self.depth: int = options["depth"]
        self.grace: int = options["grace_period"]
        self.batch: int = options["batch"]
        self.criterion = CRITERIA[options["criterion"]]
        self.margin = split_margin(self.criterion, schema.class_count, options["delta"], options["tau"])
        self.root = Node(self.tests, 0, np.zeros(schema.class_count, dtype=np.int64))
        self.naive_bayes = options["leaf_prediction"] == "naive_bayes"
        self.records = self.since = 0

    def learn(self, codes: Codes, labels: Codes) -> None:
        """Learn from a chunk of records, in batches of a quarter of those before, or of two grace periods."""
        start = 0
        while start < len(codes):
            part = slice(start, start + min(self.batch, max(2 * self.grace, self.records // 4)))
            self._step(codes[part], labels[part])
            start = part.stop

    def _step(self, codes: Codes, labels: Codes) -> None:
        hot = one_hot(self.schema, codes).astype(np.int64)
        for leaf, rows in self.reached(codes):
            by_class = np.eye(self.schema.class_count, dtype=np.int64)[labels[rows]]
            leaf.classes += by_class.sum(axis=0)
            leaf.values += hot[rows].T @ by_class
            leaf.waiting += len(rows)
        self.records += len(codes)
        self.since += len(codes)
        if self.since >= self.grace:
            due = [leaf for leaf in self.leaves() if leaf.waiting >= self.grace and leaf.level < self.depth]
            for leaf in due[: self._turns()]:
                leaf.waiting = 0
                self._attempt(leaf)
            self.since = 0

    def _turns(self) -> int:
        """How many leaves are examined: as many as the records since the last time can have made due, rounded up."""
        return math.ceil(self.since / self.grace)

    def _attempt(self, leaf: Node) -> None:
        passing = self.tests.passing.astype(np.int64).T @ leaf.values
        purity = self.criterion.plain
        scores = purity(passing) + purity(leaf.classes - passing)
        best = [group.start + int(np.argmax(scores[group])) for group in self.tests.groups]
        # no split comes first, then the features
        merits = np.array([purity(leaf.classes), *scores[best]])
        first, second = np.argsort(-merits, kind="stable")[:2] if best else (0, 0)
        if first > 0 and merits[first] - merits[second] > self.margin.plain(leaf.classes.sum()):
            leaf.test = best[first - 1]
            sides = passing[leaf.test], leaf.classes - passing[leaf.test]
            leaf.children = tuple(Node(self.tests, leaf.level + 1, side) for side in sides)
            for child in leaf.children:
                child.earlier = leaf.values

    def reached(self, codes: Codes) -> Iterator[tuple[Node, Codes]]:
        """Leaves from left to right, and which records come to each."""
        passed = one_hot(self.schema, codes) @ self.tests.passing
        waiting = [(self.root, np.arange(len(codes)))]
        while waiting:
            node, rows = waiting.pop()
            if node.test is None:
                yield node, rows
            else:
                through = passed[rows, node.test] > 0
                left, right = zip(node.children, (rows[through], rows[~through]), strict=True)
                waiting += [right, left]

    def leaves(self) -> Iterator[Node]:
        """All leaves from left to right."""
        return (leaf for leaf, _ in self.reached(np.zeros((0, len(self.schema.features)), dtype=np.int64)))

    def predict(self, codes: Codes) -> Codes:
        """Codes of the most probable class of each record, of equally probable ones the first."""
        found = np.zeros(len(codes), dtype=np.int64)
        for leaf, rows in self.reached(codes):
            scores = self._scores(leaf, codes[rows]) if self.naive_bayes else leaf.counts[None]
            found[rows] = scores.argmax(axis=1)
        return found

    def proportions(self, codes: Codes) -> NDArray[np.float64]:
        """Probabilities of the classes for each record."""
        found = np.zeros((len(codes), self.schema.class_count))
        for leaf, rows in self.reached(codes):
            if self.naive_bayes:
                scores = self._scores(leaf, codes[rows]) / 2.0**SCORE_BITS
                odds = 2.0 ** (scores - scores.max(axis=1, keepdims=True, initial=-np.inf))
                found[rows] = odds / odds.sum(axis=1, keepdims=True)
            elif len(rows):
                found[rows] = leaf.counts / leaf.counts.sum()
        return found

    def _scores(self, leaf: Node, codes: Codes) -> Codes:
        """Scores of the classes by naive Bayes, on the values that a leaf saw, and its parent before it."""
        log2 = log2_of_count().plain
        scores = np.tile(log2(leaf.counts + 1), (len(codes), 1))
        for column, block in enumerate(self.schema.slices.values()):
            values = (leaf.values + leaf.earlier)[block]
            table = log2(values + 1) - log2(values.sum(axis=0) + len(values))
            known = codes[:, column] >= 0
            scores[known] += table[codes[known, column]]
        return scores
