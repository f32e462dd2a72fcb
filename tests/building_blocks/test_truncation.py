from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks.truncation import truncate
from privml.errors import SettingError
from tests.two_units import join, run, split

BOUND = 2**62


@pytest.mark.parametrize("fraction_bits", range(1, 63))
def test_never_off_by_more_than_one_at_any_number_of_bits(fraction_bits: int) -> None:
    ends = [-BOUND + 1, BOUND - 1, -BOUND // 2, BOUND // 2 - 1, 0, 1, -1]
    edges = [s * (2**fraction_bits) + d for s in (-1, 0, 1) for d in (-1, 0, 1)]
    x = np.array([v for v in ends + edges if abs(v) < BOUND] * 40)
    y = join(run(lambda unit, a: truncate(unit, a, fraction_bits), split(x)))
    assert set((y - (x >> fraction_bits)).tolist()) <= {0, 1}


@given(st.integers(-BOUND + 1, BOUND - 1), st.integers(1, 62))
def test_law(x: int, fraction_bits: int) -> None:
    y = join(run(lambda unit, a: truncate(unit, a, fraction_bits), split(np.array([x] * 8))))
    assert set((y - (x >> fraction_bits)).tolist()) <= {0, 1}


def test_rounding_is_unbiased() -> None:
    x = np.full(40_000, 3 * 2**10 + 256)
    y = join(run(lambda unit, a: truncate(unit, a, 10), split(x)))
    # the mean of 40,000 coins of chance 1/4 is within 0.02 of it, nine standard deviations
    assert y.mean() == pytest.approx(3.25, abs=0.02)


@pytest.mark.parametrize("fraction_bits", [0, 63, -1])
def test_bits_out_of_range(fraction_bits: int) -> None:
    with pytest.raises(SettingError, match=r"1\.\.62"):
        run(lambda unit, a: truncate(unit, a, fraction_bits), split(np.array([1])))
