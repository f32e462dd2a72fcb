from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks import division
from building_blocks.division import MOST_BITS, divide_integers
from building_blocks.shares import Shares
from privml.errors import SettingError
from tests.building_blocks.fixed_point.functions import Integers, magnitudes
from tests.two_units import make_units, outcome, run, split


def divided(x: Integers, y: Integers, bits: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    done = run(lambda unit, a, b: divide_integers(unit, a, b, bits), split(x), split(y))
    quotient, remainder = outcome(done.master, done.secondary)
    return quotient, remainder


def wrong(x: Integers, y: Integers, bits: int) -> int:
    quotient, remainder = divided(x, y, bits)
    return int(((quotient != x // y) | (remainder != x % y)).sum())


def test_exhaustively_over_eight_bits() -> None:
    x, y = np.arange(2**8)[:, None], np.arange(1, 2**8)[None]
    assert wrong(x, y, 8) == 0


@pytest.mark.parametrize("bits", [1, 2, 16, 31, 32, 33, 40, 44, 48, MOST_BITS])
def test_beside_multiples_of_every_divisor(bits: int) -> None:
    y = np.tile(magnitudes(bits, 500), 6)
    quotients = np.exp2(np.random.default_rng(0).uniform(0, 1, y.size) * np.log2(2.0**bits / y)).astype(np.int64)
    quotients[: y.size // 3] = 2**bits // y[: y.size // 3]
    for beside in (-1, 0, 1):
        assert wrong(np.clip(quotients * y + beside, 0, 2**bits - 1), y, bits) == 0


@pytest.mark.parametrize("bits", [32, 44, MOST_BITS])
def test_the_largest_dividends(bits: int) -> None:
    y = magnitudes(bits)
    assert wrong(np.full(y.size, 2**bits - 1), y, bits) == 0


@given(pairs=st.lists(st.tuples(st.integers(0, 2**44 - 1), st.integers(1, 2**44 - 1)), min_size=1, max_size=50))
def test_pairs_of_any_integers(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=np.int64).T
    assert wrong(x, y, 44) == 0


def test_over_zero_all_remains() -> None:
    x = np.array([0, 1, 2**44 - 1])
    quotient, remainder = divided(x, np.zeros(3, dtype=np.int64), 44)
    assert not quotient.any()
    np.testing.assert_array_equal(remainder, x)


@pytest.mark.parametrize("bits", [0, MOST_BITS + 1])
def test_bits_out_of_range(bits: int) -> None:
    one = Shares(np.array([1], dtype=np.uint64))
    with pytest.raises(SettingError, match=r"1\.\.49"):
        divide_integers(make_units()[0], one, one, bits)


def test_fewer_bits_of_the_second_digit_do_not_suffice(monkeypatch: pytest.MonkeyPatch) -> None:
    y = np.tile(magnitudes(MOST_BITS, 500), 4)
    x = 2**MOST_BITS - 1 - np.arange(y.size)
    for fraction_bits in (0, 22):
        monkeypatch.setattr(division, "FRACTION_BITS", fraction_bits)
        assert wrong(x, y, MOST_BITS) > 0
