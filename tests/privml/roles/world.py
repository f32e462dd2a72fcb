"""A small world for tests of the whole job: a table, a provider at 512 bits, and ways to stand between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.naive_bayes import CategoricalNB

from building_blocks.shares import Shares, signed
from classifiers.naive_bayes import NaiveBayes
from privml import Authority, Categorical, ModelCard, Ordinal, Provider, Schema
from privml.crypto.dtpkc import PublicParameters
from privml.crypto.keygen import StrongKey
from privml.data.encoding import EncodedTable, encode
from privml.roles import in_step as in_step_module
from privml.roles.station import Station
from privml.units.memory import memory_channels
from privml.units.recording import RecordingChannel
from privml.units.unit import Unit
from tests.two_units import RecordingSource

Columns = dict[str, list[str]]

SCHEMA = Schema(
    (
        Categorical("colour", ("red", "green", "blue")),
        Categorical("shape", ("round", "square")),
        Ordinal("size", ("s", "m", "l", "xl")),
    ),
    target="kind",
    classes=("apple", "brick", "cloud"),
)


def columns(rows: int, seed: int = 0, schema: Schema = SCHEMA) -> Columns:
    """A labelled table in which features and class go together, more or less."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, schema.class_count, rows)
    table = {schema.target: [schema.classes[kind] for kind in kinds]}
    for feature in schema.features:
        codes = np.where(rng.random(rows) < 0.6, kinds, rng.integers(0, 99, rows)) % feature.cardinality
        table[feature.name] = [feature.labels[code] for code in codes]
    return table


def part(table: Columns, start: int, stop: int) -> Columns:
    return {name: column[start:stop] for name, column in table.items()}


def joined(*tables: Columns) -> Columns:
    return {name: [cell for table in tables for cell in table[name]] for name in tables[0]}


def plain(*tables: Columns, schema: Schema = SCHEMA, alpha: float = 1.0) -> CategoricalNB:
    """What scikit-learn makes of the same records."""
    encoded = encode(schema, joined(*tables))
    return CategoricalNB(alpha=alpha, min_categories=schema.cardinalities).fit(encoded.codes, encoded.labels)


def codes_of(table: Columns, schema: Schema = SCHEMA) -> NDArray[np.int64]:
    return encode(schema, table, labelled=False).codes


def encoded(table: Columns, schema: Schema = SCHEMA) -> EncodedTable:
    return encode(schema, table)


def expected_labels(model: CategoricalNB, table: Columns, schema: Schema = SCHEMA) -> list[str]:
    return [schema.classes[model.classes_[best]] for best in model.predict_log_proba(codes_of(table, schema)).argmax(1)]


def new_provider(strong_key: StrongKey, name: str = "cloud") -> Provider:
    """A provider of its own with the test's small key (an authority erases the key it hands out: this is a copy)."""
    parameters = strong_key.parameters
    return Provider.embedded(Authority(parameters, StrongKey(parameters, *strong_key.factors)), name)


def host(provider: Provider, model: str = "things", **settings: Any) -> ModelCard:
    defaults: dict[str, Any] = {
        "schema": SCHEMA,
        "answers": ("label", "probabilities"),
        "chunk_rows": 64,
    }
    return provider.create_model(model, "naive_bayes", **(defaults | settings))


def statistics(*tables: Columns, schema: Schema = SCHEMA) -> NDArray[np.int64]:
    """The counts that a model of these tables consists of: values by class, then classes."""
    if not tables:
        return np.zeros((schema.width + 1, schema.class_count), dtype=np.int64)
    flat = NaiveBayes.statistics(schema, encode(schema, joined(*tables)))
    return flat.reshape(schema.width + 1, schema.class_count)


def learned(provider: Provider, model: str = "things") -> NDArray[np.int64]:
    """The counts that both units together hold. Nobody can do this but a test that runs both of them."""

    def counts(station: Station) -> Shares:
        learner = station.models[model].learner
        assert isinstance(learner, NaiveBayes)
        return learner._counts

    shares = provider._run(counts)
    return signed(shares.master.words + shares.secondary.words)


@dataclass
class Tap:
    """An endpoint between a participant and the provider: keeps every message, and may change it on its way."""

    inner: Provider
    messages: list[tuple[str, bytes]] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    change: Callable[[str, bytes], bytes] | None = None
    change_answer: Callable[[bytes], bytes] | None = None

    @property
    def parameters(self) -> PublicParameters:
        return self.inner.parameters

    @property
    def epoch(self) -> bytes:
        return self.inner.epoch

    def card(self, model: str) -> ModelCard:
        return self.inner.card(model)

    def register(self, message: bytes) -> None:
        self.inner.register(self._pass("register", message))

    def upload(self, message: bytes) -> None:
        self.inner.upload(self._pass("upload", message))

    def withdraw(self, message: bytes) -> None:
        self.inner.withdraw(self._pass("withdraw", message))

    def open_session(self, message: bytes) -> None:
        self.inner.open_session(self._pass("open_session", message))

    def close_session(self, message: bytes) -> None:
        self.inner.close_session(self._pass("close_session", message))

    def query(self, message: bytes) -> bytes:
        return self._back(self.inner.query(self._pass("query", message)))

    def reveal(self, model: str, recipient: str) -> bytes:
        return self._back(self.inner.reveal(model, recipient))

    def last(self, kind: str) -> bytes:
        return next(message for name, message in reversed(self.messages) if name == kind)

    def _pass(self, kind: str, message: bytes) -> bytes:
        self.messages.append((kind, message))
        return message if self.change is None else self.change(kind, message)

    def _back(self, answer: bytes) -> bytes:
        self.answers.append(answer)
        return answer if self.change_answer is None else self.change_answer(answer)


@contextmanager
def unharmed(
    provider: Provider, *errors: type[BaseException], model: str = "things", match: str | None = None
) -> Iterator[Any]:
    """What happens inside is refused, and changes nothing of the model; the link between the units stays."""
    before, channel = learned(provider, model), provider.units.master.channel
    books = [dict(station.models[model].chunks) for station in provider.stations]
    with pytest.raises(errors, match=match) as caught:
        yield caught
    assert provider.units.master.channel is channel, "a refusal is agreed, and needs no new link"
    np.testing.assert_array_equal(learned(provider, model), before)
    assert [dict(station.models[model].chunks) for station in provider.stations] == books


def recorded(monkeypatch: pytest.MonkeyPatch, strong_key: StrongKey) -> tuple[Provider, Sequence[Unit]]:
    """A provider whose units remember what they saw."""

    def channels() -> tuple[RecordingChannel, RecordingChannel]:
        one, other = memory_channels(timeout=60)
        return RecordingChannel(one), RecordingChannel(other)

    monkeypatch.setattr(in_step_module, "memory_channels", channels)
    provider = new_provider(strong_key)
    for unit in provider.units:
        unit.correlations = RecordingSource(unit.correlations)
    return provider, provider.units
