from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from building_blocks.fixed_point import root
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.power import POWER_ERROR
from building_blocks.fixed_point.root import inverse_square_root, square_root
from privml.errors import RangeError
from privml.units.unit import Unit
from tests.building_blocks.fixed_point.functions import Integers, compute, magnitudes, number

Root = Callable[[Unit, FixedPoint, int], FixedPoint]

EXPONENTS: dict[Root, float] = {square_root: 0.5, inverse_square_root: -0.5}
each_root = pytest.mark.parametrize("function", EXPONENTS, ids=["square root", "inverse square root"])


def worst_error(function: Root, x: Integers, bits: int, fraction_bits: int, result_bits: int) -> float:
    """The worst error, as a part of the bound on it."""
    got = compute(lambda unit, a: function(unit, number(a, fraction_bits, bits), result_bits), x)
    exact = np.power(x / np.longdouble(2) ** fraction_bits, EXPONENTS[function])
    return float((np.abs(got - exact) / (POWER_ERROR * exact + 2 * 2.0**-result_bits)).max())


@each_root
def test_exhaustively_over_fourteen_bits(function: Root) -> None:
    assert worst_error(function, np.arange(1, 2**14), 14, 6, 12) <= 1


@each_root
@pytest.mark.parametrize("bits", [1, 2, 3, 16, 17, 31, 32, 44, 61, 62])
def test_dense_sweeps_and_the_ends(function: Root, bits: int) -> None:
    for fraction_bits, result_bits in ((0, 0), (7, 20), (20, 20), (33, 28)):
        assert worst_error(function, magnitudes(bits, 1000), bits, fraction_bits, result_bits) <= 1


def test_results_of_any_width() -> None:
    for result_bits in (0, 8, 9, 10, 16, 30):
        assert worst_error(square_root, magnitudes(44, 1000), 44, 0, result_bits) <= 1
    for result_bits in (20, 29, 30, 31, 32, 45, 60):
        assert worst_error(inverse_square_root, magnitudes(44, 1000), 44, 0, result_bits) <= 1


@each_root
def test_zero_gives_zero(function: Root) -> None:
    for result_bits in (4, 40):
        assert not compute(lambda unit, a, f=result_bits: function(unit, number(a, 8, 40), f), np.zeros(50, int)).any()


def test_results_beyond_sixty_two_bits_are_refused() -> None:
    x = np.array([1])
    with pytest.raises(RangeError, match="62 bits"):
        compute(lambda unit, a: square_root(unit, number(a, 0, 62), 31), x)
    with pytest.raises(RangeError, match="62 bits"):
        compute(lambda unit, a: inverse_square_root(unit, number(a, 20, 30), 52), x)


def test_the_bound_of_a_wrong_polynomial_is_exceeded(monkeypatch: pytest.MonkeyPatch) -> None:
    *kept, last = root._SQUARE_ROOT
    monkeypatch.setattr(root, "_SQUARE_ROOT", (*kept, last - 1e-5))
    assert worst_error(square_root, magnitudes(40), 40, 0, 20) > 1
