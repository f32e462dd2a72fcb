"""Binary and natural logarithm of shared numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks.fixed_point.normalisation import normalise, significant_bits
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.polynomial import evaluate
from building_blocks.shares import ring
from privml.units.unit import Unit

LOG_FRACTION_BITS: Final = 28
"""Fractional bits of a logarithm."""

LOG_ERROR: Final = 5.5e-8
"""Bound on the absolute error of either logarithm.

4.24e-8 of the polynomial with its rounded coefficients; 2^-28 of the last truncation and 2^-30 (0.57 + 1.24) of those
before it; 2^-30 of the mantissa, times a slope of at most 1.45; 2^-29 of the exponent's weight. Rounding makes 8.7e-9.
"""

LN2: Final = 0.6931471805599453

# log2(3/2 + u) on [-1/2, 1/2], minimax of degree 8 by the Remez exchange, lowest power first
_COEFFICIENTS: Final = (
    0.5849624879562194,
    0.9617959715808274,
    -0.3205968290059735,
    0.14252637446531863,
    -0.07129974868097064,
    0.037462900858481876,
    -0.020578738542358137,
    0.014778808160428909,
    -0.009088927344889587,
)


def log2(unit: Unit, x: FixedPoint) -> FixedPoint:
    """Binary logarithm of x > 0, with 28 fractional bits.

    The integer is (3/2 + u) 2^i with the position i of its top bit (`normalise`); a polynomial of degree 8 in u, and i
    less the fractional bits of x (after Catrina and Saxena, FC 2010, section 4, who normalise the same way).

    Parameters
    ----------
    x
        Positive; any range and any number of fractional bits.

    Returns
    -------
    FixedPoint
        |error| <= 5.5e-8 (`LOG_ERROR`). Exactly 0 at x = 0, and n log2(n) with it. Meaningless for x < 0.

    Notes
    -----
    With k bits for the integers: 2 ceil(log4(k)) + 9 rounds, and one more for k > 31: 16 then, and at most 192 bytes
    each way a value. Both units see masked words only.
    """
    return _logarithm(unit, x, 1.0)


def ln(unit: Unit, x: FixedPoint) -> FixedPoint:
    """Natural logarithm of x > 0, with 28 fractional bits: ranges, error, cost and view as `log2`."""
    return _logarithm(unit, x, LN2)


def _logarithm(unit: Unit, x: FixedPoint, of_two: float) -> FixedPoint:
    """Logarithm of x to the base in which that of 2 is `of_two`."""
    # the constant of the polynomial goes with the exponents: nothing of it is left at x = 0
    constant, *others = (coefficient * of_two for coefficient in _COEFFICIENTS)
    exponents = [i - x.fraction_bits for i in range(significant_bits(x))]
    weights = [round((i * of_two + constant) * 2**LOG_FRACTION_BITS) for i in exponents]
    u, exponent = normalise(unit, x, ring(np.array(weights))[:, None])
    fraction = evaluate(unit, [0.0, *others], u, LOG_FRACTION_BITS)
    largest = max(abs(exponents[0]), abs(exponents[-1] + 1)) * of_two * 2**LOG_FRACTION_BITS
    # the error is below fifteen units
    return FixedPoint(fraction.shares + exponent[..., 0], LOG_FRACTION_BITS, round(largest) + 15)
