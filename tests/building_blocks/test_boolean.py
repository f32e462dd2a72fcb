from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks import boolean
from building_blocks.shares import BooleanShares
from tests.two_units import join, join_bits, run, split, split_bits

words = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=6).map(lambda v: np.array(v, dtype=np.uint64))
Words = np.ndarray[tuple[int], np.dtype[np.uint64]]


@given(words, words)
def test_conjunction(x: Words, y: Words) -> None:
    size = min(len(x), len(y))
    done = run(boolean.conjunction, split_bits(x[:size]), split_bits(y[:size]))
    np.testing.assert_array_equal(join_bits(done), x[:size] & y[:size])


@given(words, st.integers(1, 64))
def test_binary_digits(x: Words, bits: int) -> None:
    x = x & np.uint64(2**bits - 1)
    digits = join_bits(run(lambda unit, a: boolean.to_bits(unit, a, bits), split(x)))
    np.testing.assert_array_equal(digits & np.uint64(2**bits - 1), x)


@given(words, st.integers(1, 64))
def test_suffix_runs(x: Words, bits: int) -> None:
    low = 2**bits - 1
    either = join_bits(run(lambda unit, a: boolean.suffix_or(unit, a, bits), split_bits(x)))
    both = join_bits(run(lambda unit, a: boolean.suffix_and(unit, a, bits), split_bits(x)))
    for value, got_or, got_and in zip(x.tolist(), either.tolist(), both.tolist(), strict=True):
        lanes = [(value >> k) & 1 for k in range(bits)]
        assert [(got_or >> k) & 1 for k in range(bits)] == [max(lanes[k:]) for k in range(bits)]
        assert [(got_and >> k) & 1 for k in range(bits)] == [min(lanes[k:]) for k in range(bits)]
        assert got_or & low == got_or
        assert got_and | low == 2**64 - 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint64])
@pytest.mark.parametrize("bits", [1, 2, 8])
def test_lanes_as_integers(dtype: type[np.uint64], bits: int) -> None:
    x = np.random.default_rng(bits).integers(0, 2**8, (3, 5), dtype=np.uint64).astype(dtype)
    done = run(lambda unit, a: boolean.to_integers(unit, a, bits), split_bits(x))
    np.testing.assert_array_equal(join(done), (x[..., None].astype(np.int64) >> np.arange(bits)) & 1)


def test_weighed_lanes_are_a_sum_over_many_blocks() -> None:
    x = np.random.default_rng(0).integers(0, 2**11, 20_000, dtype=np.uint64)
    weights = np.random.default_rng(1).integers(0, 2**63, (11, 2), dtype=np.uint64)
    done = run(lambda unit, a: boolean.weigh_bits(unit, a, weights), split_bits(x))
    lanes = (x[:, None] >> np.arange(11, dtype=np.uint64)) & np.uint64(1)
    np.testing.assert_array_equal(join(done).view(np.uint64), lanes @ weights)


def test_single_bits_travel_packed() -> None:
    done = run(lambda unit, a: boolean.to_integers(unit, a, 1), split_bits(np.ones(80, dtype=np.uint8)))
    assert [len(frame) for frame in done.views[0].sent] == [10]


def test_inverting_is_local() -> None:
    done = run(boolean.invert, split_bits(np.array([0b1010], dtype=np.uint8)))
    assert isinstance(done.master, BooleanShares)
    assert join_bits(done)[0] == 0b11110101
    assert not done.views[0].trace
