"""What both units spend on one batch."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from experiments.both_units import BothUnits
from experiments.timing import Timing
from privml.units.channel import ChannelStatistics
from privml.units.link import Link
from privml.units.ot.statistics import SourceStatistics


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
        What its correlations cost, for the whole batch.
    by_transfers
        Whether the units make their correlations on the link; else they were dealt ahead.
    """

    count: int
    timing: Timing
    traffic: ChannelStatistics
    making: SourceStatistics
    by_transfers: bool

    @property
    def each_way(self) -> float:
        """Bytes a value of the block itself, in the fuller direction."""
        return _fuller(self.traffic) / self.count

    @property
    def making_seconds(self) -> float:
        """Seconds a value for correlations."""
        return self.making.seconds / self.count

    @property
    def making_bytes(self) -> float:
        """Bytes a value for correlations: each way between the units, or from the dealer to the Secondary."""
        return _fuller(self.making.traffic) / self.count

    def over(self, link: Link) -> float:
        """Seconds a value would take over a link; what a dealer sent ahead of time is not counted."""
        seconds = link.seconds(self.timing.median * self.count, self.traffic)
        return (seconds + (link.seconds(0, self.making.traffic) if self.by_transfers else 0)) / self.count


def observe(both: BothUnits, program: Callable[..., Any], inputs: Sequence[Any], count: int, times: int) -> Cost:
    """Run a programme so many times, and say what it cost: each time in wall-clock seconds, correlations the median."""
    seconds, making = [], []
    traffic = ChannelStatistics()
    for _ in range(times):
        spoken, made, start = both.traffic, both.making, time.perf_counter()
        both.run(program, *inputs)
        seconds.append((time.perf_counter() - start) / count)
        traffic = both.traffic - spoken
        making.append(both.making - made)
    typical = replace(making[0], seconds=statistics.median(each.seconds for each in making))
    return Cost(count, Timing(tuple(seconds)), traffic, typical, not both.is_dealt)


def affordable(wanted: int, seconds: float, budget: float) -> int:
    """Return the batch that is wanted, or the largest power of ten that a run of `budget` seconds gets through.

    Parameters
    ----------
    seconds
        For a value, as a smaller batch took them.
    """
    return within(wanted, budget / seconds)


def within(wanted: int, most: float) -> int:
    """Return the batch that is wanted, or the largest power of ten up to `most`; at least 1."""
    if wanted <= most:
        return wanted
    return max(10 ** (len(str(int(most))) - 1), 1)


def _fuller(traffic: ChannelStatistics) -> int:
    return max(traffic.bytes_sent, traffic.bytes_received)
