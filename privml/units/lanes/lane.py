"""What a unit's worker in one lane is, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from privml.crypto.secret import Secret
from privml.errors import FrameTooLargeError, LaneError
from privml.units.lanes.jobs import Done, Failed, Job

if TYPE_CHECKING:
    from privml.units.channel import ChannelStatistics
    from privml.units.lanes.post import Post
    from privml.units.unit import Unit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Lane(Secret):
    """One unit's worker in a lane.

    Attributes
    ----------
    unit
        As a protocol sees it: the link to the lane's other worker, and the lane's own stream of correlations. No key.
    memory
        What programs leave for later ones of the same lane, until the lanes are closed.
    """

    unit: Unit
    memory: dict[str, Any] = field(default_factory=dict, repr=False)


class Lanes(Protocol):
    """One unit's workers in all lanes; the other unit has as many. Both do the same with theirs, in step.

    Attributes
    ----------
    count
        The number of lanes.
    """

    count: int

    @property
    def traffic(self) -> ChannelStatistics:
        """What went over the lanes' links: bytes and messages of all, rounds of the one that had most."""

    def map(self, unit: Unit, program: Callable[..., T], parts: Sequence[tuple[Any, ...]]) -> list[T]:
        """Run `program(lane, *part)` for each part, in a lane of its own; the lanes are opened where they are not yet.

        Over the units' own link goes one round of 8 bytes, by which they know that the same lanes are open.

        Parameters
        ----------
        unit
            The unit whose lanes these are: over its link the lanes are opened, but none of the work goes.
        program
            A function of a module, so that workers elsewhere find it by its name.
        parts
            Arguments: at most as many as there are lanes. The first lane gets the first part, also next time.

        Raises
        ------
        PrivMLError
            What a program raised. Both units raise it, and the lanes go on, if both of a lane's workers agreed on it
            (`PrivMLError.agreed`); otherwise the lanes are closed.
        LaneError
            A lane cannot be opened, on which the units agree, or a worker is gone.
        SettingError
            There are more parts than lanes.
        """

    def abort(self, reason: str) -> None:
        """Make a `map` that waits for its workers raise, in whichever thread it is. Never raises or waits.

        Called for both units where one of them failed and the other may wait in its lanes. They are still to be closed.
        """

    def close(self) -> None:
        """Let the workers go. The next `map` opens lanes anew, with new links and streams. May be called twice."""


def work(lane: Lane, post: Post) -> None:
    """Do what the unit asks, until it lets the worker go."""
    with lane.unit.channel:
        while (job := post.receive()) is not None:
            end = _perform(lane, job)
            if isinstance(end, Failed) and not end.agreed:
                # before the unit hears of it: the lane's other worker may be waiting for a message that never comes
                lane.unit.channel.abort(f"the other worker of this lane failed with {type(end.error).__name__}")
            try:
                post.send(end)
            except FrameTooLargeError as error:
                post.send(Failed(error, end.traffic))
            # an idle worker keeps nothing of what it did alive
            del job, end


def _perform(lane: Lane, job: Any) -> Done | Failed:
    if not isinstance(job, Job):
        return Failed(LaneError(f"a worker cannot read its job: {job!r}"), lane.unit.channel.statistics)
    try:
        result = job.program(lane, *job.arguments)
    except BaseException as error:  # the unit raises it
        return Failed(error, lane.unit.channel.statistics)
    return Done(result, lane.unit.channel.statistics)
