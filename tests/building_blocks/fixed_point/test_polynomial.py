from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.polynomial import polyval

from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.polynomial import evaluate, evaluate_times
from building_blocks.shares import Shares
from privml.errors import RangeError, ScaleError, SettingError
from tests.building_blocks.fixed_point.functions import compute
from tests.two_units import make_units, run, split

W = 30
UNIT = 2.0**-W

coefficients = st.lists(st.floats(-0.2, 0.2), min_size=2, max_size=24)


@given(c=coefficients, fraction_bits=st.integers(10, 40))
def test_within_the_bound_up_to_one(c: list[float], fraction_bits: int) -> None:
    u = np.linspace(-(2**28), 2**28, 101).astype(np.int64)
    got = compute(lambda unit, a: evaluate(unit, c, FixedPoint(a, 28, 2**28), fraction_bits), u)
    bound = 2.0**-fraction_bits + 2.0**-28 * (1 + sum(i * abs(each) + 0.5 for i, each in enumerate(c) if i))
    assert np.abs(got - polyval(u * np.longdouble(2.0**-28), c)).max() <= bound


@given(c=coefficients)
def test_within_the_bound_up_to_a_half(c: list[float]) -> None:
    u = np.linspace(-(2**29), 2**29, 101).astype(np.int64)
    got = compute(lambda unit, a: evaluate(unit, c, FixedPoint(a, W, 2**29), W), u)
    bound = UNIT * (2 + 2 * sum(map(abs, c[2:])))
    assert np.abs(got - polyval(u * np.longdouble(UNIT), c)).max() <= bound


@given(c=coefficients, scale=st.integers(0, 40))
def test_times_a_factor(c: list[float], scale: int) -> None:
    grid = np.meshgrid(np.linspace(-(2**29), 2**29, 21), np.linspace(-(2**30), 2**30, 11))
    u, t = (each.astype(np.int64) for each in grid)
    got = compute(
        lambda unit, a, b: evaluate_times(unit, c, FixedPoint(a, W, 2**29), FixedPoint(b, scale, 2**30)), u, t
    )
    exact = polyval(u * np.longdouble(UNIT), c) * t / np.longdouble(2) ** scale
    # high(u) has coefficients of at most 0.2 on powers of at most 1/2: it stays below 0.4
    bound = np.abs(t) * UNIT * (2 + 2 * sum(map(abs, c[2:]))) + 1.4
    assert (np.abs(got - exact) * 2.0**scale <= bound).all()


def test_factors_broadcast() -> None:
    u, t = np.array([[2**28], [-(2**28)]]), np.array([[4, 8, 12]])
    got = compute(
        lambda unit, a, b: evaluate_times(unit, [1, 1, 1], FixedPoint(a, W, 2**29), FixedPoint(b, 0, 12)), u, t
    )
    np.testing.assert_allclose(got.astype(float), t * (1 + u * UNIT + (u * UNIT) ** 2), atol=3)


@pytest.mark.parametrize(
    ("degree", "rounds"), [(1, 1), (2, 3), (3, 4), (4, 5), (5, 6), (7, 6), (8, 7), (9, 8), (15, 8), (16, 9), (17, 10)]
)
def test_rounds_are_those_the_docstring_states(degree: int, rounds: int) -> None:
    done = run(lambda unit, a: evaluate(unit, [0.1] * (degree + 1), FixedPoint(a, W, 2**29), W), split([0, 1]))
    assert len(done.views[0].sent) == rounds


@pytest.mark.parametrize(("degree", "rounds"), [(1, 4), (2, 4), (3, 6), (5, 6), (6, 8), (11, 8), (12, 10), (23, 10)])
def test_rounds_with_a_factor(degree: int, rounds: int) -> None:
    def program(unit, a):  # type: ignore[no-untyped-def]
        return evaluate_times(unit, [0.1] * (degree + 1), FixedPoint(a, W, 2**29), FixedPoint(a, 0, 2**29))

    assert len(run(program, split([0, 1])).views[0].sent) == rounds


@pytest.mark.parametrize(
    ("error", "coefficients", "bits", "result_bits"),
    [
        (SettingError, [1.0], W, W),
        (SettingError, [], W, W),
        (ScaleError, [1.0, 1.0, 1.0], 20, 41),
        (RangeError, [4.0, 0.0], W, W),
        (RangeError, [0.0, 0.0, 0.0, 3.0, 3.0], W, W),
        (SettingError, [1.0, 1.0], 31, 31),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_sent(
    error: type[Exception], coefficients: list[float], bits: int, result_bits: int
) -> None:
    unit = make_units()[0]
    u = FixedPoint(Shares(np.array([1], dtype=np.uint64)), bits, 2 ** (bits - 1))
    with pytest.raises(error):
        evaluate(unit, coefficients, u, result_bits)
    if error is not ScaleError:
        with pytest.raises(error):
            evaluate_times(unit, coefficients, u, u)
    assert not unit.channel.statistics.bytes_sent


@pytest.mark.parametrize("degree", [4, 8, 40])
def test_powers_that_do_not_fit_are_refused_before_anything_is_sent(degree: int) -> None:
    unit = make_units()[0]
    coefficients = [0.1**i for i in range(degree + 1)]
    u = FixedPoint(Shares(np.array([1], dtype=np.uint64)), W, 3 << (W - 1))
    with pytest.raises(RangeError):
        evaluate(unit, coefficients, u, W)
    with pytest.raises(RangeError):
        evaluate_times(unit, coefficients, u, FixedPoint(u.shares, 5, 2**20))
    assert not unit.channel.statistics.bytes_sent


def test_a_factor_that_is_too_large_is_refused_before_anything_is_sent() -> None:
    unit = make_units()[0]
    u = FixedPoint(Shares(np.array([1], dtype=np.uint64)), W, 2**29)
    with pytest.raises(RangeError):
        evaluate_times(unit, [1.0, 1.0], u, FixedPoint(u.shares, 0, 2**32))
    assert not unit.channel.statistics.bytes_sent
