"""Both ends of transfers in one process, and what went between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from privml.units.correlations import Correlation
from privml.units.memory import memory_channels
from privml.units.ot.link import TransferLink
from privml.units.ot.source import OtSource
from privml.units.pair import Pair, PairRunner
from privml.units.recording import RecordingChannel
from privml.units.role import Role
from privml.units.unit import Unit
from tests.privml.units.links import PATIENCE, together
from tests.two_units import looks_uniform

Array = NDArray[Any]
T = TypeVar("T")

SESSION = bytes(range(32))


class Ends(NamedTuple):
    """Two links, the Master's first, over recorded channels."""

    links: tuple[TransferLink, TransferLink]
    channels: tuple[RecordingChannel, RecordingChannel]

    def run(self, program: Callable[[TransferLink, int], T]) -> tuple[T, T]:
        """Run a program on both links; it is told its side, 0 or 1."""
        for channel in self.channels:
            channel.sent.clear()
            channel.received.clear()
        return together(lambda: program(self.links[0], 0), lambda: program(self.links[1], 1))

    def frames_look_uniform(self) -> bool:
        """Whether all that either side received in the last run is uniform, frame by frame."""
        frames = [frame for channel in self.channels for frame in channel.received]
        assert frames
        return all(looks_uniform(np.frombuffer(frame, dtype=np.uint8)) for frame in frames)


def make_ends(sessions: tuple[bytes, bytes] = (SESSION, SESSION)) -> Ends:
    one, other = (RecordingChannel(channel) for channel in memory_channels(timeout=PATIENCE))
    links = together(lambda: TransferLink(one, True, sessions[0]), lambda: TransferLink(other, False, sessions[1]))
    return Ends(links, (one, other))


def source_of(unit: Unit) -> OtSource:
    source = unit.correlations
    assert isinstance(source, OtSource)
    return source


def make_units(roles: Sequence[Role] = tuple(Role)) -> tuple[Unit, Unit]:
    """Units whose correlations come from transfers between them."""
    units = []
    for seat, role, channel in zip(Role, roles, memory_channels(timeout=PATIENCE), strict=True):
        unit = Unit(seat, RecordingChannel(channel), None)  # type: ignore[arg-type]
        unit.correlations = OtSource(role, lambda unit=unit: unit.channel)  # type: ignore[misc]
        units.append(unit)
    return units[0], units[1]


def draw(runner: PairRunner, correlation: Correlation) -> Pair[list[Array]]:
    """Draw on both units, and return the shares of each."""
    return runner.run(lambda unit: unit.correlations.draw(correlation))


def check_law(correlation: Correlation, shares: Pair[list[Array]], *operands: Array) -> list[Array]:
    """Check that shares add up to what the correlation says; return the values."""
    fields = [*correlation.bases, *correlation.derived]
    values = [field.join(*both) for field, both in zip(fields, zip(*shares, strict=True), strict=True)]
    bases, derived = values[: len(correlation.bases)], values[len(correlation.bases) :]
    for field, value in zip(fields, values, strict=True):
        assert value.shape == field.shape
        assert value.dtype == field.dtype
    for got, expected in zip(derived, correlation.derive(*bases, *operands), strict=True):
        np.testing.assert_array_equal(got, expected)
    return values
