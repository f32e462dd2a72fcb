"""Both units in this process, running blocks on values that were shared between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from building_blocks.shares import Shares, ring, signed
from privml.crypto.dtpkc import KeyShare
from privml.units.channel import ChannelStatistics
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import Pair, PairRunner
from privml.units.role import Role
from privml.units.unit import Unit

T = TypeVar("T")
Shared = tuple[Shares, Shares]


class BothUnits:
    """The Master and the Secondary on a link in memory, with the dealer at hand. A context manager.

    Parameters
    ----------
    key_shares
        Their shares of the strong key; none for blocks on shares only.
    """

    def __init__(self, key_shares: Sequence[KeyShare | None] = (None, None)) -> None:
        dealer = Dealer()
        self._units = Pair(
            *(
                Unit(role, channel, dealer.source(role), share)
                for role, channel, share in zip(Role, memory_channels(), key_shares, strict=True)
            )
        )
        self._runner = PairRunner(self._units)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._runner.close()

    @property
    def traffic(self) -> ChannelStatistics:
        """What the units said to each other so far, as the Master counts it."""
        return self._units.master.channel.statistics

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
