"""Products of encrypted numbers, and the way from key to key."""

from __future__ import annotations

from building_blocks.ciphertexts.numbers import EncryptedNumbers, common_shape
from building_blocks.ciphertexts.passage import Passage
from building_blocks.conversion import Recipient
from building_blocks.fixed_point import arithmetic
from building_blocks.fixed_point.number import require_range
from privml.errors import ScaleError, SettingError
from privml.units.unit import Unit


def secure_key_switch(unit: Unit, x: EncryptedNumbers, recipient: Recipient) -> EncryptedNumbers:
    """Encrypt the same numbers under another key.

    Parameters
    ----------
    x
        Under any keys, also a different one for each element.
    recipient
        Who is to read them: a public key that both units know, or an encryptor under it. See `Passage`, here and for
        all blocks on ciphertexts, also for what is raised and what each unit sees.

    Returns
    -------
    EncryptedNumbers
        The same numbers in the same scale and range, with T2.

    Notes
    -----
    Exact. Rounds and bytes of `Passage` alone.
    """
    passage = Passage(unit, (x,), recipient, x.shape)
    (shared,) = passage.enter()
    return passage.leave(shared)


def secure_product(
    unit: Unit,
    x: EncryptedNumbers,
    y: EncryptedNumbers,
    recipient: Recipient,
    fraction_bits: int | None = None,
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
    SettingError
        The shapes do not go together.

    Notes
    -----
    Error: none, or below 2^-f. One round beside those of `Passage`, or two.
    """
    passage = Passage(unit, (x, y), recipient, common_shape(x.shape, y.shape))
    _require_product(x, y, 1, fraction_bits)
    a, b = passage.enter()
    return passage.leave(arithmetic.multiply(unit, a, b, fraction_bits))


def secure_dot_product(
    unit: Unit,
    x: EncryptedNumbers,
    y: EncryptedNumbers,
    recipient: Recipient,
    fraction_bits: int | None = None,
) -> EncryptedNumbers:
    """Sum of products over the last axis; shapes broadcast. One ciphertext leaves for each sum. As `secure_product`.

    Raises
    ------
    SettingError
        The operands differ in length along the last axis, or have none.
    """
    if x.shape[-1:] != y.shape[-1:] or not x.shape:
        raise SettingError(f"a dot product runs over a last axis of equal length, not over {x.shape} and {y.shape}")
    shape = common_shape(x.shape, y.shape)
    passage = Passage(unit, (x, y), recipient, shape[:-1])
    _require_product(x, y, shape[-1], fraction_bits)
    a, b = passage.enter()
    return passage.leave(arithmetic.dot(unit, a, b, fraction_bits))


def _require_product(x: EncryptedNumbers, y: EncryptedNumbers, terms: int, fraction_bits: int | None) -> None:
    """Check what the block on shares will check, before anything is sent."""
    bits = x.fraction_bits + y.fraction_bits
    require_range(bits, x.bound * y.bound * terms)
    if fraction_bits is not None and not 0 <= fraction_bits <= bits:
        raise ScaleError(f"the product has {bits} fractional bits; {fraction_bits} of them cannot be kept")
