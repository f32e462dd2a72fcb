from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks.sorting import rank, sort, sort_by
from privml.errors import SettingError
from tests.two_units import join, make_units, outcome, run, split

Values = NDArray[np.int64]
FAR = 2**62

values = st.one_of(
    st.lists(st.integers(-FAR, FAR - 1), min_size=1, max_size=10), st.lists(st.integers(-1, 1), min_size=1, max_size=10)
).map(lambda v: np.array(v, dtype=np.int64))


def stable_order(x: Values, descending: bool) -> Values:
    # minus one before it is turned round: the least number has no opposite
    return np.argsort(~x if descending else x, axis=-1, kind="stable")


@given(values, st.booleans())
def test_rank_and_sort(x: Values, descending: bool) -> None:
    order = stable_order(x, descending)
    ranks = join(run(lambda unit, a: rank(unit, a, descending=descending), split(x)))
    np.testing.assert_array_equal(ranks, np.argsort(order))
    np.testing.assert_array_equal(join(run(lambda unit, a: sort(unit, a, descending=descending), split(x))), x[order])


@given(values, st.booleans())
def test_equals_keep_their_order_and_columns_move_along(x: Values, descending: bool) -> None:
    names, rows = np.arange(len(x)), np.arange(6 * len(x)).reshape(len(x), 2, 3)
    done = run(lambda unit, *a: tuple(sort_by(unit, *a, descending=descending)), split(x), split(names), split(rows))
    order = stable_order(x, descending)
    for got, expected in zip(outcome(done.master, done.secondary), (x, names, rows), strict=True):
        np.testing.assert_array_equal(got, expected[order])


@pytest.mark.parametrize("length", [2, 3, 8, 33, 64])
@pytest.mark.parametrize("high", [3, FAR])
def test_every_length_in_batches(length: int, high: int) -> None:
    x = np.random.default_rng(length).integers(-high, high, (3, 2, length))
    np.testing.assert_array_equal(join(run(sort, split(x))), np.sort(x, axis=-1))


@pytest.mark.parametrize("x", [[-FAR, FAR - 1], [FAR - 1, -FAR], [2**63 - 1, 0], [-(2**63), -1], [0, 2**63 - 1]])
@pytest.mark.parametrize("descending", [False, True])
def test_differences_up_to_the_limit(x: list[int], descending: bool) -> None:
    done = run(lambda unit, a: sort(unit, a, descending=descending), split(x))
    assert join(done).tolist() == sorted(x, reverse=descending)


@pytest.mark.parametrize("shape", [(1,), (0,), (5, 1), (5, 0), (0, 1)])
def test_single_values_take_no_message(shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).integers(-9, 9, shape)
    for program, expected in ((sort, x), (rank, np.zeros(shape))):
        done = run(program, split(x))
        np.testing.assert_array_equal(join(done), expected)
        assert not done.views[0].trace


@pytest.mark.parametrize("shape", [(0, 4), (2, 0, 3)])
def test_no_vectors(shape: tuple[int, ...]) -> None:
    assert join(run(sort, split(np.zeros(shape, dtype=np.int64)))).shape == shape


@pytest.mark.parametrize("program", [rank, sort])
@pytest.mark.parametrize("shape", [(), (65,), (2, 65)])
def test_vectors_that_are_too_long(program: object, shape: tuple[int, ...]) -> None:
    units = make_units()
    with pytest.raises(SettingError, match="at most 64"):
        run(program, split(np.zeros(shape, dtype=np.int64)), units=units)  # type: ignore[arg-type]
    assert units[0].channel.statistics.messages_sent == 0


@pytest.mark.parametrize("shape", [(), (3,), (4, 2)])
def test_columns_that_do_not_fit(shape: tuple[int, ...]) -> None:
    units = make_units()
    with pytest.raises(SettingError, match="does not fit"):
        run(sort_by, split(np.zeros((2, 4), dtype=np.int64)), split(np.zeros(shape, dtype=np.int64)), units=units)
    assert units[0].channel.statistics.messages_sent == 0


@pytest.mark.parametrize(("length", "width"), [(3, 1), (8, 4)])
def test_rounds_and_bytes_are_those_the_docstring_states(length: int, width: int) -> None:
    x = np.zeros((160, length), dtype=np.int64)
    columns = [split(x)] * (width - 1)
    done = run(sort_by, split(x), *columns)
    pairs = length * (length - 1) / 2
    for view in done.views:
        assert sum(map(len, view.sent)) == 160 * (13.125 * pairs + length + 8 * (width + 1) * length)
        # four rounds, a message each way one after the other, and one round
        assert len(view.sent) == 6
