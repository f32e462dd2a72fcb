from __future__ import annotations

import gc
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from functools import partial
from typing import NoReturn, cast

import numpy as np
import pytest

from privml.errors import (
    ChannelClosedError,
    DuplicateUploadError,
    FrameSizeError,
    PrivMLError,
    ProofError,
    ProtocolError,
    SettingError,
)
from privml.units.channel import Channel
from privml.units.correlations import CorrelationSource
from privml.units.memory import memory_channels
from privml.units.pair import Pair, PairRunner, pair
from privml.units.recording import RecordingChannel
from privml.units.role import Role
from privml.units.unit import Unit
from tests.privml.units.links import Identities, caught, link, make_identities, wait_until


class NoCorrelations:
    """These programs draw nothing."""


def units_over(master: Channel, secondary: Channel) -> tuple[Unit, Unit]:
    nothing = cast("CorrelationSource", NoCorrelations())
    return Unit(Role.MASTER, master, nothing), Unit(Role.SECONDARY, secondary, nothing)


@pytest.fixture
def units() -> tuple[Unit, Unit]:
    # no timeout: a hang would be a hang
    return units_over(*memory_channels())


@pytest.fixture
def runner(units: tuple[Unit, Unit]) -> Iterator[PairRunner]:
    with PairRunner(units) as made:
        yield made


def swap(unit: Unit) -> bytes:
    return bytes(unit.channel.exchange(unit.role.label.encode()))


def dead(units: tuple[Unit, Unit]) -> bool:
    return all(isinstance(caught(partial(unit.channel.send, b"x")), ChannelClosedError) for unit in units)


def test_both_results(units: tuple[Unit, Unit]) -> None:
    assert pair(swap, units) == Pair(master=b"Secondary", secondary=b"Master")
    # the channels go on
    assert pair(swap, units).master == b"Secondary"


