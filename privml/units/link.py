"""How long a step would take with its two units on two machines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from privml.units.channel import ChannelStatistics


@dataclass(frozen=True, slots=True)
class Link:
    """A link between the units.

    Parameters
    ----------
    name
        As shown.
    bits_per_second
        In each direction, both at once.
    round_trip
        Seconds for a message and its answer.
    """

    name: str
    bits_per_second: float
    round_trip: float

    def seconds(self, computing: float, traffic: ChannelStatistics) -> float:
        """Estimate the time of a step over this link: computing, then latency, then the fuller direction.

        An upper bound of an exchange's latency: a round whose messages cross takes half a round trip.
        """
        fullest = max(traffic.bytes_sent, traffic.bytes_received)
        return computing + traffic.rounds * self.round_trip + 8 * fullest / self.bits_per_second


LINKS: Final = (
    Link("1 Gbit/s, 1 ms", 1e9, 1e-3),
    Link("100 Mbit/s, 20 ms", 1e8, 20e-3),
)
