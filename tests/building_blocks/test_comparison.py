from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks.boolean import MaskedWord, open_masked
from building_blocks.comparison import (
    below_thresholds,
    bit_to_integer,
    equal,
    equal_to,
    is_zero,
    less_than,
    mask_exceeds,
    sign,
)
from building_blocks.shares import BooleanShares, Shares
from privml.errors import SettingError
from privml.units.unit import Unit
from tests.two_units import join, join_bits, run, split

ENDS = [-(2**63), -(2**63) + 1, -(2**62), -1, 0, 1, 2**62, 2**63 - 1]


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_sign_of_every_word(values: list[int]) -> None:
    x = np.array(values)
    np.testing.assert_array_equal(join_bits(run(sign, split(x))), x < 0)


def test_sign_next_to_every_power_of_two() -> None:
    powers = [s * 2**k + d for k in range(63) for s in (1, -1) for d in (-1, 0, 1)]
    x = np.array((ENDS + powers) * 20)
    np.testing.assert_array_equal(join_bits(run(sign, split(x))), x < 0)


@given(st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62 - 1))
def test_less_than(x: int, y: int) -> None:
    left, right = np.array([x, y, x]), np.array([y, x, x])
    np.testing.assert_array_equal(join_bits(run(less_than, split(left), split(right))), left < right)


@pytest.mark.parametrize("shapes", [((), ()), ((0,), (0,)), ((3, 1), (1, 4)), ((2, 5), (5,))])
def test_shapes_broadcast(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, y = (np.random.default_rng(k).integers(-3, 3, shape) for k, shape in enumerate(shapes))
    done = run(lambda unit, a, b: bit_to_integer(unit, less_than(unit, a, b)), split(x), split(y))
    np.testing.assert_array_equal(join(done), x < y)


@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=9))
def test_zero_and_equality(values: list[int]) -> None:
    x = np.array([*values, 0, 0])
    np.testing.assert_array_equal(join_bits(run(is_zero, split(x))), x == 0)
    np.testing.assert_array_equal(join_bits(run(equal, split(x), split(x[::-1].copy()))), x == x[::-1])
    got = join_bits(run(lambda unit, a: equal_to(unit, a, values[0]), split(x)))
    np.testing.assert_array_equal(got, x == values[0])


def test_words_that_differ_from_zero_in_a_single_bit() -> None:
    x = (np.uint64(1) << np.arange(64, dtype=np.uint64)).view(np.int64)
    assert not join_bits(run(is_zero, split(x))).any()
    assert join_bits(run(is_zero, split(np.zeros(64, dtype=np.int64)))).all()


@given(
    st.lists(st.integers(-(2**61), 2**61), min_size=1, max_size=4),
    st.lists(st.integers(-(2**61), 2**61), min_size=1, max_size=5),
)
def test_many_thresholds_at_once(values: list[int], thresholds: list[int]) -> None:
    x = np.array([*values, *thresholds])
    got = join_bits(run(lambda unit, a: below_thresholds(unit, a, thresholds), split(x)))
    np.testing.assert_array_equal(got, x[:, None] < np.array(thresholds))


@pytest.mark.parametrize("dtype", [np.uint16, np.uint64])
@given(words=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20), near=st.integers(-1, 1))
def test_where_the_mask_exceeds(words: list[int], near: int, dtype: type[np.uint16 | np.uint64]) -> None:
    """Against any public word, and one next to the mask itself."""

    def program(unit: Unit, x: Shares) -> tuple[BooleanShares, BooleanShares]:
        masked = open_masked(unit, x)
        low = MaskedWord(
            masked.opened.astype(dtype),
            BooleanShares(masked.mask.words.astype(dtype)),
            [product.astype(dtype) for product in masked.products],
        )
        return mask_exceeds(unit, low), BooleanShares(masked.mask.words.astype(dtype))

    x = np.array([*words, 0, near % 2**64], dtype=np.uint64)
    done = run(program, split(x))
    exceeds, mask = (one.words ^ other.words for one, other in zip(done.master, done.secondary, strict=True))
    np.testing.assert_array_equal(exceeds, mask > (x + mask).astype(dtype))


def test_thresholds_have_one_dimension() -> None:
    with pytest.raises(SettingError, match="one-dimensional"):
        run(lambda unit, a: below_thresholds(unit, a, [[1]]), split(np.array([1])))
