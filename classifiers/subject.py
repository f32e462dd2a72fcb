"""A classifier under test: its class, its settings, and small public tables to try it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from building_blocks.shares import Words
from classifiers.trial import Codes, Keys, Trial
from privml.crypto.packing import PackedCiphertext
from privml.data.encoding import one_hot, one_hot_labels
from privml.data.feature import Categorical
from privml.data.schema import Schema
from privml.learner import Learner

ROWS = 40

DEFAULT_SCHEMA = Schema(
    (Categorical("f", ("a", "b", "c")), Categorical("g", ("a", "b")), Categorical("h", ("a", "b", "c", "d"))),
    target="y",
    classes=("p", "q", "r"),
)


@dataclass(frozen=True)
class Subject:
    """What is under test, and how to make one."""

    classifier: type[Learner]
    schema: Schema
    options: Mapping[str, Any]
    keys: Keys

    def trial(self, *chunks: int) -> Trial:
        """Make a new classifier that learned the chunks of these numbers."""
        trial = Trial(self.classifier, self.schema, self.options, self.keys)
        for number in chunks:
            trial.learn(f"chunk {number}", *self.chunk(number))
        return trial

    def chunk(self, number: int, rows: int = ROWS) -> tuple[Codes, Codes]:
        """Codes and labels of some records; the same for the same number."""
        rng = np.random.default_rng(number)
        labels = rng.integers(0, self.schema.class_count, rows)
        columns = []
        for feature in self.schema.features:
            size = feature.levels
            told = labels if feature.one_hot else labels * (size // self.schema.class_count)
            columns.append(np.where(rng.random(rows) < 0.7, told, rng.integers(0, size, rows)) % size)
        return np.stack(columns, axis=1), labels

    def rows(self, number: int) -> Words:
        """Return the same records as one-hot rows."""
        codes, labels = self.chunk(number)
        return np.concatenate([one_hot(self.schema, codes), one_hot_labels(self.schema, labels)], axis=1)

    @property
    def half(self) -> Learner:
        """One that has learned nothing: what it says of itself."""
        return self.classifier(self.schema, **self.options)

    def withdraw(self, trial: Trial, chunk: str) -> None:
        """Withdraw a chunk, where that is possible."""
        if self.half.withdraws:
            trial.withdraw(chunk)

    @property
    def queries(self) -> Codes:
        """Records to ask about."""
        return self.chunk(1000)[0]


def copied(value: Any) -> Any:
    """Copy a state, its arrays included."""
    if isinstance(value, Mapping):
        return {key: copied(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [copied(entry) for entry in value]
    return value.copy() if isinstance(value, np.ndarray) else value


def leaves(value: Any) -> Iterator[Any]:
    """What a state consists of in the end."""
    if isinstance(value, Mapping):
        for entry in value.values():
            yield from leaves(entry)
    elif isinstance(value, list | tuple):
        for entry in value:
            yield from leaves(entry)
    else:
        yield value


def size_of(leaf: Any) -> int:
    """Bytes of a leaf, more or less."""
    if isinstance(leaf, np.ndarray):
        return leaf.nbytes
    if isinstance(leaf, PackedCiphertext):
        return len(leaf.vector)
    return len(leaf) if isinstance(leaf, bytes | str) else 1
