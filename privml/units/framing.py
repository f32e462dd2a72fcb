"""Frames over an established TLS connection.

On the wire a frame is 8 bytes of length, 8 bytes of Lamport depth (both big-endian) and the frame itself.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import struct
import threading
from collections import deque
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from privml.errors import (
    ChannelClosedError,
    ChannelEndedError,
    ChannelError,
    ChannelTimeoutError,
    FrameTooLargeError,
)
from privml.units.channel import Channel, ChannelStatistics, TrafficCounter, flat

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import ReadableBuffer as Buffer

_HEADER = struct.Struct(">QQ")
# the plaintext of one TLS record: a header travels in the same record as the beginning of its frame
_RECORD = 16384
# how long a goodbye may take to leave, in seconds
_PARTING = 1.0


class TlsChannel(Channel):
    """One end of a TLS connection whose handshake is done; made by `privml.units.tls`.

    OpenSSL's connections must not be used by two threads at once, and a thread that writes without reading can block
    for ever when its peer does the same. So the socket never blocks, and whoever waits to write takes in what arrives.

    The timeout is the longest time without any byte moving. While this side sends, what arrives is kept in memory
    without limit: the peer is authenticated and its frames are those of the protocol.
    """

    def __init__(self, connection: ssl.SSLSocket, *, timeout: float | None, max_frame: int) -> None:
        connection.setblocking(False)
        self.timeout = timeout
        self.max_frame = max_frame
        self._socket = connection
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._watched = selectors.EVENT_READ
        self._traffic = TrafficCounter()
        self._inbox: deque[tuple[memoryview, int]] = deque()
        # the frame that is coming in: its header until that is complete, then its body
        self._header = bytearray(_HEADER.size)
        self._body: bytearray | None = None
        self._depth = 0
        self._filled = 0
        self._in_use = threading.Lock()
        self._waiting = False
        self._descriptor = threading.Lock()  # nobody shuts down a socket that is just being closed
        self._end: tuple[type[ChannelClosedError], str] | None = None  # why nothing can be sent or read any more
        self._left = False  # by this side's doing: what came in before is not handed out any more either

    @property
    def statistics(self) -> ChannelStatistics:
        """What went over this channel so far, as this side counts it; without headers and TLS's own bytes."""
        return self._traffic.snapshot()

    @property
    def local_host(self) -> str:
        """Address of this machine on the way to the peer."""
        return str(self._socket.getsockname()[0])

    @property
    def waiting(self) -> bool:
        """Whether a call is waiting for a frame of the peer right now."""
        return self._waiting

    def send(self, frame: Buffer) -> None:
        """Send a frame; see `Channel.send`. Returns when the operating system has taken all of it."""
        view = flat(frame)
        if view.nbytes > self.max_frame:
            raise FrameTooLargeError(f"a frame of {view.nbytes} bytes exceeds the maximum of {self.max_frame}")
        with self._operation():
            self._check_alive()
            try:
                first = _RECORD - _HEADER.size
                header = _HEADER.pack(view.nbytes, self._traffic.sent(view.nbytes))
                self._write(memoryview(header + view[:first]))
                self._write(view[first:])
            except BaseException as error:
                # part of the frame may have left: nothing sensible can follow it
                self._fail(f"sending failed with {type(error).__name__}")
                raise

    def receive(self) -> memoryview:
        """Wait for the peer's next frame; see `Channel.receive`."""
        with self._operation():
            if self._left:
                self._check_alive()
            self._waiting = True
            try:
                while not self._inbox:
                    self._check_alive()
                    if not self._read():
                        self._wait(selectors.EVENT_READ)
            finally:
                self._waiting = False
            body, depth = self._inbox.popleft()
            self._traffic.received(body.nbytes, depth)
            return body

    def close(self) -> None:
        """Say goodbye by close_notify and close; see `Channel.close`. During another thread's call it aborts."""
        if not self._in_use.acquire(blocking=False):
            self.abort("this side closed the channel during a call")
            return
        try:
            if self._end is None:
                self._end = (ChannelClosedError, "this side closed the channel")
                self._part()
            self._left = True
            self._release()
        finally:
            self._in_use.release()

    def abort(self, reason: str) -> None:
        """Cut the connection; see `Channel.abort`. The peer sees a cut, never a goodbye."""
        self._fail(reason)
        self._left = True
        if self._in_use.acquire(blocking=False):
            self._release()
            self._in_use.release()

    @contextmanager
    def _operation(self) -> Iterator[None]:
        """Turn every failure of a call into the contract's errors, and let go of the socket after a fatal one."""
        with self._in_use:
            try:
                yield
            except ChannelTimeoutError:
                raise
            except ChannelClosedError as error:
                self._end = self._end or (type(error), str(error))
                raise
            except ChannelError as error:
                self._fail(str(error))
                raise
            except OSError as error:  # SSLError is one
                self._check_alive()
                self._fail(f"the connection was cut ({type(error).__name__})")
                raise ChannelClosedError(f"the connection to the peer was cut: {error}") from error
            except BaseException as error:
                # e.g. an interrupt just after bytes were taken and before they were counted
                self._fail(f"a call was left by {type(error).__name__}")
                raise
            finally:
                if self._end is not None:
                    self._release()

    def _check_alive(self) -> None:
        if self._end is not None:
            kind, reason = self._end
            raise kind(reason)

    def _fail(self, reason: str) -> None:
        if self._end is None:
            self._end = (ChannelClosedError, f"the channel was aborted: {reason}")
        with self._descriptor, suppress(OSError):
            # the plain socket's: it wakes a thread that waits in the selector, and touches nothing of OpenSSL's
            socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def _release(self) -> None:
        self._selector.close()
        with self._descriptor:
            self._socket.close()

    def _wait(self, events: int) -> None:
        if self._watched != events:
            self._selector.modify(self._socket, events)
            self._watched = events
        if not self._selector.select(self.timeout):
            raise ChannelTimeoutError(f"nothing moved between the units for {self.timeout} seconds")

    def _write(self, view: memoryview) -> None:
        while view.nbytes:
            try:
                view = view[self._socket.send(view) :]
            except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
                self._wait(selectors.EVENT_READ | selectors.EVENT_WRITE)
                while self._read():
                    pass

    def _read(self) -> bool:
        """Take in what is there, at most one record; return whether there was anything."""
        target = self._header if self._body is None else self._body
        try:
            count = self._socket.recv_into(memoryview(target)[self._filled :])
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLZeroReturnError:
            count = 0
        if count == 0:
            if self._filled or self._body is not None:
                raise ChannelClosedError("the peer closed the channel in the middle of a frame")
            raise ChannelEndedError("the peer closed the channel")
        self._filled += count
        if self._filled == len(target):
            self._take_in()
        return True

    def _take_in(self) -> None:
        """Go on after a complete header or a complete body."""
        self._filled = 0
        if self._body is None:
            length, self._depth = _HEADER.unpack(self._header)
            if length > self.max_frame:
                raise FrameTooLargeError(
                    f"the peer announces a frame of {length} bytes, beyond the maximum of {self.max_frame}"
                )
            self._body = bytearray(length)
            if length:
                return
        self._inbox.append((memoryview(self._body).toreadonly(), self._depth))
        self._body = None

    def _part(self) -> None:
        """Send close_notify, without waiting for the peer's: that is what wanting to read means here."""
        with suppress(OSError, ValueError):
            try:
                self._socket.unwrap()
            except ssl.SSLWantWriteError:
                self._selector.modify(self._socket, selectors.EVENT_WRITE)
                self._selector.select(_PARTING)
                self._socket.unwrap()
