"""Comparisons of encrypted numbers. The outcome is encrypted; neither unit sees it."""

from __future__ import annotations

from building_blocks import comparison, selection
from building_blocks.ciphertexts.numbers import EncryptedNumbers
from building_blocks.ciphertexts.passage import through_shares
from building_blocks.conversion import Recipient
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import BooleanShares
from privml.units.unit import Unit


def secure_comparison(
    unit: Unit, x: EncryptedNumbers, y: EncryptedNumbers, recipient: Recipient | None
) -> EncryptedNumbers:
    """Return 1 where x < y, else 0; shapes broadcast.

    They are subtracted as ciphertexts, so that one number is decrypted for both. Rests on
    `building_blocks.comparison.sign`. The form is that of Liu et al. (IEEE TIFS 2016, secure less than), where the
    Secondary decrypts the difference times a random factor, behind a coin; here it sees nothing of it.

    Parameters
    ----------
    x, y
        Of one scale, |x - y| < 2^62 by their declared ranges.
    recipient
        As for `secure_key_switch`.

    Returns
    -------
    EncryptedNumbers
        Integers 0 and 1.

    Raises
    ------
    RangeError
        The difference could leave 62 bits.
    ScaleError
        The scales differ.
    SettingError
        The shapes do not go together.

    Notes
    -----
    Exact. Three rounds beside those of `through_shares`.
    """
    return through_shares(_is_negative, unit, (x - y,), recipient)


def secure_equality(
    unit: Unit, x: EncryptedNumbers, y: EncryptedNumbers, recipient: Recipient | None
) -> EncryptedNumbers:
    """Return 1 where x = y, else 0; shapes broadcast. Rests on `is_zero`; otherwise as `secure_comparison`."""
    return through_shares(_is_zero, unit, (x - y,), recipient)


def secure_argmax(unit: Unit, x: EncryptedNumbers, recipient: Recipient | None) -> EncryptedNumbers:
    """Index of the largest of m candidates along the last axis, the first of equals.

    Rests on `building_blocks.selection.argmax`; nobody sees which candidate won but the recipient.

    Returns
    -------
    EncryptedNumbers
        Integers 0 to m - 1, in the shape of x without its last axis.

    Raises
    ------
    SettingError
        There is no candidate.

    Notes
    -----
    Exact. Rounds of `argmax` beside those of `through_shares`.
    """
    return through_shares(_index_of_largest, unit, (x,), recipient, core=1)


def _is_negative(unit: Unit, x: FixedPoint) -> BooleanShares:
    return comparison.sign(unit, x.shares)


def _is_zero(unit: Unit, x: FixedPoint) -> BooleanShares:
    return comparison.is_zero(unit, x.shares)


def _index_of_largest(unit: Unit, x: FixedPoint) -> FixedPoint:
    return FixedPoint(selection.argmax(unit, x.shares).index, 0, x.shape[-1] - 1)
