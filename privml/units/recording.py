"""A channel that remembers what went over it, for tests and audits."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

from privml.units.channel import Channel, ChannelStatistics

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class Direction(enum.Enum):
    """Which way a frame went, as the recorded unit sees it."""

    SENT = "sent"
    RECEIVED = "received"


class Passage(NamedTuple):
    """The public shape of one frame's passage."""

    direction: Direction
    length: int


class RecordingChannel(Channel):
    """Carries frames over another channel and keeps a copy of each.

    The copies are what a unit sees of the other's data: they stay in memory and are never to be kept in production.

    Parameters
    ----------
    inner
        The channel to record; used through the recording only, from now on.

    Attributes
    ----------
    sent, received
        The frames of each direction, in order.
    """

    def __init__(self, inner: Channel) -> None:
        self._inner = inner
        self._trace: list[Passage] = []
        self.sent: list[bytes] = []
        self.received: list[bytes] = []

    @property
    def trace(self) -> tuple[Passage, ...]:
        """Direction and length of every frame, in order: what anybody on the link may see.

        A program is data-oblivious where this depends on public shapes only. (A frame sent counts before the frames
        that arrive meanwhile, so that the order does not depend on timing.)
        """
        return tuple(self._trace)

    @property
    def timeout(self) -> float | None:
        """Seconds that a call may wait for the peer without any progress; None waits for ever."""
        return self._inner.timeout

    @timeout.setter
    def timeout(self, timeout: float | None) -> None:
        self._inner.timeout = timeout

    @property
    def statistics(self) -> ChannelStatistics:
        """What went over the inner channel so far."""
        return self._inner.statistics

    @property
    def waiting(self) -> bool:
        """Whether a call is waiting for a frame of the peer right now."""
        return self._inner.waiting

    def send(self, frame: Buffer) -> None:
        """Send a frame and keep a copy; see `Channel.send`."""
        self._inner.send(frame)
        self._keep_sent(frame)

    def receive(self) -> memoryview:
        """Receive a frame and keep a copy; see `Channel.receive`."""
        return self._keep_received(self._inner.receive())

    def exchange(self, frame: Buffer) -> memoryview:
        """Exchange frames and keep copies; see `Channel.exchange`."""
        received = self._inner.exchange(frame)
        self._keep_sent(frame)
        return self._keep_received(received)

    def close(self) -> None:
        """Close the inner channel; the recording stays."""
        self._inner.close()

    def abort(self, reason: str) -> None:
        """Abort the inner channel; the recording stays."""
        self._inner.abort(reason)

    def _keep_sent(self, frame: Buffer) -> None:
        copy = memoryview(frame).tobytes()
        self.sent.append(copy)
        self._trace.append(Passage(Direction.SENT, len(copy)))

    def _keep_received(self, frame: memoryview) -> memoryview:
        copy = frame.tobytes()
        self.received.append(copy)
        self._trace.append(Passage(Direction.RECEIVED, len(copy)))
        return frame
