"""The logistic function: within its bound everywhere, and hardly better."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building_blocks.fixed_point.sigmoid import _SIGMOID, SIGMOID_ERROR, sigmoid
from tests.building_blocks.fixed_point.numbers import Real, real, share
from tests.building_blocks.fixed_point.test_cubics import exact_value, worst_error
from tests.two_units import run


def logistic(x: Real) -> Real:
    """Without overflow: a test of its own."""
    return np.asarray(0.5 * (1 + np.tanh(x / 2)))


@pytest.mark.parametrize("fraction_bits", range(10, 17))
def test_every_argument_before_truncation(fraction_bits: int) -> None:
    # beyond 14 the level is constant, and its distance from the function grows no more
    worst = worst_error(_SIGMOID, -14, 14, fraction_bits)
    assert 0.99 * SIGMOID_ERROR < worst <= SIGMOID_ERROR
    assert worst_error(_SIGMOID, -9.75, 9.71, fraction_bits) <= 2.4e-5


def test_far_out_it_is_level_however_powers_wrap() -> None:
    x = np.array([-(2**61), -(2**40), 2**40, 2**61])
    values = exact_value(_SIGMOID, x, 16)
    assert np.abs(values - [0, 0, 1, 1]).max() <= SIGMOID_ERROR


@pytest.mark.parametrize(
    ("fraction_bits", "limit"),
    [(10, 12.0), (12, 700.0), (14, 1000.0), (16, 3.0), (16, 14.0), (16, 1000.0), (16, 5000.0), (20, 14.0), (4, 100.0)],
)
@pytest.mark.parametrize("target", [16, 24])
def test_sweeps(fraction_bits: int, limit: float, target: int) -> None:
    bound = int(limit * 2**fraction_bits)
    near = min(bound, 14 << fraction_bits)
    knots = np.array(_SIGMOID.knots)[:, None] * 2**fraction_bits + np.arange(-40, 40)
    x = np.concatenate([np.linspace(-near, near, 6000), np.linspace(-bound, bound, 1000), knots.reshape(-1)])
    integers = x[np.abs(x) <= bound].astype(np.int64)
    done = run(lambda unit, a: sigmoid(unit, a, target), share(integers, fraction_bits, bound))
    more = 2.0**-18 if fraction_bits > 16 else 0.0
    error = np.abs(real(done) - logistic(integers / 2.0**fraction_bits))
    assert error.max() <= SIGMOID_ERROR + 2.0**-target + more
    assert len(done.views[0].sent) == 4 + (limit > 2**18) + (fraction_bits > 16)


@settings(max_examples=30)
@given(
    x=st.lists(st.floats(-1000, 1000) | st.floats(-12, 12), min_size=1, max_size=20), fraction_bits=st.integers(10, 16)
)
def test_any_numbers(x: list[float], fraction_bits: int) -> None:
    integers = np.rint(np.array(x) * 2**fraction_bits).astype(np.int64)
    done = run(lambda unit, a: sigmoid(unit, a, 20), share(integers, fraction_bits, 1000 << fraction_bits))
    assert np.abs(real(done) - logistic(integers / 2.0**fraction_bits)).max() <= SIGMOID_ERROR + 2.0**-20


@pytest.mark.parametrize(("limit", "each"), [(4000, 24.125), (200_000, 27.375)])
def test_it_takes_four_rounds_and_at_most_28_bytes(limit: int, each: float) -> None:
    done = run(lambda unit, a: sigmoid(unit, a, 16), share(np.zeros(800, dtype=np.int64), 16, limit << 16))
    sent = done.views[0].sent
    assert (len(sent), sum(map(len, sent)) / 800) == (4, each)


def test_with_a_knot_less_it_errs_more() -> None:
    less = type(_SIGMOID)(_SIGMOID.function, tuple(t for t in _SIGMOID.knots if t != 0.875), lowest=0.0, highest=1.0)
    assert worst_error(less, -12, 12, 16) > 2 * SIGMOID_ERROR
