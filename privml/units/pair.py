"""Both units in one process: for experiments, for tests, and for a provider embedded in a program."""

from __future__ import annotations

import queue
import threading
import weakref
from typing import TYPE_CHECKING, Generic, NamedTuple, Self, TypeVar, cast

from privml.errors import ChannelClosedError, PrivMLError, ProtocolError, SettingError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from privml.units.unit import Unit

T = TypeVar("T")

# seconds between two looks whether a unit waits for a message that nobody will send
_PATIENCE = 0.05


class Pair(NamedTuple, Generic[T]):
    """What the two units have each, e.g. their results of one program."""

    master: T
    secondary: T


class _Success(NamedTuple):
    seat: int  # of the unit: 0 or 1
    result: object


class _Failure(NamedTuple):
    seat: int
    error: BaseException

    @property
    def kills(self) -> bool:
        """Whether the other unit cannot know about it."""
        return not (isinstance(self.error, PrivMLError) and self.error.agreed)

    @property
    def rank(self) -> int:
        """Which of two errors to raise: the one that caused the other, or says more."""
        if isinstance(self.error, ChannelClosedError):
            return 3
        if self.kills:
            return 0
        # in an agreed refusal the unit that found nothing wrong can only say so
        return 2 if isinstance(self.error, ProtocolError) else 1


_Outcomes = queue.SimpleQueue[_Success | _Failure]


class _Task(NamedTuple):
    program: Callable[[Unit], object]
    unit: Unit
    seat: int
    outcomes: _Outcomes


