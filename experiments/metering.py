"""What correlated randomness costs, whoever makes it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import lru_cache

from privml.units.channel import ChannelStatistics
from privml.units.correlations import Array, Branch, Correlation, CorrelationSource
from privml.units.ot.source import OtSource
from privml.units.ot.statistics import SourceStatistics


class MeteredSource:
    """A unit's source of correlated randomness that says what its draws have cost so far.

    By transfers, that is what the source itself counts. From a dealer, the seconds are those of the draws, of which the
    Secondary's include the dealer's work, and the traffic is what the dealer sends to the Secondary ahead of time: the
    correction words, in one message a draw.

    Parameters
    ----------
    inner
        Where correlations come from.
    """

    def __init__(self, inner: CorrelationSource) -> None:
        self._inner = inner
        self._draws = self._corrections = 0
        self._seconds = 0.0

    @property
    def epoch(self) -> bytes:
        """16 bytes that name the deal."""
        return self._inner.epoch

    @property
    def position(self) -> int:
        """The number of the next draw."""
        return self._inner.position

    @property
    def is_dealt(self) -> bool:
        """Whether a dealer makes them, and no message passes between the units."""
        return not isinstance(self._inner, OtSource)

    @property
    def statistics(self) -> SourceStatistics:
        """What all draws have cost."""
        if isinstance(self._inner, OtSource):
            return self._inner.statistics
        sent = ChannelStatistics(self._draws, self._draws, self._corrections)
        return SourceStatistics(self._draws, 0, sent, self._seconds)

    def jump(self, position: int) -> None:
        """Skip to a later draw."""
        self._inner.jump(position)

    def branches(self, count: int) -> Sequence[Branch]:
        """Return beginnings of independent streams; what they cost is not counted."""
        return self._inner.branches(count)

    def draw(self, correlation: Correlation) -> list[Array]:
        """Return this unit's shares of the next draw."""
        start = time.perf_counter()
        shares = self._inner.draw(correlation)
        self._seconds += time.perf_counter() - start
        self._draws += 1
        self._corrections += _derived_bytes(correlation)
        return shares


@lru_cache(maxsize=1 << 10)
def _derived_bytes(correlation: Correlation) -> int:
    return sum(field.nbytes for field in correlation.derived)
