"""Fixed-point numbers for tests: shared, put together again, and refused before a word is said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import ArrayLike, NDArray

from building_blocks.fixed_point.number import FixedPoint, largest_magnitude
from tests.two_units import Run, make_units, outcome, run, split

Both = tuple[FixedPoint, FixedPoint]
Real = NDArray[np.float64]


def share(integers: ArrayLike, fraction_bits: int, bound: int | None = None) -> Both:
    """Share integers as fixed-point numbers, of the smallest range or of a given one."""
    bound = largest_magnitude(integers) if bound is None else bound
    master, secondary = (FixedPoint(half, fraction_bits, bound) for half in split(integers))
    return master, secondary


def integers_of(both: Both) -> NDArray[np.int64]:
    """The integers that two halves make, which must lie in their declared range."""
    values: NDArray[np.int64] = outcome(both[0].shares, both[1].shares)
    assert both[0].bound == both[1].bound
    assert largest_magnitude(values) <= both[0].bound
    return values


def real(done: Run[FixedPoint]) -> Real:
    """The real numbers that come out, which must lie in their declared range."""
    values: Real = outcome(done.master, done.secondary)
    return values


def refused(error: type[Exception], program: Callable[..., Any], *inputs: Any, match: str | None = None) -> None:
    """Check that a block refuses, before anything is sent and any randomness is spent."""
    units = make_units()
    with pytest.raises(error, match=match):
        run(program, *inputs, units=units)
    for unit in units:
        assert unit.channel.statistics.messages_sent == 0
        assert unit.correlations.position == 0
