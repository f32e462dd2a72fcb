"""What goes between a unit and its own workers: jobs one way, results the other."""

from __future__ import annotations

import pickle
import queue
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from privml.errors import ChannelError, LaneError
from privml.units.lanes.lane import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privml.units.channel import Channel
    from privml.units.correlations import Array, Correlation, Corrector


class Post(Protocol):
    """One end of the way between a unit and its worker."""

    def send(self, message: Any) -> None:
        """Send an object; what is sent to somebody who is gone is lost."""

    def receive(self) -> Any:
        """Wait for the next object; None when the other end is gone."""

    def close(self) -> None:
        """Leave. May be called twice."""


@dataclass(frozen=True)
class QueuePost:
    """Inside one process: nothing is copied."""

    inbox: queue.SimpleQueue[Any]
    outbox: queue.SimpleQueue[Any]

    def send(self, message: Any) -> None:
        """Hand over."""
        self.outbox.put(message)

    def receive(self) -> Any:
        """Wait for the next object."""
        return self.inbox.get()

    def close(self) -> None:
        """Leave."""
        self.outbox.put(None)


def queue_posts() -> tuple[QueuePost, QueuePost]:
    """Make both ends inside one process."""
    one: queue.SimpleQueue[Any] = queue.SimpleQueue()
    other: queue.SimpleQueue[Any] = queue.SimpleQueue()
    return QueuePost(one, other), QueuePost(other, one)


@dataclass(frozen=True)
class ChannelPost:
    """Between processes of one unit, over a channel on which each pinned the other's certificate.

    Objects travel pickled. That gives a worker to its unit, and a unit to its worker; whoever runs programs at the
    unit's bidding, joblib's backends included, has given it that anyway. Nothing of the other unit's ever comes here.
    """

    channel: Channel

    def send(self, message: Any) -> None:
        """Pickle and send."""
        with suppress(ChannelError):
            self.channel.send(_pickled(message))

    def receive(self) -> Any:
        """Wait for the next object; None when the other end is gone, in good order or not."""
        try:
            frame = self.channel.receive()
        except ChannelError:
            return None
        return pickle.loads(frame)  # noqa: S301 - from a process of the same unit, see the class

    def close(self) -> None:
        """Leave."""
        self.channel.close()


def _pickled(message: Any) -> bytes:
    try:
        return pickle.dumps(message, protocol=5)
    except Exception as error:
        if not isinstance(message, Failed):
            raise
        # an exception of somebody else's that cannot travel
        return pickle.dumps(Failed(LaneError(f"{message.error!r}, which cannot be sent: {error}"), message.traffic))


class Wanted(NamedTuple):
    """A worker asks its unit for a dealer's corrections."""

    number: int
    correlation: Correlation


@dataclass(frozen=True)
class CorrectorByPost:
    """The dealer, as a worker elsewhere reaches it: through its unit."""

    post: Post

    def corrections(self, number: int, correlation: Correlation) -> list[Array]:
        """Return the correction words of one draw.

        Raises
        ------
        LaneError
            The unit is gone.
        """
        self.post.send(Wanted(number, correlation))
        words: list[Array] | None = self.post.receive()
        if words is None:
            raise LaneError("the unit whose worker this is has left")
        return words

    def branch(self, number: int, count: int) -> Sequence[Corrector]:
        """Refuse: lanes have no lanes."""
        raise LaneError(f"draw {number} cannot be dealt to {count} lanes: it is a lane's own")
