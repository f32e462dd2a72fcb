"""Powers with exponents -1, -1/2 and 1/2: of the mantissa by a polynomial, of the power of two by its position."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from typing import Final

import numpy as np

from building_blocks.fixed_point.normalisation import MANTISSA_BITS, normalise, significant_bits
from building_blocks.fixed_point.number import FixedPoint, require_range
from building_blocks.fixed_point.polynomial import evaluate, evaluate_times
from building_blocks.product import multiply
from building_blocks.shares import Shares
from building_blocks.truncation import truncate
from privml.units.unit import Unit

POWER_ERROR: Final = 1e-8
"""Bound on the relative error of a power; to it comes an absolute one of two units of the result.

In units of the mantissa, 2^-30, relative to its power: of the polynomials for -1, -1/2 and 1/2, which have degree 11,
11 and 8, 1.4, 0.3 and 3.2; of their evaluation, with 1.77, 0.65 and 0.22 for 2 sum |c_i|, 2 (2 + 1.77), sqrt(2) (2 +
0.65) and 2 + 0.22; of the mantissa at most 1. The sums are 10, 5.1 and 6.5; 1e-8 is 10.7. The absolute error is 1.2 of
the last truncations, and 0.71 of the rounded power of two.
"""


def power(unit: Unit, x: FixedPoint, halves: int, coefficients: Sequence[float], fraction_bits: int) -> FixedPoint:
    """Raise x > 0 to the power p = halves / 2: (m 2^i)^p = m^p 2^{ip}.

    Parameters
    ----------
    halves
        -2, -1 or 1.
    coefficients
        Of the polynomial for (3/2 + u)^p.
    fraction_bits
        f of the result.

    Returns
    -------
    FixedPoint
        |error| <= 1e-8 x^p + 2 2^-f (`POWER_ERROR`). Exactly 0 at x = 0. Meaningless for x < 0.

    Raises
    ------
    RangeError
        The power of the smallest positive x, or of the largest, leaves 62 bits.

    Notes
    -----
    Rounds and bytes of `normalise`, and of `evaluate_times`; if the result can exceed 31 bits, those of `evaluate`, and
    two rounds and 32 bytes more. Both units see masked words.
    """
    require_range(fraction_bits, 0)
    shift, lanes = 2 * fraction_bits - halves * x.fraction_bits, range(significant_bits(x))
    largest = _root_of_power(shift, 1 if halves < 0 else x.bound)
    bound = largest + int(largest * POWER_ERROR) + 2
    require_range(fraction_bits, bound)
    weights = [_root_of_power(shift + halves * i) for i in lanes]
    if max(weights) >> (MANTISSA_BITS + 1):
        return FixedPoint(_wide(unit, x, weights, coefficients), fraction_bits, bound)
    u, scale = normalise(unit, x, np.array(weights, dtype=np.uint64)[:, None])
    factor = FixedPoint(scale[..., 0], fraction_bits, max(weights))
    return FixedPoint(evaluate_times(unit, coefficients, u, factor).shares, fraction_bits, bound)


def _wide(unit: Unit, x: FixedPoint, weights: Sequence[int], coefficients: Sequence[float]) -> Shares:
    """Weights as w_0 + 2^30 w_1: times the mantissa's power, w_0 needs a truncation and w_1 none."""
    columns = [[weight & ((1 << MANTISSA_BITS) - 1), weight >> MANTISSA_BITS] for weight in weights]
    u, scale = normalise(unit, x, np.array(columns, dtype=np.uint64))
    of_mantissa = evaluate(unit, coefficients, u, MANTISSA_BITS).shares
    products = multiply(unit, of_mantissa[..., None], scale)
    return truncate(unit, products[..., 0], MANTISSA_BITS) + products[..., 1]


def _root_of_power(exponent: int, factor: int = 1) -> int:
    """Round sqrt(factor 2^exponent) to an integer, the same on every machine."""
    doubled = exponent + 2
    square = factor << doubled if doubled >= 0 else factor >> -doubled
    return (isqrt(square) + 1) >> 1
