"""What a unit and its workers say to each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from privml.errors import PrivMLError

if TYPE_CHECKING:
    from privml.units.channel import ChannelStatistics
    from privml.units.correlations import Correlation


@dataclass(frozen=True, slots=True)
class Job:
    """What a unit asks of its worker in a lane."""

    program: Callable[..., Any]
    arguments: tuple[Any, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """What a program returned, and what went over the lane's link since it was made."""

    result: Any = field(repr=False)
    traffic: ChannelStatistics


@dataclass(frozen=True, slots=True)
class Failed:
    """What a program raised instead."""

    error: BaseException
    traffic: ChannelStatistics

    @property
    def agreed(self) -> bool:
        """Whether the lane's other worker raised as well, in step, so that the lane goes on."""
        return isinstance(self.error, PrivMLError) and self.error.agreed


class Wanted(NamedTuple):
    """A worker asks its unit for a dealer's corrections."""

    number: int
    correlation: Correlation


@dataclass(frozen=True)
class Garbled:
    """In place of an object that cannot be made here, e.g. as its module is not installed."""

    error: Exception
