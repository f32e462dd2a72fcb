"""Powers of two and of e: relative errors for large results, a unit for small ones, and never out of range."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks.fixed_point import exponential
from building_blocks.fixed_point.exponential import EXP_ERROR, exp, exp2
from privml.errors import RangeError, SettingError
from tests.building_blocks.fixed_point.numbers import real, refused, share
from tests.two_units import Run, run

Integers = NDArray[np.int64]
Exact = NDArray[np.longdouble]

FUNCTIONS: dict[str, tuple[Callable[..., Any], Callable[..., Any], float]] = {
    "exp2": (exp2, np.exp2, 1.0),
    "exp": (exp, np.exp, math.log(2)),
}
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def arguments(fraction_bits: int, low: float, high: float, step: float) -> Integers:
    """A sweep, the ends, and both sides of all multiples of the step."""
    scale = 2**fraction_bits
    knots = np.arange(math.ceil(max(low, -80) / step), math.floor(high / step) + 1)[:, None] * step
    near = np.rint(knots * scale).astype(np.int64) + np.arange(-3, 4)
    sweeps = [np.linspace(low * scale, high * scale, 1500), np.linspace(max(low, -40) * scale, high * scale, 1500)]
    x = np.concatenate([near.reshape(-1), *(np.trunc(sweep).astype(np.int64) for sweep in sweeps)])
    kept: Integers = x[(x >= low * scale) & (x <= high * scale)]
    return kept


def compute(
    name: str, x: Integers, fraction_bits: int, limit: float, target: int, highest: float | None = None
) -> tuple[Run[Any], Exact, Exact]:
    """What came out, its error as a multiple of the stated bound, and the exact powers."""
    function, exact, _ = FUNCTIONS[name]
    numbers = share(x, fraction_bits, int(limit * 2**fraction_bits))
    done = run(lambda unit, a: function(unit, a, target, highest), numbers)
    powers = exact(x / np.longdouble(2**fraction_bits))
    return done, np.abs(real(done) - powers) / (EXP_ERROR * powers + 2.0**-target), powers


@each_function
@pytest.mark.parametrize(
    ("fraction_bits", "limit", "target", "highest"),
    [
        (16, 8.0, 16, None),
        (16, 20.0, 16, None),
        (20, 11.0, 30, None),
        (0, 31.0, 14, None),
        (30, 1.0, 40, None),
        (40, 3.0, 30, None),
        (61, 0.9, 20, None),
        (16, 0.3, 50, None),
        (16, 0.0, 61, None),
        (16, 1000.0, 20, 0.0),
        (16, 1000.0, 20, -3.0),
        (10, 300_000.0, 16, 3.0),
        (16, 40.0, 0, None),
        (16, 5.0, 16, 500.0),
    ],
)
def test_sweeps(name: str, fraction_bits: int, limit: float, target: int, highest: float | None) -> None:
    top = limit if highest is None else min(limit, highest)
    x = arguments(fraction_bits, -limit, top, FUNCTIONS[name][2])
    done, errors, _ = compute(name, x, fraction_bits, limit, target, highest)
    assert errors.max() <= 1
    assert len(done.views[0].sent) == 11 + (limit > 2**18) + (fraction_bits > 30)


@each_function
@pytest.mark.parametrize(("fraction_bits", "target"), [(57, 10), (58, 30), (59, 30), (60, 20), (61, 20)])
@pytest.mark.parametrize("less", [1, 2**48, 2**53])
def test_arguments_up_to_62_bits(name: str, fraction_bits: int, target: int, less: int) -> None:
    bound = 2**62 - less
    x = np.concatenate([[bound, -bound, 0], np.linspace(-(2.0**61.99), 2**61.99, 200).astype(np.int64)])
    function, exact, _ = FUNCTIONS[name]
    done = run(lambda unit, a: function(unit, a, target), share(x, fraction_bits, bound))
    powers = exact(x / np.longdouble(2**fraction_bits))
    assert (np.abs(real(done) - powers) <= EXP_ERROR * powers + 2.0**-target).all()


@each_function
@settings(max_examples=30)
@given(data=st.data(), limit=st.floats(0.001, 300), fraction_bits=st.integers(5, 40), target=st.integers(0, 40))
def test_any_numbers(name: str, data: st.DataObject, limit: float, fraction_bits: int, target: int) -> None:
    step = FUNCTIONS[name][2]
    highest = min(limit, (61 - target) * step)
    scale = 2**fraction_bits
    bound = int(limit * scale)
    x = np.array(data.draw(st.lists(st.integers(-bound, int(highest * scale)), min_size=1, max_size=10)))
    _, errors, _ = compute(name, x, fraction_bits, limit, target, highest)
    assert errors.max() <= 1


@each_function
def test_the_relative_error_is_hardly_smaller_than_stated(name: str) -> None:
    x = arguments(30, -1, 1, FUNCTIONS[name][2])
    _, errors, _ = compute(name, x, 30, 1, 50)
    assert 0.2 < errors.max() <= 1


@each_function
def test_small_results_are_zero_and_the_declared_range_is_that_of_the_largest(name: str) -> None:
    x = np.array([-1000 << 16, -(17 << 16), 0])
    done, _, _ = compute(name, x, 16, 1000, 16, 0.0)
    assert real(done)[:2].tolist() == [0, 0]
    assert 2**16 <= done.master.bound <= 2**16 + 3


@each_function
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)], ids=str)
def test_any_shape(name: str, shape: tuple[int, ...]) -> None:
    x = np.full(shape, 3 << 10)
    done, errors, _ = compute(name, x, 10, 3, 20)
    assert real(done).shape == shape
    assert (errors <= 1).all()


@each_function
def test_results_that_could_leave_62_bits(name: str) -> None:
    function, _, step = FUNCTIONS[name]
    x = share(np.zeros(3, dtype=np.int64), 10, int(50 * step * 1024))
    run(lambda unit, a: function(unit, a, 11), x)
    refused(RangeError, lambda unit, a: function(unit, a, 13), x, match="62 bits")
    refused(RangeError, lambda unit, a: function(unit, a, 30, highest=33.0), x, match="how large")
    run(lambda unit, a: function(unit, a, 30, highest=20.0), x)
    refused(RangeError, lambda unit, a: function(unit, a, 30, highest=float("nan")), x)


@each_function
def test_arguments_out_of_range(name: str) -> None:
    function = FUNCTIONS[name][0]
    x = share(np.zeros(3, dtype=np.int64), 0, 2**32)
    refused(RangeError, lambda unit, a: function(unit, a, 10, highest=0.0), x, match="62 bits")
    for target in (-1, 62):
        refused(SettingError, lambda unit, a, f=target: function(unit, a, f, highest=-5.0), x, match=r"0\.\.61")


def test_a_polynomial_of_less_degree_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exponential, "DEGREE", 5)
    exponential._coefficients.cache_clear()
    _, errors, _ = compute("exp2", arguments(30, -1, 0.9, 1), 30, 1, 50)
    exponential._coefficients.cache_clear()
    assert errors.max() > 1
