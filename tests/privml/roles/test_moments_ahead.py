"""Owners send moments of their numbers homomorphically, ahead of records, and the whole job goes on with them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.logistic_regression import LogisticRegression
from privml import Categorical, Client, Continuous, DataOwner, ModelCard, Provider, Schema
from privml.data.encoding import encode
from privml.errors import ClassifierError, DuplicateUploadError, NotFittedError, UnknownUploadError, ValidationError
from privml.roles.hosted import Chunk
from privml.roles.messages import HomomorphicUpload
from tests.classifiers.regression.twin import Twin
from tests.privml.roles.world import Tap

SCHEMA = Schema(
    (Continuous("age", 0, 120), Categorical("g", ("a", "b")), Continuous("dose", 0, 1)), "ill", ("no", "yes")
)
OPTIONS: dict[str, Any] = {"standardisation": "private", "batch": 32, "learning_rate": 1.0}
Columns = dict[str, list[Any]]


def columns(rows: int, seed: int = 0, older: float = 0.0) -> Columns:
    rng = np.random.default_rng(seed)
    age, dose, group = 40 + older + 8 * rng.normal(size=rows), rng.beta(2, 6, rows), rng.integers(0, 2, rows)
    ill = (age - 40) / 8 + 6 * (dose - 0.25) + group + rng.normal(size=rows) > 0.5
    return {
        "age": np.clip(age, 0, 120).round(1).tolist(),
        "dose": dose.round(4).tolist(),
        "g": ["ab"[code] for code in group],
        "ill": ["yes" if each else "no" for each in ill],
    }


QUERIES = {name: cells for name, cells in columns(60, 99).items() if name != "ill"}


def of(scaled_by: list[Columns], taught: list[Columns]) -> NDArray[np.float64]:
    """Probabilities of the plain descent on scales that are those of some tables."""
    codes = np.concatenate([encode(SCHEMA, each).codes for each in scaled_by])
    own = {}
    for place, (name, high) in {0: ("age", 120), 2: ("dose", 1)}.items():
        places = codes[:, place] / 2**16
        own[name] = (high * places.mean(), high * np.sqrt(places.var() + 2.0**-8))
    twin = Twin(SCHEMA, batch=32, learning_rate=1.0, standardisation=own)
    for each in taught:
        table = encode(SCHEMA, each)
        assert table.labels is not None
        twin.learn(table.codes, table.labels)
    return np.asarray(twin.probabilities(encode(SCHEMA, QUERIES, labelled=False).codes))


def host(provider: Provider, name: str = "things", **settings: Any) -> ModelCard:
    options = {**OPTIONS, **settings.pop("options", {})}
    answers = ("label", "probabilities")
    return provider.create_model(name, "logistic_regression", SCHEMA, options=options, answers=answers, **settings)


@pytest.fixture
def card(provider: Provider) -> ModelCard:
    return host(provider, options={"retain": True})


@pytest.fixture
def bob(tap: Tap) -> DataOwner:
    return DataOwner.join(tap, "bob")


def asked(carol: Client, card: ModelCard) -> NDArray[np.float64]:
    with carol.open_session(card) as session:
        return np.asarray(session.predict_proba(QUERIES))


def near(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Factors are rounded to 1/16."""
    return bool(np.abs(one - other).max() < 0.01)


def test_two_owners_the_whole_job(
    alice: DataOwner, bob: DataOwner, carol: Client, card: ModelCard, provider: Provider, tmp_path: Path
) -> None:
    elders, records, more = columns(200, 1, older=25), columns(90, 2), columns(60, 3)
    (ahead,) = alice.upload(card, elders, path="homomorphic")
    bob.upload(card, records, path="homomorphic", chunk_rows=50)
    with pytest.raises(NotFittedError, match="upload data first"):
        asked(carol, card)
    bob.upload(card, records)
    assert near(asked(carol, card), of([elders, records], [records]))
    assert not near(of([elders, records], [records]), of([records], [records])), "whose moments they are matters"
    alice.upload(card, more)
    assert near(asked(carol, card), of([elders, records], [records, more]))
    assert list(provider.chunks("things").values()) == [
        Chunk("alice", 200, teaches=False),
        Chunk("bob", 50, teaches=False),
        Chunk("bob", 40, teaches=False),
        Chunk("bob", 90),
        Chunk("alice", 60),
    ]
    provider.save(tmp_path / "saved")
    with Provider.load(tmp_path / "saved") as again:
        dave = Client.join(again, "dave")
        assert near(asked(dave, card), of([elders, records], [records, more]))
    alice.withdraw(card, ahead)
    assert near(asked(carol, card), of([records], [records, more]))
    with pytest.raises(UnknownUploadError, match="already"):
        alice.withdraw(card, ahead)


