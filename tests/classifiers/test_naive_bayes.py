"""Naive Bayes on shares is CategoricalNB on the same records, however they came and whatever left again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.naive_bayes import CategoricalNB

from building_blocks.fixed_point.logarithm import LOG_FRACTION_BITS
from building_blocks.shares import signed
from classifiers import naive_bayes, records
from classifiers.naive_bayes import NaiveBayes
from privml import Categorical, Schema
from privml.crypto.dtpkc import KeyShare, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.data.encoding import EncodedTable, one_hot, one_hot_labels
from privml.errors import (
    CapacityError,
    ClassifierError,
    DecryptionError,
    DuplicateUploadError,
    NotFittedError,
    PrivMLError,
    SettingError,
    UnknownUploadError,
    ValidationError,
)
from privml.roles.words import words_of
from privml.units.unit import Unit
from tests.two_units import make_units, run

Codes = NDArray[np.int64]


def schema_of(cardinalities: Sequence[int], classes: int) -> Schema:
    return Schema(
        tuple(
            Categorical(f"f{index}", tuple(f"v{code}" for code in range(size)))
            for index, size in enumerate(cardinalities)
        ),
        target="y",
        classes=tuple(f"c{code}" for code in range(classes)),
    )


class Both:
    """A classifier at both units, and the plain records that went in."""

    def __init__(self, schema: Schema, shares: Sequence[KeyShare | None] = (None, None), **options: float) -> None:
        self.schema = schema
        self.options = options
        self.shares = shares
        self.units = make_units(shares)
        self.halves = [NaiveBayes(schema, **options), NaiveBayes(schema, **options)]
        self.records: dict[str, tuple[Codes, Codes]] = {}

    def each(self, program: Any) -> Any:
        """Run `program(classifier, unit)` at both; a failure kills the link, so there is a new one afterwards."""
        try:
            return run(lambda unit: program(self.halves[0 if unit.is_master else 1], unit), units=self.units)
        except PrivMLError:
            self.units = make_units(self.shares)
            raise

    def learn(self, chunk: str, codes: Codes, labels: Codes) -> None:
        rows = np.concatenate([one_hot(self.schema, codes), one_hot_labels(self.schema, labels)], axis=1)
        mask = np.random.default_rng().integers(0, 2**64, rows.shape, dtype=np.uint64)
        self.each(lambda half, unit: half.partial_fit(unit, chunk, mask if unit.is_master else rows - mask))
        self.records[chunk] = codes, labels

    def learn_encrypted(self, chunk: str, codes: Codes, labels: Codes, encryptor: Encryptor, layout: Layout) -> None:
        counts = NaiveBayes.statistics(self.schema, EncodedTable(codes, labels, 0))
        packed = PackedCiphertext.encrypt(counts, layout, encryptor)
        self.each(
            lambda half, unit: half.partial_fit_statistics(
                unit, chunk, packed if unit.is_master else None, layout, len(codes)
            )
        )
        self.records[chunk] = codes, labels

    def withdraw(self, chunk: str) -> None:
        self.each(lambda half, unit: half.withdraw(unit, chunk))
        del self.records[chunk]

    def ask(self, codes: Codes, answer: str) -> Any:
        rows = one_hot(self.schema, codes)
        mask = np.random.default_rng().integers(0, 2**64, rows.shape, dtype=np.uint64)
        done = self.each(lambda half, unit: half.predict(unit, mask if unit.is_master else rows - mask, answer))
        assert done.master.shape == self.halves[0].answer_shape(self.halves[0].schema, len(codes), answer)
        return NaiveBayes.read_answer(self.schema, done.master + done.secondary, answer)

    def counts(self) -> Codes:
        return signed(self.halves[0]._counts.words + self.halves[1]._counts.words)

    def plain_counts(self) -> Codes:
        total = np.zeros((self.schema.width + 1, self.schema.class_count), np.int64)
        for codes, labels in self.records.values():
            total += NaiveBayes.statistics(self.schema, EncodedTable(codes, labels, 0)).reshape(total.shape)
        return total

    def oracle_scores(self, codes: Codes) -> NDArray[np.float64]:
        """CategoricalNB's joint log probabilities for all classes, from its own formula on all records.

        scikit-learn itself knows neither ignored cells nor classes without a record; where there are none of either
        `oracle` asks it.
        """
        counts, alpha = self.plain_counts(), self.options.get("alpha", 1.0)
        with np.errstate(divide="ignore"):
            scores = np.tile(np.log(counts[-1] / counts[-1].sum()), (len(codes), 1))
        for column, block in enumerate(self.schema.slices.values()):
            values = counts[block] + alpha
            log = np.log(values / values.sum(axis=0))
            known = codes[:, column] >= 0
            scores[known] += log[codes[known, column]]
        return scores

    def oracle(self) -> CategoricalNB:
        codes = np.concatenate([codes for codes, _ in self.records.values()])
        labels = np.concatenate([labels for _, labels in self.records.values()])
        alpha = self.options.get("alpha", 1.0)
        return CategoricalNB(alpha=alpha, min_categories=self.schema.cardinalities).fit(codes, labels)


@st.composite
def problems(draw: st.DrawFn) -> tuple[Schema, Codes, Codes, Codes, float]:
    cardinalities = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    classes, rows = draw(st.integers(2, 5)), draw(st.integers(1, 30))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = np.stack([rng.integers(-draw(st.booleans()), size, rows) for size in cardinalities], axis=1)
    queries = np.stack([rng.integers(-1, size, 12) for size in cardinalities], axis=1)
    schema = schema_of(cardinalities, classes)
    return schema, codes, rng.integers(0, classes, rows), queries, draw(st.sampled_from([1.0, 0.5, 0.01, 3.0]))


@settings(max_examples=40)
@given(problems())
def test_it_is_the_plaintext_classifier(problem: tuple[Schema, Codes, Codes, Codes, float]) -> None:
    """Ignored cells count for nothing, classes without a record are never predicted, ties go to the first class."""
    schema, codes, labels, queries, alpha = problem
    both = Both(schema, alpha=alpha)
    both.learn("all", codes, labels)
    np.testing.assert_array_equal(both.counts(), both.plain_counts())
    scores = both.oracle_scores(queries)
    near = scores >= scores.max(axis=1, keepdims=True) - 1e-9
    expected = [schema.classes[row.argmax()] for row in near]  # mathematically equal scores differ in the last bits
    assert both.ask(queries, "label").tolist() == expected
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    np.testing.assert_allclose(both.ask(queries, "probabilities"), odds / odds.sum(axis=1, keepdims=True), atol=5e-6)
    if (codes >= 0).all() and len(set(labels.tolist())) == schema.class_count:
        known = queries[(queries >= 0).all(axis=1)]
        if len(known):
            theirs = both.oracle().predict_joint_log_proba(known)
            np.testing.assert_allclose(theirs, both.oracle_scores(known), atol=1e-9)


def table(rows: int, schema: Schema, seed: int = 0) -> tuple[Codes, Codes]:
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(0, size, rows) for size in schema.cardinalities], axis=1)
    return codes, rng.integers(0, schema.class_count, rows)


SCHEMA = schema_of((3, 2, 4), 3)


def test_exact_ties_go_to_the_first_class() -> None:
    """Equal counts have logarithms that differ by rounding, anew with every refresh."""
    schema = schema_of((2,), 4)
    codes = np.array([[0], [1]] * 3)
    both = Both(schema)
    both.learn("a", codes, np.array([1, 1, 2, 2, 3, 3]))
    for _ in range(6):
        for half in both.halves:
            half.stale = True
        assert set(both.ask(codes, "label")) == {"c1"}


def test_without_the_handicap_they_go_anywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(naive_bayes, "TIE", 0)
    schema, winners = schema_of((2,), 4), set[str]()
    codes = np.array([[0], [1]] * 3)
    both = Both(schema)
    both.learn("a", codes, np.array([1, 1, 2, 2, 3, 3]))
    for _ in range(25):
        for half in both.halves:
            half.stale = True
        winners |= set(both.ask(codes, "label"))
    assert winners > {"c1"}


def test_a_class_that_nobody_has_is_never_predicted() -> None:
    """Not even where every feature speaks for it."""
    schema = schema_of((40, 40), 2)
    both = Both(schema, alpha=2.0**-24)
    both.learn("a", np.zeros((1, 2), np.int64), np.array([1]))
    queries = np.array([[39, 39], [0, 0], [-1, -1]])
    assert both.ask(queries, "label").tolist() == ["c1"] * 3
    np.testing.assert_array_equal(both.ask(queries, "probabilities"), [[0, 1]] * 3)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 1, 0, 2)])
def test_the_order_of_chunks_is_irrelevant(
    order: tuple[int, ...], key_shares: tuple[KeyShare, KeyShare], encryptor: Encryptor
) -> None:
    layout = NaiveBayes.statistics_layout(SCHEMA, 64)
    both = Both(SCHEMA, key_shares)
    for index in order:
        codes, labels = table(5 + 3 * index, SCHEMA, index)
        if index % 2:
            both.learn(f"chunk {index}", codes, labels)
        else:
            both.learn_encrypted(f"chunk {index}", codes, labels, encryptor, layout)
    queries = table(40, SCHEMA, 9)[0]
    expected = [SCHEMA.classes[best] for best in both.oracle().predict(queries)]
    assert both.ask(queries, "label").tolist() == expected


@settings(max_examples=12)
@given(st.data())
def test_withdrawal_undoes_exactly(data: st.DataObject) -> None:
    both = Both(SCHEMA)
    for step in range(data.draw(st.integers(1, 6))):
        if len(both.records) > 0 and data.draw(st.booleans()):
            chunks: list[str] = sorted(both.records)
            both.withdraw(data.draw(st.sampled_from(chunks)))
        else:
            both.learn(f"chunk {step}", *table(data.draw(st.integers(1, 9)), SCHEMA, step))
        np.testing.assert_array_equal(both.counts(), both.plain_counts())
        assert all(half.records == sum(len(codes) for codes, _ in both.records.values()) for half in both.halves)
        assert all(half.fitted == bool(both.records) for half in both.halves)


def test_withdrawn_ciphertexts_leave_nothing(key_shares: tuple[KeyShare, KeyShare], encryptor: Encryptor) -> None:
    layout = NaiveBayes.statistics_layout(SCHEMA, 16)
    both = Both(SCHEMA, key_shares)
    for index in range(2):
        both.learn_encrypted(f"{index}", *table(9, SCHEMA, index), encryptor, layout)
    for index in range(2):
        both.withdraw(f"{index}")
        np.testing.assert_array_equal(both.counts(), both.plain_counts())
    both.learn("2", *table(9, SCHEMA, 2))
    queries = table(20, SCHEMA, 3)[0]
    assert both.ask(queries, "label").tolist() == [SCHEMA.classes[best] for best in both.oracle().predict(queries)]


def test_chunks_of_more_than_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "BLOCK", 8)
    both = Both(SCHEMA)
    both.learn("a", *table(8 * 3 + 1, SCHEMA))
    np.testing.assert_array_equal(both.counts(), both.plain_counts())
    assert len(both.units[0].channel.sent) == 4 + 2  # type: ignore[attr-defined]


class TestRefreshing:
    def test_not_for_a_query_that_is_refused(self) -> None:
        both = Both(SCHEMA)
        both.learn("a", *table(9, SCHEMA))
        rows = np.full((1, SCHEMA.width), 7, dtype=np.uint64)
        with pytest.raises(ValidationError):
            both.each(lambda half, unit: half.predict(unit, rows if unit.is_master else rows * 0, "label"))
        assert all(half.stale for half in both.halves)
        assert both.ask(table(3, SCHEMA)[0], "label").shape == (3,)

    def test_only_when_stale(self) -> None:
        both = Both(SCHEMA)
        both.learn("a", *table(9, SCHEMA))
        assert all(half.stale for half in both.halves)
        sent = both.units[0].channel.sent  # type: ignore[attr-defined]
        before = len(sent)
        both.each(lambda half, unit: half.refresh(unit))
        assert len(sent) > before
        assert not any(half.stale for half in both.halves)
        before = len(sent)
        both.each(lambda half, unit: half.refresh(unit))
        assert len(sent) == before
        both.learn("b", *table(9, SCHEMA, 1))
        assert all(half.stale for half in both.halves)

    def test_the_table_is_opened_under_its_mask_once_for_many_queries(self) -> None:
        both = Both(SCHEMA)
        both.learn("a", *table(9, SCHEMA))
        both.ask(table(3, SCHEMA)[0], "label")
        sent = both.units[0].channel.sent  # type: ignore[attr-defined]
        rounds = []
        for _ in range(2):
            before = len(sent)
            both.ask(table(3, SCHEMA)[0], "probabilities")
            rounds.append(len(sent) - before)
        assert rounds == [3, 3]

    def test_a_new_table_has_a_new_mask(self) -> None:
        """A mask belongs to one table: opened under two, it would tell their difference."""
        both = Both(SCHEMA)
        operands = []
        for chunk in range(2):
            both.learn(str(chunk), *table(9, SCHEMA, chunk))
            both.ask(table(3, SCHEMA)[0], "label")
            operands.append(both.halves[0]._operand)
        assert operands[0] is not operands[1]
        assert operands[0] is not None
        assert operands[1] is not None


class TestLimits:
    @pytest.mark.parametrize("alpha", [0, -1.0, 2.0**-25, 2.0**17, float("nan"), float("inf")])
    def test_alpha(self, alpha: float) -> None:
        with pytest.raises(SettingError, match="alpha"):
            NaiveBayes(SCHEMA, alpha=alpha)

    def test_alpha_times_values(self) -> None:
        with pytest.raises(SettingError, match="largest number"):
            NaiveBayes(schema_of((70_000,), 2), alpha=2.0**16)

    def test_records(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(naive_bayes, "COUNT_BITS", 4)
        both = Both(SCHEMA)
        both.learn("a", *table(15, SCHEMA))
        with pytest.raises(CapacityError):
            both.learn("b", *table(1, SCHEMA))

    def test_the_largest_counts_that_logarithms_take(self) -> None:
        """2^32 - 1 records of one kind, pretended by their counts, with the largest and the smallest alpha."""
        schema = schema_of((2,), 2)
        for alpha in (2.0**-24, 2.0**16):
            both = Both(schema, alpha=alpha)
            both.learn("a", np.array([[0], [1]]), np.array([0, 1]))
            most = 2**32 - 2
            counts = np.array([[most, 0], [0, 1], [most, 1]], np.int64)
            for half, words in zip(both.halves, (counts.view(np.uint64), np.zeros((3, 2), np.uint64)), strict=True):
                half._counts = type(half._counts)(words)
                half.chunks["a"] = most + 1
            got = both.each(lambda half, unit: (half.refresh(unit), half._model())[1])
            model = NaiveBayes.read_model(schema, got.master + got.secondary)
            smoothed = counts[:-1] + alpha
            expected = np.log(smoothed / smoothed.sum(axis=0)).T
            np.testing.assert_allclose(model.feature_log_prob["f0"], expected, atol=1e-6)
            np.testing.assert_allclose(model.class_log_prior, np.log(counts[-1] / (most + 1)), atol=1e-6)

    def test_wrong_shapes(self) -> None:
        both = Both(SCHEMA)
        for shape in ((3, SCHEMA.width), (SCHEMA.width + 3,), (1, 2, 3)):
            with pytest.raises(ClassifierError, match="shape"):
                both.each(lambda half, unit, shape=shape: half.partial_fit(unit, "a", np.zeros(shape, np.uint64)))
        with pytest.raises(ClassifierError, match="at least one record"):
            both.learn("a", *table(0, SCHEMA))
        both.learn("a", *table(2, SCHEMA))
        with pytest.raises(ClassifierError, match="queries"):
            both.each(lambda half, unit: half.predict(unit, np.zeros((1, 2), np.uint64), "label"))
        with pytest.raises(ClassifierError, match="'scores'"):
            both.ask(table(1, SCHEMA)[0], "scores")

    def test_books(self) -> None:
        both = Both(SCHEMA)
        for what in (lambda half, unit: half.refresh(unit), lambda half, unit: half.reveal(unit, None)):
            with pytest.raises(NotFittedError):
                both.each(what)
        with pytest.raises(NotFittedError):
            both.ask(table(1, SCHEMA)[0], "label")
        both.learn("a", *table(2, SCHEMA))
        with pytest.raises(DuplicateUploadError):
            both.learn("a", *table(2, SCHEMA))
        with pytest.raises(UnknownUploadError):
            both.each(lambda half, unit: half.withdraw(unit, "b"))
        assert "2 records of 1 chunks" in repr(both.halves[0])

    def test_answers_that_name_no_class(self) -> None:
        for word in (SCHEMA.class_count, 2**64 - 1):
            with pytest.raises(DecryptionError):
                NaiveBayes.read_answer(SCHEMA, np.array([0, word], np.uint64), "label")


def test_memory_does_not_grow_with_records() -> None:
    """What is kept is the counts of each chunk, whether it had one record or a thousand."""

    def kept(rows: int) -> int:
        both = Both(SCHEMA)
        both.learn("a", *table(rows, SCHEMA))
        both.ask(table(rows, SCHEMA)[0], "label")
        state = both.halves[0].state()
        return sum(words.nbytes for words in [*state["counts"].values(), state["table"]])

    assert kept(1) == kept(1000) == 2 * 8 * (SCHEMA.width + 1) * SCHEMA.class_count


@pytest.mark.parametrize("refreshed", [True, False])
def test_state_and_restore(refreshed: bool, key_shares: tuple[KeyShare, KeyShare], encryptor: Encryptor) -> None:
    layout = NaiveBayes.statistics_layout(SCHEMA, 16)
    both = Both(SCHEMA, key_shares, alpha=0.5)
    both.learn("a", *table(9, SCHEMA))
    both.learn_encrypted("b", *table(9, SCHEMA, 1), encryptor, layout)
    if refreshed:
        both.each(lambda half, unit: half.refresh(unit))
    states = [half.state() for half in both.halves]
    again = Both(SCHEMA, key_shares, alpha=0.5)
    again.records = dict(both.records)
    for half, state in zip(again.halves, states, strict=True):
        half.restore(state)
        half.restore(state)  # restoring is setting, not adding
        assert half.stale is not refreshed
    queries = table(30, SCHEMA, 5)[0]
    assert again.ask(queries, "label").tolist() == both.ask(queries, "label").tolist()
    for chunk in ("b", "a"):
        again.withdraw(chunk)
    np.testing.assert_array_equal(again.counts(), 0)
    assert not again.halves[0].fitted
    # what came after a state was taken does not reach into it, nor the other way round
    both.withdraw("b")
    np.testing.assert_array_equal(both.counts(), both.plain_counts())


def test_a_revealed_model(
    key_shares: tuple[KeyShare, KeyShare], client_key: WeakPrivateKey, owner_key: WeakPrivateKey
) -> None:
    both = Both(SCHEMA, key_shares)
    both.learn("a", *table(50, SCHEMA))

    def program(half: NaiveBayes, unit: Unit) -> PackedCiphertext | None:
        return half.reveal(unit, client_key.public_key)

    packed = both.each(program).master
    model = NaiveBayes.read_model(SCHEMA, words_of(packed.decrypt(client_key)))
    oracle = both.oracle()
    np.testing.assert_allclose(model.class_log_prior, oracle.class_log_prior_, atol=1e-6)
    for name, log in zip(SCHEMA.names, oracle.feature_log_prob_, strict=True):
        np.testing.assert_allclose(model.feature_log_prob[name], log, atol=1e-6)
    with pytest.raises(DecryptionError):
        packed.decrypt(owner_key)
    assert LOG_FRACTION_BITS == 28
