"""The link between two units of one process."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING

from privml.errors import ChannelClosedError, ChannelEndedError, ChannelTimeoutError
from privml.units.channel import Channel, ChannelStatistics, TrafficCounter, checked_timeout, flat

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class _Inbox:
    """What one side has not received yet.

    An entry is a frame with its depth, or None: look again whether the channel is still there.
    """

    __slots__ = ("closed", "entries")

    def __init__(self) -> None:
        # of all of Python's queues the one with the lowest latency: about 5 us from one thread to the other
        self.entries: queue.SimpleQueue[tuple[memoryview, int] | None] = queue.SimpleQueue()
        self.closed = False  # its owner left


class _Link:
    """What both sides share."""

    __slots__ = ("aborted",)

    def __init__(self) -> None:
        self.aborted: str | None = None


class MemoryChannel(Channel):
    """One end of a link inside this process; see `memory_channels`, which makes both.

    Nothing is copied: the receiver gets a read-only view of the sender's own buffer, which the sender must therefore
    not modify afterwards. There is no largest frame, `send` never waits, and `close` may be called from any thread.
    """

    def __init__(self, link: _Link, inbox: _Inbox, outbox: _Inbox, timeout: float | None) -> None:
        self.timeout = timeout
        self._link = link
        self._inbox = inbox
        self._outbox = outbox
        self._traffic = TrafficCounter()
        self._waiting = False
        self._ended = False

    @property
    def statistics(self) -> ChannelStatistics:
        """What went over this channel so far, as this side counts it."""
        return self._traffic.snapshot()

    @property
    def waiting(self) -> bool:
        """Whether a call is waiting for a frame of the peer right now."""
        return self._waiting

    def send(self, frame: Buffer) -> None:
        """Hand a frame over. Raises `ChannelClosedError` also where the peer closed its side."""
        self._check_alive()
        if self._outbox.closed:
            raise ChannelClosedError("the peer closed the channel")
        view = flat(frame)
        self._outbox.entries.put((view, self._traffic.sent(view.nbytes)))

    def receive(self) -> memoryview:
        """Wait for the peer's next frame; see `Channel.receive`."""
        self._check_alive()
        if self._ended:
            raise ChannelEndedError("the peer closed the channel")
        self._waiting = True
        try:
            entry = self._inbox.entries.get(timeout=self.timeout)
        except queue.Empty:
            raise ChannelTimeoutError(f"the peer sent nothing for {self.timeout} seconds") from None
        finally:
            # before the frame is counted: who sees `waiting` after all of the peer's frames were counted knows that
            # the wait is for one more
            self._waiting = False
        if entry is None:
            self._check_alive()
            self._ended = True
            raise ChannelEndedError("the peer closed the channel")
        view, depth = entry
        self._traffic.received(view.nbytes, depth)
        return view

    def close(self) -> None:
        """Leave; see `Channel.close`."""
        self._inbox.closed = True
        self._wake()

    def abort(self, reason: str) -> None:
        """Make every call on both sides raise from now on; see `Channel.abort`. The first reason counts."""
        if self._link.aborted is None:
            self._link.aborted = reason
        self._wake()

    def _wake(self) -> None:
        self._inbox.entries.put(None)
        self._outbox.entries.put(None)

    def _check_alive(self) -> None:
        if self._link.aborted is not None:
            raise ChannelClosedError(f"the channel was aborted: {self._link.aborted}")
        if self._inbox.closed:
            raise ChannelClosedError("this side closed the channel")


def memory_channels(*, timeout: float | None = None) -> tuple[MemoryChannel, MemoryChannel]:
    """Make the two ends of a link inside this process.

    Parameters
    ----------
    timeout
        Seconds that a call may wait for the peer; None waits for ever. Either end's may be changed later.

    Raises
    ------
    SettingError
        The timeout is not positive.
    """
    checked_timeout(timeout)
    link, one, other = _Link(), _Inbox(), _Inbox()
    return MemoryChannel(link, one, other, timeout), MemoryChannel(link, other, one, timeout)
