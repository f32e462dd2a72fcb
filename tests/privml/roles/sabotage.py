"""A unit that fails at a moment of the test's choice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from privml import Provider
from privml.units.channel import Channel, ChannelStatistics
from privml.units.role import Role

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


class AccidentError(Exception):
    """Something that nobody foresaw."""


class Saboteur(Channel):
    """Lets a unit fail just before or just after its message number `at`."""

    def __init__(self, inner: Channel, at: int, *, after: bool) -> None:
        self._inner, self._at, self._after = inner, at, after
        self.passed = 0

    @property
    def timeout(self) -> float | None:
        return self._inner.timeout

    @timeout.setter
    def timeout(self, timeout: float | None) -> None:
        self._inner.timeout = timeout

    @property
    def statistics(self) -> ChannelStatistics:
        return self._inner.statistics

    @property
    def waiting(self) -> bool:
        return self._inner.waiting

    def send(self, frame: Buffer) -> None:
        self._fail(after=False)
        self._inner.send(frame)
        self._fail(after=True)

    def receive(self) -> memoryview:
        self._fail(after=False)
        frame = self._inner.receive()
        self._fail(after=True)
        return frame

    def exchange(self, frame: Buffer) -> memoryview:
        self._fail(after=False)
        received = self._inner.exchange(frame)
        self._fail(after=True)
        return received

    def close(self) -> None:
        self._inner.close()

    def abort(self, reason: str) -> None:
        self._inner.abort(reason)

    def _fail(self, *, after: bool) -> None:
        if self.passed == self._at and after == self._after:
            self.passed += 1
            raise AccidentError
        self.passed += after


def sabotage(provider: Provider, role: Role, at: int, *, after: bool) -> Saboteur:
    """Let one unit of a provider fail once; the channel that the provider makes then is sound again."""
    unit = next(unit for unit in provider.units if unit.role is role)
    unit.channel = Saboteur(unit.channel, at, after=after)
    return unit.channel
