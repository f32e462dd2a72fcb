from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from building_blocks.fixed_point import logarithm
from building_blocks.fixed_point.logarithm import LOG_ERROR, ln, log2
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.product import multiply
from building_blocks.shares import Shares
from privml.units.unit import Unit
from tests.building_blocks.fixed_point.functions import Integers, compute, magnitudes, number
from tests.two_units import outcome, run, split

Logarithm = Callable[[Unit, FixedPoint], FixedPoint]

EXACT: dict[Logarithm, Callable[..., Any]] = {log2: np.log2, ln: np.log}
each_base = pytest.mark.parametrize("function", EXACT, ids=["log2", "ln"])


def worst_error(function: Logarithm, x: Integers, bits: int, fraction_bits: int = 0) -> float:
    got = compute(lambda unit, a: function(unit, number(a, fraction_bits, bits)), x)
    return float(np.abs(got - EXACT[function](x / np.longdouble(2) ** fraction_bits)).max())


@each_base
def test_exhaustively_over_sixteen_bits(function: Logarithm) -> None:
    assert worst_error(function, np.arange(1, 2**16), 16) <= LOG_ERROR


@each_base
@pytest.mark.parametrize("bits", [1, 2, 3, 5, 17, 28, 30, 31, 32, 44, 58, 61, 62])
def test_dense_sweeps_and_the_ends(function: Logarithm, bits: int) -> None:
    assert worst_error(function, magnitudes(bits), bits) <= LOG_ERROR


@each_base
@pytest.mark.parametrize("fraction_bits", [1, 16, 33, 61])
def test_fractions(function: Logarithm, fraction_bits: int) -> None:
    for bits in (12, 40, 62):
        assert worst_error(function, magnitudes(bits, 500), bits, fraction_bits) <= LOG_ERROR


@each_base
@pytest.mark.parametrize("bits", [4, 30, 44, 62])
def test_zero_gives_zero_and_so_does_n_log_n(function: Logarithm, bits: int) -> None:
    def n_log_n(unit: Unit, n: Shares) -> tuple[Shares, Shares]:
        result = function(unit, number(n, 3, bits)).shares
        return result, multiply(unit, n, result)

    done = run(n_log_n, split(np.zeros(50, dtype=np.int64)))
    for part in outcome(done.master, done.secondary):
        assert not part.any()


def test_the_bound_of_a_wrong_polynomial_is_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    *kept, last = logarithm._COEFFICIENTS
    monkeypatch.setattr(logarithm, "_COEFFICIENTS", (*kept, last + 2e-5))
    assert worst_error(log2, magnitudes(20), 20) > LOG_ERROR
