"""What a block costs, measured: rounds, bytes and correlated randomness."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from building_blocks.catalogue.block import Block
from privml.units.channel import ChannelStatistics
from privml.units.correlations import Array, Correlation, CorrelationSource
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import pair
from privml.units.role import Role
from privml.units.unit import Unit

# two batches tell what a value costs and what is paid once; single bits travel eight to a byte
BATCHES: Final = (16, 32)


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


@dataclass
class _CountingSource:
    """A source of correlations that counts what it gives."""

    inner: CorrelationSource
    draws: Counter[str] = field(default_factory=Counter)
    dealt: int = 0

    @property
    def epoch(self) -> bytes:
        return self.inner.epoch

    @property
    def position(self) -> int:
        return self.inner.position

    def jump(self, position: int) -> None:
        self.inner.jump(position)

    def draw(self, correlation: Correlation) -> list[Array]:
        self.draws[type(correlation).__name__] += 1
        self.dealt += sum(each.nbytes for each in correlation.derived)
        return self.inner.draw(correlation)


def measure(block: Block) -> Figures:
    """Run a block between two units of this process, on correlations of a dealer, and count."""
    (small, source), (large, larger_source) = (_run(block, batch) for batch in BATCHES)
    return Figures(
        large.rounds,
        Cost.of(small.bytes_sent, large.bytes_sent),
        Cost.of(small.bytes_received, large.bytes_received),
        source.draws,
        Cost.of(source.dealt, larger_source.dealt),
    )


def _run(block: Block, batch: int) -> tuple[ChannelStatistics, _CountingSource]:
    """Run on so many values; what the Master counts."""
    dealer = Dealer()
    sources = [_CountingSource(dealer.source(role)) for role in Role]
    units = [
        Unit(role, channel, source) for role, channel, source in zip(Role, memory_channels(), sources, strict=True)
    ]
    generator = np.random.default_rng(batch)
    operands = [each.split(each.sample(batch, generator)) for each in block.inputs]
    pair(lambda unit: block.run(unit, *(both[not unit.is_master] for both in operands)), (units[0], units[1]))
    return units[0].channel.statistics, sources[0]
