"""Everybody who takes part, and the same learner in plaintext."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.naive_bayes import CategoricalNB

from experiments.datasets import DataSet
from experiments.settings import Settings
from privml.crypto.envelope import IDENTIFIER_BYTES
from privml.crypto.randomness import random_bytes
from privml.data.encoding import EncodedTable, one_hot
from privml.roles.authority import Authority
from privml.roles.card import ModelCard
from privml.roles.client import Client, ClientSession
from privml.roles.data_owner import DataOwner
from privml.roles.endpoint import Endpoint
from privml.roles.provider import Provider

OWNERS = 4
QUERY_BATCH = 1000
TWIN = "scikit-learn"


@dataclass
class Scene:
    """Owners with their parts of a data set, a provider with both units in this process, a client.

    A context manager that closes the provider.
    """

    data: DataSet
    train: EncodedTable
    test: EncodedTable
    provider: Provider
    owners: list[DataOwner]
    client: Client
    models: int = field(default=0, init=False)

    @classmethod
    def make(cls, settings: Settings, data: DataSet) -> Self:
        """Make keys and join the provider."""
        authority = make_authority(settings)
        provider = Provider.embedded(authority, "cloud")
        owners = [DataOwner.join(provider, f"owner-{number}") for number in range(OWNERS)]
        train, test = data.encoded(settings.records)
        return cls(data, train, test, provider, owners, Client.join(provider, "client"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.provider.close()

    def new_model(self, **options: Any) -> ModelCard:
        """Host one more untrained model: uploads are bound to theirs."""
        self.models += 1
        return self.provider.create_model(f"model-{self.models}", "naive_bayes", self.data.schema, **options)

    def parts(self) -> list[tuple[DataOwner, EncodedTable]]:
        """Each owner's records."""
        edges = [len(self.train) * number // OWNERS for number in range(OWNERS + 1)]
        ranges = itertools.pairwise(edges)
        return [(owner, rows(self.train, *each)) for owner, each in zip(self.owners, ranges, strict=True)]

    def twin(self) -> Twin:
        """The same learner in plaintext, on the same codes."""
        return Twin(self)


class Twin:
    """scikit-learn's CategoricalNB, the same learner on the same encoding."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._learner = CategoricalNB(min_categories=list(scene.data.schema.cardinalities))
        self.fit()

    def fit(self) -> None:
        """Train."""
        self._learner.fit(self._scene.train.codes, self._scene.train.labels)

    def predict(self, records: int | None = None) -> NDArray[np.int64]:
        """Codes of the classes of the first test records, or of all."""
        return np.asarray(self._learner.predict(self._scene.test.codes[:records]))


def make_authority(settings: Settings) -> Authority:
    """Make fresh keys."""
    return Authority.create(settings.key_bits, allow_insecure_test_size=settings.allow_insecure_test_size)


def rows(table: EncodedTable, start: int, stop: int) -> EncodedTable:
    """Take rows of a labelled table in codes."""
    codes = table.codes[start:stop]
    labels = None if table.labels is None else table.labels[start:stop]
    return EncodedTable(codes, labels, int((codes < 0).sum()))


def chunks(table: EncodedTable, size: int) -> list[EncodedTable]:
    """Divide a table into chunks of at most so many records."""
    return [rows(table, start, start + size) for start in range(0, len(table), size)]


def seal(card: ModelCard, parts: Iterable[tuple[DataOwner, EncodedTable]]) -> list[bytes]:
    """Let owners seal a chunk each."""
    return [owner.seal(card, chunk, random_bytes(IDENTIFIER_BYTES)) for owner, chunk in parts]


def ask(session: ClientSession, provider: Endpoint, hot: NDArray[np.uint64], batch: int) -> NDArray[np.object_]:
    """Ask for the classes of one-hot rows: the client masks, both units answer, the client unmasks."""
    answers = []
    for start in range(0, len(hot), batch):
        block = hot[start : start + batch]
        answers.append(session.read(provider.query(session.query(block, "label")), len(block), "label"))
    return np.concatenate(answers)


def queries(scene: Scene) -> NDArray[np.uint64]:
    """All test records as one-hot rows."""
    return one_hot(scene.data.schema, scene.test.codes)
