from __future__ import annotations

import numpy as np
import pytest

from privml.errors import ChannelClosedError
from privml.units.memory import memory_channels
from privml.units.recording import Direction, Passage, RecordingChannel
from tests.privml.units.links import together


def test_both_directions_are_kept_in_order() -> None:
    inner, other = memory_channels()
    channel = RecordingChannel(inner)
    channel.send(b"ab")
    other.send(b"xyz")
    channel.receive()
    together(lambda: channel.exchange(b""), lambda: other.exchange(b"12345"))
    assert channel.sent == [b"ab", b""]
    assert channel.received == [b"xyz", b"12345"]
    assert channel.trace == (
        Passage(Direction.SENT, 2),
        Passage(Direction.RECEIVED, 3),
        Passage(Direction.SENT, 0),
        Passage(Direction.RECEIVED, 5),
    )


def test_the_two_sides_traces_mirror_each_other() -> None:
    one, other = map(RecordingChannel, memory_channels())
    for length in range(5):
        one.send(bytes(length))
        other.receive()
    assert [(passage.direction, passage.length) for passage in one.trace] == [(Direction.SENT, n) for n in range(5)]
    assert [(passage.direction, passage.length) for passage in other.trace] == [
        (Direction.RECEIVED, n) for n in range(5)
    ]


def test_the_record_is_a_copy() -> None:
    inner, other = memory_channels()
    channel = RecordingChannel(inner)
    array = np.zeros(4, dtype=np.uint64)
    channel.send(array.data)
    other.receive()
    array[0] = 1
    assert channel.sent == [bytes(32)]


def test_a_frame_that_was_not_sent_is_not_recorded() -> None:
    inner, _ = memory_channels()
    channel = RecordingChannel(inner)
    inner.abort("test")
    with pytest.raises(ChannelClosedError):
        channel.send(b"x")
    assert channel.trace == ()


def test_timeout_and_statistics_are_those_of_the_inner_channel() -> None:
    inner, _ = memory_channels()
    channel = RecordingChannel(inner)
    channel.timeout = 3
    assert inner.timeout == channel.timeout == 3
    channel.send(b"123")
    assert channel.statistics == inner.statistics
    assert channel.statistics.bytes_sent == 3
    assert not channel.waiting
