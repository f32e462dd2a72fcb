import math
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest

from privml import Client, ClientSession, DataOwner, ModelCard, Provider
from privml.crypto.wire import dumps, loads
from privml.errors import (
    AuthorisationError,
    ClassifierError,
    CounterError,
    NotFittedError,
    PrivMLError,
    SecretExposureError,
    SessionError,
    SettingError,
    UnknownCategoryError,
)
from privml.roles.queries import Answer, Query
from tests.privml.roles.world import SCHEMA, Tap, codes_of, columns, expected_labels, host, plain, unharmed


@pytest.mark.parametrize("alpha", [1.0, 0.5])
def test_answers_are_those_of_scikit_learn(alpha: float, alice: DataOwner, carol: Client, provider: Provider) -> None:
    card = host(provider, options={"alpha": alpha})
    table, queries = columns(60), columns(40, seed=1)
    alice.upload(card, table, chunk_rows=25)
    model = plain(table, alpha=alpha)
    with carol.open_session(card) as session:
        assert session.predict(queries).tolist() == expected_labels(model, queries)
        got, expected = session.predict_proba(queries), model.predict_proba(codes_of(queries))
        np.testing.assert_allclose(got, expected, atol=2e-6)
        np.testing.assert_allclose(got.sum(axis=1), 1)