def test_moments_that_are_none_are_refused_and_nothing_is_lost(
    alice: DataOwner,
    bob: DataOwner,
    carol: Client,
    card: ModelCard,
    provider: Provider,
    tap: Tap,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    elders, records = columns(200, 1, older=25), columns(90, 2)
    alice.upload(card, elders, path="homomorphic")
    with monkeypatch.context() as patch:
        honest = LogisticRegression.statistics
        patch.setattr(LogisticRegression, "statistics", lambda *each: honest(*each) * [1, 1, 0, 0, 1])
        with pytest.raises(ValidationError, match="its statistics are not those of 90 records"):
            bob.upload(card, records, path="homomorphic")
    assert list(provider.chunks("things").values()) == [Chunk("alice", 200, teaches=False)]
    with pytest.raises(DuplicateUploadError):
        provider.upload(next(message for kind, message in tap.messages if kind == "upload"))
    bob.upload(card, records)
    assert near(asked(carol, card), of([elders], [records]))


def test_late_moments_are_refused_where_no_records_are_retained(
    alice: DataOwner, bob: DataOwner, carol: Client, provider: Provider
) -> None:
    card = host(provider)
    elders, records = columns(200, 1, older=25), columns(90, 2)
    alice.upload(card, elders, path="homomorphic")
    bob.upload(card, records)
    before = asked(carol, card)
    channel = provider.units.master.channel
    with pytest.raises(ClassifierError, match="too late"):
        bob.upload(card, records, path="homomorphic")
    with pytest.raises(ClassifierError, match="withdrawn"):
        alice.withdraw(card, alice.receipts[0])
    assert provider.units.master.channel is channel, "a refusal is agreed, and needs no new link"
    np.testing.assert_allclose(asked(carol, card), before, atol=5e-5)


def test_public_scales_take_none_and_an_owner_learns_it_before_anything_is_sent(
    alice: DataOwner, provider: Provider, tap: Tap
) -> None:
    card = host(provider, options={"standardisation": {}})
    with pytest.raises(ClassifierError, match=r"takes no statistics with the options of 'things': send sealed chunks"):
        alice.upload(card, columns(10), path="homomorphic")
    assert [kind for kind, _ in tap.messages] == ["register"]
    assert not alice.receipts
    private = host(provider, "private")
    alice.upload(private, columns(10), path="homomorphic")
    assert len(tap.last("upload")) <= provider.stations.master.longest(HomomorphicUpload)


def test_moments_do_not_count_as_records_that_answers_wait_for(
    alice: DataOwner, bob: DataOwner, carol: Client, provider: Provider
) -> None:
    """Else a single record could be all that is learned between two answers."""
    card = host(provider, new_records=40, new_owners=2, options={"retain": True})
    many, few = columns(300, 4), columns(30, 5)
    alice.upload(card, many, path="homomorphic")
    bob.upload(card, few)
    with pytest.raises(NotFittedError, match="40 records of 2 owners"):
        asked(carol, card)
    alice.upload(card, few)
    before = asked(carol, card)
    bob.upload(card, columns(300, 6, older=30), path="homomorphic")
    np.testing.assert_allclose(asked(carol, card), before, atol=5e-5)
    alice.upload(card, few)
    bob.upload(card, few)
    assert not near(asked(carol, card), before), "what waited is released together"
