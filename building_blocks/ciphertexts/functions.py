"""Functions of encrypted real numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from building_blocks.ciphertexts.numbers import EncryptedNumbers
from building_blocks.ciphertexts.passage import through_shares
from building_blocks.conversion import Recipient
from building_blocks.division import divide_integers
from building_blocks.fixed_point.exponential import exp
from building_blocks.fixed_point.logarithm import log2
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.reciprocal import divide
from building_blocks.fixed_point.sigmoid import sigmoid
from building_blocks.shares import stack
from privml.errors import ScaleError
from privml.units.unit import Unit

Logarithm: TypeAlias = Callable[[Unit, FixedPoint], FixedPoint]


def secure_logarithm(
    unit: Unit, x: EncryptedNumbers, recipient: Recipient | None, logarithm: Logarithm = log2
) -> EncryptedNumbers:
    """Logarithm of x > 0, binary or natural, with 28 fractional bits.

    Parameters
    ----------
    x
        Positive; any range and any number of fractional bits.
    recipient
        As for all blocks on ciphertexts (`through_shares`).
    logarithm
        `log2` or `ln` of `building_blocks.fixed_point.logarithm`, which say what the error is and what comes of 0.

    Notes
    -----
    Rounds of the logarithm beside those of `through_shares`.
    """
    return through_shares(logarithm, unit, (x,), recipient)


def secure_exponential(
    unit: Unit, x: EncryptedNumbers, recipient: Recipient | None, fraction_bits: int, highest: float | None = None
) -> EncryptedNumbers:
    """Powers e^x with f fractional bits, for x up to `highest` (else up to its declared magnitude).

    Rests on `building_blocks.fixed_point.exponential.exp`, which says what the error is and what is raised. Rounds of
    it beside those of `through_shares`.
    """
    return through_shares(exp, unit, (x,), recipient, fraction_bits, highest)


def secure_sigmoid(
    unit: Unit, x: EncryptedNumbers, recipient: Recipient | None, fraction_bits: int
) -> EncryptedNumbers:
    """Logistic function 1 / (1 + e^-x) with f fractional bits.

    Rests on `building_blocks.fixed_point.sigmoid.sigmoid`, which says what the error is and what is raised. Rounds of
    it beside those of `through_shares`.
    """
    return through_shares(sigmoid, unit, (x,), recipient, fraction_bits)


def secure_division(
    unit: Unit,
    x: EncryptedNumbers,
    y: EncryptedNumbers,
    recipient: Recipient | None,
    fraction_bits: int,
    limit: float | None = None,
) -> EncryptedNumbers:
    """Quotients x / y with f fractional bits, for y > 0 and |x / y| up to `limit`; shapes broadcast.

    Rests on `building_blocks.fixed_point.reciprocal.divide`, which says what the error is and what is raised. In the
    literature a unit sees the ratio of masked numbers, or their sizes; here neither sees anything. Rounds of `divide`
    beside those of `through_shares`.
    """
    return through_shares(divide, unit, (x, y), recipient, fraction_bits, limit)


def secure_integer_division(
    unit: Unit, x: EncryptedNumbers, y: EncryptedNumbers, recipient: Recipient | None
) -> EncryptedNumbers:
    """Divide integers x >= 0 by integers y > 0: along a new last axis floor(x / y) and x mod y. Shapes broadcast.

    Rests on `building_blocks.division.divide_integers`, exact for integers below 2^49. The form is that of Liu et al.
    (IEEE TIFS 2016, secure division across domains). Rounds of `divide_integers` beside those of `through_shares`.

    Raises
    ------
    ScaleError
        An operand has fractional bits.
    SettingError
        An operand's declared range exceeds 49 bits.
    """
    if x.fraction_bits or y.fraction_bits:
        raise ScaleError(f"integers have no fractional bits; got {x.fraction_bits} and {y.fraction_bits} of them")
    return through_shares(_quotient_and_remainder, unit, (x, y), recipient)


def _quotient_and_remainder(unit: Unit, x: FixedPoint, y: FixedPoint) -> FixedPoint:
    bits = max(x.bound.bit_length(), y.bound.bit_length(), 1)
    return FixedPoint(stack(divide_integers(unit, x.shares, y.shares, bits), axis=-1), 0, x.bound)
