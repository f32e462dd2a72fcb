"""Trying functions of shared real numbers on whole ranges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.number import FixedPoint
from tests.two_units import outcome, run, split

Integers: TypeAlias = NDArray[np.int64]
Reals: TypeAlias = NDArray[np.longdouble]


def magnitudes(bits: int, steps: int = 3000) -> Integers:
    """Positive integers of up to so many bits: all that are short, both ends of every binade, and steps between."""
    ends = [2**k + d for k in range(bits + 1) for d in (-2, -1, 0, 1, 2)]
    sweep = np.exp2(np.linspace(0, bits, steps)).astype(np.int64)
    mantissas = (2 ** np.arange(bits, dtype=np.float64)[:, None] * np.linspace(1, 2, 40, endpoint=False)).astype(
        np.int64
    )
    values = np.unique(np.concatenate([np.arange(min(2**bits, 300)), ends, sweep, mantissas.reshape(-1)]))
    return np.asarray(values[(values > 0) & (values < 2**bits)])


def number(share: Any, fraction_bits: int, bits: int) -> FixedPoint:
    """Fixed point of so many bits."""
    return FixedPoint(share, fraction_bits, 2**bits - 1)


def compute(program: Callable[..., Any], *integers: Integers) -> Reals:
    """Run a program on shares of integers, and read its result."""
    done = run(program, *map(split, integers))
    return np.asarray(outcome(done.master, done.secondary), dtype=np.longdouble)
