"""What a leaf answers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Final

import numpy as np

from building_blocks.fixed_point.arithmetic import truncate
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.reciprocal import divide
from building_blocks.fixed_point.softmax import softmax
from building_blocks.operand import Operand, fix_operand, multiply_by_operand, multiply_operands
from building_blocks.product import multiply
from building_blocks.selection import argmax
from building_blocks.shares import Shares, concatenate
from classifiers.tree.curve import MOST, Curve, log2
from classifiers.tree.growth import Growth
from privml.data.schema import Schema
from privml.units.unit import Unit

ANSWER_BITS: Final = 16
"""Fractional bits of a probability."""

SCORE_BITS: Final = 48
"""Fractional bits of a score: enough for the second differences of a logarithm at the largest count."""

ANCHORS: Final = tuple(range(0, 12, 2))
"""Where the first quadratics of the logarithm end; the others reach a third further each."""

COARSE_BITS: Final = 20
"""Fractional bits of a score that becomes a probability."""

LN2_BITS: Final = 16


class Leaves(ABC):
    """The leaves of a tree, ready to answer; `reach` says which of the tree's ends each record comes to, one-hot."""

    by_values: ClassVar[bool]
    """Whether answers need counts of values: those of leaves that cannot be split any more, and of leaves' parents."""

    def __init__(self, schema: Schema, growth: Growth) -> None:
        self._schema = schema
        self._growth = growth
        self._places = growth.frontier.end_places

    @abstractmethod
    def label(self, unit: Unit, reach: Shares, features: Operand) -> Shares:
        """Number of the most probable class, of equally probable ones the first, shape (n,)."""

    @abstractmethod
    def probabilities(self, unit: Unit, reach: Shares, features: Operand) -> Shares:
        """Probabilities of the classes with 16 fractional bits, shape (n, C)."""


class MajorityLeaves(Leaves):
    """The class that most records had, of those that a leaf and its parents saw on its side; and their proportions.

    Both are computed once for all leaves, and opened under a mask; an answer is one product, in one round. Proportions
    are divided between the units: whoever asks sees quotients, and no count.
    """

    by_values = False
    _labels: Operand | None = None
    _proportions: Operand | None = None

    def label(self, unit: Unit, reach: Shares, features: Operand) -> Shares:
        """See `Leaves.label`."""
        if self._labels is None:
            best = argmax(unit, self._growth.counts[self._places])
            self._labels = fix_operand(unit, best.index.reshape(-1, 1))
        return multiply_by_operand(unit, reach, self._labels)[:, 0]

    def probabilities(self, unit: Unit, reach: Shares, features: Operand) -> Shares:
        """See `Leaves.probabilities`."""
        if self._proportions is None:
            counts = FixedPoint(self._growth.counts[self._places], 0, self._growth.records)
            total = FixedPoint(counts.shares.sum(axis=1).reshape(-1, 1), 0, self._growth.records)
            self._proportions = fix_operand(unit, divide(unit, counts, total, ANSWER_BITS, limit=1).shares)
        return multiply_by_operand(unit, reach, self._proportions)


class NaiveBayesLeaves(Leaves):
    """Naive Bayes in each leaf, on the values that it saw itself and that its parent saw before it was split.

    The parent's, since a new leaf has seen nothing yet. Its prior are the counts of `MajorityLeaves`.
    log2(n_c + 1) + sum over known features of log2(n(value, c) + 1) - log2(n(feature, c) + V), all by one curve.
    Tables of all leaves are made once; an answer takes one product with them, one round to choose the leaf's scores,
    and `argmax` or `softmax`.
    """

    by_values = True
    _table: Operand | None = None
    _prior: Shares | None = None

    def label(self, unit: Unit, reach: Shares, features: Operand) -> Shares:
        """See `Leaves.label`."""
        return argmax(unit, self._scores(unit, reach, features)).index

    def probabilities(self, unit: Unit, reach: Shares, features: Operand) -> Shares:
        """See `Leaves.probabilities`."""
        bound = score_limit(self._schema) << SCORE_BITS
        scores = truncate(unit, FixedPoint(self._scores(unit, reach, features), SCORE_BITS, bound), COARSE_BITS)
        return softmax(unit, scores.scaled(math.log(2), LN2_BITS), ANSWER_BITS).shares

    def _scores(self, unit: Unit, reach: Shares, features: Operand) -> Shares:
        """Scores of the classes, shape (n, C)."""
        if self._table is None or self._prior is None:
            self._table, self._prior = self._made(unit)
        scores = multiply_operands(unit, features, self._table).reshape(len(reach.words), *self._prior.shape)
        scores = Shares(scores.words + self._prior.words)
        return multiply(unit, reach[:, :, None], scores).sum(axis=1)

    def _made(self, unit: Unit) -> tuple[Operand, Shares]:
        """Table of values by ends and classes, and prior, shape (ends, C)."""
        growth, schema = self._growth, self._schema
        values = growth.seen.values[self._places] + growth.seen.earlier[self._places]
        known = concatenate([values[:, block].sum(axis=1)[:, None] for block in schema.slices.values()], axis=1)
        prior = growth.counts[self._places][:, None]
        cardinalities = np.array(schema.cardinalities)
        offsets = np.concatenate([np.ones(schema.width), cardinalities, [1]]).astype(np.uint64)
        counts = concatenate([values, known, prior], axis=1).words
        if unit.is_master:
            counts = counts + offsets[:, None]
        logarithms = log2_of_count().shared(unit, Shares(counts), growth.records + int(offsets.max()))
        of_values, of_known = logarithms[:, : schema.width], logarithms[:, schema.width : -1]
        table = of_values - of_known[:, np.repeat(range(len(cardinalities)), cardinalities)]
        columns = np.ascontiguousarray(table.words.swapaxes(0, 1)).reshape(schema.width, -1)
        return fix_operand(unit, Shares(columns)), logarithms[:, -1]


LEAVES: Final[Mapping[str, type[Leaves]]] = {"majority": MajorityLeaves, "naive_bayes": NaiveBayesLeaves}
"""By name."""


def score_limit(schema: Schema) -> int:
    """Largest magnitude of a naive Bayes score: a logarithm of the largest count for each feature, and the prior's."""
    return (len(schema.features) + 1) * (2 * MOST).bit_length()


@cache
def log2_of_count() -> Curve:
    """The curve of log2 n, from n = 1, to within a thousandth."""
    anchors = list(ANCHORS)
    while anchors[-1] <= 2 * MOST:
        anchors.append(anchors[-1] + anchors[-1] // 6 * 2)
    return Curve(_log2, tuple(anchors))


def _log2(n: int) -> int:
    return round(log2(n) * 2**SCORE_BITS) if n else 0
