"""What both units spend on one batch."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.both_units import BothUnits
from experiments.settings import Settings
from experiments.timing import Timing
from privml.units.channel import ChannelStatistics
from privml.units.link import Link


@dataclass(frozen=True, slots=True)
class Cost:
    """What a batch costs.

    Parameters
    ----------
    count
        Values in the batch.
    timing
        For one value, making correlations included.
    traffic
        What the block itself said between the units, for the whole batch.
    making
        Time of its correlations, for one value.
    made
        What making them took on the link, for `runs` batches: what transfers are left of one serve the next.
    runs
        How many batches.
    by_transfers
        Whether the units make their correlations on the link; else they were dealt ahead.
    """

    count: int
    timing: Timing
    traffic: ChannelStatistics
    making: Timing
    made: ChannelStatistics
    runs: int
    by_transfers: bool

    @property
    def each_way(self) -> float:
        """Bytes a value of the block itself, in the fuller direction."""
        return fuller(self.traffic) / self.count

    @property
    def made_bytes(self) -> float:
        """Bytes a value for correlations: each way between the units, or from the dealer to the Secondary."""
        return fuller(self.made) / self.runs / self.count

    def over(self, link: Link) -> float:
        """Seconds a value would take over a link; what a dealer sent ahead of time is not counted."""
        own = link.seconds(self.timing.median * self.count, self.traffic) / self.count
        return own + (self._made_over(link) if self.by_transfers else 0)

    def making_over(self, link: Link) -> float:
        """Seconds a value for correlations, over a link; a dealer sends them in one message a draw."""
        return self.making.median + self._made_over(link)

    def _made_over(self, link: Link) -> float:
        return link.seconds(0, self.made) / self.runs / self.count


def observe(both: BothUnits, program: Callable[..., Any], inputs: Sequence[Any], count: int, runs: int) -> Cost:
    """Run a programme on a batch so many times, and say what it cost."""
    seconds, making = [], []
    before = both.making
    for _ in range(runs):
        spoken, made, start = both.traffic, both.making.seconds, time.perf_counter()
        both.run(program, *inputs)
        seconds.append((time.perf_counter() - start) / count)
        making.append((both.making.seconds - made) / count)
        traffic = both.traffic - spoken
    made_in_all = (both.making - before).traffic
    return Cost(count, Timing(tuple(seconds)), traffic, Timing(tuple(making)), made_in_all, runs, not both.is_dealt)


def often(settings: Settings, seconds: float) -> int:
    """Return how often to observe a run that takes so many seconds: for half a second, or as often as within budget."""
    in_half_a_second = min(settings.budget, 0.5) / seconds
    return max(int(in_half_a_second), min(settings.repeats, int(settings.budget / seconds)), 1)


def affordable(wanted: int, seconds: float, budget: float) -> int:
    """Return the batch that is wanted, or the largest power of ten that is done within `budget` seconds.

    Parameters
    ----------
    seconds
        For a value, as a smaller batch took them.
    """
    return within(wanted, budget / seconds)


def within(wanted: int, most: float) -> int:
    """Return the batch that is wanted, or the largest power of ten up to `most`; at least 1."""
    return wanted if wanted <= most else max(10 ** (len(str(int(most))) - 1), 1)


def fuller(traffic: ChannelStatistics) -> int:
    """Bytes in the fuller direction."""
    return max(traffic.bytes_sent, traffic.bytes_received)
