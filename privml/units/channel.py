"""The contract of a link between the two units, and the count of what went over it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

from privml.errors import ChannelError, ChannelTimeoutError, FrameSizeError, SettingError

if TYPE_CHECKING:
    from types import TracebackType

    from _typeshed import ReadableBuffer as Buffer


@dataclass(frozen=True, slots=True)
class ChannelStatistics:
    """What went over a channel until one moment, as one of its sides counts it.

    ``later - earlier`` is what happened in between.

    Attributes
    ----------
    rounds
        Length of the longest chain of messages of which each could only be sent after the one before was received:
        what a link's latency multiplies. Several messages one after another in the same direction are one round, an
        exchange is one round.
    messages_sent, messages_received
        Frames.
    bytes_sent, bytes_received
        Bytes of the frames, without what a channel adds to carry them.
    """

    rounds: int = 0
    messages_sent: int = 0
    bytes_sent: int = 0
    messages_received: int = 0
    bytes_received: int = 0

    def __add__(self, other: ChannelStatistics) -> ChannelStatistics:
        """What both are together, one after the other."""
        return ChannelStatistics(
            self.rounds + other.rounds,
            self.messages_sent + other.messages_sent,
            self.bytes_sent + other.bytes_sent,
            self.messages_received + other.messages_received,
            self.bytes_received + other.bytes_received,
        )

    def __sub__(self, earlier: ChannelStatistics) -> ChannelStatistics:
        return ChannelStatistics(
            self.rounds - earlier.rounds,
            self.messages_sent - earlier.messages_sent,
            self.bytes_sent - earlier.bytes_sent,
            self.messages_received - earlier.messages_received,
            self.bytes_received - earlier.bytes_received,
        )


class TrafficCounter:
    """Counts the frames of one side of a channel, and rounds by a Lamport clock (CACM 1978).

    Every frame travels with its depth, 1 + the largest depth that its sender had received. The largest depth sent or
    received is the number of rounds.
    """

    __slots__ = ("_bytes_received", "_bytes_sent", "_depth_received", "_depth_sent", "_received", "_sent")

    def __init__(self) -> None:
        self._depth_sent = self._depth_received = 0
        self._sent = self._bytes_sent = self._received = self._bytes_received = 0

    def sent(self, nbytes: int) -> int:
        """Count a frame that leaves, and return the depth that travels with it."""
        self._sent += 1
        self._bytes_sent += nbytes
        self._depth_sent = self._depth_received + 1
        return self._depth_sent

    def received(self, nbytes: int, depth: int) -> None:
        """Count a frame that arrived with its depth.

        Raises
        ------
        ChannelError
            No honest peer can have reached that depth: it exceeds 1 + the largest depth sent to it, or went back.
        """
        if not max(self._depth_received, 1) <= depth <= self._depth_sent + 1:
            raise ChannelError(f"the peer sent a frame of depth {depth} after at most {self._depth_sent} rounds")
        self._received += 1
        self._bytes_received += nbytes
        self._depth_received = depth

    def snapshot(self) -> ChannelStatistics:
        """Return the counts as they are now."""
        rounds = max(self._depth_sent, self._depth_received)
        return ChannelStatistics(rounds, self._sent, self._bytes_sent, self._received, self._bytes_received)


class Channel(Protocol):
    """A link to the peer that carries frames: reliable, in order, in both directions at once.

    Guarantees
        - Frames are opaque bytes and keep their boundaries; a frame may be empty. The receiver knows from the protocol
          how long the next frame must be, and checks it (`receive_exactly`, `exchange_exactly`).
        - The sender must not modify a frame's buffer after sending it: a channel may hand over the buffer itself.
          Received frames are read-only.
        - What the peer sent before it closed in good order can still be received; what it sent before it aborted may
          be lost. Nothing ever arrives in part, twice or out of order.
        - `send` and `exchange` take in what the peer sends meanwhile. Two sides that both send first and receive
          afterwards never block each other, however large the frames.
        - After an abort, by whichever side or after an error that says so, every call on either side raises
          `ChannelClosedError`, also a call that was already waiting. Nothing revives the channel.
        - One thread uses a channel at a time. `abort`, `statistics` and `waiting` may be used from any thread.

    A channel is a context manager that closes itself, and aborts itself where the block raises.

    Attributes
    ----------
    timeout
        Seconds that a call may wait for the peer without any progress; None waits for ever. It may be changed between
        calls, e.g. while a unit waits idle for its next task.
    """

    timeout: float | None

    @property
    def statistics(self) -> ChannelStatistics:
        """What went over this channel so far, as this side counts it."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether a call is waiting for a frame of the peer right now."""
        ...

    def send(self, frame: Buffer) -> None:
        """Send a frame. It may return before the peer receives it.

        Raises
        ------
        ChannelClosedError
            The channel is closed or aborted, or the peer is seen to be gone; not every peer's end is seen here.
        ChannelTimeoutError
            The peer takes nothing; the channel is aborted.
        FrameTooLargeError
            The frame exceeds the channel's maximum. Nothing was sent and the channel goes on.
        """
        ...

    def receive(self) -> memoryview:
        """Wait for the peer's next frame.

        Raises
        ------
        ChannelEndedError
            The peer closed the channel in good order and there are no more frames.
        ChannelClosedError
            The channel is closed or aborted, or the connection was cut, be it inside or between frames.
        ChannelTimeoutError
            No frame came. Nothing is lost, and `receive` may be called again.
        FrameTooLargeError
            The peer announces a frame beyond the maximum; the channel is aborted before any memory is taken.
        """
        ...

    def exchange(self, frame: Buffer) -> memoryview:
        """Send a frame and wait for the peer's, which both sides do at once: one round.

        Raises
        ------
        ChannelEndedError, ChannelClosedError, FrameTooLargeError
            As for `send` and `receive`.
        ChannelTimeoutError
            The peer takes nothing or no frame came; the channel is aborted.
        """
        self.send(frame)
        try:
            return self.receive()
        except ChannelTimeoutError:
            self.abort("the peer did not answer an exchange in time")
            raise

    def close(self) -> None:
        """Say goodbye to the peer and release what the channel holds.

        Never raises, may be called twice, and after an abort too. What was sent before still reaches the peer.
        """
        ...

    def abort(self, reason: str) -> None:
        """Make every call on both sides raise `ChannelClosedError` from now on. Never raises or waits.

        `close` is still to be called on either side, to release what the channel holds.

        Parameters
        ----------
        reason
            For the error messages of this side (and of a peer in the same process); never sent to another process.
        """
        ...

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.abort(f"this unit failed with {kind.__name__}")
        self.close()


