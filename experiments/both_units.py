"""Both units in this process, running blocks on values that were shared between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from building_blocks.shares import Shares, ring, signed
from experiments.metering import MeteredSource
from privml.crypto.dtpkc import KeyShare
from privml.roles.sources import CorrelationsFrom, dealer_of, source_of
from privml.units.channel import ChannelStatistics
from privml.units.dealer import Dealer
from privml.units.lanes import Lanes
from privml.units.memory import memory_channels
from privml.units.ot.statistics import SourceStatistics
from privml.units.pair import Pair, PairRunner
from privml.units.role import Role
from privml.units.unit import Unit

T = TypeVar("T")
Shared = tuple[Shares, Shares]


class BothUnits:
    """The Master and the Secondary on a link in memory. A context manager.

    Parameters
    ----------
    key_shares
        Their shares of the strong key; none for blocks on shares only.
    correlations
        From the dealer, who is at hand, or by transfers between the units.
    lanes
        Both units' workers; none for none. They are closed in the end.
    """

    def __init__(
        self,
        key_shares: Sequence[KeyShare | None] = (None, None),
        correlations: CorrelationsFrom = "dealer",
        lanes: Pair[Lanes] | None = None,
    ) -> None:
        dealer = dealer_of(correlations, Dealer)
        self._sources = Pair(*(MeteredSource(source_of(role, dealer, lambda: self._units)) for role in Role))
        self._units = Pair(
            *(
                Unit(role, channel, source, share, lanes=own_lanes)
                for role, channel, source, share, own_lanes in zip(
                    Role, memory_channels(), self._sources, key_shares, lanes or (None, None), strict=True
                )
            )
        )
        self._runner = PairRunner(self._units)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._runner.close()
        for unit in self._units:
            if unit.lanes is not None:
                unit.lanes.close()

    @property
    def is_dealt(self) -> bool:
        """Whether a dealer makes the correlations, so that no message passes between the units for them."""
        return self._sources.master.is_dealt

    @property
    def traffic(self) -> ChannelStatistics:
        """What blocks said between the units so far, as the Master counts it; without what made correlations.

        In lanes correlations count as well, unless they are dealt.
        """
        master = self._units.master
        spoken = master.channel.statistics + (master.lanes.traffic if master.lanes else ChannelStatistics())
        return spoken if self.is_dealt else spoken - self._sources.master.statistics.traffic

    @property
    def making(self) -> SourceStatistics:
        """What making correlations has cost so far, as the Master counts it; seconds of the unit that took longer."""
        master, secondary = (source.statistics for source in self._sources)
        return replace(master, seconds=max(master.seconds, secondary.seconds))

    def run(self, program: Callable[..., T], *inputs: Any) -> Pair[T]:
        """Run a program on both; an input that is a pair is handed out, one to each."""

        def on(unit: Unit) -> T:
            side = 0 if unit.is_master else 1
            return program(unit, *(each[side] if isinstance(each, tuple) else each for each in inputs))

        return self._runner.run(on)

    def observe(self, program: Callable[..., T], *inputs: Any) -> tuple[Pair[T], ChannelStatistics]:
        """Run a program on both, and also say what they said to each other."""
        before = self.traffic
        results = self.run(program, *inputs)
        return results, self.traffic - before


def split(values: ArrayLike, generator: np.random.Generator) -> Shared:
    """Share public test values: for measuring only, the generator is no secret."""
    words = ring(values)
    mask = generator.integers(0, 2**64, words.shape, dtype=np.uint64)
    return Shares(mask), Shares(words - mask)


def join(results: Pair[Shares]) -> NDArray[np.int64]:
    """Put shares together and read them as signed integers."""
    return signed(np.asarray(results.master.words + results.secondary.words))
