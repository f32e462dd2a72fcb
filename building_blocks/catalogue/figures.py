"""What a block costs, measured: rounds, bytes and correlated randomness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from building_blocks.catalogue.block import Block
from building_blocks.catalogue.ciphertext_blocks import CiphertextBlock
from building_blocks.ciphertexts.numbers import EncryptedNumbers
from privml.crypto.dtpkc import KeyShare, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import generate
from privml.units.channel import ChannelStatistics
from privml.units.correlations import Array, Correlation
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import pair
from privml.units.role import Role
from privml.units.unit import Unit

# two batches tell what a value costs and what is paid once; single bits travel eight to a byte
BATCHES: Final = (16, 32)
CIPHERTEXT_BATCH: Final = 24


class Cost(NamedTuple):
    """Bytes for every value of a batch, and those for a batch of any size (an operand that all values share)."""

    each: float
    once: float

    @classmethod
    def of(cls, small: int, large: int) -> Cost:
        """Read it off the bytes of the two batches."""
        each = (large - small) / (BATCHES[1] - BATCHES[0])
        return cls(each, small - each * BATCHES[0])


class Figures(NamedTuple):
    """What a block costs."""

    rounds: int
    to_secondary: Cost
    to_master: Cost
    draws: Mapping[str, int]
    """How often each kind of correlation is drawn."""
    dealt: Cost
    """The dealer's correction words, in bytes."""


class _CountingDealer(Dealer):
    """A dealer that counts what it deals."""

    def __init__(self) -> None:
        super().__init__()
        self.draws: Counter[str] = Counter()
        self.dealt = 0

    def corrections(self, number: int, correlation: Correlation) -> list[Array]:
        words = super().corrections(number, correlation)
        self.draws[type(correlation).__name__] += 1
        self.dealt += sum(each.nbytes for each in words)
        return words


def measure(block: Block) -> Figures:
    """Run a block between two units of this process, on correlations of a dealer, and count."""
    (small, dealer), (large, busier_dealer) = (_run(_on_samples(block, batch)) for batch in BATCHES)
    return Figures(
        large.rounds,
        Cost.of(small.bytes_sent, large.bytes_sent),
        Cost.of(small.bytes_received, large.bytes_received),
        dealer.draws,
        Cost.of(dealer.dealt, busier_dealer.dealt),
    )


def _on_samples(block: Block, batch: int) -> Callable[[Unit], object]:
    generator = np.random.default_rng(batch)
    operands = [each.split(each.sample(batch, generator)) for each in block.inputs]
    return lambda unit: block.run(unit, *(both[not unit.is_master] for both in operands))


@dataclass(frozen=True)
class Keys:
    """What blocks on ciphertexts need: the units' shares of the strong key, and encryptors under some other key.

    Each unit has an encryptor of its own, as on two machines.
    """

    shares: tuple[KeyShare, KeyShare]
    encryptors: tuple[Encryptor, Encryptor]

    @classmethod
    def generate(cls) -> Keys:
        """Make keys of the default size."""
        parameters, strong_key = generate()
        key = WeakPrivateKey.generate(parameters).public_key
        return cls(strong_key.split(), (Encryptor(key), Encryptor(key)))


def measure_on_ciphertexts(block: CiphertextBlock, keys: Keys) -> Figures:
    """Run a block on ciphertexts, on one batch: how many values share a ciphertext depends on their number."""
    values = [each.sample(CIPHERTEXT_BATCH, np.random.default_rng(0)) for each in block.inputs]
    encrypted = block.encrypt(values, keys.encryptors[0])

    def program(unit: Unit) -> EncryptedNumbers:
        operands = encrypted if unit.is_master else [each.without_ciphertexts() for each in encrypted]
        return block.run(unit, *operands, recipient=keys.encryptors[not unit.is_master])

    counts, dealer = _run(program, keys.shares)
    traffic = [Cost(size / CIPHERTEXT_BATCH, 0) for size in (counts.bytes_sent, counts.bytes_received, dealer.dealt)]
    return Figures(counts.rounds, traffic[0], traffic[1], dealer.draws, traffic[2])


def _run(
    program: Callable[[Unit], object], shares: Sequence[KeyShare | None] = (None, None)
) -> tuple[ChannelStatistics, _CountingDealer]:
    """Run a program on both units; what the Master counts, and the dealer."""
    dealer = _CountingDealer()
    master, secondary = (
        Unit(role, channel, dealer.source(role), share)
        for role, channel, share in zip(Role, memory_channels(), shares, strict=True)
    )
    pair(program, (master, secondary))
    return master.channel.statistics, dealer