class PairRunner:
    """Runs programs for both units, in two threads that it keeps: starting threads would cost more than a small query.

    A program is one function that both units run in step. The units must be each other's peers over channels that both
    end in this process. The runner neither makes nor closes the channels. A context manager that closes itself.

    Which errors kill the channels
        - An *agreed* error (`PrivMLError.agreed`: both units told each other, e.g. a rejected upload) leaves the
          channels alive, provided the other program ended by itself too and no message is left unread. The next
          `run` works as if nothing had happened.
        - Any other error aborts both channels at once, since nobody can know how far the other unit came. They stay
          dead; every later `run` raises `ChannelClosedError` as soon as its program uses them. To go on, close them,
          put new channels into the units and let them align their correlated randomness (`Unit.align`) before anything
          else; their durable state is theirs to keep in order. The runner itself goes on.
        - Programs out of step count as errors: both wait for a message, one waits after the other ended, or a message
          is left unread, which the next program would take for its own.
        - So an error that leaves `run` with `agreed` set says that the channels are alive.

    Parameters
    ----------
    units
        The Master unit and the Secondary unit.

    Raises
    ------
    SettingError
        They are not the Master and the Secondary, in this order.
    """

    def __init__(self, units: tuple[Unit, Unit]) -> None:
        if [unit.role.label for unit in units] != ["Master", "Secondary"]:
            raise SettingError("a pair is the Master unit and the Secondary unit, in this order")
        self._units = units
        self._running = threading.Lock()
        tasks: tuple[queue.SimpleQueue[_Task | None], ...] = (queue.SimpleQueue(), queue.SimpleQueue())
        self._tasks = tasks
        self._threads = [
            # daemons: a runner that was forgotten must not keep the process from ending
            threading.Thread(target=_work, args=(queue_,), name=f"privml-{unit.role.label.lower()}", daemon=True)
            for queue_, unit in zip(tasks, units, strict=True)
        ]
        for thread in self._threads:
            thread.start()
        self._stop = weakref.finalize(self, _stop, tasks)

    def run(self, program: Callable[[Unit], T]) -> Pair[T]:
        """Run `program(unit)` for both units at once, wait for both, and return both results.

        Calls from several threads run one after the other. It never hangs because a unit failed or the units fell out
        of step; it waits as long as a program computes.

        Raises
        ------
        BaseException
            What the program raised, of the same type, with a note that names the unit: of both units' errors the
            first that is not the other's consequence. Also what interrupts the caller while it waits
            (KeyboardInterrupt): both channels are aborted, and both programs end at their next use of them.
        ProtocolError
            The programs fell out of step, without an error of their own; the channels are aborted.
        ChannelClosedError
            The channels are dead since an earlier failure, or the runner is closed, or the process is a fork's child.
        """
        if threading.current_thread() in self._threads:
            raise ProtocolError("a program cannot run another one on its own units")
        with self._running:
            if not self._stop.alive or not all(thread.is_alive() for thread in self._threads):
                raise ChannelClosedError("the runner is closed, or belongs to the parent process")
            outcomes: _Outcomes = queue.SimpleQueue()
            finished: list[_Success | _Failure] = []
            try:
                for seat, (tasks, unit) in enumerate(zip(self._tasks, self._units, strict=True)):
                    tasks.put(_Task(program, unit, seat, outcomes))
                problem = self._await(outcomes, finished)
            except BaseException as error:
                self._abort(f"the caller was interrupted by {type(error).__name__}")
                while len(finished) < 2:
                    finished.append(outcomes.get())
                raise
            self._raise_failure([end for end in finished if isinstance(end, _Failure)], problem)
            results = {end.seat: cast("T", end.result) for end in finished if isinstance(end, _Success)}
            return Pair(results[0], results[1])

    def close(self) -> None:
        """End the two threads, after a running program. The channels go on. May be called twice."""
        with self._running:
            self._stop()
            for thread in self._threads:
                thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def _await(self, outcomes: _Outcomes, finished: list[_Success | _Failure]) -> str | None:
        """Wait for both ends, in the order in which they come; return in which way the units are out of step."""
        problem = None
        kills = False
        while len(finished) < 2:
            try:
                end = outcomes.get(timeout=_PATIENCE)
            except queue.Empty:
                if not kills and problem is None and self._stuck([end.seat for end in finished]):
                    problem = "the units are out of step: one waits for a message that the other will not send"
                    self._abort(problem)
                continue
            finished.append(end)
            if isinstance(end, _Failure) and end.kills:
                kills = True
                self._abort(f"the {self._label(end)} failed with {type(end.error).__name__}")
        unread = self._unread(0), self._unread(1)
        if not kills and problem is None and any(unread):
            problem = (
                f"the units are out of step: the Master left {unread[0]} messages unread, the Secondary {unread[1]}"
            )
            self._abort(problem)
        return problem

    def _raise_failure(self, failures: list[_Failure], problem: str | None) -> None:
        failures = sorted(failures, key=lambda failure: failure.rank)
        if problem is not None and (not failures or isinstance(failures[0].error, ChannelClosedError)):
            raise ProtocolError(problem)
        if not failures:
            return
        error = failures[0].error
        error.add_note(f"in the {self._label(failures[0])}")
        if problem is not None:
            error.add_note(problem)
        if len(failures) == 2 and failures[1].rank == 0:
            error.add_note(f"the {self._label(failures[1])} raised {type(failures[1].error).__name__} as well")
        if isinstance(error, PrivMLError) and (problem is not None or any(failure.kills for failure in failures)):
            # who sees an agreed error goes on with the channels, and these are dead
            error.agreed = False
        raise error

    def _stuck(self, ended: list[int]) -> bool:
        """Whether every unit whose program has not ended waits for a message that will never come.

        Sound without stopping the units: where no frame was sent or received from the first look to the last, all that
        were sent had been received, and each was seen to wait in between, then each still waits.
        """
        before = self._counts()
        running = [seat for seat in (0, 1) if seat not in ended]
        idle = all(self._unread(seat) == 0 and self._units[seat].channel.waiting for seat in running)
        return idle and self._counts() == before

    def _counts(self) -> list[tuple[int, int]]:
        statistics = [unit.channel.statistics for unit in self._units]
        return [(each.messages_sent, each.messages_received) for each in statistics]

    def _unread(self, seat: int) -> int:
        """Messages sent to a unit that its program has not received."""
        counts = self._counts()
        return counts[1 - seat][0] - counts[seat][1]

    def _abort(self, reason: str) -> None:
        for unit in self._units:
            unit.channel.abort(reason)
            if unit.lanes is not None:
                # it may be there that the unit waits for the other
                unit.lanes.abort(reason)

    def _label(self, end: _Success | _Failure) -> str:
        return f"{self._units[end.seat].role.label} unit"


def pair(program: Callable[[Unit], T], units: tuple[Unit, Unit]) -> Pair[T]:
    """Run `program(unit)` for both units, in two threads made for it; `PairRunner` keeps its threads.

    Parameters, errors and what they do to the channels are those of `PairRunner` and `PairRunner.run`.
    """
    with PairRunner(units) as runner:
        return runner.run(program)


def _work(tasks: queue.SimpleQueue[_Task | None]) -> None:
    while (task := tasks.get()) is not None:
        end: _Success | _Failure
        try:
            end = _Success(task.seat, task.program(task.unit))
        except BaseException as error:  # the caller raises it
            end = _Failure(task.seat, error)
        task.outcomes.put(end)
        # an idle thread keeps nothing of what it did alive
        del task, end


def _stop(tasks: tuple[queue.SimpleQueue[_Task | None], ...]) -> None:
    for each in tasks:
        each.put(None)
