"""Fixed operands: opened once, multiplied and squared without a word."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building_blocks import operand
from building_blocks.shares import Shares
from privml.errors import SettingError
from privml.units.unit import Unit
from tests.two_units import run, split

sizes = st.integers(0, 5)


def matrix(rows: int, columns: int, seed: int = 0) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    return np.random.default_rng((seed, rows, columns)).integers(0, 2**64, (rows, columns), dtype=np.uint64)


@settings(max_examples=30)
@given(sizes, sizes, sizes, st.booleans())
def test_products_of_operands_are_exact_and_cost_no_message(n: int, k: int, m: int, transpose_left: bool) -> None:
    left, right = matrix(n, k), matrix(k, m, 1)
    given_left = np.ascontiguousarray(left.T) if transpose_left else left

    def program(unit: Unit, x: Shares, y: Shares) -> Shares:
        first, second = operand.fix_operands(unit, x, y)
        return operand.multiply_operands(unit, first, second, transpose_left=transpose_left)

    done = run(program, split(given_left), split(right))
    np.testing.assert_array_equal(done.master.words + done.secondary.words, left @ right)
    assert [len(frame) for frame in done.views[0].sent] == [8 * (n * k + k * m)]


@settings(max_examples=30)
@given(sizes, st.lists(st.integers(1, 3), max_size=3))
def test_squares_of_values_and_of_sums(n: int, widths: list[int]) -> None:
    x = matrix(n, sum(widths))
    stops = np.cumsum(widths, dtype=int).tolist()
    groups = [slice(stop - width, stop) for stop, width in zip(stops, widths, strict=True)]

    def program(unit: Unit, x: Shares) -> tuple[Shares, Shares, Shares]:
        fixed = operand.fix_operand(unit, x)
        return (*operand.squares(unit, fixed, groups), operand.values(unit, fixed))

    done = run(program, split(x))
    values, sums, same = (a.words + b.words for a, b in zip(done.master, done.secondary, strict=True))
    np.testing.assert_array_equal(values, x * x)
    np.testing.assert_array_equal(same, x)
    for place, group in enumerate(groups):
        np.testing.assert_array_equal(sums[:, place], x[:, group].sum(axis=1) ** np.uint64(2))
    assert [len(frame) for frame in done.views[0].sent] == [8 * x.size]


def test_an_operand_serves_many_products_and_is_opened_once() -> None:
    y, first, second = matrix(4, 3), matrix(2, 4), matrix(5, 4)

    def program(unit: Unit, y: Shares, first: Shares, second: Shares) -> list[Shares]:
        fixed = operand.fix_operand(unit, y)
        return [operand.multiply_by_operand(unit, x, fixed) for x in (first, second)]

    done = run(program, split(y), split(first), split(second))
    for k, x in enumerate((first, second)):
        np.testing.assert_array_equal(done.master[k].words + done.secondary[k].words, x @ y)
    assert [len(frame) for frame in done.views[0].sent] == [8 * 12, 8 * 8, 8 * 20]


def test_what_is_no_matrix_is_refused() -> None:
    with pytest.raises(SettingError, match="matrix"):
        run(operand.fix_operand, split(np.zeros(3, dtype=np.int64)))


def test_sizes_that_do_not_go_together() -> None:
    def program(unit: Unit, x: Shares) -> Shares:
        return operand.multiply_by_operand(unit, x, operand.fix_operand(unit, x))

    with pytest.raises(SettingError, match=r"\(2, 3\) and \(2, 3\)"):
        run(program, split(np.zeros((2, 3), dtype=np.int64)))