@pytest.mark.parametrize("batch", [1, 7, 40, 1000])
def test_batches_change_nothing(batch: int, alice: DataOwner, carol: Client, card: ModelCard) -> None:
    table, queries, seen = columns(60), columns(40, seed=1), list[int]()
    alice.upload(card, table)
    answers = carol.predict(card, queries, batch=batch, progress=seen.append)
    assert answers.tolist() == expected_labels(plain(table), queries)
    assert seen == [min(batch, 40)] * (40 // min(batch, 40)) + ([40 % batch] if batch < 40 and 40 % batch else [])


def test_a_class_column_is_not_looked_at(alice: DataOwner, carol: Client, card: ModelCard) -> None:
    alice.upload(card, columns(60))
    queries = columns(10, seed=1)
    without = {name: cells for name, cells in queries.items() if name != SCHEMA.target}
    assert carol.predict(card, queries).tolist() == carol.predict(card, without).tolist()


def test_unknown_cells_are_left_out_of_the_decision(alice: DataOwner, carol: Client, card: ModelCard) -> None:
    table = columns(60)
    alice.upload(card, table)
    queries = columns(4, seed=1)
    queries["colour"] = ["mauve", "", "red", "beige"]
    with pytest.raises(UnknownCategoryError):
        carol.predict(card, queries)
    model, codes = plain(table), codes_of(queries | {"colour": ["red"] * 4})
    scores = model.class_log_prior_ + sum(model.feature_log_prob_[f][:, codes[:, f]].T for f in (1, 2))
    scores[2] += model.feature_log_prob_[0][:, 0]
    expected = np.exp(scores - scores.max(axis=1, keepdims=True))
    with carol.open_session(card) as session:
        got = session.predict_proba(queries, unknown="ignore")
    np.testing.assert_allclose(got, expected / expected.sum(axis=1, keepdims=True), atol=2e-6)


def test_any_answer_that_the_card_allows(alice: DataOwner, carol: Client, provider: Provider) -> None:
    card = provider.create_model("scores", "logistic_regression", SCHEMA, answers=("label", "score"))
    alice.upload(card, columns(60))
    queries = columns(20, seed=1)
    with carol.open_session(card) as session:
        scores = session.ask(queries, "score", batch=7)
        assert scores.shape == (20, SCHEMA.class_count)
        assert session.ask(queries, "label").tolist() == [SCHEMA.classes[best] for best in scores.argmax(axis=1)]
        with pytest.raises(AuthorisationError, match="probabilities"):
            session.ask(queries, "probabilities")


def test_nothing_to_ask(alice: DataOwner, carol: Client, card: ModelCard) -> None:
    alice.upload(card, columns(5))
    with pytest.raises(SettingError, match="no record"):
        carol.predict(card, {name: [] for name in SCHEMA.names})
    with pytest.raises(SettingError, match="batch"):
        carol.predict(card, columns(1), batch=0)


def test_an_untrained_model_says_so(carol: Client, provider: Provider, card: ModelCard) -> None:
    with unharmed(provider, NotFittedError):
        carol.predict(card, columns(1))


def test_labels_only_unless_the_card_says_more(alice: DataOwner, carol: Client, provider: Provider) -> None:
    card = host(provider, answers=("label",))
    alice.upload(card, columns(5))
    with carol.open_session(card) as session:
        with unharmed(provider, AuthorisationError):
            session.predict_proba(columns(1))
        assert len(session.predict(columns(1))) == 1


def test_a_model_that_is_not_there(carol: Client, card: ModelCard, provider: Provider) -> None:
    with unharmed(provider, ClassifierError):
        carol.open_session(replace(card, model="nothing"))


class TestSessions:
    @pytest.fixture
    def session(self, alice: DataOwner, carol: Client, card: ModelCard) -> ClientSession:
        alice.upload(card, columns(30))
        return carol.open_session(card)

    def test_no_two_queries_share_a_pad(self, session: ClientSession, tap: Tap) -> None:
        table = columns(3)
        for _ in range(2):
            session.predict(table)
        queries = [loads(message, Query) for kind, message in tap.messages if kind == "query"]
        assert [query.counter for query in queries] == [1, 2]
        one, other = (query.payload for query in queries)
        assert one is not None
        assert other is not None
        assert not (one == other).any()

    def test_closed_means_closed(self, session: ClientSession) -> None:
        session.close()
        with pytest.raises(SessionError, match="closed"):
            session.predict(columns(1))

    def test_a_fork_does_not_count_on(self, session: ClientSession, monkeypatch: pytest.MonkeyPatch) -> None:
        """Else parent and child would send two queries under one pad."""
        monkeypatch.setattr(os, "getpid", lambda: -1)
        with pytest.raises(SessionError, match="process"):
            session.predict(columns(1))

    def test_the_seed_stays_inside(self, session: ClientSession) -> None:
        seed = session._seed
        assert seed is not None
        assert seed.hex() not in repr(session)
        assert repr(seed)[2:-1] not in repr(vars(session)["_context"])
        with pytest.raises(SecretExposureError):
            pickle.dumps(session)

    def test_a_lost_answer_comes_again_for_the_same_query(
        self, session: ClientSession, tap: Tap, provider: Provider
    ) -> None:
        session.predict(columns(3))
        sent = provider.statistics
        assert provider.query(tap.last("query")) == tap.answers[-1]
        assert provider.statistics == sent, "the units have nothing to talk about"

    @pytest.mark.parametrize(
        "swap",
        [
            {"session_id": bytes(16)},
            {"counter": 2},
            {"words": np.zeros(2, np.uint64)},
            {"words": np.zeros((3, 1), np.uint64)},
        ],
        ids=["session", "counter", "fewer", "shape"],
    )
    def test_answers_to_something_else_are_refused(
        self, session: ClientSession, tap: Tap, swap: dict[str, object]
    ) -> None:
        tap.change_answer = lambda answer: dumps(replace(loads(answer, Answer), **swap))  # type: ignore[arg-type]
        with pytest.raises(SessionError):
            session.predict(columns(3))

    def test_an_answer_that_names_no_class_is_refused(self, session: ClientSession, tap: Tap) -> None:
        """A damaged answer is a random word: an error, and never the wrong label by counting from the end."""

        def damaged(answer: bytes) -> bytes:
            read = loads(answer, Answer)
            return dumps(replace(read, words=read.words - np.uint64(SCHEMA.class_count)))

        tap.change_answer = damaged
        with pytest.raises(PrivMLError):
            session.predict(columns(3))

    def test_a_session_outlives_a_refused_query(self, session: ClientSession, provider: Provider) -> None:
        with unharmed(provider, PrivMLError):
            provider.query(session.query(np.zeros((1, 1), np.uint64), "label"))
        with unharmed(provider, AuthorisationError):
            provider.query(session.query(np.zeros((1, SCHEMA.width), np.uint64), "secrets"))
        assert len(session.predict(columns(2))) == 2

    def test_two_sessions_do_not_meet(self, session: ClientSession, carol: Client, card: ModelCard) -> None:
        table = columns(5, seed=3)
        with carol.open_session(card) as other:
            assert other.predict(table).tolist() == session.predict(table).tolist() == other.predict(table).tolist()

    def test_queries_out_of_order_are_refused(self, session: ClientSession, provider: Provider) -> None:
        rows = np.zeros((1, SCHEMA.width), np.uint64)
        early, late = session.query(rows, "label"), session.query(rows, "label")
        provider.query(late)
        with unharmed(provider, CounterError):
            provider.query(early)


def test_probabilities_of_a_model_of_one_record(alice: DataOwner, carol: Client, card: ModelCard) -> None:
    """Classes that nobody saw yet have no part in it."""
    table = columns(1)
    alice.upload(card, table)
    with carol.open_session(card) as session:
        probabilities = session.predict_proba(columns(20, seed=5))
        labels = session.predict(columns(20, seed=5))
    seen = SCHEMA.classes.index(table[SCHEMA.target][0])
    assert np.all(probabilities[:, seen] > 1 - 1e-9)
    assert set(labels) == {SCHEMA.classes[seen]}
    assert math.isclose(probabilities.sum(), 20)


def test_threads_of_one_session_get_their_own_answers(
    alice: DataOwner, carol: Client, provider: Provider, card: ModelCard
) -> None:
    alice.upload(card, columns(20))
    queries = columns(9, seed=1)
    with carol.open_session(card) as session, ThreadPoolExecutor(4) as pool:
        expected = list(session.predict(queries))
        for answers in pool.map(lambda _: list(session.predict(queries, batch=2)), range(12)):
            assert answers == expected
