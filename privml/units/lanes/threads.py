"""Lanes of units that are both in this process: each worker a thread."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

from privml.units.lanes.crew import Crew, Opening, Seat
from privml.units.lanes.lane import Lane, Lanes, work
from privml.units.lanes.post import queue_posts
from privml.units.memory import memory_channels
from privml.units.pair import Pair
from privml.units.role import Role
from privml.units.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from privml.units.channel import Channel

    Links = Callable[[], tuple[Channel, Channel]]

PATIENCE = 10.0
"""Seconds that workers get to end in."""


class _Crossing:
    """Where both units find the ends of the same links: whoever opens lanes first makes them."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._left: dict[int, list[Channel]] = {}
        self._lock = threading.Lock()

    def ends(self, opening: int, role: Role, count: int) -> list[Channel]:
        """Return one unit's ends; `opening` is a number that both units know it by, and is never used again."""
        with self._lock:
            if opening in self._left:
                return self._left.pop(opening)
            masters, secondaries = zip(*(self._links() for _ in range(count)), strict=True)
            mine, theirs = (masters, secondaries) if role is Role.MASTER else (secondaries, masters)
            # what is left of openings that only one unit came to
            self._left = {opening: list(theirs)}
            return list(mine)


class _Threads(Opening):
    """Workers in threads, and their ends of the lanes' links."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[Channel] = []
        self.threads: list[threading.Thread] = []

    def cut(self, reason: str) -> None:
        """Let go, and abort the links: a worker of either unit may wait there."""
        for seat in self.seats:
            seat.post.cut()
        for end in self.ends:
            end.abort(reason)

    def part(self) -> None:
        """Wait for the threads to end."""
        for thread in self.threads:
            thread.join(PATIENCE)

    @property
    def trouble(self) -> None:
        """Nothing: what a thread raises, it says."""
        return


class ThreadLanes(Crew):
    """One unit's workers, in threads of this process; made by `thread_lanes`. Programs share memory with the unit."""

    def __init__(self, count: int, crossing: _Crossing) -> None:
        super().__init__(count)
        self._crossing = crossing

    def _new_opening(self) -> _Threads:
        return _Threads()

    def _open(self, unit: Unit, opening: _Threads) -> list[Seat]:
        number = unit.correlations.position
        branches = unit.correlations.branches(self.count)
        opening.ends = self._crossing.ends(number, unit.role, self.count)
        # the other unit may have failed to open its own: nobody is to wait for its workers
        unit.agree(None)
        for end, branch in zip(opening.ends, branches, strict=True):
            mine, theirs = queue_posts()
            lane = Lane(Unit(unit.role, end, branch.source(partial(_same, end))))
            opening.threads.append(
                # a daemon: lanes that were forgotten must not keep the process from ending
                threading.Thread(target=work, args=(lane, theirs), name="privml-worker", daemon=True)
            )
            opening.seats.append(Seat(mine, None))
            opening.threads[-1].start()
        return opening.seats


def thread_lanes(count: int, *, links: Links = memory_channels) -> Pair[Lanes]:
    """Make lanes for both units of this process: the Master's and the Secondary's, in as many threads each.

    Parameters
    ----------
    count
        1 to 1024; as many as there are cores to spare beside the units' own two threads.
    links
        Makes both ends of a lane's link.

    Raises
    ------
    SettingError
        The number is out of range.
    """
    crossing = _Crossing(links)
    return Pair(ThreadLanes(count, crossing), ThreadLanes(count, crossing))


def _same(channel: Channel) -> Channel:
    return channel
