"""Both units with lanes, and programs that are run in them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import signed
from privml.units.dealer import Dealer
from privml.units.lanes import Lanes
from privml.units.memory import memory_channels
from privml.units.ot.source import OtSource
from privml.units.pair import Pair, PairRunner
from privml.units.role import Role
from privml.units.unit import Unit
from tests.privml.units.lanes import programs
from tests.two_units import split

T = TypeVar("T")

X, Y = np.arange(-30, 30), np.arange(60)


class Service:
    """Both units with their lanes: no matter which."""

    def __init__(self, lanes: Pair[Any], *, dealer: Dealer | None) -> None:
        self.lanes = lanes
        ends = dict(zip(Role, memory_channels(timeout=60), strict=True))
        sources = (
            dealer.source(role) if dealer else OtSource(role, lambda role=role: ends[role])  # type: ignore[misc]
            for role in Role
        )
        self.units = Pair(
            *(Unit(role, ends[role], source, lanes=own) for role, source, own in zip(Role, sources, lanes, strict=True))
        )
        self._runner = PairRunner(self.units)

    def map(self, program: Callable[..., T], *parts: tuple[Any, ...]) -> Pair[list[T]]:
        """Run a program in lanes; an argument given as a pair of shares is handed out, others go to both."""

        def of(unit: Unit) -> list[T]:
            side = 0 if unit.is_master else 1
            handed = [tuple(a[side].words if isinstance(a, tuple) else a for a in part) for part in parts]
            return lanes_of(unit).map(unit, program, handed)

        return self._runner.run(of)

    def run(self, program: Callable[[Unit], T]) -> Pair[T]:
        """Run a program on both units."""
        return self._runner.run(program)

    def product(self, pieces: int) -> NDArray[np.int64]:
        parts = [
            (split(x), split(y)) for x, y in zip(np.array_split(X, pieces), np.array_split(Y, pieces), strict=True)
        ]
        both = self.map(programs.times, *parts)
        return signed(np.concatenate(both.master) + np.concatenate(both.secondary))

    def close(self) -> None:
        self._runner.close()
        for own in self.lanes:
            if own is not None:
                own.close()


def lanes_of(unit: Unit) -> Lanes:
    assert unit.lanes is not None
    return unit.lanes
