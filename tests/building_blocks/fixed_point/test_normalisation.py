from __future__ import annotations

import numpy as np
import pytest

from building_blocks.fixed_point.normalisation import MANTISSA_BITS, locate, normalise, shift_weights, significant_bits
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import Shares
from privml.errors import SettingError
from privml.units.unit import Unit
from tests.building_blocks.fixed_point.functions import magnitudes, number
from tests.two_units import join, make_units, outcome, run, split


def test_bits_follow_from_the_declared_range() -> None:
    for bound, bits in ((0, 1), (1, 1), (2, 2), (2**44 - 1, 44), (2**44, 45)):
        assert significant_bits(FixedPoint(Shares(np.zeros(1, dtype=np.uint64)), 3, bound)) == bits


@pytest.mark.parametrize("bits", [1, 2, 16, 17, 31, 32, 62])
def test_mantissa_and_weights(bits: int) -> None:
    x = magnitudes(bits, 200)
    weights = np.arange(2 * bits, dtype=np.uint64).reshape(bits, 2) * np.uint64(2**57 + 1)

    def program(unit: Unit, a: Shares) -> tuple[FixedPoint, Shares]:
        return normalise(unit, number(a, 5, bits), weights)

    done = run(program, split(x))
    u, found = outcome(done.master, done.secondary)
    position = np.array([int(each).bit_length() - 1 for each in x])
    assert np.abs(u - (x / np.exp2(position.astype(np.longdouble)) - 1.5)).max() <= 2.0**-MANTISSA_BITS
    np.testing.assert_array_equal(found.view(np.uint64), weights[position])


def test_zero_has_no_top_bit() -> None:
    weights = np.ones((40, 1), dtype=np.uint64)
    done = run(lambda unit, a: normalise(unit, number(a, 0, 40), weights), split(np.zeros(50, dtype=np.int64)))
    for part in outcome(done.master, done.secondary):
        assert not part.any()


@pytest.mark.parametrize("places", [-5, 0, 7, 40, 70])
def test_shifts_by_weights(places: int) -> None:
    bits, dropped, x = 20, 30, 1000
    y = magnitudes(bits, 100)
    weights = shift_weights(bits, places, dropped)
    done = run(lambda unit, a: locate(unit, number(a, 0, bits), weights), split(y))
    left, right = np.moveaxis(join(done), -1, 0)
    for each, by_left, by_right in zip(y, left, right, strict=True):
        shift = places - (int(each).bit_length() - 1)
        exact = x << shift if shift >= 0 else x >> -shift
        assert (x * int(by_left) + (x * int(by_right) >> dropped) - exact) % 2**64 == 0


@pytest.mark.parametrize("shape", [(39, 1), (41, 2), (40,)])
def test_weights_have_a_row_for_each_bit(shape: tuple[int, ...]) -> None:
    x = number(Shares(np.ones(1, dtype=np.uint64)), 0, 40)
    with pytest.raises(SettingError, match=r"\(40, k\)"):
        locate(make_units()[0], x, np.ones(shape, dtype=np.uint64))
