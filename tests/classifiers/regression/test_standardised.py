"""Scales from moments that owners sent ahead of records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.checks import Check, check_classifier
from classifiers.decision_tree import DecisionTree
from classifiers.logistic_regression import LogisticRegression
from classifiers.regression import standardised
from classifiers.regression.moments import layout_of
from classifiers.trial import Keys, Trial
from privml import Categorical, Continuous, Schema
from privml.crypto.packing import PackedCiphertext
from privml.data.encoding import EncodedTable
from privml.errors import CapacityError, ClassifierError, ContractError, ValidationError
from privml.units.unit import Unit
from tests.classifiers.regression.test_standardisation import SCHEMA, require_near, table, trial
from tests.classifiers.regression.twin import Codes

Chunk = tuple[Codes, Codes]

MIXED = Schema(
    (Categorical("f", ("a", "b", "c")), Continuous("u", -5, 30), Continuous("v", 0, 1)), "y", ("p", "q", "r")
)
PRIVATE: dict[str, Any] = {"standardisation": "private", "batch": 16}
ARTICLE = "encrypted statistics prepare for records"


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


def send_ahead(both: Trial, chunk: str, sent: Chunk) -> None:
    both.learn_encrypted(chunk, *sent, layout_of(SCHEMA, 4096))


def scales(both: Trial) -> NDArray[np.uint64]:
    """Opened: nobody can do this but a test."""
    found = [half._descent.columns.scales for half in both.halves if isinstance(half, LogisticRegression)]
    return np.asarray(np.sum([each.words for each in found if each is not None], axis=0, dtype=np.uint64))


def joined(*chunks: Chunk) -> Chunk:
    codes, labels = (np.concatenate(each) for each in zip(*chunks, strict=True))
    return codes, labels


def scales_of(keys: Keys, *sent: Chunk) -> NDArray[np.uint64]:
    """Scales by the records of one chunk."""
    both = trial(keys)
    both.learn("a", *joined(*sent))
    return scales(both)


EVERY = [
    (retain, check)
    for retain in (False, True)
    for check in check_classifier(LogisticRegression, MIXED, retain=retain, **PRIVATE)
]


@pytest.mark.parametrize(("retain", "check"), EVERY, ids=lambda each: getattr(each, "name", each))
def test_the_contract(retain: bool, check: Check) -> None:
    check()


class AnswersFromStatistics(LogisticRegression):
    @property
    def records(self) -> int:
        return sum(self.chunks.values())


class LosesMoments(LogisticRegression):
    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore({**state, "moments": {}})


class KeepsScales(LogisticRegression):
    """What was withdrawn is not made good."""

    def _forget(self, unit: Unit, chunk: str) -> None:
        before = self._behind
        super()._forget(unit, chunk)
        self._behind = before


@pytest.mark.parametrize("broken", [AnswersFromStatistics, LosesMoments, KeepsScales])
def test_a_broken_contract_is_noticed(broken: type[LogisticRegression]) -> None:
    checks = {check.name: check for check in check_classifier(broken, MIXED, retain=True, **PRIVATE)}
    with pytest.raises(ContractError):
        checks[ARTICLE]()


class TestAhead:
    @pytest.mark.parametrize("sent", [[(120, 5)], [(50, 5), (1, 6), (300, 7)]], ids=str)
    def test_moments_of_all_owners_settle_the_scales_of_all_chunks(
        self, sent: list[tuple[int, int]], keys: Keys
    ) -> None:
        both, ahead = trial(keys), [table(rows, seed) for rows, seed in sent]
        for number, each in enumerate(ahead):
            send_ahead(both, f"ahead {number}", each)
        chunks = [table(90), table(60, 1)]
        chunks[0][0][:, 0] += 20_000  # scales of its own would be others
        for number, (codes, labels) in enumerate(chunks):
            both.learn(str(number), codes, labels)
            np.testing.assert_array_equal(scales(both), scales_of(keys, *ahead))
        require_near(both, chunks, joined(*ahead))

    def test_the_same_records_lead_to_the_same_model_either_way(self, keys: Keys) -> None:
        """Moments of a chunk ahead of it change nothing: it is not counted twice."""
        one, other, chunks = trial(keys), trial(keys), [table(90), table(60, 1)]
        send_ahead(other, "ahead", chunks[0])
        for number, (codes, labels) in enumerate(chunks):
            one.learn(str(number), codes, labels)
            other.learn(str(number), codes, labels)
        queries = table(50, 9)[0]
        np.testing.assert_allclose(one.ask(queries, "score"), other.ask(queries, "score"), atol=5e-4)

    def test_they_teach_no_class(self, keys: Keys) -> None:
        codes, labels = table(90)
        both, other = trial(keys), trial(keys)
        send_ahead(both, "ahead", (codes, labels))
        send_ahead(other, "ahead", (codes, 1 - labels))
        for each in (both, other):
            each.learn("a", *table(60, 1))
        queries = table(50, 9)[0]
        np.testing.assert_allclose(both.ask(queries, "score"), other.ask(queries, "score"), atol=5e-4)

    def test_a_chunk_of_them_costs_the_same_whatever_they_are(self, keys: Keys) -> None:
        traces = []
        codes, labels = table(50)
        for sent in ((codes, labels), (codes * 0, labels * 0)):
            both = trial(keys)
            send_ahead(both, "ahead", sent)
            both.learn("a", codes, labels)
            both.ask(codes)
            traces.append(both.trace)
        assert traces[0] == traces[1]


class TestLater:
    def test_without_retained_records_they_are_refused(self, keys: Keys) -> None:
        both = trial(keys)
        send_ahead(both, "ahead", table(40, 3))
        both.learn("a", *table(60))
        half = both.halves.master
        with pytest.raises(ClassifierError, match=r"too late.*retain=True"):
            half.admit("late", 40, layout_of(SCHEMA, 4096))
        both.learn("b", *table(60, 1))
        assert not half.has("late")

    def test_with_them_the_model_is_learned_anew(self, keys: Keys) -> None:
        early, late = trial(keys, retain=True), trial(keys, retain=True)
        send_ahead(early, "ahead", table(200, 5))
        for each in (early, late):
            each.learn("a", *table(90))
        late.refresh()
        before, trace = scales(late), len(late.trace[0])
        send_ahead(late, "ahead", table(200, 5))
        late.learn("b", *table(60, 1))
        early.learn("b", *table(60, 1))
        queries = table(50, 9)[0]
        np.testing.assert_allclose(early.ask(queries, "score"), late.ask(queries, "score"), atol=5e-4)
        np.testing.assert_array_equal(scales(early), scales(late))
        assert (before != scales(late)).any()
        assert len(late.trace[0]) > trace


class TestWithdrawal:
    @pytest.mark.parametrize("retained", [0, 2])
    @pytest.mark.parametrize("left", [("0",), ("1", "2"), ("2", "0", "1")], ids=str)
    def test_their_moments_are_subtracted_exactly(self, retained: int, left: tuple[str, ...], keys: Keys) -> None:
        """Before records and after."""
        both, ahead = trial(keys, retain=True), [table(rows, rows) for rows in (30, 40, 500)]
        ahead[1][0][:, 0] += 20_000
        for number, each in enumerate(ahead):
            send_ahead(both, str(number), each)
        for number in range(retained):
            both.learn(f"records {number}", *table(60, number))
        for name in left:
            both.withdraw(name)
            assert not both.halves.master.has(name)
        both.learn("last", *table(70, 8))
        both.refresh()
        kept = [each for number, each in enumerate(ahead) if str(number) not in left]
        first = table(60, 0) if retained else table(70, 8)
        np.testing.assert_array_equal(scales(both), scales_of(keys, *(kept or [first])))

    def test_of_records_while_moments_stay(self, keys: Keys) -> None:
        both = trial(keys, retain=True)
        send_ahead(both, "ahead", table(200, 5))
        chunks = [table(60), table(50, 1), table(70, 2)]
        for number, each in enumerate(chunks):
            both.learn(str(number), *each)
        both.withdraw("0")
        both.withdraw("2")
        require_near(both, [chunks[1]], table(200, 5))

    def test_without_retained_records_nothing_can_be(self, keys: Keys) -> None:
        both = trial(keys)
        send_ahead(both, "ahead", table(40, 3))
        with pytest.raises(ClassifierError, match="retain"):
            both.withdraw("ahead")
        assert all(half.has("ahead") for half in both.halves)


class TestRefused:
    def test_moments_that_none_can_have(self, keys: Keys) -> None:
        """Nothing is lost: what came before and what comes after counts."""
        both, layout = trial(keys), layout_of(SCHEMA, 4096)
        send_ahead(both, "good", table(90))
        values = LogisticRegression.statistics(SCHEMA, EncodedTable(*table(50, 4), 0))
        values[3] -= 2 * 10**10
        with pytest.raises(ValidationError, match=r"'bad' is refused: its statistics are not those of 50 records"):
            both.learn_statistics("bad", PackedCiphertext.encrypt(values, layout, keys.encryptor), 50)
        assert [half.has("bad") for half in both.halves] == [False, False]
        send_ahead(both, "more", table(40, 2))
        both.learn("a", *table(60, 1))
        np.testing.assert_array_equal(scales(both), scales_of(keys, table(90), table(40, 2)))

    @pytest.mark.parametrize("options", [{}, {"standardisation": {"u": (0, 5)}}], ids=str)
    def test_public_scales_take_none(self, options: dict[str, Any]) -> None:
        half = LogisticRegression(SCHEMA, **options)
        assert not half.takes_statistics
        with pytest.raises(ClassifierError, match="where standardisation is private"):
            half.admit("ahead", 10, layout_of(SCHEMA, 10))

    @pytest.mark.parametrize("classifier", [LogisticRegression, DecisionTree])
    def test_listed_features_have_none(self, classifier: type[LogisticRegression]) -> None:
        listed = Schema((Categorical("f", ("a", "b")),), "y", ("p", "q"))
        chunk = EncodedTable(np.zeros((1, 1), np.int64), np.zeros(1, np.int64), 0)
        assert not classifier(listed).takes_statistics
        with pytest.raises(ClassifierError, match="send sealed chunks"):
            classifier.statistics_layout(listed, 10)
        with pytest.raises(ClassifierError, match="send sealed chunks"):
            classifier.statistics(listed, chunk)

    def test_too_many_records(self, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(standardised, "MOST_RECORDS", 100)
        both = trial(keys)
        send_ahead(both, "ahead", table(60))
        half = both.halves.master
        half.admit("more", 40, layout_of(SCHEMA, 40))
        with pytest.raises(CapacityError, match="at most 100 records in all; there are 60, and 41 more"):
            half.admit("more", 41, layout_of(SCHEMA, 41))
        half.admit("records", 1000, None)
