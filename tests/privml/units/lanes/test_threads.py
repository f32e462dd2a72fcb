"""Lanes whose workers are threads of this process."""

from __future__ import annotations

import gc
import pickle
import threading
from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pytest

from privml.errors import PrivMLError, ProtocolError, SecretExposureError, SettingError, ValidationError
from privml.units.channel import Channel, ChannelStatistics
from privml.units.dealer import Dealer
from privml.units.lanes import Lane, thread_lanes
from privml.units.lanes.jobs import Done, Job
from privml.units.memory import memory_channels
from privml.units.recording import RecordingChannel
from privml.units.role import Role
from privml.units.unit import Unit
from tests.privml.units.lanes import programs
from tests.privml.units.lanes.service import Service, X, Y, lanes_of
from tests.two_units import View, looks_uniform, split, suspicious

COUNT = 3


@pytest.fixture(params=["dealer", "ot"])
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    made = Service(thread_lanes(COUNT), dealer=Dealer() if request.param == "dealer" else None)
    yield made
    made.close()


@pytest.mark.parametrize("pieces", [1, 2, COUNT])
def test_parts_give_what_the_whole_gives(service: Service, pieces: int) -> None:
    assert (service.product(pieces) == X * Y).all()


def test_a_lane_remembers_until_it_is_closed(service: Service) -> None:
    parts: list[tuple[()]] = [()] * COUNT
    assert [service.map(programs.counted, *parts).master for _ in range(2)] == [[1] * COUNT, [2] * COUNT]
    for own in service.lanes:
        own.close()
        own.close()
    assert service.map(programs.counted, *parts).secondary == [1] * COUNT


def test_each_lane_has_a_thread_and_a_link_of_its_own(service: Service) -> None:
    places = service.map(programs.place, *[()] * COUNT)
    assert len({*places.master, *places.secondary}) == 2 * COUNT
    words = service.map(programs.told, *[(n,) for n in range(COUNT)])
    assert words.master == words.secondary == list(range(COUNT))


def test_what_both_workers_refuse_both_units_raise_and_the_lanes_go_on(service: Service) -> None:
    service.map(programs.counted, *[()] * COUNT)
    with pytest.raises(ValidationError) as caught:
        service.map(programs.refused, (False,), (True,), (False,))
    assert caught.value.agreed
    assert service.map(programs.counted, *[()] * COUNT).master == [2] * COUNT


def test_what_one_worker_raises_alone_closes_the_lanes_and_nobody_waits() -> None:
    service = Service(thread_lanes(COUNT), dealer=Dealer())
    with pytest.raises(ProtocolError, match="broken") as caught:
        service.map(programs.broken, (False,), (True,), (False,))
    assert not caught.value.agreed
    service.close()


def test_reopened_lanes_go_on_with_fresh_streams() -> None:
    drawn: list[bytes] = []
    made: list[RecordingChannel] = []

    def links() -> tuple[Channel, Channel]:
        one, other = memory_channels()
        made.append(RecordingChannel(one))
        return made[-1], other

    service = Service(thread_lanes(1, links=links), dealer=Dealer())
    shares = split(X), split(Y)
    for _ in range(3):
        service.map(programs.times, shares)
        for own in service.lanes:
            own.close()
        drawn.append(made[-1].sent[0])
    service.close()
    assert len(set(drawn)) == len(made) == 3


def test_no_two_lanes_use_one_mask() -> None:
    """What one worker opens in each lane, of the same numbers: the differences tell nothing either."""
    made: list[RecordingChannel] = []

    def links() -> tuple[Channel, Channel]:
        ends = tuple(map(RecordingChannel, memory_channels()))
        made.extend(ends)
        return ends[0], ends[1]

    service = Service(thread_lanes(COUNT, links=links), dealer=Dealer())
    shares = split(np.zeros(2000, dtype=np.int64)), split(np.ones(2000, dtype=np.int64))
    service.map(programs.times, *[shares] * COUNT)
    service.map(programs.times, *[shares] * COUNT)
    service.close()
    openings = []
    for channel, side in zip(made, [0, 1] * COUNT, strict=True):
        own = [share[side].words for share in shares]
        assert not suspicious(View(own, channel.sent, channel.received, channel.trace))
        openings += [
            np.frombuffer(sent, np.uint64) + np.frombuffer(received, np.uint64)
            for sent, received in zip(channel.sent, channel.received, strict=True)
        ]
    # both ends of a link see the same opening
    distinct = {words.tobytes(): words for words in openings}.values()
    assert len(distinct) == 2 * COUNT
    for one, other in combinations(distinct, 2):
        assert looks_uniform((one - other).view(np.uint8))


