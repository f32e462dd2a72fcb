"""Powers of two and of e."""

from __future__ import annotations

import math
from functools import cache
from typing import Final

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial

from building_blocks import truncation
from building_blocks.fixed_point.arithmetic import truncate
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint, require_range
from building_blocks.fixed_point.polynomial import evaluate
from building_blocks.pieces import Pieces, evaluate_pieces
from building_blocks.product import multiply
from building_blocks.shares import ring
from privml.errors import RangeError
from privml.units.unit import Unit

EXP_ERROR: Final = 4.3e-9
"""Bound on the relative error: 1.2e-10 of the polynomial of degree 7, 2.9e-9 of its evaluation with 30 fractional bits,
and 1.1e-9 of the argument, whose reduction is rounded; all relative to powers of 0.98 at least.
"""

WORKING_BITS: Final = 30
"""Fractional bits of the reduced argument and of its power."""

DEGREE: Final = 7

SLACK: Final = 1 / 32
"""How far the polynomial reaches below what it is needed for: comparisons with knots need not be exact."""


def exp2(unit: Unit, x: FixedPoint, fraction_bits: int, highest: float | None = None) -> FixedPoint:
    """Powers 2^x = 2^i 2^u, with an integer i and 0 <= u < 1.

    Comparisons of x with all integers in its range, under one mask, give x - i and 2^i at once (`evaluate_pieces`); a
    polynomial gives 2^u, and a product the result. (Aly and Smart, ACNS 2019, part x in this way and multiply 2^i from
    the bits of i.)

    Parameters
    ----------
    x
        Its declared range bounds the result, and how small a result can be.
    fraction_bits
        f of the result.
    highest
        The largest x can be, if that is less than its declared magnitude, as 0 for numbers that are not positive.

    Returns
    -------
    FixedPoint
        |error| <= 4.3e-9 2^x + 2^-f (`EXP_ERROR`). Below x = -f it is 0.

    Raises
    ------
    RangeError
        The largest result leaves 62 bits, or |x| exceeds 2^32.

    Notes
    -----
    11 rounds, and 144 + 5/8 k bytes each way a value for k integers in the range of x, from -f on; 8 more if the result
    can exceed 31 bits. k/4 more bytes where |x| can be 2^12 - 64 or more; one more round and 3 k more bytes where it
    can be 2^18 - 64 or more, or 2^62 - 2^39 as an integer. One more round and 8 more bytes if x has more than 30
    fractional bits. Both units see masked words.
    """
    return _power(unit, x, 1.0, fraction_bits, highest)


def exp(unit: Unit, x: FixedPoint, fraction_bits: int, highest: float | None = None) -> FixedPoint:
    """Powers e^x = 2^i e^u, with 0 <= u < ln 2: all is as for `exp2`, at multiples of ln 2 instead of integers."""
    return _power(unit, x, math.log(2), fraction_bits, highest)


def _power(unit: Unit, x: FixedPoint, step: float, fraction_bits: int, highest: float | None) -> FixedPoint:
    """2^(x / step)."""
    highest = x.limit if highest is None else max(min(highest, x.limit), -x.limit)
    bound = _bound(highest / step, fraction_bits)
    if x.fraction_bits < WORKING_BITS:
        x = x.refined(WORKING_BITS)
    lowest = max(math.floor(-x.limit / step), -fraction_bits)
    exponents = range(lowest, max(math.floor(highest / step), lowest) + 1)
    reduction, furthest = _reduction(exponents, step, x.fraction_bits, fraction_bits)
    reduced = evaluate_pieces(unit, reduction, x.shares, x.bound)
    u = truncate(unit, FixedPoint(reduced[..., 0], x.fraction_bits, furthest), WORKING_BITS)
    of_fraction = evaluate(unit, _coefficients(step), u, WORKING_BITS).shares
    products = multiply(unit, of_fraction[..., None], reduced[..., 1:])
    result = truncation.truncate(unit, products[..., 0], WORKING_BITS)
    return FixedPoint(result + products[..., 1:].sum(axis=-1), fraction_bits, bound)


def _bound(exponent: float, fraction_bits: int) -> int:
    """Return the largest integer that a power can be."""
    if not exponent + fraction_bits < RANGE_BITS:
        raise RangeError(
            f"powers up to 2^{exponent:g} with {fraction_bits} fractional bits could exceed {RANGE_BITS} bits; take "
            "fewer fractional bits, or declare how large the argument can be"
        )
    bound = math.ceil(math.exp2(exponent + fraction_bits) * (1 + EXP_ERROR)) + 1
    require_range(fraction_bits, bound)
    return bound


def _reduction(exponents: range, step: float, of_argument: int, of_result: int) -> tuple[Pieces, int]:
    """Reduce x, from i step on: x - (i + 1/2) step, and 2^i times 2^f as 2^30 a + b. Below all i: zeros.

    Times a number below 2 with 30 fractional bits, a needs no truncation, and b takes one. A product with b alone fits
    62 bits up to 2^30: then a is left out.

    Returns
    -------
    Pieces
        With the results x - (i + 1/2) step, b, and a.
    int
        The largest magnitude of the first.
    """
    scale = 2**of_argument
    middle, slack = round(step / 2 * scale), round(SLACK * scale)
    powers = [i + of_result for i in exponents]
    columns = 3 if powers[-1] > WORKING_BITS else 2
    coefficients = np.zeros((len(exponents) + 1, columns, 2), dtype=np.uint64)
    knots = [round(i * step * scale) for i in exponents]
    for row, knot, power in zip(coefficients[1:], knots, powers, strict=True):
        row[0] = ring([-knot - middle, 1])
        if power > WORKING_BITS:
            row[2, 0] = 1 << (power - WORKING_BITS)
        else:
            row[1, 0] = 1 << power
    return Pieces(tuple(knots), coefficients, slack), middle + slack + 1


@cache
def _coefficients(step: float) -> tuple[float, ...]:
    """Interpolate 2^(u / step + 1/2) at Chebyshev's points of the reduced arguments; lowest power first."""
    reach = step / 2 + SLACK
    series = Chebyshev.interpolate(lambda u: np.exp2(u / step + 0.5), DEGREE, domain=[-reach, reach])
    return tuple(series.convert(kind=Polynomial).coef.tolist())
