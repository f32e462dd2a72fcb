"""Mallory sits between a client and the provider, sees every message of both, and may send some of her own.

Pads are used once, or the difference of two answers is the difference of what they hide. Every attack fails, and the
same attack succeeds where its defence is taken away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from building_blocks.validation import Validation
from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto import envelope as envelope_module
from privml.crypto import sealer as sealer_module
from privml.crypto.envelope import Envelope, Purpose, SealContext, SealedArray
from privml.crypto.prg import derive_key, expand
from privml.crypto.randomness import random_bytes
from privml.crypto.wire import dumps, loads
from privml.errors import CounterError, PrivMLError, ProofError, SessionError
from privml.roles import books as books_module
from privml.roles import client as client_module
from privml.roles import station as station_module
from privml.roles.client import ClientSession
from privml.roles.queries import Answer, Query, words_digest
from privml.roles.sessions import Session
from privml.roles.station import Station
from tests.privml.roles.world import SCHEMA, Tap, codes_of, columns, host, plain, unharmed
from tests.two_units import looks_uniform

TABLE, QUERIES = columns(40), columns(3, seed=1)
ANSWER = "probabilities"


@pytest.fixture
def session(alice: DataOwner, carol: Client, card: ModelCard) -> ClientSession:
    alice.upload(card, TABLE)
    return carol.open_session(card)


def scores(table: dict[str, list[str]]) -> NDArray[np.float64]:
    """What probabilities are made of: scores against the first class, in nats."""
    joint = plain(TABLE).predict_joint_log_proba(codes_of(table))
    return np.asarray(joint[:, 1:] - joint[:, :1])


def in_nats(words: NDArray[np.uint64]) -> NDArray[np.float64]:
    return np.asarray(words.view(np.int64) * (np.log(2) / 2**28))


def moved(query: Query, **changes: Any) -> bytes:
    """The query for another colour, red <-> green: mallory adds to the masked words what she likes."""
    assert query.payload is not None
    delta = np.zeros(query.payload.shape, np.uint64)
    delta[:, :3] = np.array([1, -1, 0]).astype(np.uint64)
    payload = query.payload + delta
    return dumps(replace(query, payload=payload, digest=words_digest(payload), **changes))


class TestCounters:
    def _seen(self, session: ClientSession, tap: Tap) -> tuple[Query, Answer]:
        session.predict_proba(QUERIES)
        return loads(tap.last("query"), Query), loads(tap.answers[-1], Answer)

    @pytest.mark.parametrize("lower", [0, 1])
    def test_a_counter_that_was_used(self, lower: int, session: ClientSession, tap: Tap, provider: Provider) -> None:
        session.predict_proba(QUERIES)
        query, _ = self._seen(session, tap)
        assert query.counter == 2
        with unharmed(provider, CounterError):
            provider.query(moved(query, counter=query.counter - lower))

    def test_it_works_without_counting(
        self, session: ClientSession, tap: Tap, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Two answers under one pad: mallory reads how the scores change with the colour, which is the model.

        Nearly all that she can make of the payload is no one-hot row; these units do not mind that either.
        """
        monkeypatch.setattr(Station, "check_query", lambda *_: None)
        monkeypatch.setattr(Validation, "require", lambda *_: None)
        query, answer = self._seen(session, tap)
        again = loads(provider.query(moved(query)), Answer)
        got = in_nats(again.words - answer.words)
        table = plain(TABLE).feature_log_prob_[0]
        red_less_green = (table[1:, 0] - table[0, 0]) - (table[1:, 1] - table[0, 1])
        np.testing.assert_allclose(got, np.tile(red_less_green, (3, 1)), atol=2e-6)

    @pytest.mark.parametrize("role", [0, 1])
    def test_each_unit_counts_for_itself(self, role: int, session: ClientSession, tap: Tap, provider: Provider) -> None:
        query, _ = self._seen(session, tap)
        for held in provider.stations[role].sessions:
            held.counter = 0
        with unharmed(provider, CounterError):
            provider.query(moved(query))

    def test_a_failed_query_has_used_its_counter(
        self, session: ClientSession, tap: Tap, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The answer may have left by then."""
        query = session.query(np.zeros((1, SCHEMA.width), np.uint64), ANSWER)
        with monkeypatch.context() as patch:
            patch.setattr(Answer, "tagged", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                provider.query(query)
        with unharmed(provider, CounterError):
            provider.query(query)

    def test_the_same_bytes_get_the_same_bytes(self, session: ClientSession, tap: Tap, provider: Provider) -> None:
        session.predict_proba(QUERIES)
        assert provider.query(tap.last("query")) == tap.answers[-1]

    @pytest.mark.parametrize(
        "change",
        [{"session_id": random_bytes(16)}, {"answer": "secrets"}, {"rows": 2}, {"payload": None}, {"rows": 4}],
        ids=["session", "answer", "fewer rows", "no payload", "more rows"],
    )
    def test_queries_that_fit_nothing(
        self, change: dict[str, Any], session: ClientSession, tap: Tap, provider: Provider
    ) -> None:
        query, _ = self._seen(session, tap)
        with unharmed(provider, PrivMLError):
            provider.query(dumps(replace(query, counter=query.counter + 1, **change)))
        session.predict(QUERIES)


class TestOpenings:
    def test_the_same_opening_in_the_same_run(self, session: ClientSession, tap: Tap, provider: Provider) -> None:
        with unharmed(provider, SessionError):
            provider.open_session(tap.last("open_session"))

    def test_not_even_after_the_session_was_closed(self, session: ClientSession, tap: Tap, provider: Provider) -> None:
        for station in provider.stations:
            station.sessions.close(session._context.identifier)
        with unharmed(provider, SessionError):
            session.predict(QUERIES)
        with unharmed(provider, SessionError):
            provider.open_session(tap.last("open_session"))

    def test_it_works_without_remembering_sessions(
        self, session: ClientSession, tap: Tap, provider: Provider, alice: DataOwner, card: ModelCard
    ) -> None:
        """The counters start again, and so do the pads: with the model changed meanwhile, mallory sees by how much."""
        session.predict_proba(QUERIES)
        query, answer = tap.last("query"), loads(tap.answers[-1], Answer)
        for station in provider.stations:
            station.sessions._taken.clear()
        provider.open_session(tap.last("open_session"))
        before = scores(QUERIES)
        more = columns(10, seed=8)
        alice.upload(card, more)
        again = loads(provider.query(query), Answer)
        after = plain(TABLE, more).predict_joint_log_proba(codes_of(QUERIES))
        moved_by = (after[:, 1:] - after[:, :1]) - before
        np.testing.assert_allclose(in_nats(again.words - answer.words), moved_by, atol=4e-6)

    def _restarted(self, provider: Provider, directory: Path) -> Provider:
        provider.save(directory)
        return Provider.load(directory)

    def test_an_opening_of_an_earlier_run(
        self, session: ClientSession, tap: Tap, provider: Provider, tmp_path: Path
    ) -> None:
        with self._restarted(provider, tmp_path) as again, unharmed(again, ProofError):
            again.open_session(tap.last("open_session"))

    def test_it_works_where_openings_are_not_bound_to_the_run(
        self,
        alice: DataOwner,
        carol: Client,
        card: ModelCard,
        tap: Tap,
        provider: Provider,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The same query, byte for byte, after the model changed: two answers under one pad show by how much."""
        for module in (books_module, client_module):
            monkeypatch.setattr(module, "session_digest", lambda card, epoch: card.digest)
        alice.upload(card, TABLE)
        carol.open_session(card).predict_proba(QUERIES)
        opening, query, answer = tap.last("open_session"), tap.last("query"), loads(tap.answers[-1], Answer)
        with self._restarted(provider, tmp_path) as again:
            tap.inner = again
            alice.upload(card, columns(10, seed=8))
            again.open_session(opening)
            difference = in_nats(loads(again.query(query), Answer).words - answer.words)
        assert np.abs(difference).max() < 20, "two answers under one pad"

    @pytest.mark.parametrize("field", ["provider", "model", "owner", "identifier"])
    def test_an_opening_for_something_else(
        self, field: str, session: ClientSession, tap: Tap, provider: Provider, mallory: DataOwner
    ) -> None:
        host(provider, "other")
        envelope = loads(tap.last("open_session"), Envelope, provider.parameters)
        value: Any = {"provider": "fog", "model": "other", "owner": "mallory", "identifier": random_bytes(16)}[field]
        with unharmed(provider, ProofError):
            provider.open_session(dumps(replace(envelope, context=replace(envelope.context, **{field: value}))))

    def test_an_upload_opens_no_session_and_the_other_way_round(
        self, session: ClientSession, tap: Tap, provider: Provider
    ) -> None:
        upload, opening = tap.last("upload"), tap.last("open_session")
        for call, message in ((provider.open_session, upload), (provider.upload, opening)):
            with unharmed(provider, PrivMLError):
                call(message)
        envelope = loads(upload, SealedArray, provider.parameters).envelope
        with unharmed(provider, ProofError):
            provider.open_session(dumps(envelope))

    def test_a_seed_that_is_none(
        self, carol: Client, card: ModelCard, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An honest proof of a plaintext that is longer than a seed: both units refuse, in step."""
        monkeypatch.setattr(sealer_module, "SEED_BYTES", 40)
        with unharmed(provider, PrivMLError, match="no seed"):
            carol.open_session(card)
        assert not any(len(station.sessions) for station in provider.stations)

    def test_the_master_never_has_a_seed(self, session: ClientSession, provider: Provider) -> None:
        held: list[list[Session]] = [list(station.sessions) for station in provider.stations]
        assert [[each.seed for each in sessions] for sessions in held] == [[None], [session._seed]]
        for sessions in held:
            assert session._seed is not None
            assert session._seed.hex() not in repr(sessions)
            assert repr(session._seed) not in repr(sessions)


Pads = list[tuple[Purpose, int, NDArray[np.uint64]]]


def watch_pads(monkeypatch: pytest.MonkeyPatch) -> Pads:
    pads: Pads = []
    original = envelope_module.pad

    def watched(
        seed: bytes, purpose: Purpose, context: SealContext, counter: int, shape: tuple[int, ...]
    ) -> NDArray[np.uint64]:
        words = original(seed, purpose, context, counter, shape)
        pads.append((purpose, counter, words.copy()))
        return words

    for module in (sealer_module, client_module, station_module):
        monkeypatch.setattr(module, "pad", watched)
    return pads


def job(provider: Provider) -> None:
    """Two owners, two sessions of each of two clients, a few queries in each."""
    card = host(provider, schema=SCHEMA)
    for name in ("alice", "bob"):
        owner = DataOwner.join(provider, name)
        owner.upload(card, TABLE, chunk_rows=20)
    for name in ("carol", "dave"):
        client = Client.join(provider, name)
        for _ in range(2):
            with client.open_session(card) as session:
                for _ in range(2):
                    session.predict(QUERIES)
                    session.predict_proba(QUERIES)


class TestPads:
    def test_pads_never_coincide(self, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        """Owner or client and the Secondary make every pad once each; beyond that no word occurs again."""
        pads = watch_pads(monkeypatch)
        job(provider)
        assert {purpose for purpose, _, _ in pads} == set(Purpose)
        words = Counter(word for _, _, pad in pads for word in pad.reshape(-1).tolist())
        assert set(words.values()) == {2}
        assert looks_uniform(np.array(list(words), np.uint64).view(np.uint8))

    @pytest.mark.parametrize("forgotten", ["purpose", "counter", "seed"])
    def test_the_search_finds_pads_that_do(
        self, forgotten: str, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def careless(
            seed: bytes, purpose: Purpose, context: SealContext, counter: int, shape: tuple[int, ...]
        ) -> NDArray[np.uint64]:
            info: dict[str, Any] = {"purpose": purpose.value, "counter": counter, "identifier": context.identifier}
            if forgotten == "seed":
                seed, info["identifier"] = bytes(32), b""
            info.pop(forgotten, None)
            return expand(derive_key(seed, *info.values()), 0, shape)

        monkeypatch.setattr(envelope_module, "pad", careless)
        pads = watch_pads(monkeypatch)
        job(provider)
        words = Counter(word for _, _, pad in pads for word in pad.reshape(-1).tolist())
        assert set(words.values()) != {2}

    def test_answers_to_one_question_have_nothing_in_common(
        self, session: ClientSession, carol: Client, card: ModelCard, tap: Tap
    ) -> None:
        for asking in (session, carol.open_session(card)):
            for _ in range(3):
                asking.predict_proba(QUERIES)
        answers = [loads(answer, Answer).words for answer in tap.answers]
        for one, other in combinations(answers, 2):
            assert not np.isin(one, other).any()
            assert np.abs(in_nats(one - other)).min() > 20


def test_messages_are_read_only_by_whom_they_are_for(
    session: ClientSession, tap: Tap, provider: Provider, alice: DataOwner
) -> None:
    """Other people's keys say nothing about a session."""
    envelope = loads(tap.last("open_session"), Envelope, provider.parameters)
    readers: list[Callable[[], object]] = [lambda: alice.key.decrypt(envelope.seed)]
    for read in readers:
        with pytest.raises(PrivMLError):
            read()
