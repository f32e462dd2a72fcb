"""What answers, and when it changes: no less than the card asks for, so that no two answers show a single record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.errors import AuthorisationError, NotFittedError
from privml.roles.hosted import Hosted
from privml.units.role import Role
from tests.privml.roles.sabotage import AccidentError, sabotage
from tests.privml.roles.world import Columns, Tap, codes_of, columns, host, learned, plain, statistics, unharmed

TABLE, QUERIES = columns(30), columns(12, seed=1)
RECORD = columns(1, seed=5)
Asked = Callable[[], np.ndarray]


@pytest.fixture
def card(provider: Provider) -> ModelCard:
    return host(provider, new_records=10, new_owners=2)


@pytest.fixture
def bob(tap: Tap) -> DataOwner:
    return DataOwner.join(tap, "bob")


def answers(carol: Client, card: ModelCard) -> np.ndarray:
    with carol.open_session(card) as session:
        return session.predict_proba(QUERIES)


def of(*tables: Columns) -> np.ndarray:
    """What a model of these tables answers."""
    return np.asarray(plain(*tables).predict_proba(codes_of(QUERIES)))


def same(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.allclose(one, other, atol=4e-6))


def test_nothing_is_said_before_enough_has_come(
    alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard, provider: Provider
) -> None:
    with unharmed(provider, NotFittedError, match="upload data first"):
        answers(carol, card)
    alice.upload(card, TABLE)
    for ask in (lambda: answers(carol, card), lambda: provider.refresh("things")):
        with unharmed(provider, NotFittedError, match="10 records of 2 owners"):
            ask()
    bob.upload(card, RECORD)
    assert same(answers(carol, card), of(TABLE, RECORD))


@pytest.mark.parametrize("path", ["sealed", "homomorphic"])
def test_answers_change_when_enough_has_come_and_not_before(
    path: str, alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard, provider: Provider
) -> None:
    few, more = columns(5, seed=2), columns(4, seed=3)
    alice.upload(card, TABLE)
    bob.upload(card, few)
    before = answers(carol, card)
    bob.upload(card, few, path=path)  # type: ignore[arg-type]
    alice.upload(card, more, path=path)  # type: ignore[arg-type]
    provider.refresh("things")  # nine records of two owners
    assert same(answers(carol, card), before)
    bob.upload(card, RECORD)
    assert same(answers(carol, card), of(TABLE, few, few, more, RECORD))


def test_records_of_one_owner_are_not_those_of_two(
    alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard
) -> None:
    alice.upload(card, TABLE)
    bob.upload(card, TABLE)
    before = answers(carol, card)
    for _ in range(3):
        alice.upload(card, TABLE)
        assert same(answers(carol, card), before)


class TestDifferencing:
    """Carol asks before and after alice's one record, and compares: how the odds moved is what was in it."""

    @staticmethod
    def _moved(card: ModelCard, alice: DataOwner, bob: DataOwner, carol: Client) -> bool:
        alice.upload(card, TABLE)
        bob.upload(card, TABLE)
        before = answers(carol, card)
        alice.upload(card, RECORD)
        return not same(answers(carol, card), before)

    def test_it_shows_nothing(self, alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard) -> None:
        assert not self._moved(card, alice, bob, carol)

    def test_it_shows_a_single_record_by_default(
        self, alice: DataOwner, bob: DataOwner, carol: Client, provider: Provider
    ) -> None:
        assert self._moved(host(provider), alice, bob, carol)

    def test_nor_does_a_released_model(
        self, alice: DataOwner, bob: DataOwner, provider: Provider, card: ModelCard
    ) -> None:
        card = host(provider, "other", new_records=10, recipients=(bob,))
        alice.upload(card, TABLE)
        before = bob.read_model(card)
        alice.upload(card, RECORD)
        np.testing.assert_array_equal(bob.read_model(card).class_log_prior, before.class_log_prior)

    def test_an_upload_that_was_withdrawn_again_does_not_count(
        self, alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard
    ) -> None:
        """Else bob could let alice's record through by records that are gone at once."""
        alice.upload(card, TABLE)
        bob.upload(card, TABLE)
        before = answers(carol, card)
        alice.upload(card, RECORD)
        (padding,) = bob.upload(card, columns(20, seed=7))
        bob.withdraw(card, padding)
        assert same(answers(carol, card), before)


