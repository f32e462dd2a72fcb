"""One unit's workers in all lanes, wherever they are."""

from __future__ import annotations

import atexit
import queue
import threading
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

import numpy as np

from privml.errors import ChannelClosedError, LaneError, SettingError
from privml.units.channel import ChannelStatistics
from privml.units.lanes.jobs import Done, Failed, Garbled, Job, Wanted

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from privml.units.correlations import Corrector
    from privml.units.lanes.post import Post
    from privml.units.unit import Unit

T = TypeVar("T")

MOST = 1 << 10
"""Lanes."""


class Seat(NamedTuple):
    """A worker, as its unit reaches it, and who corrects its draws if they come by post."""

    post: Post
    corrector: Corrector | None


class Opening(ABC):
    """Workers that were called together; it outlives its crew only until they are let go.

    Attributes
    ----------
    number
        Names it to both units.
    seats
        The workers, in the order of the lanes.
    """

    number = 0

    def __init__(self) -> None:
        self.seats: list[Seat] = []

    @abstractmethod
    def cut(self, reason: str) -> None:
        """Make everybody who waits for a worker, or in one, go on; never waits."""

    @abstractmethod
    def part(self) -> None:
        """Let the workers go, and wait for them for a while."""

    @property
    @abstractmethod
    def trouble(self) -> BaseException | None:
        """What is known of why a worker is gone."""


class Crew(ABC):
    """What is the same wherever the workers are; see `Lanes`, which this is."""

    def __init__(self, count: int) -> None:
        if not 1 <= count <= MOST:
            raise SettingError(f"there are 1 to {MOST} lanes, not {count}")
        self.count = count
        self._opening: Opening | None = None
        self._unit: weakref.ref[Unit] | None = None
        self._release: weakref.finalize[[Opening], Crew] | None = None
        self._in_use = threading.Lock()
        self._ends_with_program = False
        self._closed_traffic = ChannelStatistics()
        self._traffic: list[ChannelStatistics] = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.count})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def traffic(self) -> ChannelStatistics:
        """What went over the lanes' links: bytes and messages of all, rounds of the one that had most."""
        return self._closed_traffic + _together(self._traffic)

    def map(self, unit: Unit, program: Callable[..., T], parts: Sequence[tuple[Any, ...]]) -> list[T]:
        """Run `program(lane, *part)` for each part, in a lane of its own; see `Lanes.map`."""
        if len(parts) > self.count:
            raise SettingError(f"{len(parts)} parts do not go to {self.count} lanes")
        with self._in_use:
            try:
                seats = self._open_in_step(unit)
                ends = self._ask_all(seats, [Job(program, part) for part in parts])
            except BaseException:
                self._close()
                raise
            failures = [end for end in ends if isinstance(end, Failed)]
            if not all(failure.agreed for failure in failures):
                self._close()
        if failures:
            raise min(failures, key=_rank).error
        return [cast("T", end.result) for end in ends if isinstance(end, Done)]

    def abort(self, reason: str) -> None:
        """Make a `map` that waits for its workers raise; see `Lanes.abort`."""
        opening = self._opening
        if opening is not None:
            opening.cut(reason)

    def close(self) -> None:
        """Let the workers go; see `Lanes.close`."""
        # a thread that is at work in the lanes would keep the lock for as long as that takes
        self.abort("the lanes were closed")
        with self._in_use:
            self._close()

    def _open_in_step(self, unit: Unit) -> list[Seat]:
        """Open the lanes, unless both units have the same ones open: one of them may have lost its own. One round."""
        if self._unit is None or self._unit() is not unit:
            self._close()
        mine = np.array([0 if self._opening is None else self._opening.number], dtype=np.uint64)
        (theirs,) = unit.exchange(mine)
        if self._opening is not None and (mine == theirs).all():
            return self._opening.seats
        self._close()
        number = unit.correlations.position + 1
        self._unit, self._opening = weakref.ref(unit), self._new_opening()
        # lanes that are forgotten, or open when the program ends, must not keep workers, secrets or the process
        self._release = weakref.finalize(self, _let_go, self._opening)
        self._opening.seats = self._open(unit, self._opening)
        if not self._ends_with_program:
            _at_the_end(partial(_close_forgotten, weakref.ref(self)))
            self._ends_with_program = True
        self._opening.number = number
        self._traffic = [ChannelStatistics()] * self.count
        return self._opening.seats

    def _ask_all(self, seats: Sequence[Seat], jobs: Sequence[Job]) -> list[Done | Failed]:
        """Give every worker its job, and wait for all of them."""
        ends: list[Done | Failed] = []
        answered: queue.SimpleQueue[tuple[int, Done | Failed | BaseException]] = queue.SimpleQueue()

        def ask(place: int) -> None:
            try:
                answered.put((place, self._ask(seats[place], place, jobs[place])))
            except BaseException as error:  # raised by the unit's own thread
                answered.put((place, error))

        for place in range(len(jobs)):
            # daemons: a worker that never answers must not keep the process from ending
            threading.Thread(target=ask, args=(place,), name=f"privml-lane-{place}", daemon=True).start()
        by_place = dict(answered.get() for _ in jobs)
        for place in range(len(jobs)):
            end = by_place[place]
            if isinstance(end, BaseException):
                raise end
            ends.append(end)
            self._traffic[place] = end.traffic
        return ends

    def _ask(self, seat: Seat, place: int, job: Job) -> Done | Failed:
        traffic = self._traffic[place]
        seat.post.send(job)
        while isinstance(message := seat.post.receive(), Wanted):
            if seat.corrector is None:
                return Failed(LaneError("a worker asks for corrections, which nobody deals"), traffic)
            seat.post.send(seat.corrector.corrections(*message))
        if isinstance(message, Done | Failed):
            return message
        error = LaneError(f"this unit's worker in lane {place} is gone")
        if isinstance(message, Garbled):
            error = LaneError(f"what this unit's worker in lane {place} says cannot be read here: {message.error!r}")
        error.__cause__ = None if self._opening is None else self._opening.trouble
        return Failed(error, traffic)

    def _close(self) -> None:
        if self._release is not None:
            self._release()
        self._closed_traffic, self._traffic, self._opening, self._release = self.traffic, [], None, None

    @abstractmethod
    def _new_opening(self) -> Opening:
        """Where workers will be."""

    @abstractmethod
    def _open(self, unit: Unit, opening: Any) -> list[Seat]:
        """Find workers and link them to the other unit's, lane by lane; the units agree on whether that worked."""


def _let_go(opening: Opening) -> None:
    opening.cut("the lanes were closed")
    opening.part()


# What concurrent.futures ends its threads by, last registered first. Some backends of joblib do the same, and wait for
# workers there: plain atexit comes after that.
_at_the_end: Callable[[Callable[[], None]], object] = getattr(threading, "_register_atexit", atexit.register)


def _close_forgotten(crew: weakref.ref[Crew]) -> None:
    opened = crew()
    if opened is not None:
        opened.close()


def _rank(failure: Failed) -> int:
    """Which of several errors to raise: one that is not only the other worker's consequence."""
    return isinstance(failure.error, ChannelClosedError) + 2 * failure.agreed


def _together(lanes: Sequence[ChannelStatistics]) -> ChannelStatistics:
    """What went over links at the same time."""
    rounds = max((lane.rounds for lane in lanes), default=0)
    return replace(sum(lanes, start=ChannelStatistics()), rounds=rounds)
