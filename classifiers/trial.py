"""A classifier at two units in one process, with every record known: to try it out, and to look at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import Words
from privml.crypto.dtpkc import KeyShare, PublicKey, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey, generate
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.randomness import random_words
from privml.data.encoding import EncodedTable, one_hot, one_hot_labels
from privml.data.schema import Schema
from privml.learner import Learner
from privml.units.dealer import Dealer
from privml.units.lanes import thread_lanes
from privml.units.memory import memory_channels
from privml.units.pair import Pair, PairRunner
from privml.units.recording import Passage, RecordingChannel
from privml.units.role import Role
from privml.units.unit import Unit

Codes = NDArray[np.int64]
T = TypeVar("T")


class Keys:
    """Keys that protect nothing: 512 bits, for trials."""

    def __init__(self) -> None:
        parameters, strong_key = generate(512, allow_insecure_test_size=True)
        self.parameters: PublicParameters = parameters
        self.shares: tuple[KeyShare, KeyShare] = strong_key.split()
        self._strong_key: StrongKey = strong_key
        self.owner = WeakPrivateKey.generate(parameters)
        self.encryptor = Encryptor(self.owner.public_key)


class Trial:
    """A classifier at two units.

    Parameters
    ----------
    classifier
        Its class.
    schema, options
        What it is made from.
    keys
        For chunks under encryption and for `reveal`.
    """

    def __init__(
        self, classifier: Callable[..., Learner], schema: Schema, options: Mapping[str, Any], keys: Keys
    ) -> None:
        self.schema = schema
        self.keys = keys
        self.halves: Pair[Learner] = Pair(classifier(schema, **options), classifier(schema, **options))
        dealer = Dealer()
        channels = tuple(RecordingChannel(channel) for channel in memory_channels())
        self.units = Pair(
            *(
                Unit(role, channel, dealer.source(role), share)
                for role, channel, share in zip(Role, channels, keys.shares, strict=True)
            )
        )
        self._channels = channels

    @property
    def trace(self) -> tuple[tuple[Passage, ...], ...]:
        """Direction and length of every message so far, at either unit."""
        return tuple(channel.trace for channel in self._channels)

    def run(self, program: Callable[[Learner, Unit], T]) -> Pair[T]:
        """Run `program(half, unit)` at both units."""
        with PairRunner(self.units) as runner:
            return runner.run(lambda unit: program(self.halves[0 if unit.is_master else 1], unit))

    @contextmanager
    def lanes(self, count: int) -> Iterator[None]:
        """Divide what is worth it among so many lanes, meanwhile."""
        lanes = thread_lanes(count)
        for unit, own in zip(self.units, lanes, strict=True):
            unit.lanes = own
        try:
            yield
        finally:
            for unit, own in zip(self.units, lanes, strict=True):
                unit.lanes = None
                own.close()

    def learn(self, chunk: str, codes: Codes, labels: Codes) -> None:
        """Take a chunk of records, as the sealed path brings it."""
        self.learn_rows(
            chunk, np.concatenate([one_hot(self.schema, codes), one_hot_labels(self.schema, labels)], axis=1)
        )

    def learn_rows(self, chunk: str, rows: Words) -> None:
        """Take a chunk of rows, whatever they are."""
        shares = _shared(rows)
        self.run(lambda half, unit: half.partial_fit(unit, chunk, shares[unit.role]))

    def learn_encrypted(self, chunk: str, codes: Codes, labels: Codes, layout: Layout) -> None:
        """Take a chunk's statistics, as the homomorphic path brings them."""
        values = type(self.halves.master).statistics(self.schema, EncodedTable(codes, labels, int((codes < 0).sum())))
        self.learn_statistics(chunk, PackedCiphertext.encrypt(values, layout, self.keys.encryptor), len(codes))

    def learn_statistics(self, chunk: str, packed: PackedCiphertext, rows: int) -> None:
        """Take encrypted statistics, whatever they are."""
        self.run(
            lambda half, unit: half.partial_fit_statistics(
                unit, chunk, packed if unit.is_master else None, packed.layout, rows
            )
        )

    def withdraw(self, chunk: str) -> None:
        """Forget a chunk."""
        self.run(lambda half, unit: half.withdraw(unit, chunk))

    def refresh(self) -> None:
        """Bring the model up to date."""
        self.run(lambda half, unit: half.refresh(unit))

    def ask(self, codes: Codes, answer: str = "label") -> Any:
        """Opened and read as a client does."""
        return type(self.halves.master).read_answer(self.schema, self.words(codes, answer), answer)

    def words(self, codes: Codes, answer: str = "label") -> Words:
        """The opened words of an answer."""
        return self.ask_rows(one_hot(self.schema, codes), answer)

    def ask_rows(self, rows: Words, answer: str = "label") -> Words:
        """The opened words of an answer to rows, whatever they are."""
        shares = _shared(rows)
        done = self.run(lambda half, unit: half.predict(unit, shares[unit.role], answer))
        return done.master + done.secondary

    def reveal(self, recipient: PublicKey) -> PackedCiphertext | None:
        """Encrypt the model for a recipient."""
        return self.run(lambda half, unit: half.reveal(unit, recipient)).master


def _shared(words: Words) -> dict[Role, Words]:
    mask = random_words(words.shape)
    return {Role.MASTER: mask, Role.SECONDARY: words - mask}
