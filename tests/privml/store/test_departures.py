"""The record of what left: a file that only grows, and is on the disk before anybody is told."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from privml.errors import InsecureKeyFileError, KeyFileError
from privml.store.departures import Departure, DepartureLog

FIRST = Departure("things", "alice/00", evicted=False)
SECOND = Departure("thïngs", 'bob "the\n builder"/01', evicted=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "withdrawals.log"


def test_what_was_added_is_there_again(path: Path) -> None:
    log = DepartureLog(path)
    assert not log.departures
    log.add([FIRST])
    log.add([FIRST, SECOND])
    assert log.departures == DepartureLog(path).departures == (FIRST, SECOND)
    assert len(path.read_bytes().splitlines()) == 2


def test_it_is_on_the_disk_when_add_returns(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, synced = DepartureLog(path), list[int]()
    monkeypatch.setattr(os, "fsync", lambda descriptor: synced.append(os.fstat(descriptor).st_size))
    log.add([FIRST])
    assert synced == [path.stat().st_size]
    assert synced[0] > 0


def test_a_line_that_a_crash_cut_off_is_dropped_and_the_next_one_is_whole(path: Path) -> None:
    DepartureLog(path).add([FIRST, SECOND])
    whole = path.read_bytes()
    for cut in range(whole.index(b"\n") + 1, len(whole)):
        path.write_bytes(whole[:cut])
        log = DepartureLog(path)
        assert log.departures == (FIRST,)
        log.add([SECOND])
        assert path.read_bytes() == whole


@pytest.mark.parametrize("position", [0, 10, 20, 30])
def test_damage_is_found(path: Path, position: int) -> None:
    DepartureLog(path).add([FIRST, SECOND])
    content = path.read_bytes()
    path.write_bytes(content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
    with pytest.raises(KeyFileError, match="damaged"):
        DepartureLog(path)


def test_it_is_its_owners_alone(path: Path) -> None:
    DepartureLog(path).add([FIRST])
    assert path.stat().st_mode & 0o077 == 0
    path.chmod(0o640)
    with pytest.raises(InsecureKeyFileError):
        DepartureLog(path)


def test_a_file_that_vanished_is_not_made_anew(path: Path) -> None:
    """What is written there would be without all that was there before."""
    log = DepartureLog(path)
    log.add([FIRST])
    path.unlink()
    with pytest.raises(FileNotFoundError):
        log.add([SECOND])
    assert log.departures == (FIRST,)
