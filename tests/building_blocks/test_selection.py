from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks.selection import absolute, argmax, argmin, lookup, maximum, minimum, one_hot, select, top_two
from privml.errors import SettingError
from tests.two_units import join, run, split


@pytest.mark.parametrize("candidates", [1, 2, 3, 4, 5, 7, 8, 9, 11, 16, 17, 33])
def test_argmax_at_every_size_with_ties(candidates: int) -> None:
    rng = np.random.default_rng(candidates)
    x = np.concatenate([rng.integers(-2, 3, (60, candidates)), rng.integers(-(2**61), 2**61, (20, candidates))])
    done = run(argmax, split(x))
    index = (done.master.index.words + done.secondary.index.words).view(np.int64)
    one_hot = (done.master.one_hot.words + done.secondary.one_hot.words).view(np.int64)
    np.testing.assert_array_equal(index, x.argmax(axis=-1))
    np.testing.assert_array_equal(one_hot, np.eye(candidates, dtype=np.int64)[index])


@given(st.lists(st.integers(-(2**61), 2**61), min_size=1, max_size=12))
def test_maximum(values: list[int]) -> None:
    assert join(run(maximum, split(np.array(values)))) == max(values)


def test_batches_of_any_shape() -> None:
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 5))
    done = run(lambda unit, a: argmax(unit, a).index, split(x))
    np.testing.assert_array_equal(join(done), x.argmax(axis=-1))


@given(st.integers(0, 1), st.integers(-(2**62), 2**62), st.integers(-(2**62), 2**62))
def test_select(bit: int, x: int, y: int) -> None:
    done = run(select, split(np.array([bit])), split(np.array([x])), split(np.array([y])))
    assert join(done)[0] == (x if bit else y)


def test_nothing_to_choose_from() -> None:
    with pytest.raises(SettingError, match="at least one candidate"):
        run(argmax, split(np.zeros((3, 0), dtype=np.int64)))


@given(st.lists(st.integers(-(2**60), 2**60), min_size=2, max_size=11))
def test_top_two_and_minimum(values: list[int]) -> None:
    x = np.array(values)
    done = run(top_two, split(x))
    order = np.argsort(-x, kind="stable")
    for place in (0, 1):
        assert join(run(lambda unit, a, p=place: a[p].index, (done.master, done.secondary))) == order[place]
    assert join(run(minimum, split(x))) == x.min()
    assert join(run(lambda unit, a: argmin(unit, a).index, split(x))) == x.argmin()


def test_top_two_of_one() -> None:
    with pytest.raises(SettingError, match="at least two"):
        run(top_two, split(np.zeros((3, 1), dtype=np.int64)))


@given(st.integers(-(2**63) + 1, 2**63 - 1))
def test_absolute_value(x: int) -> None:
    assert join(run(absolute, split(np.array([x]))))[0] == abs(x)


def test_one_hot_rows_and_lookup() -> None:
    index = np.array([[0, 3], [4, -1], [5, 2]])
    rows = join(run(lambda unit, a: one_hot(unit, a, 5), split(index)))
    np.testing.assert_array_equal(rows, index[..., None] == np.arange(5))
    table = np.random.default_rng(0).integers(-9, 9, (5, 2, 3))
    got = join(run(lambda unit, a: lookup(unit, a, table), split(index)))
    np.testing.assert_array_equal(got, np.einsum("ijk,klm->ijlm", rows, table))
    with pytest.raises(SettingError, match="dimension"):
        run(lambda unit, a: lookup(unit, a, 7), split(index))
