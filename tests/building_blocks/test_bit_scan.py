from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import and_, or_, xor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks.bit_scan import bit_length, most_significant_bit, prefix_and, prefix_or, prefix_xor, suffix_xor
from building_blocks.shares import BooleanShares
from privml.errors import SettingError
from tests.two_units import join, join_bits, make_units, run, split, split_bits

Words = NDArray[Any]
Scan = Callable[[Any, BooleanShares, int], BooleanShares]

words = st.sampled_from([8, 16, 32, 64]).flatmap(
    lambda lanes: st.tuples(
        st.lists(st.integers(0, 2**lanes - 1), min_size=1, max_size=5).map(
            lambda v: np.array(v, dtype=f"u{lanes // 8}")
        ),
        st.integers(1, lanes),
    )
)

SCANS: dict[str, tuple[Scan, Callable[[int, int], int], bool]] = {
    "prefix and": (prefix_and, and_, True),
    "prefix or": (prefix_or, or_, True),
    "prefix xor": (lambda unit, x, bits: prefix_xor(x, bits), xor, True),
    "suffix xor": (lambda unit, x, bits: suffix_xor(x, bits), xor, False),
}

each_scan = pytest.mark.parametrize("scan", SCANS)


@each_scan
@given(case=words)
def test_every_lane_is_what_the_lanes_beside_it_make(scan: str, case: tuple[Words, int]) -> None:
    program, operation, from_below = SCANS[scan]
    x, bits = case
    got = join_bits(run(lambda unit, a: program(unit, a, bits), split_bits(x)))
    assert got.dtype == x.dtype
    for value, result in zip(x.tolist(), got.tolist(), strict=True):
        lanes = [value >> k & 1 for k in range(bits)]
        runs = [lanes[: k + 1] if from_below else lanes[k:] for k in range(bits)]
        assert result == sum(reduce(operation, each) << k for k, each in enumerate(runs))


@each_scan
@pytest.mark.parametrize("bits", [0, 9, -1])
def test_lanes_that_words_do_not_have(scan: str, bits: int) -> None:
    units = make_units()
    with pytest.raises(SettingError, match="8 lanes"):
        run(lambda unit, a: SCANS[scan][0](unit, a, bits), split_bits(np.zeros(3, dtype=np.uint8)), units=units)
    assert units[0].channel.statistics.messages_sent == 0


@pytest.mark.parametrize(("bits", "rounds"), [(1, 0), (2, 1), (4, 1), (5, 2), (16, 2), (17, 3), (64, 3)])
def test_rounds(bits: int, rounds: int) -> None:
    done = run(lambda unit, a: prefix_or(unit, a, bits), split_bits(np.zeros(3, dtype=np.uint64)))
    assert len(done.views[0].sent) == rounds


numbers = st.integers(1, 64).flatmap(
    lambda bits: st.tuples(
        st.just(bits),
        st.lists(st.integers(0, 63).map(lambda k: 1 << k) | st.integers(0, 2**64 - 1), min_size=1, max_size=6).map(
            lambda v: np.array([0, *v], dtype=np.uint64) & np.uint64(2**bits - 1)
        ),
    )
)


@given(numbers)
def test_most_significant_bit_and_length(case: tuple[int, Words]) -> None:
    bits, x = case
    top = join_bits(run(lambda unit, a: most_significant_bit(unit, a, bits), split(x)))
    length = join(run(lambda unit, a: bit_length(unit, a, bits), split(x)))
    for value, power, digits in zip(x.tolist(), top.tolist(), length.tolist(), strict=True):
        assert digits == value.bit_length()
        assert power == 1 << digits >> 1


@pytest.mark.parametrize("program", [most_significant_bit, bit_length])
@pytest.mark.parametrize("bits", [0, 65])
def test_words_have_64_bits(program: Any, bits: int) -> None:
    units = make_units()
    with pytest.raises(SettingError, match="64 bits"):
        run(lambda unit, a: program(unit, a, bits), split([1]), units=units)
    assert units[0].channel.statistics.messages_sent == 0
