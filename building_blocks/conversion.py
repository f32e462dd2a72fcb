"""From ciphertexts to shares and back."""

from __future__ import annotations

import numpy as np

from building_blocks.shares import Shares, signed
from privml.crypto.dtpkc import CiphertextVector, PublicKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.randomness import random_words
from privml.crypto.wire import dumps, loads
from privml.errors import FrameSizeError, LayoutError
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit

SHARE_BITS = 64


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

    Notes
    -----
    One message, 3|N| bits a ciphertext of floor((|N| - 2) / (l + sigma + 2)) values. The Master sees nothing. The
    Secondary sees x + offset + rho, which is within 2^-sigma of independent of x, and the root of a fresh g^{r'}.
    """
    parameters = unit.strong_key().parameters
    if packed is None:
        plaintexts = open_to_secondary(unit, None, layout.ciphertexts(parameters))
        if plaintexts is None:
            raise LayoutError("the Master converts ciphertexts, and none were given")
        return Shares(layout.unpack_blinded_residues(plaintexts, parameters))
    if packed.layout != layout:
        raise LayoutError(f"expected ciphertexts of {layout}, got {packed.layout}")
    rho, masks = layout.blinding(parameters)
    shifts = [offset + mask for offset, mask in zip(layout.offset(parameters), masks, strict=True)]
    blinded = unit.rerandomiser().rerandomise_vector(packed.vector.add_plain(shifts))
    open_to_secondary(unit, blinded, len(blinded))
    return Shares(np.uint64(0) - rho - np.uint64(layout.slot_offset & (2**64 - 1)))


def share_layout(count: int) -> Layout:
    """Return the layout in which shared words travel to a recipient: a sum of two signed words, read modulo 2^64."""
    return Layout(count=count, value_bits=SHARE_BITS, additions=2, sigma=0)


def shares_to_ciphertext(unit: Unit, x: Shares, recipient: PublicKey) -> PackedCiphertext | None:
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
    parameters = recipient.parameters
    flat = x.words.reshape(-1)
    if unit.is_master:
        fresh = random_words(flat.shape)
        unit.send(fresh)
        theirs = loads(unit.channel.receive(), CiphertextVector, parameters)
        if len(theirs) != layout.ciphertexts(parameters):
            raise FrameSizeError(f"expected {layout.ciphertexts(parameters)} ciphertexts, got {len(theirs)}")
        mine = layout.pack(signed(flat - fresh), parameters)
        result = _encryptor(unit, recipient).rerandomise_vector(theirs.add_plain(mine))
        return PackedCiphertext(result, layout, additions_used=2)
    (fresh,) = unit.receive([flat])
    vector = _encryptor(unit, recipient).encrypt_vector(layout.pack(signed(flat + fresh), parameters))
    unit.channel.send(dumps(vector))
    return None


def _encryptor(unit: Unit, recipient: PublicKey) -> Encryptor:
    return Encryptor(recipient, generator_table=unit.rerandomiser().generator_table)
