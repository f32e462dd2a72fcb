"""Categorical naive Bayes on shared counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.comparison import bit_to_integer, sign
from building_blocks.fixed_point.logarithm import LOG_FRACTION_BITS, log2
from building_blocks.fixed_point.number import FixedPoint, fixed_public
from building_blocks.operand import Operand, fix_operand, multiply_operands, values
from building_blocks.selection import argmax
from building_blocks.shares import Shares, Words, concatenate, public, signed
from building_blocks.validation import Validation
from classifiers.base import Classifier
from classifiers.labels import read_labels
from classifiers.records import blocks_of, open_records
from classifiers.spread import spread
from privml.crypto.packing import Layout
from privml.data.encoding import EncodedTable, counts
from privml.data.schema import Schema
from privml.errors import CapacityError, ClassifierError, SettingError
from privml.units.lanes import Lane
from privml.units.unit import Unit

ALPHA_BITS: Final = 24
"""Fractional bits of the smoothing: counts enter the logarithm as 2^24 (count + alpha)."""

COUNT_BITS: Final = 32
"""Records that a model can learn from, as a power of two."""

SCORE_ERROR: Final = 1.5e-7
"""Bound on the error of a difference of two logarithms, in powers of two: each feature, and the prior, adds one."""

UNSEEN: Final = 1 << 20
"""What a class without a record is behind by, in powers of two: it is never predicted."""

TIE: Final = round(2 * SCORE_ERROR * 2**LOG_FRACTION_BITS) + 1
"""Units of a score, for each feature, by which a class must beat an earlier one: what rounding alone may make."""


@dataclass(frozen=True)
class NaiveBayesModel:
    """A revealed model, as its recipient reads it.

    Attributes
    ----------
    class_log_prior
        ln P(class), shape (C,); about -7e5 for a class without a record.
    feature_log_prob
        ln P(value | class) for each feature by name, shape (C, values), as scikit-learn's CategoricalNB has it.
    """

    class_log_prior: NDArray[np.float64]
    feature_log_prob: dict[str, NDArray[np.float64]]


class NaiveBayes(Classifier):
    """Online categorical naive Bayes; nobody but the client learns an answer, nobody but a recipient the model.

    State: shares of the counts n(value, class) and n(class) of each chunk. Sealed chunks are one-hot records, counted
    by a shared matrix product; homomorphic chunks are packed counts, converted to shares when they come. Either is
    checked before it is added.
    Refresh: log2(n + alpha) for every value and class, less log2(n(feature, class) + alpha V) with the records in
    which the feature was known: for complete records scikit-learn's CategoricalNB. A query is one product with that
    table and an argmax.

    Parameters
    ----------
    schema
        Features and classes; no continuous feature.
    alpha
        Smoothing added to every count (1: Laplace, less: Lidstone), in [2^-24, 2^16], rounded to a multiple of 2^-24.

    Notes
    -----
    Public: schema, alpha, the number of records of each chunk, of chunks, refreshes and queries. Scores err by at most
    (F + 1) 1.5e-7 in powers of two, with F features; scores that are equal within that go to the first class, as exact
    ties do in scikit-learn. A class without a record is never predicted as long as another has one.
    Rounds: 1 for each 8192 records of a sealed chunk, and 2; a homomorphic chunk one message and 6; refresh 21; a batch
    of queries 3, 1 more after a refresh, and for labels those of `argmax`.
    """

    name = "naive_bayes"
    answers: ClassVar[Mapping[str, str]] = {
        "label": "the most probable class",
        "probabilities": "the probability of every class; it makes the model easier to copy than labels do",
    }

    def __init__(self, schema: Schema, *, alpha: float = 1.0) -> None:
        super().__init__(schema)
        if not schema.one_hot:
            raise SettingError("naive Bayes counts values: make continuous features Numeric ones, with bins")
        if not 2.0**-ALPHA_BITS <= alpha <= 2.0**16:
            raise SettingError(f"alpha lies in [2^-{ALPHA_BITS}, 2^16]; got {alpha}")
        if alpha * max(schema.cardinalities) >= 2**COUNT_BITS:
            raise SettingError(f"alpha times the largest number of values of a feature lies below 2^{COUNT_BITS}")
        self.alpha = alpha
        self._chunk_counts: dict[str, Words] = {}
        self._counts = Shares(np.zeros((schema.width + 1, schema.class_count), dtype=np.uint64))
        self._table: Shares | None = None
        self._operand: Operand | None = None

    @property
    def options(self) -> Mapping[str, Any]:
        """The smoothing."""
        return {"alpha": self.alpha}

    @classmethod
    def statistics_layout(cls, schema: Schema, chunk_rows: int) -> Layout:
        """Layout of packed counts: signed numbers that hold up to `chunk_rows`."""
        count = (schema.width + 1) * schema.class_count
        return Layout(count=count, value_bits=chunk_rows.bit_length() + 1, additions=1)

    @classmethod
    def statistics(cls, schema: Schema, table: EncodedTable) -> NDArray[np.int64]:
        """Counts of every value with every class, then of every class."""
        classes, values = counts(schema, table)
        return np.concatenate([values, classes[None]]).reshape(-1)

    def admit(self, chunk: str, rows: int, layout: Layout | None) -> None:
        """Check a chunk before anything is done with it; see `Classifier.admit`."""
        super().admit(chunk, rows, layout)
        if self.records + rows >= 2**COUNT_BITS:
            raise CapacityError(f"a naive Bayes model learns from fewer than 2^{COUNT_BITS} records")

    def _learn(self, unit: Unit, chunk: str, rows: Words, refusal: str) -> None:
        self._add(chunk, Shares(sum(spread(unit, _counted, rows, self.schema, refusal), start=self._counts.words * 0)))

    def _check_statistics(self, unit: Unit, validation: Validation, statistics: Shares, rows: int) -> None:
        found = statistics.reshape(*self._counts.shape)
        unknown = found[-1:] - self._known(found[:-1])
        validation.within(concatenate([found, unknown]), 0, rows)
        validation.zero(found[-1].sum() - public(unit, rows))

    def _learn_statistics(self, chunk: str, statistics: Shares) -> None:
        self._add(chunk, statistics.reshape(*self._counts.shape))

    def _add(self, chunk: str, found: Shares) -> None:
        self._chunk_counts[chunk] = found.words
        self._counts += found

    def _forget(self, unit: Unit, chunk: str) -> None:
        self._counts -= Shares(self._chunk_counts.pop(chunk))

    def _known(self, values: Shares) -> Shares:
        """Records of each class in which a feature was known, shape (F, C)."""
        return concatenate([values[block].sum(axis=0).reshape(1, -1) for block in self.schema.slices.values()])

    def _recompute(self, unit: Unit) -> None:
        values, classes = self._counts[:-1], self._counts[-1:]
        known = self._known(values)
        cardinalities = np.array(self.schema.cardinalities)
        counted = FixedPoint(concatenate([values, known, classes]), 0, 1 << COUNT_BITS).refined(ALPHA_BITS)
        alpha = round(self.alpha * 2**ALPHA_BITS) / 2**ALPHA_BITS
        smoothing = alpha * np.concatenate([np.ones(values.shape[0]), cardinalities, [0]])[:, None]
        logarithms = log2(unit, counted + fixed_public(unit, smoothing, ALPHA_BITS)).shares
        width, features = values.shape[0], known.shape[0]
        likelihoods = (
            logarithms[:width] - logarithms[width : width + features][np.repeat(range(features), cardinalities)]
        )
        unseen = bit_to_integer(unit, sign(unit, classes - public(unit, np.ones(classes.shape, dtype=np.int64))))
        share_of_all = round(float(np.log2(self.records)) * 2**LOG_FRACTION_BITS)
        prior = logarithms[-1:] - public(unit, np.full(classes.shape, share_of_all))
        self._table = concatenate([likelihoods, prior - unseen * (UNSEEN << LOG_FRACTION_BITS)])
        self._operand = None

    def _answer(self, unit: Unit, queries: Operand, answer: str) -> Words:
        table = self._current_table()
        if self._operand is None:
            self._operand = fix_operand(unit, table[:-1])
        scores = multiply_operands(unit, queries, self._operand) + table[-1:]
        if answer == "label":
            # equal counts have logarithms that differ by rounding: the first class must win by more than that
            handicap = TIE * (len(self.schema.features) + 1) * np.arange(self.schema.class_count)
            return argmax(unit, scores - public(unit, np.broadcast_to(handicap, scores.shape))).index.words
        # the differences say how the classes compare, and not how common the record is
        return (scores[:, 1:] - scores[:, :1]).words

    @classmethod
    def answer_shape(cls, schema: Schema, rows: int, answer: str) -> tuple[int, ...]:
        """One word a record for labels, one for each class but the first for probabilities."""
        return (rows,) if answer == "label" else (rows, schema.class_count - 1)

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
        against_first = np.concatenate([np.zeros((len(words), 1)), _real(words)], axis=1)
        odds = np.exp(against_first - against_first.max(axis=1, keepdims=True))
        return np.asarray(odds / odds.sum(axis=1, keepdims=True))

    def _model(self) -> Words:
        return self._current_table().words

    @classmethod
    def read_model(cls, schema: Schema, words: Words) -> NaiveBayesModel:
        """Turn the opened table into natural logarithms by feature."""
        table = _real(words.reshape(schema.width + 1, schema.class_count))
        features = {name: table[block].T for name, block in schema.slices.items()}
        return NaiveBayesModel(table[-1], features)

    def _current_table(self) -> Shares:
        if self._table is None:
            raise ClassifierError("the model was not refreshed")
        return self._table

    def state(self) -> Mapping[str, Any]:
        """Each chunk's shares of counts, and the table."""
        return {
            "chunks": self.chunks,
            "stale": self.stale,
            "counts": self._chunk_counts,
            "table": None if self._table is None else self._table.words,
        }

    def _answering_state(self) -> Mapping[str, Any]:
        return {**self.state(), "chunks": {"": self.records}, "counts": {}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state."""
        self.chunks, self.stale = dict(state["chunks"]), state["stale"]
        self._chunk_counts, self._operand = dict(state["counts"]), None
        self._counts = Shares(sum(self._chunk_counts.values(), start=np.zeros_like(self._counts.words)))
        self._table = None if state["table"] is None else Shares(state["table"])


def _counted(lane: Lane, rows: Words, schema: Schema, refusal: str) -> Words:
    """Count every value with every class, then every class, in records that are found valid."""
    total = np.zeros((schema.width + 1, schema.class_count), dtype=np.uint64)
    for block in open_records(lane.unit, schema, blocks_of(rows), refusal):
        total[:-1] += multiply_operands(lane.unit, block.features, block.classes, transpose_left=True).words
        total[-1] += values(lane.unit, block.classes).sum(axis=0).words
    return total


def _real(words: Words) -> NDArray[np.float64]:
    """Fixed-point binary logarithms as natural ones."""
    return np.asarray(signed(words) * (np.log(2) / 2**LOG_FRACTION_BITS))
