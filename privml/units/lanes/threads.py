"""Lanes of units that are both in this process: each worker a thread."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING

import joblib

from privml.units.lanes.crew import Crew, Hall, Seat
from privml.units.lanes.lane import Lane, Lanes, work
from privml.units.lanes.post import queue_posts
from privml.units.memory import memory_channels
from privml.units.pair import Pair
from privml.units.role import Role
from privml.units.unit import Unit

if TYPE_CHECKING:
    from collections.abc import Callable

    from privml.units.channel import Channel

PATIENCE = 10.0
"""Seconds that workers get to end in."""

if TYPE_CHECKING:
    Links = Callable[[], tuple[Channel, Channel]]


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


class ThreadLanes(Crew):
    """One unit's workers, in threads of this process; made by `thread_lanes`. Programs share memory with the unit."""

    def __init__(self, count: int, crossing: _Crossing) -> None:
        super().__init__(count)
        self._crossing = crossing
        self._ends: list[Channel] = []
        self._hall: Hall | None = None

    def _open(self, unit: Unit) -> list[Seat]:
        opening = unit.correlations.position
        branches = unit.correlations.branches(self.count)
        self._ends = self._crossing.ends(opening, unit.role, self.count)
        lanes = [
            Lane(Unit(unit.role, end, branch.source(partial(_same, end))))
            for end, branch in zip(self._ends, branches, strict=True)
        ]
        posts = [queue_posts() for _ in lanes]
        tasks = [joblib.delayed(work)(lane, theirs) for lane, (_, theirs) in zip(lanes, posts, strict=True)]
        self._hall = Hall(tasks, self.count, "threading", {})
        return [Seat(mine, None) for mine, _ in posts]

    def _part(self) -> None:
        for end in self._ends:
            # a worker that is still at work, and the other unit's, which may wait for it
            end.abort("the lanes were closed")
        if self._hall is not None:
            self._hall.wait(PATIENCE)


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