def receive_exactly(channel: Channel, nbytes: int) -> memoryview:
    """Receive the next frame, which must have `nbytes` bytes.

    Raises
    ------
    FrameSizeError
        It has another length: the units are out of step.
    ChannelError
        As for `Channel.receive`.
    """
    return _of_size(channel.receive(), nbytes)


def exchange_exactly(channel: Channel, frame: Buffer, nbytes: int) -> memoryview:
    """Exchange frames with the peer, whose frame must have `nbytes` bytes.

    Raises
    ------
    FrameSizeError
        It has another length: the units are out of step.
    ChannelError
        As for `Channel.exchange`.
    """
    return _of_size(channel.exchange(frame), nbytes)


def _of_size(frame: memoryview, nbytes: int) -> memoryview:
    if frame.nbytes != nbytes:
        raise FrameSizeError(f"expected a frame of {nbytes} bytes, got {frame.nbytes}: the units are out of step")
    return frame


def flat(frame: Buffer) -> memoryview:
    """Return the bytes of a frame as a flat read-only view, without copying.

    Raises
    ------
    TypeError
        The frame is no buffer, or not contiguous in C order.
    """
    view = memoryview(frame)
    if view.nbytes == 0:
        # an array with a zero in its shape cannot be cast
        return memoryview(b"")
    return view.cast("B").toreadonly()


def checked_timeout(timeout: float | None) -> float | None:
    """Return the timeout, which must be a positive number of seconds or None for ever.

    Raises
    ------
    SettingError
        It is neither.
    """
    if timeout is not None and not (timeout > 0 and math.isfinite(timeout)):
        raise SettingError(f"a timeout is a positive number of seconds or None for ever, not {timeout}")
    return timeout
