from __future__ import annotations

import numpy as np
import pytest

from building_blocks.logarithm import LOG2_ERROR, LOG2_FRACTION_BITS, LOG2_MAX_BITS, log2
from building_blocks.product import multiply
from building_blocks.shares import Shares
from privml.errors import SettingError
from privml.units.unit import Unit
from tests.two_units import join, run, split


def worst_error(x: np.ndarray[tuple[int], np.dtype[np.int64]], bits: int) -> float:
    y = join(run(lambda unit, a: log2(unit, a, bits), split(x)))
    return float(np.abs(y / np.longdouble(2**LOG2_FRACTION_BITS) - np.log2(x.astype(np.longdouble))).max())


def test_exhaustively_over_sixteen_bits() -> None:
    assert worst_error(np.arange(1, 2**16), 16) <= LOG2_ERROR


@pytest.mark.parametrize("bits", [2, 3, 5, 17, 28, 29, 30, 31, 44, 58, 61, LOG2_MAX_BITS])
def test_dense_sweeps_and_the_ends(bits: int) -> None:
    powers = np.array([2**k + d for k in range(bits) for d in (-1, 0, 1)] + [2**bits - 1, 2**bits - 2])
    sweep = np.exp2(np.linspace(0, bits, 6000)).astype(np.int64)
    x = np.concatenate([powers, sweep])
    assert worst_error(x[(x >= 1) & (x < 2**bits)], bits) <= LOG2_ERROR


@pytest.mark.parametrize("bits", [4, 30, 44, 62])
def test_zero_gives_something_finite_so_that_n_log_n_vanishes(bits: int) -> None:
    def n_log_n(unit: Unit, n: Shares) -> tuple[Shares, Shares]:
        logarithm = log2(unit, n, bits)
        return logarithm, multiply(unit, n, logarithm)

    done = run(n_log_n, split(np.zeros(50, dtype=np.int64)))
    logarithm, product = ((a.words + b.words).view(np.int64) for a, b in zip(done.master, done.secondary, strict=True))
    assert np.abs(logarithm).max() < 8 * 2**LOG2_FRACTION_BITS
    assert not product.any()


@pytest.mark.parametrize("bits", [1, 63, 0])
def test_bits_out_of_range(bits: int) -> None:
    with pytest.raises(SettingError, match=r"2\.\.62"):
        run(lambda unit, a: log2(unit, a, bits), split(np.array([1])))
