"""Mallory between a client and the provider: she changes queries and answers, closes sessions, opens too many."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from building_blocks.validation import Validation
from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.randomness import random_bytes
from privml.crypto.wire import dumps, loads
from privml.errors import SessionError, SettingError, ValidationError
from privml.roles import sessions as sessions_module
from privml.roles.client import ClientSession
from privml.roles.queries import Answer, Closing, Query, answer_key, client_key, words_digest
from tests.privml.roles.world import SCHEMA, Tap, columns, expected_labels, host, plain, unharmed

TABLE = columns(40)
GREEN = columns(4, seed=1) | {"colour": ["green"] * 4}
RED = GREEN | {"colour": ["red"] * 4}


@pytest.fixture
def session(alice: DataOwner, carol: Client, card: ModelCard) -> ClientSession:
    alice.upload(card, TABLE)
    return carol.open_session(card)


def painted(message: bytes) -> bytes:
    """The query with green things made red: pads are malleable, and the digest is anybody's to compute."""
    query = loads(message, Query)
    assert query.payload is not None
    payload = query.payload.copy()
    payload[:, 0] += np.uint64(1)
    payload[:, 1] -= np.uint64(1)
    return dumps(replace(query, payload=payload, digest=words_digest(payload)))


def counters(provider: Provider) -> list[int]:
    return [each.counter for station in provider.stations for each in station.sessions]


class TestQueries:
    def _ask(self, session: ClientSession, tap: Tap) -> list[str]:
        tap.change = lambda kind, message: painted(message) if kind == "query" else message
        return list(session.predict(GREEN))

    def test_a_changed_query(self, session: ClientSession, tap: Tap, provider: Provider) -> None:
        with unharmed(provider, SessionError, match="changed on its way"):
            self._ask(session, tap)
        assert counters(provider) == [0, 0]
        tap.change = None
        assert list(session.predict(GREEN)) == expected_labels(plain(TABLE), GREEN)

    def test_it_works_without_the_tag(self, session: ClientSession, tap: Tap, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Query, "verify", lambda *_: None)
        assert self._ask(session, tap) == expected_labels(plain(TABLE), RED)

    @pytest.mark.parametrize(
        "change", [{"counter": 9}, {"answer": "probabilities"}, {"tag": random_bytes(32)}], ids=lambda c: next(iter(c))
    )
    def test_a_query_in_the_clients_name(
        self, change: dict[str, Any], session: ClientSession, tap: Tap, provider: Provider
    ) -> None:
        """It would use up counters, quota and time."""
        session.predict(GREEN)
        seen = loads(tap.last("query"), Query)
        with unharmed(provider, SessionError):
            provider.query(dumps(replace(seen, **({"counter": 2} | change))))
        assert counters(provider) == [1, 1]
        assert provider.stations.master.models["things"].asked["carol"] == 4

    def test_the_master_compares_the_payload(self, session: ClientSession, tap: Tap, provider: Provider) -> None:
        """The Secondary, which checks the tag, sees the digest alone."""
        query = loads(session.query(np.zeros((1, SCHEMA.width), np.uint64), "label"), Query)
        assert query.payload is not None
        with unharmed(provider, SessionError, match="another payload"):
            provider.query(dumps(replace(query, payload=query.payload + np.uint64(1))))
        assert counters(provider) == [0, 0]

    def test_keys_of_tags_are_for_one_thing(self, session: ClientSession) -> None:
        seed, context = session._seed, session._context
        assert seed is not None
        keys = {
            client_key(seed, context),
            client_key(seed, replace(context, identifier=bytes(16))),
            *(answer_key(seed, context, counter) for counter in range(3)),
        }
        assert len(keys) == 5

    def test_the_master_cannot_make_tags(self, session: ClientSession, provider: Provider) -> None:
        (master,), (secondary,) = (list(station.sessions) for station in provider.stations)
        assert master.key is None
        assert secondary.key is not None
        assert secondary.key.hex() not in repr(secondary)


