"""What goes between a unit and its own workers: jobs one way, results the other."""

from __future__ import annotations

import pickle
import queue
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from privml.errors import ChannelClosedError, ChannelError, LaneError
from privml.units.lanes.jobs import Failed, Garbled, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from privml.units.channel import Channel
    from privml.units.correlations import Array, Corrector, Correlation


class Post(Protocol):
    """One end of the way between a unit and its worker."""

    def send(self, message: Any) -> None:
        """Send an object; what is sent to somebody who is gone is lost."""

    def receive(self) -> Any:
        """Wait for the next object; None when the other end is gone."""

    def cut(self) -> None:
        """Leave: both ends get no more, also who waits already. From any thread, and as often as one likes."""


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

    def cut(self) -> None:
        """Leave."""
        self.outbox.put(None)
        self.inbox.put(None)


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
        """Pickle and send.

        Raises
        ------
        FrameTooLargeError
            It exceeds the channel's maximum; nothing was sent.
        """
        with suppress(ChannelClosedError):
            self.channel.send(_pickled(message))

    def receive(self) -> Any:
        """Wait for the next object; None when the other end is gone, `Garbled` for what cannot be unpickled here."""
        try:
            frame = self.channel.receive()
        except ChannelError:
            return None
        try:
            return pickle.loads(frame)  # noqa: S301 - from a process of the same unit, see the class
        except Exception as error:
            return Garbled(error)

    def cut(self) -> None:
        """Leave."""
        self.channel.abort("this side left")


def _pickled(message: Any) -> bytes:
    try:
        pickled = pickle.dumps(message, protocol=5)
        if isinstance(message, Failed):
            # some exceptions can be pickled, and not unpickled
            pickle.loads(pickled)  # noqa: S301 - made just above
    except Exception as error:
        if not isinstance(message, Failed):
            raise
        return pickle.dumps(Failed(LaneError(f"{message.error!r}, which cannot be sent: {error}"), message.traffic))
    return pickled


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
        words = self.post.receive()
        if not isinstance(words, list):
            raise LaneError("the unit whose worker this is has left")
        return words

    def branch(self, number: int, count: int) -> Sequence[Corrector]:
        """Refuse: lanes have no lanes."""
        raise LaneError(f"draw {number} cannot be dealt to {count} lanes: it is a lane's own")
