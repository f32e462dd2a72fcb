"""What a source of correlated randomness costs."""

from __future__ import annotations

from dataclasses import astuple, dataclass, field

from privml.units.channel import ChannelStatistics


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What a source has cost until one moment; ``later - earlier`` is what happened in between.

    Attributes
    ----------
    draws
        Correlations drawn.
    transfers
        Oblivious transfers used, in both directions together.
    traffic
        What making them sent over the channel. Taken off the channel's own statistics it leaves the online cost.
    seconds
        Time spent in draws, waiting for the peer included.
    """

    draws: int = 0
    transfers: int = 0
    traffic: ChannelStatistics = field(default_factory=ChannelStatistics)
    seconds: float = 0.0

    def __add__(self, more: SourceStatistics) -> SourceStatistics:
        traffic = (mine + theirs for mine, theirs in zip(astuple(self.traffic), astuple(more.traffic), strict=True))
        return SourceStatistics(
            self.draws + more.draws,
            self.transfers + more.transfers,
            ChannelStatistics(*traffic),
            self.seconds + more.seconds,
        )

    def __sub__(self, earlier: SourceStatistics) -> SourceStatistics:
        return SourceStatistics(
            self.draws - earlier.draws,
            self.transfers - earlier.transfers,
            self.traffic - earlier.traffic,
            self.seconds - earlier.seconds,
        )
