"""Binary logarithm of shared integers."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks.boolean import suffix_or, to_bits, weigh_bits
from building_blocks.product import multiply
from building_blocks.shares import BooleanShares, Shares, concatenate, public
from building_blocks.truncation import truncate
from privml.errors import SettingError
from privml.units.unit import Unit

LOG2_FRACTION_BITS: Final = 28
"""Fractional bits of a logarithm."""

LOG2_ERROR: Final = 7e-8
"""Bound on the absolute error of a logarithm: 4.3e-8 of the polynomial, and less than seven units of 2^-28 by
rounding.
"""

LOG2_MAX_BITS: Final = 62

# log2(1.5 + u) on [-1/2, 1/2], minimax of degree 8 by the Remez exchange, lowest power first
_COEFFICIENTS: Final = (
    0.5849624879598008,
    0.9617959715580293,
    -0.32059682925443234,
    0.14252637478307006,
    -0.07129974557527846,
    0.03746290045761379,
    -0.02057875202890381,
    0.01477880568087212,
    -0.009088908105250851,
)


def log2(unit: Unit, x: Shares, bits: int = 44) -> Shares:
    """Binary logarithm of integers 0 < x < 2^bits, in fixed point with 28 fractional bits.

    x = 2^i (1.5 + u) with the position i of the top bit: the bits, OR of each with all above, and the lone edge as a
    shared one-hot word; y = x 2^{bits-1-i} by a product, brought to 28 fractional bits, and a polynomial of degree 8
    in u = y - 1.5 (after Catrina and Saxena, FC 2010, section 4, who normalise the same way).

    Parameters
    ----------
    x
        Integers in [1, 2^bits).
    bits
        In 2..62.

    Returns
    -------
    Shares
        log2(x) 2^28, |error| <= 7e-8 (`LOG2_ERROR`). At x = 0 a finite number of magnitude below 8, so that n log2(n)
        is 0 at n = 0 by the product.

    Raises
    ------
    SettingError
        `bits` is out of range.

    Notes
    -----
    2 ceil(log4(bits)) + 10 rounds: 16 for 16 < bits <= 64. At most 192 bytes each way a value. Both units see masked
    words only. Values outside the range give a wrong logarithm and no message.
    """
    if not 2 <= bits <= LOG2_MAX_BITS:
        raise SettingError(f"log2 takes integers of 2..{LOG2_MAX_BITS} bits; got bits={bits}")
    mantissa, exponent = normalise(unit, x, bits)
    half = public(unit, np.full(x.shape, 3 << (LOG2_FRACTION_BITS - 1), dtype=np.uint64))
    fraction = _polynomial(unit, mantissa - half)
    return fraction + exponent * (1 << LOG2_FRACTION_BITS)


def normalise(unit: Unit, x: Shares, bits: int) -> tuple[Shares, Shares]:
    """Write 0 < x < 2^bits as (1 + t) 2^i: (1 + t with 28 fractional bits, i); (0, 0) for x = 0.

    2 ceil(log4(bits)) + 2 rounds, one more where bits > 29. Error of the mantissa: within one unit of 2^-28.
    """
    filled = suffix_or(unit, to_bits(unit, x, bits), bits)
    top = BooleanShares(filled.words ^ (filled.words >> np.uint64(1))) & (2**bits - 1)
    width = max(bits - 1, LOG2_FRACTION_BITS)
    lanes = np.arange(bits, dtype=np.uint64)
    weights = np.stack([np.uint64(1) << (np.uint64(width) - lanes), lanes], axis=-1)
    scaled = weigh_bits(unit, top, weights)
    mantissa = multiply(unit, x, scaled[..., 0])
    surplus = width - LOG2_FRACTION_BITS
    return (truncate(unit, mantissa, surplus) if surplus else mantissa), scaled[..., 1]


def _polynomial(unit: Unit, u: Shares) -> Shares:
    """Evaluate the minimax polynomial at |u| <= 1.5, 28 fractional bits: 7 rounds, 96 bytes each way a value.

    Powers u², u³, u⁴, then low(u) + u⁴ high(u): four products deep in place of eight.
    """
    f = LOG2_FRACTION_BITS
    c = [round(value * 2**f) for value in _COEFFICIENTS]
    u2 = truncate(unit, multiply(unit, u, u), f)
    # one round for both products: u² is opened once for each
    pair = truncate(unit, multiply(unit, concatenate([u[None], u2[None]]), u2), f)
    u3, u4 = pair[0], pair[1]
    constant = public(unit, np.full(u.shape, c[4], dtype=np.int64))
    high = constant + truncate(unit, u * c[5] + u2 * c[6] + u3 * c[7] + u4 * c[8], f)
    low = public(unit, np.full(u.shape, c[0] << f, dtype=np.int64)) + u * c[1] + u2 * c[2] + u3 * c[3]
    return truncate(unit, low + multiply(unit, u4, high), f)
