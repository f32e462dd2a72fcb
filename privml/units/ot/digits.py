"""Bits shared by XOR, turned into integers shared by addition.

b = b_M + b_S - 2 b_M b_S: the product is one correlated transfer modulo 2^64 (Demmler, Schneider and Zohner, ABY, NDSS
2015, section III-E). All 64 bits of each pad are used, so that the integer's shares are independent of the bit's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from privml.units.ot.bit_matrix import lanes
from privml.units.ot.link import TransferLink

Array = NDArray[Any]
Words = NDArray[np.uint64]

ONE = np.uint64(1)


def digits_of(link: TransferLink, sending: Array, receiving: Array, bits: int) -> tuple[Words, Words]:
    """Convert the low `bits` lanes of words: of `sending` as sender, of `receiving` as receiver.

    Parameters
    ----------
    sending, receiving
        This unit's XOR shares of two arrays of words, (n,) and (k,). The peer's shares of the first are what it gives
        as `receiving`, and the other way round.

    Returns
    -------
    (n, bits) and (k, bits)
        Shares of the bits as integers. Two rounds; for each bit 16 1/8 bytes from receiver to sender, 8 bytes back.
    """
    theirs, mine = lanes(sending, bits).astype(np.uint64), lanes(receiving, bits)
    pads = link.choose(np.packbits(mine, bitorder="little"))
    first, second = (keys[0, : theirs.size].reshape(theirs.shape) for keys in link.accept(theirs.size).words(0, 1))
    link.send(first - second - (theirs << ONE))
    corrections = link.receive(mine.shape)
    chosen = mine.astype(np.uint64)
    # a key of the first kind, plus the correction where the bit says so
    keys = pads.words(0, 1)[0, : mine.size].reshape(mine.shape)
    return theirs - first, chosen + keys + chosen * corrections


def weigh_bits(link: TransferLink, weights: Words, bits: Array) -> Words:
    """Share the products of weights, shared by addition, with bits, shared by XOR: both of shape (n,).

    w b = w b_M + w b_S - 2 w b_M b_S: each unit's w (1 - 2 b) goes with the other's bit.

    Returns
    -------
    (n,)
        Shares of the products. Two rounds; 24 1/8 bytes each way for each.
    """
    chosen = bits.astype(np.uint64) & ONE
    pads = link.choose(np.packbits(chosen.astype(np.uint8), bitorder="little"))
    first, second = (keys[0, : bits.size] for keys in link.accept(bits.size).words(0, 1))
    own = weights * chosen
    link.send(first - second + weights - (own << ONE))
    corrections = link.receive(bits.shape)
    products: Words = own - first + pads.words(0, 1)[0, : bits.size] + chosen * corrections
    return products
