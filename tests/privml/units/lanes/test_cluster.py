"""Lanes whose workers are processes of two Dask clusters, one for each unit."""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from privml.errors import FrameTooLargeError, LaneError, PrivMLError, ProtocolError, SettingError, ValidationError
from privml.units.certificates import create_identity
from privml.units.channel import ChannelStatistics
from privml.units.dealer import Dealer
from privml.units.lanes.cluster import ClusterLanes
from privml.units.lanes.jobs import Failed, Garbled
from privml.units.lanes.post import ChannelPost
from privml.units.lanes.worker import Ticket
from privml.units.memory import memory_channels
from privml.units.pair import Pair
from tests.privml.units.lanes import programs
from tests.privml.units.lanes.clusters import two_clusters
from tests.privml.units.lanes.service import Service, X, Y

COUNT = 2


@pytest.fixture(scope="module")
def clients() -> Iterator[Pair[Any]]:
    with two_clusters(COUNT) as clients:
        yield clients


def service_of(clients: Pair[Any], counts: tuple[int, int] = (COUNT, COUNT), *, dealt: bool = True) -> Service:
    lanes = (
        ClusterLanes(count, "dask", client=client, patience=20) for count, client in zip(counts, clients, strict=True)
    )
    return Service(Pair(*lanes), dealer=Dealer() if dealt else None)


@pytest.mark.parametrize("dealt", [True, False])
def test_parts_give_what_the_whole_gives(clients: Pair[Any], dealt: bool) -> None:
    service = service_of(clients, dealt=dealt)
    assert (service.product(COUNT) == X * Y).all()
    if dealt:
        assert service.lanes.master.traffic == ChannelStatistics(1, COUNT, 960, COUNT, 960)
    service.close()


def test_every_worker_is_a_process_of_its_own_and_remembers(clients: Pair[Any]) -> None:
    service = service_of(clients)
    places = service.map(programs.place, *[()] * COUNT)
    processes = {process for process, _ in (*places.master, *places.secondary)}
    assert len(processes) == 2 * COUNT
    assert os.getpid() not in processes
    assert [service.map(programs.counted, *[()] * COUNT).master for _ in range(2)] == [[1] * COUNT, [2] * COUNT]
    service.close()


def test_what_both_workers_refuse_both_units_raise_and_the_lanes_go_on(clients: Pair[Any]) -> None:
    service = service_of(clients)
    with pytest.raises(ValidationError) as caught:
        service.map(programs.refused, (True,), (False,))
    assert caught.value.agreed
    assert service.map(programs.counted, *[()] * COUNT).master == [1] * COUNT
    service.close()


def test_what_one_worker_raises_alone_closes_the_lanes(clients: Pair[Any]) -> None:
    service = service_of(clients)
    with pytest.raises(ProtocolError, match="broken"):
        service.map(programs.broken, (True,), (False,))
    service.close()


def test_lanes_are_opened_again_after_they_were_closed(clients: Pair[Any]) -> None:
    service = service_of(clients)
    for _ in range(2):
        assert service.map(programs.counted, *[()] * COUNT).master == [1] * COUNT
        for own in service.lanes:
            own.close()
    service.close()


def test_units_with_different_numbers_of_lanes_agree_to_open_none(clients: Pair[Any]) -> None:
    service = service_of(clients, (1, 2))
    with pytest.raises(SettingError, match=r"this unit has . lanes and the other .") as caught:
        service.map(programs.counted, ())
    assert caught.value.agreed
    service.close()


def test_a_backend_with_too_few_workers_is_named(clients: Pair[Any]) -> None:
    lanes = (ClusterLanes(COUNT + 1, "dask", client=client, patience=2) for client in clients)
    service = Service(Pair(*lanes), dealer=Dealer())
    with pytest.raises(LaneError, match=f"{COUNT} of {COUNT + 1} workers came within 2 seconds.*'dask'") as caught:
        service.map(programs.counted, ())
    assert caught.value.agreed
    service.close()


def test_an_unknown_backend_is_named() -> None:
    service = Service(Pair(*(ClusterLanes(1, "nowhere", patience=5) for _ in range(2))), dealer=Dealer())
    with pytest.raises(LaneError, match="'nowhere'"):
        service.map(programs.counted, ())
    service.close()


def test_strangers_are_no_workers(clients: Pair[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody calls a unit before its workers do, says nothing sensible, and gets nothing."""
    written = Ticket.written
    strangers = []

    def noticed(*arguments: Any) -> Ticket:
        ticket = written(*arguments)
        stranger = socket.create_connection(ticket.unit_address)
        stranger.sendall(b"GET / HTTP/1.1\r\n\r\n")
        strangers.append(stranger)
        return ticket

    monkeypatch.setattr(Ticket, "written", noticed)
    service = service_of(clients)
    assert (service.product(COUNT) == X * Y).all()
    service.close()
    assert len(strangers) == 2
    for stranger in strangers:
        stranger.close()


def test_a_worker_that_dies_is_missed() -> None:
    with two_clusters(COUNT) as clients:
        service = service_of(clients)
        with pytest.raises(PrivMLError) as caught:
            service.map(programs.dead, ())
        assert not caught.value.agreed
        service.close()


def test_joblib_carries_a_key_for_these_lanes_and_no_seed(tmp_path: Path) -> None:
    unit, worker = (create_identity(tmp_path, name) for name in ("unit", "worker"))
    ticket = Ticket.written(("127.0.0.1", 1), unit, worker, 1.0)
    assert "PRIVATE KEY" not in repr(ticket)
    folder = tmp_path / "there"
    folder.mkdir()
    assert pickle.loads(pickle.dumps(ticket)).identity(folder).certificate == worker.certificate  # noqa: S301
    assert (folder / "worker.key.pem").stat().st_mode & 0o077 == 0


def test_an_error_that_cannot_travel_says_what_it_was() -> None:
    class StrangeError(Exception):
        pass

    here, there = map(ChannelPost, memory_channels(timeout=5))
    here.send(Failed(StrangeError("local"), ChannelStatistics()))
    received = there.receive()
    assert isinstance(received.error, LaneError)
    assert "StrangeError('local')" in str(received.error)


@pytest.mark.parametrize("options", [{"count": 0}, {"patience": 0.0}])
def test_settings_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        ClusterLanes(**{"count": 1, "backend": "dask", **options})


def test_a_job_that_is_too_large_is_refused(clients: Pair[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    service = service_of(clients)
    service.product(COUNT)
    for own in service.lanes:
        for post in own._opening.posts:
            monkeypatch.setattr(post.channel, "max_frame", 100)
    with pytest.raises(FrameTooLargeError):
        service.product(COUNT)
    service.close()


def test_no_key_lies_about_once_the_lanes_are_open(clients: Pair[Any]) -> None:
    service = service_of(clients)
    service.product(COUNT)
    assert not list(Path(tempfile.gettempdir()).glob("privml-lane*"))
    service.close()


def test_a_program_that_ends_with_open_lanes_ends() -> None:
    """Backends of joblib wait for their workers at the end, and these for their unit."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.privml.units.lanes.ends_open"], check=False, timeout=60, capture_output=True
    )
    assert (done.returncode, done.stdout) == (0, b"main ends\n")


def test_what_cannot_be_read_is_told() -> None:
    here, there = map(ChannelPost, memory_channels(timeout=5))
    there.channel.send(b"no pickle")
    received = here.receive()
    assert isinstance(received, Garbled)
    assert "Unpickling" in repr(received.error)
