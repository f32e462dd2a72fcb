"""Scores as probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks.fixed_point import softmax as module
from building_blocks.fixed_point.softmax import _EXP, _INVERSE, EXP_ERROR, INVERSE_ERROR, softmax, softmax_error
from privml.errors import RangeError, SettingError
from tests.building_blocks.fixed_point.numbers import Real, real, refused, share
from tests.building_blocks.fixed_point.test_cubics import worst_error
from tests.two_units import run

Integers = NDArray[np.int64]


def probabilities(x: Integers, fraction_bits: int) -> Real:
    powers = np.exp((x - x.max(axis=-1, keepdims=True)) / 2.0**fraction_bits)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True))


def rows(count: int, limit: float, fraction_bits: int) -> Integers:
    """Candidates of all distances: one far ahead, equal ones, and those where cubics and levels err most."""
    generator, n = np.random.default_rng(count), 250
    spread = [generator.uniform(-limit / scale, limit / scale, (n, count)) for scale in (1, 3, 10, 100)]
    ahead = np.full((n, count), -min(limit, 6.0))
    ahead[:, 0] = np.linspace(-min(limit, 6.0), min(limit, 6.0), n)
    return np.concatenate([np.trunc(x * 2**fraction_bits).astype(np.int64) for x in (*spread, ahead)])


@pytest.mark.parametrize("fraction_bits", range(10, 17))
def test_powers_and_inverse_sums_before_truncation(fraction_bits: int) -> None:
    assert 0.9 * EXP_ERROR < worst_error(_EXP, -13, 0, fraction_bits) + 2.0**-module.WORKING_BITS <= EXP_ERROR
    inverse = worst_error(_INVERSE, 1 - 64 * EXP_ERROR, module.MOST * (1 + EXP_ERROR), fraction_bits)
    # the sum is truncated to 16 fractional bits, and the inverse to those that the powers have
    assert 0.9 * INVERSE_ERROR < inverse + 2.0**-16 + 2.0**-module.WORKING_BITS <= INVERSE_ERROR


@pytest.mark.parametrize("count", [2, 3, 8, 10, 64])
@pytest.mark.parametrize(
    ("fraction_bits", "limit", "target"), [(16, 7.0, 16), (10, 300.0, 20), (16, 600.0, 28), (24, 8.0, 24)]
)
def test_sweeps(count: int, fraction_bits: int, limit: float, target: int) -> None:
    x = rows(count, limit, fraction_bits)
    done = run(lambda unit, a: softmax(unit, a, target), share(x, fraction_bits, int(limit * 2**fraction_bits)))
    more = 2.0**-17 if fraction_bits > 16 else 0.0
    error = np.abs(real(done) - probabilities(x, fraction_bits)).max()
    assert error <= softmax_error(count, target) + more
    assert np.abs(real(done).sum(axis=-1) - 1).max() <= count * (INVERSE_ERROR + 2.0**-target)


@settings(max_examples=20)
@given(x=st.integers(2, 12).flatmap(lambda m: st.lists(st.floats(-20, 20), min_size=m, max_size=m)))
def test_any_row(x: list[float]) -> None:
    integers = np.rint(np.array(x) * 2**14).astype(np.int64)
    done = run(lambda unit, a: softmax(unit, a, 20), share(integers, 14, 20 << 14))
    assert np.abs(real(done) - probabilities(integers, 14)).max() <= softmax_error(len(x), 20)


def test_what_is_added_to_all_changes_nothing() -> None:
    x = rows(5, 4, 16)
    near, far = (
        real(run(lambda unit, a: softmax(unit, a, 20), share(x + shift, 16, 300 << 16))) for shift in (0, 290 << 16)
    )
    # comparisons that use their slack, and truncation, may fall out differently
    assert np.abs(near - far).max() <= 2 * softmax_error(5, 20)
    assert np.median(np.abs(near - far)) <= 2.0**-16


@pytest.mark.parametrize("shape", [(2,), (0, 3), (2, 3, 4)], ids=str)
def test_any_batch(shape: tuple[int, ...]) -> None:
    done = run(lambda unit, a: softmax(unit, a, 16), share(np.zeros(shape, dtype=np.int64), 12, 1 << 12))
    np.testing.assert_allclose(real(done), np.full(shape, 1 / shape[-1]), atol=softmax_error(shape[-1], 16))


@pytest.mark.parametrize(("count", "rounds"), [(2, 16), (5, 17), (8, 18), (10, 24)])
def test_rounds(count: int, rounds: int) -> None:
    done = run(lambda unit, a: softmax(unit, a, 16), share(np.zeros((3, count), dtype=np.int64), 16, 10 << 16))
    assert len(done.views[0].sent) == rounds


@pytest.mark.parametrize("shape", [(), (1,), (3, 65), (3, 0)], ids=str)
def test_too_few_or_too_many_candidates(shape: tuple[int, ...]) -> None:
    x = share(np.zeros(shape, dtype=np.int64), 16, 5)
    refused(SettingError, lambda unit, a: softmax(unit, a, 16), x, match=r"2\.\.64 candidates")


@pytest.mark.parametrize("target", [0, 29])
def test_scales(target: int) -> None:
    x = share(np.zeros(3, dtype=np.int64), 16, 5)
    refused(SettingError, lambda unit, a: softmax(unit, a, target), x, match=r"1\.\.28")


@pytest.mark.parametrize(("fraction_bits", "bound"), [(16, 2**61), (5, 2**56)])
def test_differences_that_could_leave_62_bits(fraction_bits: int, bound: int) -> None:
    x = share(np.zeros(3, dtype=np.int64), fraction_bits, bound)
    refused(RangeError, lambda unit, a: softmax(unit, a, 16), x, match="62 bits")
    run(lambda unit, a: softmax(unit, a, 16), share(np.zeros(3, dtype=np.int64), fraction_bits, bound - 1))
