"""From ciphertexts to shares and back."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from building_blocks.product import multiply
from building_blocks.shares import BooleanShares, Shares, Words, signed
from privml.crypto.dtpkc import CiphertextVector, PublicKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.parameters import PublicParameters
from privml.crypto.randomness import random_words
from privml.crypto.wire import dumps, loads
from privml.errors import DecryptionError, FrameSizeError, LayoutError, SettingError, ValidationError
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit

SHARE_BITS = 64

OFFSET_BIT = 62
"""Integers that leave as ciphertexts of their own are of magnitude below 2^62."""

Recipient = PublicKey | Encryptor
"""Who is to read a result: a public key, or an encryptor under it, which keeps its tables for the next time."""


def ciphertexts_to_shares(unit: Unit, packed: PackedCiphertext | None, layout: Layout) -> Shares:
    """Turn packed ciphertexts, under whatever keys, into shares of their values.

    The Master adds the offset 2^{l-1} to every slot (values are signed), then a blinding rho uniform in [0,
    2^{l+sigma}), and multiplies T1 by a fresh g^{r'}: without it, whoever saw T1 on its way in could divide and read
    rho. The Secondary completes the decryption and takes the slots apart: [x] = (-rho - offset, slot) modulo 2^64.

    Parameters
    ----------
    packed
        The ciphertexts, in the Master; None in the Secondary.
    layout
        Their layout, known to both.

    Returns
    -------
    Shares
        One-dimensional, `layout.count` values. Exact if the plaintexts obey the layout.

    Raises
    ------
    LayoutError
        The Master's ciphertexts have another layout.
    ValidationError
        A plaintext is too long for its slots, which the Secondary notices. The units agree on it, so that the link
        stays alive; the Master raises `ProtocolError`.

    Notes
    -----
    One message, 3|N| bits a ciphertext of floor((|N| - 2) / (l + sigma + 2)) values; and one round of a byte. The
    Master sees nothing. The Secondary sees x + offset + rho, within |x| 2^-(l + sigma) of independent of x, and the
    root of a fresh g^{r'}.
    """
    parameters = unit.strong_key().parameters
    if packed is None:
        plaintexts = open_to_secondary(unit, None, layout.ciphertexts(parameters))
        if plaintexts is None:
            raise LayoutError("the Master converts ciphertexts, and none were given")
        return _unpacked(unit, plaintexts, layout, parameters)
    if packed.layout != layout:
        raise LayoutError(f"expected ciphertexts of {layout}, got {packed.layout}")
    rho, masks = layout.blinding(parameters)
    shifts = [offset + mask for offset, mask in zip(layout.offset(parameters), masks, strict=True)]
    blinded = unit.rerandomiser().rerandomise_vector(packed.vector.add_plain(shifts))
    open_to_secondary(unit, blinded, len(blinded))
    unit.agree(None)
    return Shares(np.uint64(0) - rho - np.uint64(layout.slot_offset & (2**64 - 1)))


def _unpacked(unit: Unit, plaintexts: Sequence[int], layout: Layout, parameters: PublicParameters) -> Shares:
    problem: ValidationError | None = None
    words = np.zeros(layout.count, dtype=np.uint64)
    try:
        words = layout.unpack_blinded_residues(plaintexts, parameters)
    except DecryptionError:
        problem = ValidationError("a packed ciphertext holds more than the numbers that it was declared to hold")
    unit.agree(problem)
    return Shares(words)


def share_layout(count: int) -> Layout:
    """Return the layout in which shared words travel to a recipient: a sum of two signed words, read modulo 2^64."""
    return Layout(count=count, value_bits=SHARE_BITS, additions=2, sigma=0)


def shares_to_ciphertext(unit: Unit, x: Shares, recipient: Recipient) -> PackedCiphertext | None:
    """Encrypt shared values under a recipient's key: only that recipient can read them (`read_words`).

    The shares are split afresh first, so that the sum of both words in a slot, which may exceed 64 bits, tells the
    recipient nothing but the value. The Secondary encrypts its words, the Master adds its own and rerandomises.

    Parameters
    ----------
    x
        Shares of any shape; they travel flat.
    recipient
        The recipient's key; both units must know it from its registration, and have checked that it may read this.

    Returns
    -------
    PackedCiphertext, or None
        In the Master, packed by `share_layout`; None in the Secondary.

    Notes
    -----
    Two rounds: 8 bytes a value from Master to Secondary, 4|N| bits a ciphertext back. The Secondary sees uniform
    words, the Master ciphertexts under the recipient's key.
    """
    layout = share_layout(x.size)
    encryptor = encryptor_for(recipient, unit)
    parameters = encryptor.parameters
    flat = x.words.reshape(-1)
    if unit.is_master:
        fresh = random_words(flat.shape)
        unit.send(fresh)
        theirs = _receive_ciphertexts(unit, encryptor, layout.ciphertexts(parameters))
        mine = layout.pack(signed(flat - fresh), parameters)
        result = encryptor.rerandomise_vector(theirs.add_plain(mine))
        return PackedCiphertext(result, layout, additions_used=2)
    (fresh,) = unit.receive([flat])
    vector = encryptor.encrypt_vector(layout.pack(signed(flat + fresh), parameters))
    unit.channel.send(dumps(vector))
    return None


def integers_to_ciphertexts(unit: Unit, x: Shares, recipient: Recipient | None) -> CiphertextVector | None:
    """Encrypt shared integers under a recipient's key, one ciphertext each: exactly x, not x modulo 2^64.

    x' = x + 2^62 lies in [0, 2^63), so its words carry, x' = x'_M + x'_S - 2^64 z, exactly if one of their top bits is
    set: z = t_M + t_S - t_M t_S, a product of two shared bits. The Master sends its share of z plus a random word r,
    and the Secondary has z + r, an integer. So both have integers that add up to x, and each encrypts its own:

        X_M = x'_M - 2^62 + 2^64 r,    X_S = x'_S - 2^64 (z + r).

    The Master multiplies the ciphertexts, which rerandomises the Secondary's.

    Parameters
    ----------
    x
        Integers of magnitude below 2^62, of any shape; they travel flat. Outside, the result is another integer.
    recipient
        As for `shares_to_ciphertext`; or None for what only the next block will read: T1 alone, under no key, for half
        the work.

    Returns
    -------
    CiphertextVector, or None
        In the Master, (T1, T2) a value, or T1 for no recipient; None in the Secondary.

    Raises
    ------
    ParameterMismatchError
        The key belongs to other parameters than the units' own.
    SettingError
        The encryptor forms no T2.

    Notes
    -----
    Three rounds: 16 bytes each way a value, 8 to the Secondary, 4|N| bits back. Both units see masked bits. The
    Secondary sees z + r with r uniform in [0, 2^64 - 2], within 2^-64 of independent of z; the Master ciphertexts
    under the recipient's key. The recipient decrypts x and nothing else, so with one unit's help it sees X_M = x - X_S
    or X_S = x - X_M, which say what x says; alone, neither unit can divide its part out of the product.
    """
    encryptor = encryptor_for(recipient, unit)
    words = x.words.reshape(-1)
    if unit.is_master:
        words = words + np.uint64(1 << OFFSET_BIT)
    carry = _either(unit, words >> np.uint64(63))
    if unit.is_master:
        mask = np.minimum(random_words(words.shape), np.uint64(2**64 - 2))  # z + r must stay a word
        unit.send(carry.words + mask)
        own = [w - (1 << OFFSET_BIT) + (r << 64) for w, r in zip(words.tolist(), mask.tolist(), strict=True)]
        encrypted = encryptor.encrypt_vector(own)
        return _receive_ciphertexts(unit, encryptor, words.size) + encrypted
    (masked,) = unit.receive([words])
    own = [w - (c << 64) for w, c in zip(words.tolist(), (carry.words + masked).tolist(), strict=True)]
    unit.channel.send(dumps(encryptor.encrypt_vector(own)))
    return None


def bits_to_ciphertexts(unit: Unit, bits: BooleanShares, recipient: Recipient | None) -> CiphertextVector | None:
    """Encrypt shared bits (bit 0 of each word) under a recipient's key as integers 0 or 1, one ciphertext each.

    b = b_S where b_M is 0, else 1 - b_S: the Secondary encrypts b_S + 1, the Master negates that where its own bit is
    set, and adds a fresh encryption of 1, or of 4; then 2 is taken away from all. None of these is zero, whose
    encryption would be faster. Parameters, results and errors are those of `integers_to_ciphertexts`.

    Notes
    -----
    One message from Secondary to Master, 4|N| bits a value. The Secondary sees nothing, the Master ciphertexts under
    the recipient's key. The recipient decrypts b and nothing else.
    """
    encryptor = encryptor_for(recipient, unit)
    own: list[int] = (bits.words.reshape(-1) & 1).tolist()
    if not unit.is_master:
        unit.channel.send(dumps(encryptor.encrypt_vector([bit + 1 for bit in own])))
        return None
    encrypted = encryptor.encrypt_vector([3 * bit + 1 for bit in own])
    theirs = _receive_ciphertexts(unit, encryptor, len(own))
    # negated for either bit: the time it takes must not tell which
    choices = zip(own, theirs, -theirs, strict=True)
    chosen = theirs.of_elements([negated if bit else plain for bit, plain, negated in choices])
    return (chosen + encrypted).add_plain([-2] * len(own))


def encryptor_for(recipient: Recipient | None, unit: Unit) -> Encryptor:
    """Return what encrypts for a recipient, on the unit's own table of g; for none, T1 alone under g itself.

    Raises
    ------
    ParameterMismatchError
        The key belongs to other parameters than the unit's own.
    SettingError
        An encryptor for a recipient forms no T2.
    """
    if recipient is None or recipient is unit.rerandomiser():
        return unit.rerandomiser()
    unit.strong_key().parameters.check_same(recipient.parameters)
    if isinstance(recipient, PublicKey):
        return Encryptor(recipient, generator_table=unit.rerandomiser().generator_table)
    if not recipient.with_t2:
        raise SettingError("a recipient's weak key needs T2; this encryptor forms none")
    return recipient


def _either(unit: Unit, own: Words) -> Shares:
    """OR of one bit of each unit: a + b - ab."""
    nothing = np.zeros_like(own)
    a, b = (own, nothing) if unit.is_master else (nothing, own)
    return Shares(own) - multiply(unit, Shares(a), Shares(b))


def _receive_ciphertexts(unit: Unit, encryptor: Encryptor, count: int) -> CiphertextVector:
    vector = loads(unit.channel.receive(), CiphertextVector, encryptor.parameters)
    if len(vector) != count or (vector.t2 is not None) != encryptor.with_t2:
        wanted = "(T1, T2)" if encryptor.with_t2 else "T1"
        raise FrameSizeError(f"expected {count} ciphertexts {wanted}, got {vector}")
    return vector
