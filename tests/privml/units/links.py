"""Channels of every kind for the tests of this folder, and ways to use both ends at once."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from privml.units.certificates import UnitIdentity, create_identity
from privml.units.channel import Channel
from privml.units.memory import memory_channels
from privml.units.recording import RecordingChannel
from privml.units.tls import MAX_FRAME, TlsChannel, connect, listen

A = TypeVar("A")
B = TypeVar("B")

LOCALHOST = "127.0.0.1"
# long enough for a busy machine; a test that reaches it fails
PATIENCE = 20.0


class Identities(NamedTuple):
    master: UnitIdentity
    secondary: UnitIdentity
    stranger: UnitIdentity


def make_identities(directory: Path) -> Identities:
    return Identities(*(create_identity(directory, name) for name in Identities._fields))


def together(one: Callable[[], A], other: Callable[[], B]) -> tuple[A, B]:
    """Call both at once, the second in a thread, and raise the first one's error before the second one's."""
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(other)
        result = one()
        return result, future.result(PATIENCE)


def caught(action: Callable[[], object]) -> BaseException | None:
    try:
        action()
    except Exception as error:
        return error
    return None


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true")
        time.sleep(0.001)


@contextmanager
def tls_link(
    identities: Identities, *, timeout: float | None = PATIENCE, max_frame: int = MAX_FRAME
) -> Iterator[tuple[TlsChannel, TlsChannel]]:
    """The Secondary listens, the Master connects."""
    master, secondary, _ = identities
    settings: dict[str, Any] = {"timeout": timeout, "max_frame": max_frame}
    with listen((LOCALHOST, 0), secondary, master.certificate, **settings) as listener:
        ends = together(
            lambda: connect(listener.address, master, secondary.certificate, **settings),
            lambda: listener.accept(timeout=PATIENCE),
        )
    try:
        yield ends
    finally:
        for end in ends:
            end.close()


@contextmanager
def memory_link(*, timeout: float | None = PATIENCE) -> Iterator[tuple[Channel, Channel]]:
    yield memory_channels(timeout=timeout)


@contextmanager
def recorded_link(*, timeout: float | None = PATIENCE) -> Iterator[tuple[Channel, Channel]]:
    one, other = memory_channels(timeout=timeout)
    yield RecordingChannel(one), RecordingChannel(other)


@contextmanager
def link(kind: str, identities: Identities, *, timeout: float | None = PATIENCE) -> Iterator[tuple[Channel, Channel]]:
    if kind == "tls":
        with tls_link(identities, timeout=timeout) as ends:
            yield ends
    else:
        with {"memory": memory_link, "recording": recorded_link}[kind](timeout=timeout) as ends:
            yield ends


def cut(channel: TlsChannel) -> None:
    """Let the connection end without a goodbye, as when a process is killed."""
    socket.socket.shutdown(channel._socket, socket.SHUT_RDWR)
