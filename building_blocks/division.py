"""Division of shared integers with remainder, exactly."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from building_blocks.comparison import bit_to_integer, sign
from building_blocks.fixed_point.joined import truncate_all
from building_blocks.fixed_point.normalisation import MANTISSA_BITS, locate, mantissa, mantissa_weights, shift_weights
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.polynomial import evaluate
from building_blocks.fixed_point.reciprocal import RECIPROCAL
from building_blocks.product import multiply
from building_blocks.shares import Shares, stack
from building_blocks.truncation import truncate
from privml.errors import SettingError
from privml.units.unit import Unit

MOST_BITS: Final = 49
FEWEST_BITS: Final = 32
"""Shorter integers are divided as if they had so many bits."""

FRACTION_BITS: Final = 9
"""Fractional bits of the second digit before it is rounded."""


class Division(NamedTuple):
    """The outcome of `divide_integers`, shared."""

    quotient: Shares
    remainder: Shares


def divide_integers(unit: Unit, x: Shares, y: Shares, bits: int = 44) -> Division:
    """Quotient floor(x / y) and remainder x mod y of integers 0 <= x < 2^k and 0 < y < 2^k; shapes broadcast.

    Long division with two digits, by a reciprocal r of the divisor as in `fixed_point.reciprocal`. The first digit
    comes from the top 31 bits of x; what remains of x modulo 2^64 is exact. The second digit comes from that, and is
    right but for one. Two comparisons say which way.

    Parameters
    ----------
    bits
        k, at most 49.

    Returns
    -------
    Division
        Exact. For y = 0 the quotient is 0 and the remainder x.

    Raises
    ------
    SettingError
        `bits` is out of range.

    Notes
    -----
    32 rounds, 458 bytes each way a value. Both units see masked words only. Values outside the range
    give a wrong result and no message.

    With i the top bit of y, s = k - 31, g = 9 and r = (1 + 10 2^-30) 2^i / y at worst: floor(x / 2^s) r errs by 1 + 20
    units and by 1 of its truncation, so that the first digit errs by e = 22 2^{s-i} + 1. The second digit's products
    stay below e 2^{g+30} and, where they are truncated first, i > g, below e 2^k: both below 2^62. It errs by e 10
    2^-30 + 2^-g < 0.06 and is brought down by a half: its truncation is the floor, one more or one less.
    """
    if not 1 <= bits <= MOST_BITS:
        raise SettingError(f"a division takes integers of 1..{MOST_BITS} bits; got bits={bits}")
    bits = max(bits, FEWEST_BITS)
    short, last = bits - MANTISSA_BITS - 1, bits - 1 - FRACTION_BITS
    columns = [
        mantissa_weights(bits, bits - 1),
        shift_weights(bits, short, MANTISSA_BITS),
        shift_weights(bits, FRACTION_BITS, last),
        np.ones((bits, 1), dtype=np.uint64),
    ]
    found = locate(unit, FixedPoint(y, 0, (1 << bits) - 1), np.concatenate(columns, axis=1))
    not_zero = found[..., 6]
    u, top = truncate_all(unit, [multiply(unit, y, found[..., 0]) - found[..., 1], x], short)
    reciprocal = evaluate(unit, RECIPROCAL, mantissa(u), MANTISSA_BITS).shares

    ratio = truncate(unit, multiply(unit, top, reciprocal), MANTISSA_BITS)
    first = _shift(unit, ratio, found[..., 2:4], MANTISSA_BITS)
    remainder = x - multiply(unit, first, y)

    ratio = multiply(unit, _shift(unit, remainder, found[..., 4:6], last), reciprocal)
    places = MANTISSA_BITS + FRACTION_BITS
    second = truncate(unit, ratio - not_zero * (1 << (places - 1)), places)
    remainder -= multiply(unit, second, y)

    signs = bit_to_integer(unit, sign(unit, stack([remainder, remainder - y])))
    correction = not_zero - signs.sum(axis=0)
    return Division(first + second + correction, remainder - multiply(unit, correction, y))


def _shift(unit: Unit, x: Shares, weights: Shares, dropped: int) -> Shares:
    """Multiply by the power of two that `shift_weights` stands for: to within one unit."""
    products = multiply(unit, x[..., None], weights)
    return products[..., 0] + truncate(unit, products[..., 1], dropped)
