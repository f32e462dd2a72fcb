"""Reciprocals and quotients of shared fixed-point numbers."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks.fixed_point.joined import multiply_all, truncate_all
from building_blocks.fixed_point.normalisation import (
    MANTISSA_BITS,
    locate,
    mantissa,
    mantissa_weights,
    shift_weights,
    significant_bits,
)
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint, require_range
from building_blocks.fixed_point.polynomial import evaluate, evaluate_times
from building_blocks.fixed_point.power import POWER_ERROR, power
from building_blocks.shares import Shares
from building_blocks.truncation import truncate
from privml.errors import RangeError, SettingError
from privml.units.unit import Unit

RECIPROCAL: Final = (
    0.6666666657990612,
    -0.44444444386604076,
    0.2962965457810733,
    -0.19753103052071552,
    0.1316756930627709,
    -0.08778379537518032,
    0.0587215381256374,
    -0.039147692083760594,
    0.02456325777804276,
    -0.016375505185353387,
    0.01637550518536477,
    -0.010917003456921422,
)
"""1 / (3/2 + u) on [-1/2, 1/2], minimax in the relative error (1.3e-9) by the Remez exchange, lowest power first."""

NUMERATOR_BITS: Final = 42
"""Numerators lie below 2^42: they may be shifted to the right by as much, in two steps of half of it."""


def reciprocal(unit: Unit, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Reciprocal of x > 0, with f fractional bits.

    x = m 2^i with m in [1, 2): a polynomial of degree 11 in m, times 2^-i as a public function of the secret i (for the
    normalisation, Catrina and Saxena, FC 2010, section 4; a polynomial in place of their Newton steps takes fewer
    rounds). For x of either sign, multiply that of |x| (`absolute`) by the sign.

    Returns
    -------
    FixedPoint
        |error| <= 1e-8 / x + 2 2^-f (`POWER_ERROR`). Exactly 0 at x = 0. Meaningless for x < 0.

    Raises
    ------
    RangeError
        2^{f + e}, the result for the smallest positive x, 2^-e, leaves 62 bits.

    Notes
    -----
    With k bits for the integers: 2 ceil(log4(k)) + 10 rounds, and one more for k > 31: 17 then, and at most 280 bytes
    each way a value. Where f + e > 30, 2 rounds more. Both units see masked words only.
    """
    return power(unit, x, -2, RECIPROCAL, fraction_bits)


def divide(unit: Unit, x: FixedPoint, y: FixedPoint, fraction_bits: int, limit: float | None = None) -> FixedPoint:
    """Quotient x / y of numbers x of either sign and y > 0, with f fractional bits; shapes broadcast.

    y = m 2^i as in `reciprocal`; x is shifted by i while y is brought to m, and multiplied by a polynomial in m.

    Parameters
    ----------
    x
        |x| below 2^42 as an integer.
    y
        Positive; as an integer below 2^{94-k} if x has k > 32 bits.
    fraction_bits
        f of the result.
    limit
        Largest |x / y|, if it is known: without it, the largest |x| over the smallest positive y.

    Returns
    -------
    FixedPoint
        |error| <= 1e-8 |x / y| + 3 2^-f (`POWER_ERROR`). Exactly 0 at x = 0 and at y = 0. Meaningless for y < 0.

    Raises
    ------
    RangeError
        x, y or twice the largest quotient has too many bits: declare ranges, or a limit.
    SettingError
        The limit is not positive.

    Notes
    -----
    With k bits for y as an integer: 2 ceil(log4(k)) + 11 rounds: 17 for k > 16, and 320 bytes each way a value. One
    more where x has more than 32 bits and can be shifted out of them; 3 more where a quotient can exceed 30 bits. Both
    units see masked words only.
    """
    require_range(fraction_bits, 0)
    places = fraction_bits + y.fraction_bits - x.fraction_bits
    bound = x.bound << places if places > 0 else x.bound >> -places
    if limit is not None:
        if not limit > 0:
            raise SettingError(f"the largest quotient is positive; got {limit}")
        bound = int(min(bound, limit * 2**fraction_bits))
    require_range(fraction_bits, 2 * bound + 3)
    u, aligned = _align(unit, x, y, places)
    t = FixedPoint(aligned, fraction_bits, 2 * bound + 2)
    quotient = evaluate_times(unit, RECIPROCAL, u, t).shares if t.bound >> 31 == 0 else _multiply_wide(unit, u, t)
    return FixedPoint(quotient, fraction_bits, bound + int(bound * POWER_ERROR) + 3)


def _align(unit: Unit, x: FixedPoint, y: FixedPoint, places: int) -> tuple[FixedPoint, Shares]:
    """Write integers y > 0 as m 2^i, and return m - 3/2, and x 2^{places - i} to within 3/2.

    One truncation does for both: by d bits, such that no product exceeds 62 bits. Where x may be shifted out further
    than by d, a copy of x that is shorter by d takes over.
    """
    bits, numerator_bits = significant_bits(y), significant_bits(x)
    dropped = min(MANTISSA_BITS + 1, RANGE_BITS + 1 - numerator_bits)
    width = MANTISSA_BITS + dropped
    if numerator_bits > NUMERATOR_BITS or bits > width + 1:
        raise RangeError(
            f"a quotient takes numerators of at most {NUMERATOR_BITS} bits, and with {numerator_bits} of them "
            f"denominators of at most {width + 1}; got {bits}: declare smaller ranges, or take fewer fractional bits"
        )
    columns = [mantissa_weights(bits, width), shift_weights(bits, places, dropped)]
    numerators = [x.shares, x.shares]
    if bits - 1 - places > dropped and numerator_bits > dropped + 1:
        columns.append(shift_weights(bits, places + dropped, dropped)[:, 1:])
        numerators.append(truncate(unit, x.shares, dropped))
    found = locate(unit, y, np.concatenate(columns, axis=1))
    pairs = [(numerator, found[..., 2 + k]) for k, numerator in enumerate(numerators)]
    scaled, left, *right = multiply_all(unit, [(y.shares, found[..., 0]), *pairs])
    u, *right = truncate_all(unit, [scaled - found[..., 1], *right], dropped)
    return mantissa(u), sum(right, start=left)


def _multiply_wide(unit: Unit, u: FixedPoint, t: FixedPoint) -> Shares:
    """Multiply 1 / m by t = t_0 + 2^30 t_1: by t_1 it needs no truncation."""
    reciprocals = evaluate(unit, RECIPROCAL, u, MANTISSA_BITS).shares
    high = truncate(unit, t.shares, MANTISSA_BITS)
    low = t.shares - high * (1 << MANTISSA_BITS)
    of_high, of_low = multiply_all(unit, [(high, reciprocals), (low, reciprocals)])
    return of_high + truncate(unit, of_low, MANTISSA_BITS)
