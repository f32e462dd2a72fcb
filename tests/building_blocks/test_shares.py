from __future__ import annotations

import copy
import operator
import pickle
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joblib import Parallel, delayed

from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import (
    BooleanShares,
    Shares,
    concatenate,
    in_blocks,
    open_bits,
    open_shares,
    public,
    public_bits,
    ring,
    signed,
    stack,
)
from privml.errors import SecretExposureError, SettingError
from tests.two_units import join, join_bits, run, split, split_bits

integers = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=8).map(lambda v: np.array(v, dtype=np.int64))


@given(integers)
def test_the_ring_is_twos_complement(values: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
    np.testing.assert_array_equal(signed(ring(values)), values)


@pytest.mark.parametrize("values", [[0.5], np.array([1.0]), ["1"]])
def test_only_integers_enter_the_ring(values: object) -> None:
    with pytest.raises(SettingError, match="integers"):
        ring(values)  # type: ignore[arg-type]


def test_local_operations_are_those_of_the_integers() -> None:
    rng = np.random.default_rng(1)
    x, y = (rng.integers(-(2**40), 2**40, (3, 4)) for _ in range(2))
    k, m = rng.integers(-9, 9, (3, 4)), rng.integers(-9, 9, (4, 2))
    operations = {
        "sum": (lambda a, b: a + b, x + y),
        "difference": (lambda a, b: a - b, x - y),
        "negative": (lambda a, b: -a, -x),
        "factor": (lambda a, b: k * a * 3, 3 * k * x),
        "matrix": (lambda a, b: a @ m, x @ m),
        "matrix from the left": (lambda a, b: m.T @ a.transposed, m.T @ x.T),
        "part": (lambda a, b: a[1:, ::2], x[1:, ::2]),
        "shape": (lambda a, b: a.reshape(2, 6), x.reshape(2, 6)),
        "sum of rows": (lambda a, b: a.sum(axis=1), x.sum(axis=1)),
        "sum of all": (lambda a, b: a.sum(), x.sum()),
        "stack": (lambda a, b: stack([a, b], axis=-1), np.stack([x, y], axis=-1)),
        "join": (lambda a, b: concatenate([a, b]), np.concatenate([x, y])),
    }
    for name, (operation, expected) in operations.items():
        got = join(run(lambda unit, a, b, f=operation: f(a, b), split(x), split(y)))
        np.testing.assert_array_equal(got, expected, err_msg=name)


def test_public_values_cost_no_message() -> None:
    done = run(lambda unit: public(unit, np.array([-5, 7])))
    np.testing.assert_array_equal(join(done), [-5, 7])
    assert not done.views[0].trace
    bits = run(lambda unit: public_bits(unit, np.array([5], dtype=np.uint8)))
    np.testing.assert_array_equal(join_bits(bits), [5])


def test_opening_gives_both_units_the_values_in_one_round() -> None:
    x, y = np.array([1, -2]), np.array([[3], [4]])
    done = run(open_shares, split(x), split(y))
    for result in (done.master, done.secondary):
        np.testing.assert_array_equal(signed(result[0]), x)
        np.testing.assert_array_equal(signed(result[1]), y)
    assert len(done.views[0].sent) == 1
    word = np.array([0xAB], dtype=np.uint8)
    assert run(open_bits, split_bits(word)).secondary[0][0] == 0xAB


def test_shares_say_nothing_in_their_repr() -> None:
    assert repr(Shares(np.arange(2, dtype=np.uint64))) == "Shares(shape=(2,))"
    assert repr(BooleanShares(np.arange(2, dtype=np.uint8))) == "BooleanShares(shape=(2,), bits=8)"


@pytest.mark.parametrize("leave", [pickle.dumps, copy.copy, copy.deepcopy])
def test_shares_do_not_leave_the_process_by_accident(leave: Callable[[object], object]) -> None:
    words = Shares(np.arange(2, dtype=np.uint64))
    for share in (words, BooleanShares(words.words), FixedPoint(words, 1, 1)):
        with pytest.raises(SecretExposureError):
            leave(share)
        assert replace(share) is not share, "made anew in the open, as operations do"


def test_threads_share_shares() -> None:
    """What keeps them from pickle keeps them from no thread."""
    words = Shares(np.arange(2, dtype=np.uint64))
    doubled = Parallel(n_jobs=2, prefer="threads")(delayed(operator.add)(words, words) for _ in range(4))
    assert all((each.words == 2 * words.words).all() for each in doubled)


def test_blocks_of_a_local_step_are_its_whole() -> None:
    words = np.arange(1000, dtype=np.uint64)
    np.testing.assert_array_equal(in_blocks(lambda a: a * np.uint64(3), words, rows=64), words * np.uint64(3))
