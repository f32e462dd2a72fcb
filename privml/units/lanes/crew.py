"""One unit's workers in all lanes, wherever they are."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar, cast

import joblib
import numpy as np

from privml.errors import ChannelClosedError, LaneError, SettingError
from privml.units.channel import ChannelStatistics
from privml.units.lanes.lane import Done, Failed, Job
from privml.units.lanes.post import Wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
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


class Crew(ABC):
    """What is the same wherever the workers are; see `Lanes`, which this is."""

    def __init__(self, count: int) -> None:
        if not 1 <= count <= MOST:
            raise SettingError(f"there are 1 to {MOST} lanes, not {count}")
        self.count = count
        self._seats: list[Seat] = []
        self._opening = 0
        """Names the lanes that are open, to both units; 0 for none."""
        self._closed_traffic = ChannelStatistics()
        self._traffic: list[ChannelStatistics] = []
        self._callers = ThreadPoolExecutor(count, "privml-lane")

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
        self._open_in_step(unit)
        try:
            ends = list(self._callers.map(self._ask, range(len(parts)), [Job(program, part) for part in parts]))
        except BaseException:
            self.close()
            raise
        failures = [end for end in ends if isinstance(end, Failed)]
        if not all(failure.agreed for failure in failures):
            self.close()
        if failures:
            raise min(failures, key=_rank).error
        return [cast("T", end.result) for end in ends if isinstance(end, Done)]

    def close(self) -> None:
        """Let the workers go; see `Lanes.close`."""
        for seat in self._seats:
            seat.post.close()
        if self._seats:
            self._part()
        self._closed_traffic, self._traffic, self._seats, self._opening = self.traffic, [], [], 0

    def _open_in_step(self, unit: Unit) -> None:
        """Open the lanes, unless both units have the same ones open: one of them may have lost its own. One round."""
        mine = np.array([self._opening], dtype=np.uint64)
        (theirs,) = unit.exchange(mine)
        if self._seats and (mine == theirs).all():
            return
        self.close()
        opening = unit.correlations.position + 1
        self._seats = self._open(unit)
        self._traffic = [ChannelStatistics()] * self.count
        self._opening = opening

    @abstractmethod
    def _open(self, unit: Unit) -> list[Seat]:
        """Find workers and link them to the other unit's, lane by lane."""

    @abstractmethod
    def _part(self) -> None:
        """Clear away what is left of workers that were told to go."""

    def _ask(self, place: int, job: Job) -> Done | Failed:
        post, corrector = self._seats[place]
        post.send(job)
        while isinstance(message := post.receive(), Wanted):
            if corrector is None:
                return Failed(LaneError("a worker asks for corrections, which nobody deals"), self._traffic[place])
            post.send(corrector.corrections(*message))
        if message is None:
            return Failed(LaneError(f"this unit's worker in lane {place} is gone"), self._traffic[place])
        end = cast("Done | Failed", message)
        self._traffic[place] = end.traffic
        return end


class Hall:
    """The thread in which joblib runs workers, until they are let go."""

    def __init__(self, tasks: Iterable[Any], count: int, backend: str, options: dict[str, Any]) -> None:
        self.trouble: BaseException | None = None
        self._thread = threading.Thread(
            # a daemon: lanes that were forgotten must not keep the process from ending
            target=self._run,
            args=(tasks, count, backend, options),
            name="privml-lanes",
            daemon=True,
        )
        self._thread.start()

    @property
    def open(self) -> bool:
        """Whether joblib still runs workers."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait until all are gone, but no longer than this."""
        self._thread.join(seconds)

    def _run(self, tasks: Iterable[Any], count: int, backend: str, options: dict[str, Any]) -> None:
        try:
            with joblib.parallel_config(backend=backend, **options):
                # all at once and one by one: the workers of all lanes are there at the same time; a single job would
                # be run by joblib itself, in this thread
                joblib.Parallel(n_jobs=max(count, 2), batch_size=1, pre_dispatch="all")(tasks)
        except BaseException as error:  # the unit raises it, if it misses a worker
            self.trouble = error


def _rank(failure: Failed) -> int:
    """Which of several errors to raise: one that is not only the other worker's consequence."""
    return isinstance(failure.error, ChannelClosedError) + 2 * failure.agreed


def _together(lanes: Sequence[ChannelStatistics]) -> ChannelStatistics:
    """What went over links at the same time."""
    rounds = max((lane.rounds for lane in lanes), default=0)
    return replace(sum(lanes, start=ChannelStatistics()), rounds=rounds)
