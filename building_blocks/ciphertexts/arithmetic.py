"""Products of encrypted numbers, and the way from key to key."""

from __future__ import annotations

from building_blocks.ciphertexts.numbers import EncryptedNumbers
from building_blocks.ciphertexts.passage import through_shares
from building_blocks.conversion import Recipient
from building_blocks.fixed_point import arithmetic
from building_blocks.fixed_point.number import FixedPoint
from privml.errors import SettingError
from privml.units.unit import Unit


def secure_key_switch(unit: Unit, x: EncryptedNumbers, recipient: Recipient | None) -> EncryptedNumbers:
    """Encrypt the same numbers under another key.

    Parameters
    ----------
    x
        Under any keys, also a different one for each element.
    recipient
        Who is to read them: a public key that both units know, or an encryptor under it; or None if only the next
        block is. See `through_shares`, here and for all blocks on ciphertexts, also for what is raised and what each
        unit sees.

    Returns
    -------
    EncryptedNumbers
        The same numbers in the same scale and range.

    Notes
    -----
    Exact. Rounds and bytes of `through_shares` alone.
    """
    return through_shares(_as_it_is, unit, (x,), recipient)


def secure_product(
    unit: Unit, x: EncryptedNumbers, y: EncryptedNumbers, recipient: Recipient | None, fraction_bits: int | None = None
) -> EncryptedNumbers:
    """Elementwise product; shapes broadcast. Exact with all fractional bits of both, or truncated to `fraction_bits`.

    Rests on `fixed_point.arithmetic.multiply` (Beaver, CRYPTO 1991). The form is that of Liu et al. (IEEE TIFS 2016,
    secure multiplication across domains), where a ciphertext is blinded, decrypted and encrypted again by itself; here
    they are packed for it.

    Raises
    ------
    RangeError
        The product, before truncation, could leave 62 bits.
    ScaleError
        It has fewer fractional bits than are asked for.

    Notes
    -----
    Error: none, or below 2^-f. One round beside those of `through_shares`, or two.
    """
    return through_shares(arithmetic.multiply, unit, (x, y), recipient, fraction_bits)


def secure_dot_product(
    unit: Unit, x: EncryptedNumbers, y: EncryptedNumbers, recipient: Recipient | None, fraction_bits: int | None = None
) -> EncryptedNumbers:
    """Sum of products over the last axis; shapes broadcast. One ciphertext leaves for each sum. As `secure_product`.

    Raises
    ------
    SettingError
        The operands differ in length along the last axis, or have none.
    """
    if x.shape[-1:] != y.shape[-1:] or not x.shape:
        raise SettingError(f"a dot product runs over a last axis of equal length, not over {x.shape} and {y.shape}")
    return through_shares(arithmetic.dot, unit, (x, y), recipient, fraction_bits, core=1)


def _as_it_is(_: Unit, x: FixedPoint) -> FixedPoint:
    return x