class TestAnswers:
    @staticmethod
    def _another_class(answer: bytes) -> bytes:
        """One more: the next class, whatever it was."""
        read = loads(answer, Answer)
        return dumps(replace(read, words=read.words + np.uint64(1)))

    def test_a_changed_answer(self, session: ClientSession, tap: Tap) -> None:
        tap.change_answer = self._another_class
        with pytest.raises(SessionError, match="the answer was changed"):
            session.predict(GREEN)

    def test_it_works_without_the_tag(
        self, alice: DataOwner, carol: Client, card: ModelCard, tap: Tap, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        apples = {name: ["apple" if name == "kind" else cell for cell in cells] for name, cells in GREEN.items()}
        alice.upload(card, apples)
        monkeypatch.setattr(Answer, "verify", lambda *_: None)
        tap.change_answer = self._another_class
        assert set(carol.predict(card, GREEN)) == {"brick"}

    def test_an_answer_of_before(self, session: ClientSession, tap: Tap) -> None:
        session.predict(GREEN)
        before = loads(tap.answers[-1], Answer)
        tap.change_answer = lambda answer: dumps(replace(before, counter=loads(answer, Answer).counter))
        with pytest.raises(SessionError):
            session.predict(RED)


class TestInvalidQueries:
    def test_nothing_changes_and_the_client_hears_why(self, session: ClientSession, provider: Provider) -> None:
        rows = np.ones((2, SCHEMA.width), np.uint64)
        with unharmed(provider, ValidationError, match="query"):
            provider.query(session.query(rows, "label"))
        assert list(session.predict(GREEN)) == expected_labels(plain(TABLE), GREEN)
        assert provider.stations.master.models["things"].asked["carol"] == 6, "what was refused counts too"

    def test_counters_do_not_go_back(
        self, session: ClientSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its pad is used: another query under it would show the Master the difference of both."""
        message = session.query(np.ones((1, SCHEMA.width), np.uint64), "label")
        with unharmed(provider, ValidationError):
            provider.query(message)
        monkeypatch.setattr(Validation, "require", lambda *_: None)
        with unharmed(provider, SessionError):
            provider.query(message)


class TestClosing:
    def test_both_units_forget(self, session: ClientSession, tap: Tap, provider: Provider) -> None:
        session.predict(GREEN)
        session.close()
        assert [len(station.sessions) for station in provider.stations] == [0, 0]
        with unharmed(provider, SessionError):
            provider.query(tap.last("query"))
        with unharmed(provider, SessionError, match="already"):
            provider.open_session(tap.last("open_session"))

    def test_leaving_the_block_closes(self, session: ClientSession, tap: Tap, provider: Provider) -> None:
        with session:
            session.predict(GREEN)
        session.close()
        assert [name for name, _ in tap.messages].count("close_session") == 1
        assert not any(len(station.sessions) for station in provider.stations)

    def test_what_went_wrong_inside_is_what_is_raised(
        self, session: ClientSession, tap: Tap, provider: Provider
    ) -> None:
        tap.change = lambda kind, message: b"" if kind == "close_session" else message
        with pytest.raises(KeyError), session:
            raise KeyError

    def test_a_fork_leaves_the_parents_session_open(
        self, session: ClientSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with monkeypatch.context() as patch:
            patch.setattr("os.getpid", lambda: -1)
            session.close()
        assert [len(station.sessions) for station in provider.stations] == [1, 1]

    def _forged(self, session: ClientSession) -> bytes:
        return dumps(Closing.tagged(random_bytes(32), session._context.identifier))

    def test_by_somebody_else(self, session: ClientSession, provider: Provider) -> None:
        with unharmed(provider, SessionError):
            provider.close_session(self._forged(session))
        assert len(session.predict(GREEN)) == 4

    def test_it_works_without_the_tag(
        self, session: ClientSession, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Closing, "verify", lambda *_: None)
        provider.close_session(self._forged(session))
        with unharmed(provider, SessionError, match="no session"):
            session.predict(GREEN)

    def test_a_session_that_only_one_unit_has_can_be_closed(self, session: ClientSession, provider: Provider) -> None:
        """After a failure at a bad moment."""
        provider.stations.secondary.sessions.close(session._context.identifier)
        session.close()
        assert not any(len(station.sessions) for station in provider.stations)


class TestManySessions:
    def test_each_client_has_so_many(
        self,
        alice: DataOwner,
        carol: Client,
        card: ModelCard,
        provider: Provider,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(sessions_module, "MAX_SESSIONS", 3)
        alice.upload(card, TABLE)
        other = host(provider, "other")
        sessions = [carol.open_session(each) for each in (card, card, other)]
        with unharmed(provider, SessionError, match="3 sessions open"):
            carol.open_session(card)
        Client.join(provider, "dave").open_session(card)
        sessions[2].close()
        assert len(carol.open_session(card).predict(GREEN)) == 4


def test_a_batch_is_no_larger_than_the_card_allows(
    alice: DataOwner, carol: Client, provider: Provider, tap: Tap
) -> None:
    card = host(provider, query_rows=3)
    alice.upload(card, TABLE)
    assert list(carol.predict(card, GREEN)) == expected_labels(plain(TABLE), GREEN)
    assert [loads(message, Query).rows for kind, message in tap.messages if kind == "query"] == [3, 1]
    with pytest.raises(SettingError, match="has 1"):
        carol.predict(card, GREEN, batch=4)
    with carol.open_session(card) as session, unharmed(provider, SessionError, match="at most 3"):
        provider.query(session.query(np.zeros((4, SCHEMA.width), np.uint64), "label"))