def test_traffic_is_that_of_all_lanes_and_rounds_of_one() -> None:
    service = Service(thread_lanes(COUNT), dealer=Dealer())
    for times in (1, 2):
        service.product(COUNT)
        expected = ChannelStatistics(times, times * COUNT, times * 960, times * COUNT, times * 960)
        assert service.lanes.master.traffic == service.lanes.secondary.traffic == expected
        for own in service.lanes:
            own.close()
        assert service.lanes.master.traffic == expected
    service.close()


def test_more_parts_than_lanes_are_refused(service: Service) -> None:
    with pytest.raises(SettingError, match="4 parts do not go to 3 lanes"):
        service.map(programs.counted, *[()] * 4)


@pytest.mark.parametrize("count", [0, -1, 1025])
def test_the_number_of_lanes_is_in_range(count: int) -> None:
    with pytest.raises(SettingError, match="1 to 1024 lanes"):
        thread_lanes(count)


def test_a_lane_is_not_pickled_and_shows_no_secret() -> None:
    end, _ = memory_channels()
    source = Dealer().source(Role.MASTER)
    lane = Lane(Unit(Role.MASTER, end, source), {"secret": 1})
    with pytest.raises(SecretExposureError):
        pickle.dumps(lane)
    assert "secret" not in repr(lane)
    (branch,) = source.branches(1)
    assert branch.seed.hex() not in repr(branch)
    assert str(branch.seed) not in repr(branch)


def test_a_dealer_deals_a_lane_once() -> None:
    dealer = Dealer()
    secondary = dealer.source(Role.SECONDARY)
    secondary.branches(2)
    assert secondary.position == 1
    with pytest.raises(PrivMLError, match="draw 0 was dealt already"):
        dealer.branch(0, 2)


def test_a_unit_that_fails_on_its_own_link_leaves_nobody_waiting_in_a_lane() -> None:
    """One unit fails when the other is at work in the lanes already."""
    service = Service(thread_lanes(COUNT), dealer=Dealer())
    service.product(COUNT)

    def fails(unit: Unit) -> list[int]:
        if unit.is_master:
            unit.exchange(np.array([lanes_of(unit)._opening.number], dtype=np.uint64))  # type: ignore[attr-defined]
            raise RuntimeError("an accident")
        return lanes_of(unit).map(unit, programs.told, [(1,)] * COUNT)

    with pytest.raises(RuntimeError, match="an accident"):
        service.run(fails)
    service.close()


def test_a_unit_that_cannot_open_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(thread_lanes(COUNT), dealer=Dealer())
    monkeypatch.setattr(service.units.secondary.correlations, "branches", lambda count: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        service.product(COUNT)
    service.close()


def test_forgotten_lanes_let_their_threads_go() -> None:
    before = threading.active_count()
    service = Service(thread_lanes(COUNT), dealer=Dealer())
    service.product(COUNT)
    assert threading.active_count() > before
    service._runner.close()
    del service
    gc.collect()
    assert threading.active_count() == before


def test_two_units_take_turns_with_the_same_lanes() -> None:
    """Lanes belong to the units that opened them: others get new ones."""
    lanes = thread_lanes(COUNT)
    first, second = Service(lanes, dealer=Dealer()), Service(lanes, dealer=Dealer())
    for _ in range(2):
        for service in (first, second):
            assert (service.product(COUNT) == X * Y).all()
            assert service.map(programs.counted, *[()] * COUNT).master == [1] * COUNT
    first.close()
    second.close()


def test_an_idle_worker_keeps_nothing_of_its_last_job() -> None:
    service = Service(thread_lanes(1), dealer=Dealer())
    service.product(1)
    gc.collect()
    assert not [thing for thing in gc.get_objects() if isinstance(thing, Job | Done)]
    service.close()
