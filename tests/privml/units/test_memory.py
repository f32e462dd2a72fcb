from __future__ import annotations

import numpy as np
import pytest

from privml.errors import ChannelClosedError, ChannelEndedError, SettingError
from privml.units.memory import memory_channels
from tests.privml.units.links import caught, together, wait_until


def test_the_buffer_itself_is_handed_over() -> None:
    one, other = memory_channels()
    array = np.zeros(1000, dtype=np.uint64)
    one.send(array.data)
    received = np.frombuffer(other.receive(), dtype=np.uint64)
    assert np.shares_memory(received, array)
    assert not received.flags.writeable


def test_sending_to_a_peer_that_left_is_refused() -> None:
    one, other = memory_channels()
    one.send(b"before")
    other.close()
    with pytest.raises(ChannelClosedError, match="peer closed"):
        one.send(b"after")


def test_closing_from_another_thread_wakes_the_own_side() -> None:
    one, _ = memory_channels()

    def close() -> None:
        wait_until(lambda: one.waiting)
        one.close()

    error, _ = together(lambda: caught(one.receive), close)
    assert isinstance(error, ChannelClosedError)
    assert not isinstance(error, ChannelEndedError)


def test_an_abort_comes_before_what_is_still_unread() -> None:
    one, other = memory_channels()
    one.send(b"unread")
    one.abort("the peer's program failed")
    with pytest.raises(ChannelClosedError, match="the peer's program failed"):
        other.receive()


def test_it_waits_for_ever_unless_told_otherwise() -> None:
    assert memory_channels()[0].timeout is None
    with pytest.raises(SettingError):
        memory_channels(timeout=0)
