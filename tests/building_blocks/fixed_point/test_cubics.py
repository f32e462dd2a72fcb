"""Bounded functions as piecewise cubics: their fit, and their evaluation at any scale and range."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from building_blocks.fixed_point import cubics as module
from building_blocks.fixed_point.cubics import COARSEST, FINEST, SLACK, Cubics, evaluate_cubics
from privml.errors import RangeError, SettingError
from tests.building_blocks.fixed_point.numbers import Real, real, refused, share
from tests.two_units import run


def exact_value(cubics: Cubics, x: Any, fraction_bits: int, early: float = 0.0) -> Real:
    """Value before truncation at integers x, of the piece that begins so much before its knot."""
    pieces = cubics.pieces(fraction_bits)
    knots = np.array(pieces.knots) - round(early * 2**fraction_bits)
    rows = pieces.coefficients[np.searchsorted(knots, x, side="right"), 0]
    words, total = np.asarray(x).view(np.uint64), np.zeros(len(x), dtype=np.uint64)
    for m in range(3, -1, -1):
        total = total * words + rows[:, m]
    return np.asarray(total.view(np.int64) / 2.0**62 + 0.5)


def worst_error(cubics: Cubics, low: float, high: float, fraction_bits: int) -> float:
    """Over every argument in a range, whichever piece comparisons that use their slack may take."""
    x = np.arange(round(low * 2**fraction_bits), round(high * 2**fraction_bits) + 1)
    function = cubics.function(x / 2**fraction_bits)
    errors = [np.abs(exact_value(cubics, x, fraction_bits, early) - function) for early in (0.0, SLACK / 2, SLACK)]
    return float(np.max(errors))


def _wave(x: Real) -> Any:
    return 0.5 + np.sin(x / 4) / 2


def _ramp(x: Real) -> Any:
    return np.clip(x / 8 + 0.5, 0, 1)


RAMP = Cubics(_ramp, (-4.0, -3.0, 4.0), lowest=0.0, highest=1.0)
BEGINS = Cubics(np.reciprocal, (1.0, 1.5, 2.0))


@pytest.mark.parametrize("fraction_bits", [0, 3, COARSEST, 13, FINEST, 20])
@pytest.mark.parametrize("limit", [6.0, 900.0, 20_000.0, 300_000.0])
def test_of_any_scale_and_range(fraction_bits: int, limit: float) -> None:
    bound = int(limit * 2**fraction_bits)
    x = np.concatenate([np.linspace(-bound, bound, 2000), np.linspace(-min(bound, 5 << fraction_bits), 5, 1000)])
    integers = x.astype(np.int64)
    done = run(lambda unit, a: evaluate_cubics(unit, RAMP, a, 24), share(integers, fraction_bits, bound))
    coarse = 2.0**-FINEST / 8 if fraction_bits > FINEST else 0.0
    error = np.abs(real(done) - _ramp(integers / 2.0**fraction_bits))
    assert error.max() <= worst_error(RAMP, -6, 6, FINEST) + 2.0**-24 + coarse
    assert len(done.views[0].sent) == 4 + (limit > 2**18) + (fraction_bits > FINEST)


@pytest.mark.parametrize("fraction_bits", [1, 2, 16, 40, 61])
def test_of_any_precision(fraction_bits: int) -> None:
    integers = np.arange(-(3 << 12), 3 << 12)
    done = run(lambda unit, a: evaluate_cubics(unit, RAMP, a, fraction_bits), share(integers, 12, 4 << 12))
    assert np.abs(real(done) - _ramp(integers / 2.0**12)).max() <= 2.0**-fraction_bits + 2.0**-50


def test_arguments_end_where_nothing_is_level() -> None:
    x = np.arange(1 << 12, 1 << 13)
    done = run(lambda unit, a: evaluate_cubics(unit, BEGINS, a, 30), share(x, 12))
    assert np.abs(real(done) - 2**12 / x).max() < 2e-3
    assert BEGINS.pieces(12).knots == (3 << 11,)


def test_coefficients_are_rounded_to_the_least_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rounded each by itself, coefficients of cubes would cost more than all else."""

    def careless(function: Callable[..., Any], low: int, high: int) -> list[int]:
        centre, reach = (low + high) // 2, (high - low) / 2
        a = np.polynomial.chebyshev.chebinterpolate(lambda u: function(centre + reach * u), 3)
        powers = np.polynomial.chebyshev.cheb2poly(a)
        local = [round(c * 2.0**62 / reach**m) for m, c in enumerate(powers)]
        return [sum(local[m] * math.comb(m, k) * (-centre) ** (m - k) for m in range(k, 4)) for k in range(4)]

    wave = Cubics(_wave, tuple(np.arange(0.0, 40.0).tolist()))
    careful = worst_error(wave, 0, 39, FINEST)
    monkeypatch.setattr(module, "_cubic", careless)
    Cubics.pieces.cache_clear()
    careless_error = worst_error(wave, 0, 39, FINEST)
    Cubics.pieces.cache_clear()
    assert careless_error > 2 * careful


def test_fits_are_made_once() -> None:
    assert RAMP.pieces(12) is RAMP.pieces(12)
    assert RAMP.pieces(12) is not RAMP.pieces(13)


@pytest.mark.parametrize("fraction_bits", [0, -1, 62])
def test_scales_that_hold_no_value(fraction_bits: int) -> None:
    x = share(np.zeros(3, dtype=np.int64), 20, 5)
    refused(SettingError, lambda unit, a: evaluate_cubics(unit, RAMP, a, fraction_bits), x, match=r"1\.\.61")


def test_arguments_too_large_to_be_refined() -> None:
    x = share(np.zeros(3, dtype=np.int64), 0, 2**60)
    refused(RangeError, lambda unit, a: evaluate_cubics(unit, RAMP, a, 10), x)
