"""What every way to be a channel must hold: memory, TLS over the loopback interface, and recording over memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.errors import (
    ChannelClosedError,
    ChannelEndedError,
    ChannelError,
    ChannelTimeoutError,
    FrameSizeError,
    SettingError,
)
from privml.units.channel import (
    Channel,
    ChannelStatistics,
    TrafficCounter,
    checked_timeout,
    exchange_exactly,
    flat,
    receive_exactly,
)
from tests.privml.units.links import Identities, caught, link, make_identities, together, wait_until

KINDS = ("memory", "recording", "tls")
Ends = tuple[Channel, Channel]


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    return make_identities(tmp_path_factory.mktemp("identities"))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def ends(kind: str, identities: Identities) -> Iterator[Ends]:
    with link(kind, identities) as both:
        yield both


def test_a_frame_arrives_as_it_was_sent(ends: Ends) -> None:
    one, other = ends
    one.send(b"hello")
    frame = other.receive()
    assert bytes(frame) == b"hello"
    assert frame.readonly
    other.send(frame)
    assert bytes(one.receive()) == b"hello"


def test_frames_keep_order_and_boundaries(ends: Ends) -> None:
    one, other = ends
    frames = [bytes([i]) * (i * 37) for i in range(100)]
    for frame in frames:
        one.send(frame)
    assert [bytes(other.receive()) for _ in frames] == frames


@pytest.mark.parametrize("size", [16383, 16384 - 16, 16384 - 15, 16384, 100_001])
def test_frames_around_the_size_of_a_tls_record(ends: Ends, size: int) -> None:
    one, other = ends
    frame = np.arange(size, dtype=np.uint8).tobytes()
    mirrored = frame[::-1]
    received, answer = together(lambda: bytes(other.exchange(mirrored)), lambda: bytes(one.exchange(frame)))
    assert received == frame
    assert answer == mirrored


def test_an_empty_frame_is_a_frame(ends: Ends) -> None:
    one, other = ends
    one.send(b"")
    one.send(np.empty((3, 0), dtype=np.uint64).data)
    one.send(b"next")
    assert [bytes(other.receive()) for _ in range(3)] == [b"", b"", b"next"]
    assert other.statistics.bytes_received == 4


def test_arrays_travel_as_their_bytes(ends: Ends) -> None:
    one, other = ends
    array = np.arange(24, dtype=np.uint64).reshape(2, 3, 4)
    one.send(array.data)
    assert np.array_equal(np.frombuffer(other.receive(), dtype=np.uint64).reshape(2, 3, 4), array)


def test_a_frame_that_is_not_contiguous_is_refused_and_nothing_is_sent(ends: Ends) -> None:
    one, other = ends
    with pytest.raises(TypeError):
        one.send(np.arange(10, dtype=np.uint64)[::2].data)
    one.send(b"next")
    assert bytes(other.receive()) == b"next"


def test_large_exchange(ends: Ends) -> None:
    one, other = ends
    mine = np.arange(6_250_000, dtype=np.uint64)
    theirs = ~mine
    a, b = together(lambda: one.exchange(mine.data), lambda: other.exchange(theirs.data))
    assert np.array_equal(np.frombuffer(a, dtype=np.uint64), theirs)
    assert np.array_equal(np.frombuffer(b, dtype=np.uint64), mine)


def test_both_may_send_much_before_either_receives(ends: Ends) -> None:
    one, other = ends
    frames = [bytes([i]) * 3_000_000 for i in range(4)]

    def program(channel: Channel) -> list[bytes]:
        for frame in frames:
            channel.send(frame)
        return [bytes(channel.receive()) for _ in frames]

    assert together(lambda: program(one), lambda: program(other)) == (frames, frames)


def test_counts(ends: Ends) -> None:
    one, other = ends
    one.send(b"12345")
    other.receive()
    before = one.statistics
    together(lambda: one.exchange(b"123"), lambda: other.exchange(b"1234567"))
    assert one.statistics == ChannelStatistics(
        rounds=2, messages_sent=2, bytes_sent=8, messages_received=1, bytes_received=7
    )
    assert other.statistics == ChannelStatistics(
        rounds=2, messages_sent=1, bytes_sent=7, messages_received=2, bytes_received=8
    )
    assert one.statistics - before == ChannelStatistics(1, 1, 3, 1, 7)


def test_an_exchange_is_one_round(ends: Ends) -> None:
    one, other = ends

    def program(channel: Channel) -> int:
        for _ in range(7):
            channel.exchange(b"word")
        return channel.statistics.rounds

    assert together(lambda: program(one), lambda: program(other)) == (7, 7)


def test_sends_in_a_row_are_one_round_and_an_answer_is_the_next(ends: Ends) -> None:
    one, other = ends
    for _ in range(5):
        one.send(b"word")
    for _ in range(5):
        other.receive()
    assert (one.statistics.rounds, other.statistics.rounds) == (1, 1)
    other.send(b"answer")
    assert bytes(one.receive()) == b"answer"
    assert (one.statistics.rounds, other.statistics.rounds) == (2, 2)


def test_what_arrived_but_was_not_received_yet_adds_no_round(ends: Ends) -> None:
    one, other = ends
    other.send(b"early")
    one.send(bytes(100))
    assert one.statistics.rounds == 1
    one.receive()
    one.send(b"late")
    assert one.statistics.rounds == 2


def test_sizes_are_checked_by_the_receiver(ends: Ends) -> None:
    one, other = ends
    one.send(b"12345678")
    assert bytes(receive_exactly(other, 8)) == b"12345678"
    one.send(b"1234567")
    with pytest.raises(FrameSizeError, match="expected a frame of 8 bytes, got 7"):
        receive_exactly(other, 8)
    one.send(b"")
    assert bytes(exchange_exactly(other, b"x", 0)) == b""
    one.send(b"12")
    with pytest.raises(FrameSizeError, match="expected a frame of 1 bytes, got 2"):
        exchange_exactly(other, b"x", 1)


def test_frames_sent_before_a_close_still_arrive_and_then_the_end(ends: Ends) -> None:
    one, other = ends
    one.send(b"last")
    one.send(bytes(1000))
    one.close()
    assert bytes(other.receive()) == b"last"
    assert bytes(other.receive()) == bytes(1000)
    for _ in range(2):
        with pytest.raises(ChannelEndedError, match="peer closed"):
            other.receive()


def test_a_closed_channel_refuses(ends: Ends) -> None:
    one, other = ends
    other.send(b"never read")
    one.close()
    one.close()
    for call in (lambda: one.send(b"x"), one.receive, lambda: one.exchange(b"x")):
        with pytest.raises(ChannelClosedError, match="this side closed"):
            call()


def test_an_aborted_channel_refuses_on_both_sides(ends: Ends) -> None:
    one, other = ends
    one.abort("disk full")
    one.abort("another reason")
    with pytest.raises(ChannelClosedError, match="disk full"):
        one.send(b"x")
    with pytest.raises(ChannelClosedError, match="disk full"):
        one.receive()
    with pytest.raises(ChannelClosedError) as caught_error:
        other.receive()
    assert not isinstance(caught_error.value, ChannelEndedError)
    with pytest.raises(ChannelClosedError):
        other.exchange(b"x")
    one.close()


@pytest.mark.parametrize("whose", ["own", "peer's"])
def test_an_abort_wakes_whoever_waits(ends: Ends, whose: str) -> None:
    one, other = ends

    def abort() -> None:
        wait_until(lambda: one.waiting)
        (one if whose == "own" else other).abort("enough")

    error, _ = together(lambda: caught(one.receive), abort)
    assert isinstance(error, ChannelClosedError)
    assert not isinstance(error, ChannelEndedError)
    assert not one.waiting


def test_a_close_wakes_the_peer_that_waits(ends: Ends) -> None:
    one, other = ends

    def close() -> None:
        wait_until(lambda: one.waiting)
        other.close()

    error, _ = together(lambda: caught(one.receive), close)
    assert isinstance(error, ChannelEndedError)


def test_a_receive_that_timed_out_may_be_repeated(ends: Ends) -> None:
    one, other = ends
    one.timeout = 0.02
    with pytest.raises(ChannelTimeoutError, match=r"0\.02"):
        one.receive()
    other.send(b"late")
    one.timeout = 10
    assert bytes(one.receive()) == b"late"


def test_an_exchange_that_timed_out_ends_the_channel(ends: Ends) -> None:
    one, other = ends
    one.timeout = 0.02
    with pytest.raises(ChannelTimeoutError):
        one.exchange(b"x")
    with pytest.raises(ChannelClosedError):
        one.receive()
    # over TLS the frame had left and may still be there
    errors = [caught(other.receive) for _ in range(2)]
    assert isinstance(errors[-1], ChannelClosedError)


def test_the_channel_is_a_context_manager(kind: str, identities: Identities) -> None:
    with link(kind, identities) as (one, other):
        with one:
            one.send(b"x")
        assert bytes(other.receive()) == b"x"
        with pytest.raises(ChannelEndedError):
            other.receive()
    with link(kind, identities) as (one, other):
        with pytest.raises(KeyError), one:
            raise KeyError
        with pytest.raises(ChannelClosedError) as raised:
            other.receive()
        assert not isinstance(raised.value, ChannelEndedError)


def test_waiting_is_seen_only_while_a_call_waits(ends: Ends) -> None:
    one, other = ends
    assert not one.waiting
    thread = threading.Thread(target=one.receive)
    thread.start()
    wait_until(lambda: one.waiting)
    other.send(b"x")
    thread.join()
    assert not one.waiting


@given(st.lists(st.sampled_from(["one sends", "other sends", "exchange"]), max_size=30))
def test_rounds_are_the_longest_chain_of_dependent_messages(steps: list[str]) -> None:
    # the reference: the longest path to every event of either side, computed from the whole history
    one, other = TrafficCounter(), TrafficCounter()
    chain = {"one": 0, "other": 0}
    longest = 0
    for step in steps:
        if step == "exchange":
            depths = one.sent(1), other.sent(1)
            one.received(1, depths[1])
            other.received(1, depths[0])
            chain["one"], chain["other"] = chain["other"] + 1, chain["one"] + 1
            longest = max(longest, *chain.values())
        else:
            sender, receiver = (one, other) if step == "one sends" else (other, one)
            names = ("one", "other") if step == "one sends" else ("other", "one")
            receiver.received(1, sender.sent(1))
            chain[names[1]] = max(chain[names[1]], chain[names[0]] + 1)
            longest = max(longest, chain[names[1]])
    assert one.snapshot().rounds == other.snapshot().rounds == longest


@pytest.mark.parametrize("depth", [0, 2, 2**63])
def test_a_depth_that_no_honest_peer_can_have_is_refused(depth: int) -> None:
    with pytest.raises(ChannelError, match=f"depth {depth}"):
        TrafficCounter().received(8, depth)


def test_a_depth_never_goes_back() -> None:
    counter = TrafficCounter()
    counter.sent(1)
    counter.received(1, 2)
    with pytest.raises(ChannelError, match="depth 1"):
        counter.received(1, 1)


def test_flat_does_not_copy() -> None:
    buffer = bytearray(b"abc")
    view = flat(buffer)
    buffer[0] = ord("x")
    assert bytes(view) == b"xbc"


@pytest.mark.parametrize("timeout", [0, -1.0, float("inf"), float("nan")])
def test_a_timeout_is_positive_and_finite(timeout: float) -> None:
    with pytest.raises(SettingError, match="timeout"):
        checked_timeout(timeout)
