from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks.selection import argmax, maximum, select
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