class TestWithdrawals:
    @pytest.fixture
    def answered(self, alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard) -> ModelCard:
        alice.upload(card, TABLE, chunk_rows=15)
        bob.upload(card, TABLE)
        answers(carol, card)
        return card

    def test_they_count_at_once_and_let_nothing_else_through(
        self, answered: ModelCard, alice: DataOwner, bob: DataOwner, carol: Client
    ) -> None:
        bob.upload(answered, RECORD)
        alice.withdraw(answered, alice.receipts[0])
        left = {name: cells[15:] for name, cells in TABLE.items()}
        assert same(answers(carol, answered), of(TABLE, left))
        bob.upload(answered, columns(9, seed=4))
        alice.upload(answered, RECORD)
        assert same(answers(carol, answered), of(TABLE, left, RECORD, columns(9, seed=4), RECORD))

    def test_what_waits_can_be_withdrawn(self, answered: ModelCard, bob: DataOwner, carol: Client) -> None:
        before = answers(carol, answered)
        (receipt,) = bob.upload(answered, RECORD)
        bob.withdraw(answered, receipt)
        assert same(answers(carol, answered), before)

    def test_too_little_is_left_to_answer_from(
        self, answered: ModelCard, bob: DataOwner, carol: Client, provider: Provider
    ) -> None:
        """What is left then would be one owner's alone."""
        bob.withdraw(answered, bob.receipts[0])
        with unharmed(provider, NotFittedError, match="2 owners"):
            answers(carol, answered)


def test_without_holding_back_each_answer_is_of_everything(alice: DataOwner, carol: Client, provider: Provider) -> None:
    card = host(provider)
    alice.upload(card, TABLE)
    hosted = provider.stations.master.models["things"]
    assert same(answers(carol, card), of(TABLE))
    assert hosted.released is hosted.learner, "no copy is kept"
    alice.upload(card, RECORD)
    assert same(answers(carol, card), of(TABLE, RECORD))


@pytest.mark.parametrize("role", [0, 1])
def test_each_unit_holds_back_by_its_own_card(
    role: int, alice: DataOwner, carol: Client, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = host(provider, new_records=10)
    alice.upload(card, RECORD)
    other = provider.stations[1 - role].models["things"]
    monkeypatch.setattr(type(other), "check_answers", _lenient(other))
    with unharmed(provider, NotFittedError):
        answers(carol, card)


def _lenient(lenient: Hosted) -> Callable[[Hosted], None]:
    original = Hosted.check_answers

    def check(hosted: Hosted) -> None:
        if hosted is not lenient:
            original(hosted)

    return check


def test_what_waits_waits_after_a_restart(
    alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard, provider: Provider, tap: Tap, tmp_path: Path
) -> None:
    alice.upload(card, TABLE)
    bob.upload(card, TABLE)
    before = answers(carol, card)
    bob.upload(card, RECORD)
    provider.save(tmp_path)
    with Provider.load(tmp_path) as again:
        tap.inner = again
        assert same(answers(carol, card), before)
        np.testing.assert_array_equal(learned(again), statistics(TABLE, TABLE, RECORD))
        again.save(tmp_path)
        alice.upload(card, TABLE)
        assert same(answers(carol, card), of(TABLE, TABLE, RECORD, TABLE))
        again.save(tmp_path)
    with Provider.load(tmp_path) as once_more:
        tap.inner = once_more
        assert same(answers(carol, card), of(TABLE, TABLE, RECORD, TABLE))


@pytest.mark.parametrize("role", Role, ids=lambda role: role.label)
def test_a_failure_lets_nothing_through(
    role: Role, alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard, provider: Provider
) -> None:
    alice.upload(card, TABLE)
    bob.upload(card, TABLE)
    before = answers(carol, card)
    bob.upload(card, RECORD)
    for at in (0, 2, 5):
        sabotage(provider, role, at, after=True)
        with pytest.raises(AccidentError):
            bob.upload(card, columns(40, seed=at))
        assert same(answers(carol, card), before)
    alice.upload(card, columns(9, seed=9))
    for at in (2, 8, 20):  # while the model is released
        sabotage(provider, role, at, after=True)
        with pytest.raises(AccidentError), carol.open_session(card) as session:
            session.predict_proba(QUERIES)
    assert same(answers(carol, card), of(TABLE, TABLE, RECORD, columns(9, seed=9)))


class TestQuotas:
    def test_a_client_asks_about_so_many_records(
        self, alice: DataOwner, carol: Client, provider: Provider, tmp_path: Path, tap: Tap
    ) -> None:
        card = host(provider, rows_per_client=20)
        alice.upload(card, TABLE)
        carol.predict(card, QUERIES)
        carol.predict(card, columns(8))
        with unharmed(provider, AuthorisationError, match="20 in all"):
            carol.predict(card, columns(1))
        Client.join(provider, "dave").predict(card, QUERIES)
        provider.save(tmp_path)
        with Provider.load(tmp_path) as again, unharmed(again, AuthorisationError):
            tap.inner = again
            carol.predict(card, columns(1))

    @pytest.mark.parametrize("role", [0, 1])
    def test_each_unit_counts(self, role: int, alice: DataOwner, carol: Client, provider: Provider) -> None:
        card = host(provider, rows_per_client=20)
        alice.upload(card, TABLE)
        carol.predict(card, columns(20))
        provider.stations[role].models["things"].asked.clear()
        with unharmed(provider, AuthorisationError):
            carol.predict(card, columns(1))
