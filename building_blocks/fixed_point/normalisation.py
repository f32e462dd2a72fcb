"""Positive numbers as a mantissa and the position of their top bit: where functions of any magnitude begin."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks.bit_scan import most_significant_bit
from building_blocks.boolean import weigh_bits
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.product import multiply
from building_blocks.shares import BITS, Shares, Words
from building_blocks.truncation import truncate
from privml.errors import SettingError
from privml.units.unit import Unit

MANTISSA_BITS: Final = 30
"""Fractional bits of a mantissa: its square, and twice that, stay below 2^62."""

CENTRE: Final = 3
"""Twice the middle of the mantissas: they lie in [1, 2), and are counted from 3/2."""


def significant_bits(x: FixedPoint) -> int:
    """Binary digits, at least one, that integers of the declared range may have: lanes for the top bit."""
    return max(x.bound.bit_length(), 1)


def locate(unit: Unit, x: FixedPoint, weights: Words) -> Shares:
    """Find the top bit i of the integers x >= 0, and return row i of public weights; a row of zeros for x = 0.

    Parameters
    ----------
    weights
        Shape (`significant_bits(x)`, k), modulo 2^64.

    Returns
    -------
    Shares
        Shape (*x.shape, k). Exact.

    Raises
    ------
    SettingError
        The weights do not have one row for each bit.

    Notes
    -----
    2 ceil(log4(bits)) + 1 rounds: 7 for more than 16 bits, then 72 bytes each way a value. Both units see masked words.
    """
    bits = significant_bits(x)
    if weights.ndim != 2 or len(weights) != bits:
        raise SettingError(f"weights for the top bit of {bits} have shape ({bits}, k); got {weights.shape}")
    return weigh_bits(unit, most_significant_bit(unit, x.shares, bits), weights)


def normalise(unit: Unit, x: FixedPoint, weights: Words) -> tuple[FixedPoint, Shares]:
    """Write the integers x > 0 as (3/2 + u) 2^i with |u| <= 1/2; return u, and row i of public weights.

    The top bit is found among the binary digits and weighed with 2^{-i} (Catrina and Saxena, FC 2010, section 4).

    Parameters
    ----------
    weights
        As `locate` takes them.

    Returns
    -------
    FixedPoint
        u with 30 fractional bits, to one unit of them. For x = 0 it is 0, exactly. Meaningless for x < 0.
    Shares
        The row of weights; zeros for x = 0.

    Notes
    -----
    One round more than `locate`, two for more than 31 bits: 8 or 9 for more than 16; 88 or 96 bytes each way a value.
    Both units see masked words.
    """
    bits = significant_bits(x)
    width = max(bits - 1, MANTISSA_BITS)
    found = locate(unit, x, np.concatenate([weights, mantissa_weights(len(weights), width)], axis=1))
    u = multiply(unit, x.shares, found[..., -2]) - found[..., -1]
    surplus = width - MANTISSA_BITS
    return mantissa(truncate(unit, u, surplus) if surplus else u), found[..., :-2]


def mantissa_weights(bits: int, width: int) -> Words:
    """Weights that bring x to [1, 2) with `width` >= bits - 1 fractional bits, and their middle 3/2."""
    scale = [1 << (width - i) for i in range(bits)]
    return np.stack([np.array(scale, dtype=np.uint64), np.full(bits, CENTRE << (width - 1), dtype=np.uint64)], axis=1)


def mantissa(u: Shares) -> FixedPoint:
    """Declare a mantissa, counted from 3/2 with 30 fractional bits: half of the unit, and one by truncation."""
    return FixedPoint(u, MANTISSA_BITS, (1 << (MANTISSA_BITS - 1)) + 1)


def shift_weights(bits: int, places: int, dropped: int) -> Words:
    """Weights that multiply by 2^{places - i} for the top bit i, in two columns of which one is always 0.

    The first is for i <= places, where the shift is to the left. The second for the others: a product with it needs a
    truncation by `dropped`; shifts to the right by more give 0.
    """
    left = [1 << (places - i) if i <= places else 0 for i in range(bits)]
    right = [1 << (dropped + places - i) if places < i <= places + dropped else 0 for i in range(bits)]
    return np.array([[word % 2**BITS for word in pair] for pair in zip(left, right, strict=True)], dtype=np.uint64)
