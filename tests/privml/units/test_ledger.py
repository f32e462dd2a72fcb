"""Numbers that are given out once: also after a crash, and whatever two ledgers share a folder."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privml.errors import DrawReusedError, MalformedError
from privml.units.ledger import FileLedger, Ledger, MemoryLedger


@pytest.fixture(params=["memory", "file"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Ledger:
    return MemoryLedger() if request.param == "memory" else FileLedger(tmp_path / "draws", block=3)


def test_numbers_come_in_order_each_once(ledger: Ledger) -> None:
    assert [ledger.reserve() for _ in range(10)] == list(range(10))
    assert ledger.position == 10


def test_jumps_go_forward_only(ledger: Ledger) -> None:
    ledger.jump(7)
    assert ledger.reserve() == 7
    ledger.jump(8)
    with pytest.raises(DrawReusedError, match="7"):
        ledger.jump(7)
    assert ledger.reserve() == 8


def test_threads_never_get_the_same_number(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(lambda _: ledger.reserve(), range(400)))
    assert sorted(numbers) == list(range(400))


def number_of_a_fork(ledger: Ledger) -> int | None:
    """What a child process is given; None if it is refused."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, bytes([ledger.reserve()]))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        number = pipe.read()
    os.waitpid(child, 0)
    return number[0] if number else None


def test_a_fork_is_given_none(ledger: Ledger) -> None:
    assert ledger.reserve() == 0
    assert number_of_a_fork(ledger) is None
    assert ledger.reserve() == 1


def test_without_the_refusal_parent_and_fork_get_the_same(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryLedger, "_refuse_in_fork", lambda self: None)
    ledger.reserve()
    assert number_of_a_fork(ledger) == ledger.reserve() == 1


@settings(max_examples=40)
@given(
    block=st.integers(1, 5),
    steps=st.lists(st.one_of(st.just("reserve"), st.just("crash"), st.integers(0, 9)), max_size=30),
)
def test_no_history_of_crashes_and_jumps_repeats_a_number(
    tmp_path_factory: pytest.TempPathFactory, block: int, steps: list[str | int]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "draws"
    ledger, given_out = FileLedger(path, block), list[int]()
    for step in steps:
        if step == "crash":
            ledger = FileLedger(path, block)
        elif step == "reserve":
            given_out.append(ledger.reserve())
        else:
            ledger.jump(ledger.position + int(step))
    assert given_out == sorted(set(given_out))
    assert FileLedger(path, block).position <= (given_out[-1] if given_out else 0) + 9 * len(steps) + block + 1


def test_after_a_crash_the_block_is_skipped(tmp_path: Path) -> None:
    ledger = FileLedger(tmp_path / "draws", block=100)
    used = [ledger.reserve() for _ in range(5)]
    assert FileLedger(tmp_path / "draws").reserve() == 100 > max(used)


def test_the_block_is_on_disk_before_its_first_number_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between reserving and using must skip. Here the crash is the writing's own."""
    path = tmp_path / "draws"
    ledger = FileLedger(path, block=4)
    for _ in range(4):
        ledger.reserve()
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            ledger.reserve()
    assert ledger.position == 4, "a number that could not be made durable was not given out"
    assert ledger.reserve() == 4
    assert FileLedger(path).reserve() == 8


def test_a_ledger_that_writes_afterwards_repeats_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is what it is all about."""
    monkeypatch.setattr(FileLedger, "_write", lambda self, reserved: setattr(self, "_reserved", reserved))
    first = FileLedger(tmp_path / "draws").reserve()
    assert FileLedger(tmp_path / "draws").reserve() == first


def test_jumps_are_durable(tmp_path: Path) -> None:
    FileLedger(tmp_path / "draws").jump(1000)
    assert FileLedger(tmp_path / "draws").position == 1000


def test_two_ledgers_in_one_folder_keep_apart(tmp_path: Path) -> None:
    """Names that differ in the suffix only, and two threads that write at the same time."""
    ledgers = [FileLedger(tmp_path / name, block=1) for name in ("draws.master", "draws.secondary", "draws.new")]
    rounds = 25
    failures: list[BaseException] = []

    def use(ledger: FileLedger, numbers: list[int]) -> None:
        try:
            numbers += [ledger.reserve() for _ in range(rounds)]
        except BaseException as error:
            failures.append(error)

    numbers: list[list[int]] = [[] for _ in ledgers]
    ledgers[0].jump(1_000_000)
    threads = [threading.Thread(target=use, args=args) for args in zip(ledgers, numbers, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    again = [FileLedger(tmp_path / name).position for name in ("draws.master", "draws.secondary", "draws.new")]
    assert again == [1_000_000 + rounds, rounds, rounds]


def test_a_second_ledger_on_the_same_file_is_noticed(tmp_path: Path) -> None:
    """A unit that was started twice. Blocks alone would keep the two apart only until the first used up its own."""
    first = FileLedger(tmp_path / "draws", block=4)
    numbers = [first.reserve() for _ in range(3)]
    second = FileLedger(tmp_path / "draws", block=4)
    numbers += [second.reserve() for _ in range(4)]
    numbers.append(first.reserve())  # the last of its own
    for _ in range(2):
        with pytest.raises(DrawReusedError, match="somebody else"):
            first.reserve()
    with pytest.raises(DrawReusedError, match="somebody else"):
        first.jump(100)
    numbers += [second.reserve() for _ in range(4)]
    assert len(set(numbers)) == len(numbers)


def test_without_looking_it_repeats_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FileLedger, "_write", FileLedger._replace)
    first = FileLedger(tmp_path / "draws", block=1)
    first.reserve()
    second = FileLedger(tmp_path / "draws", block=1)
    assert second.reserve() == first.reserve()


@pytest.mark.parametrize("content", ["", "-1", "many", "1 2", "½"])
def test_a_file_that_holds_no_number(content: str, tmp_path: Path) -> None:
    (tmp_path / "draws").write_text(content, encoding="utf-8")
    with pytest.raises(MalformedError, match="draws"):
        FileLedger(tmp_path / "draws")