@pytest.mark.parametrize("kind", ["memory", "recording", "tls"])
def test_over_every_channel(kind: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    identities: Identities = make_identities(tmp_path_factory.mktemp("identities"))
    with link(kind, identities) as ends, PairRunner(units_over(*ends)) as runner:
        for _ in range(10):
            assert runner.run(swap) == (b"Secondary", b"Master")

        def fail(unit: Unit) -> NoReturn:
            if unit.is_master:
                raise KeyError("broken")
            unit.channel.receive()
            raise AssertionError

        with pytest.raises(KeyError):
            runner.run(fail)
        with pytest.raises(ChannelClosedError):
            runner.run(swap)


def test_a_unit_that_waits_for_ever_is_found_over_tls_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    identities = make_identities(tmp_path_factory.mktemp("identities"))
    with link("tls", identities, timeout=None) as ends, pytest.raises(ProtocolError, match="out of step"):
        pair(lambda unit: unit.channel.receive() if unit.is_master else None, units_over(*ends))


def test_the_threads_stay(runner: PairRunner) -> None:
    names = runner.run(lambda unit: (threading.current_thread().name, threading.get_ident()))
    assert [name for name, _ in names] == ["privml-master", "privml-secondary"]
    assert runner.run(lambda unit: (threading.current_thread().name, threading.get_ident())) == names


@pytest.mark.parametrize("failing", list(Role))
def test_the_first_real_error_is_raised_and_names_its_unit(units: tuple[Unit, Unit], failing: Role) -> None:
    def program(unit: Unit) -> None:
        unit.channel.exchange(b"in step")
        if unit.role is failing:
            raise FrameSizeError("too short")
        unit.channel.receive()

    with pytest.raises(FrameSizeError, match="too short") as raised:
        pair(program, units)
    assert raised.value.__notes__ == [f"in the {failing.label} unit"]
    assert dead(units)


def test_a_unit_that_computes_is_awaited_and_its_abort_is_no_error(units: tuple[Unit, Unit]) -> None:
    done = []

    def program(unit: Unit) -> None:
        if unit.is_master:
            raise OverflowError
        time.sleep(0.15)
        done.append(True)

    with pytest.raises(OverflowError):
        pair(program, units)
    assert done == [True]


def test_two_errors(units: tuple[Unit, Unit]) -> None:
    barrier = threading.Barrier(2)

    def program(unit: Unit) -> NoReturn:
        barrier.wait()
        raise ValueError if unit.is_master else LookupError

    with pytest.raises((ValueError, LookupError)) as raised:
        pair(program, units)
    first = "Master" if raised.type is ValueError else "Secondary"
    assert raised.value.__notes__[0] == f"in the {first} unit"
    assert "as well" in raised.value.__notes__[1]


def test_an_error_that_came_from_the_peers_closing_is_not_the_first(units: tuple[Unit, Unit]) -> None:
    def program(unit: Unit) -> None:
        if unit.is_master:
            unit.channel.close()
            wait_until(lambda: bool(second_failed))
            raise ZeroDivisionError
        try:
            unit.channel.receive()
        finally:
            second_failed.append(True)

    second_failed: list[bool] = []
    with pytest.raises(ZeroDivisionError):
        pair(program, units)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_what_is_no_exception_arrives_too(units: tuple[Unit, Unit], error: type[BaseException]) -> None:
    def program(unit: Unit) -> None:
        if not unit.is_master:
            raise error
        unit.channel.receive()

    with pytest.raises(error):
        pair(program, units)


# --- agreed errors


@pytest.mark.parametrize("finder", list(Role))
def test_an_agreed_error_leaves_the_channels_alive(runner: PairRunner, finder: Role) -> None:
    def reject(unit: Unit) -> None:
        unit.agree(ProofError("does not verify") if unit.role is finder else None)

    for _ in range(3):
        # the one who knows why, not the one who was told
        with pytest.raises(ProofError, match="does not verify") as raised:
            runner.run(reject)
        assert raised.value.agreed
        assert raised.value.__notes__ == [f"in the {finder.label} unit"]
        assert runner.run(swap) == (b"Secondary", b"Master")


def test_both_find_the_same(runner: PairRunner) -> None:
    def reject(unit: Unit) -> None:
        unit.agree(DuplicateUploadError("seen before"))

    with pytest.raises(DuplicateUploadError):
        runner.run(reject)
    assert runner.run(swap).master == b"Secondary"


def test_the_same_error_without_agreement_ends_the_channels(units: tuple[Unit, Unit]) -> None:
    with pytest.raises(DuplicateUploadError), PairRunner(units) as runner:
        runner.run(lambda unit: (_ for _ in ()).throw(DuplicateUploadError("seen before")))
    assert dead(units)


def claims_agreement() -> PrivMLError:
    error = ProofError("claims that the other knows")
    error.agreed = True
    return error


def test_an_agreed_error_that_the_other_does_not_know_of_ends_the_channels(units: tuple[Unit, Unit]) -> None:
    def program(unit: Unit) -> None:
        if unit.is_master:
            raise claims_agreement()
        unit.channel.receive()

    with pytest.raises(ProofError) as raised:
        pair(program, units)
    assert not raised.value.agreed
    assert "out of step" in raised.value.__notes__[1]
    assert dead(units)


def test_an_agreed_error_over_an_unread_message_ends_the_channels(units: tuple[Unit, Unit]) -> None:
    def program(unit: Unit) -> None:
        if unit.is_master:
            unit.channel.send(b"nobody reads this")
        raise claims_agreement()

    with pytest.raises(ProofError) as raised:
        pair(program, units)
    assert not raised.value.agreed
    assert dead(units)


def test_an_unexpected_error_comes_before_an_agreed_one(units: tuple[Unit, Unit]) -> None:
    def program(unit: Unit) -> None:
        if unit.is_master:
            raise claims_agreement()
        time.sleep(0.02)
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        pair(program, units)
    assert dead(units)


# --- out of step


def test_one_waits_after_the_other_ended(units: tuple[Unit, Unit]) -> None:
    with pytest.raises(ProtocolError, match="waits for a message"):
        pair(lambda unit: unit.channel.receive() if unit.is_master else None, units)
    assert dead(units)


def test_both_wait(units: tuple[Unit, Unit]) -> None:
    with pytest.raises(ProtocolError, match="waits for a message"):
        pair(lambda unit: unit.channel.receive(), units)
    assert dead(units)


def test_a_message_left_unread_does_not_reach_the_next_program(units: tuple[Unit, Unit]) -> None:
    def program(unit: Unit) -> None:
        if unit.is_master:
            unit.channel.send(b"x")
            unit.channel.send(b"y")

    with pytest.raises(ProtocolError, match="Master left 0 messages unread, the Secondary 2"):
        pair(program, units)
    assert dead(units)


def test_programs_that_take_long_are_not_out_of_step(units: tuple[Unit, Unit]) -> None:
    def program(unit: Unit) -> bytes:
        for _ in range(3):
            if unit.is_master:
                time.sleep(0.12)
            unit.channel.exchange(b"x")
        if unit.is_master:
            time.sleep(0.12)
            unit.channel.send(b"last")
            return b""
        return bytes(unit.channel.receive())

    assert pair(program, units).secondary == b"last"


def test_new_channels_bring_a_pair_back(units: tuple[Unit, Unit]) -> None:
    with PairRunner(units) as runner:
        with pytest.raises(ProtocolError):
            runner.run(lambda unit: unit.channel.receive())
        with pytest.raises(ChannelClosedError):
            runner.run(swap)
        for unit, channel in zip(units, memory_channels(), strict=True):
            unit.channel = channel
        assert runner.run(swap) == (b"Secondary", b"Master")


# --- the runner itself


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt, also where the suite runs in the background of a shell, which ignores it."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.usefixtures("interruptible")
def test_an_interrupt_of_the_caller_ends_both(units: tuple[Unit, Unit]) -> None:
    ended: list[Role] = []

    def program(unit: Unit) -> None:
        if unit.is_master:
            # the Secondary waits for this, so nobody is out of step
            os.kill(os.getpid(), signal.SIGINT)
        try:
            while True:
                unit.channel.exchange(b"on and on")
        finally:
            ended.append(unit.role)

    with pytest.raises(KeyboardInterrupt):
        pair(program, units)
    assert set(ended) == set(Role)
    assert dead(units)


def test_a_closed_runner_refuses(units: tuple[Unit, Unit]) -> None:
    runner = PairRunner(units)
    runner.close()
    runner.close()
    with pytest.raises(ChannelClosedError, match="runner is closed"):
        runner.run(swap)


def test_the_threads_of_a_forgotten_runner_end(units: tuple[Unit, Unit]) -> None:
    runner = PairRunner(units)
    threads = runner._threads
    del runner
    gc.collect()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def test_a_program_cannot_run_another_on_its_own_units(runner: PairRunner) -> None:
    with pytest.raises(ProtocolError, match="another one"):
        runner.run(lambda unit: runner.run(swap))


def test_runs_of_several_threads_take_turns(runner: PairRunner) -> None:
    inside: list[int] = []

    def program(unit: Unit) -> bytes:
        inside.append(1)
        assert len(inside) <= 2
        result = swap(unit)
        unit.channel.exchange(b"")
        inside.pop()
        # nobody leaves before both counted themselves out
        unit.channel.exchange(b"")
        return result

    threads = [threading.Thread(target=lambda: results.append(runner.run(program))) for _ in range(4)]
    results: list[Pair[bytes]] = []
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [(b"Secondary", b"Master")] * 4


def test_an_idle_runner_keeps_no_results_alive(runner: PairRunner) -> None:
    class Large:
        pass

    results = runner.run(lambda unit: Large())
    references = [weakref.ref(result) for result in results]
    del results
    wait_until(lambda: all(reference() is None for reference in references))


def test_the_order_of_the_units_is_checked(units: tuple[Unit, Unit]) -> None:
    with pytest.raises(SettingError, match="in this order"):
        PairRunner((units[1], units[0]))


def test_what_travels_between_recorded_units() -> None:
    one, other = map(RecordingChannel, memory_channels())
    pair(lambda unit: unit.exchange(np.arange(3, dtype=np.uint64)), units_over(one, other))
    assert [passage.length for passage in one.trace] == [24, 24]
    assert other.received == [np.arange(3, dtype=np.uint64).tobytes()]
