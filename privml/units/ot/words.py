"""Products of words that one unit holds with words that the other holds, modulo 2^64.

Gilboa (CRYPTO 1999, section 4.1): b x = sum_i b_i 2^i x over the bits of b. For each bit the sender gives, by one
correlated transfer, s_i + b_i x where s_i is its own pad (Asharov, Lindell, Schneider and Zohner, CCS 2013, section
5.1): it sends d_i = H0 - H1 + x, the receiver adds b_i d_i to the key it knows. What is scaled by 2^i is needed modulo
2^{64-i} only, and pads of i and 64 - i bits share a word: 33 words for 64 bits, 264 bytes. One bit of b chooses for a
vector of x at once, so a matrix product takes transfers for one of its factors only.

Both units see uniform words only: every d_i is masked by a key that the receiver does not know.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from privml.units.ot.extension import ReceiverPads, SenderPads
from privml.units.ot.link import TransferLink

Words = NDArray[np.uint64]

BITS: Final = 64
PACKED: Final = 33
"""Words that carry one correction for each bit of a word."""

BATCH: Final = 1 << 12
"""Products at once, each of them 64 keys: 2 MiB of keys, and about 30 MiB in all in either unit."""

COLUMNS: Final = 1 << 7
"""Products at once that share a choice."""

_BLOCK: Final = 1 << 7
"""Products at a time in local steps, so that these stay in the cache."""

_PLACES: Final = np.arange(BITS, dtype=np.uint64)
_LOW: Final = (np.uint64(1) << _PLACES[:32]) - np.uint64(1)


def pack(words: Words) -> Words:
    """Keep the low 64 - i bits of word i of the last axis: (..., 64) to (..., 33). Word 32 keeps all of its bits."""
    packed = np.empty((*words.shape[:-1], PACKED), dtype=np.uint64)
    packed[..., 0], packed[..., 32] = words[..., 0], words[..., 32]
    np.left_shift(words[..., 1:32], _PLACES[1:32], out=packed[..., 1:32])
    packed[..., 1:32] |= words[..., 63:32:-1] & _LOW[1:]
    return packed


def unpack(packed: Words) -> Words:
    """Undo `pack`, giving word i times 2^i: (..., 33) to (..., 64)."""
    words = np.empty((*packed.shape[:-1], BITS), dtype=np.uint64)
    words[..., 0] = packed[..., 0]
    np.left_shift(packed[..., 32], np.uint64(32), out=words[..., 32])
    np.bitwise_and(packed[..., 1:32], ~_LOW[1:], out=words[..., 1:32])
    np.left_shift(packed[..., 1:32], _PLACES[63:32:-1], out=words[..., 63:32:-1])
    return words


def scaled_sum(words: Words) -> Words:
    """Sum word i times 2^i over the last axis."""
    total: Words = (words << _PLACES).sum(axis=-1)
    return total


class GilboaSender:
    """The sending side of a batch of products with chosen bits.

    Parameters
    ----------
    pads
        The transfers' keys, 64 to a choosing word.
    vectors
        What the bits multiply: shape (m, n, 64) or (m, n, 1), for n choosing words.
    """

    def __init__(self, pads: SenderPads, vectors: Words) -> None:
        self._pads = pads
        self._vectors = vectors

    def correct(self) -> tuple[Words, Words]:
        """Return the corrections to send, (m, n, 33), and this unit's shares of the products, (m, n)."""
        count, items = self._vectors.shape[:2]
        first, second = (keys[:, : BITS * items].reshape(count, items, BITS) for keys in self._pads.words(0, count))
        corrections, shares = (
            np.empty((count, items, PACKED), dtype=np.uint64),
            np.empty((count, items), dtype=np.uint64),
        )
        for block in blocks(items, count):
            ours = first[:, block]
            corrections[:, block] = pack(ours - second[:, block] + self._vectors[:, block])
            np.negative(scaled_sum(ours), out=shares[:, block])
        return corrections, shares


class GilboaReceiver:
    """The receiving side: whose bits choose.

    Parameters
    ----------
    pads
        The chosen keys.
    choices
        The n choosing words.
    """

    def __init__(self, pads: ReceiverPads, choices: Words) -> None:
        self._pads = pads
        self._choices = choices

    def complete(self, corrections: Words) -> Words:
        """Return this unit's shares of the products, (m, n), from corrections of shape (m, n, 33)."""
        count, items = corrections.shape[:2]
        keys = self._pads.words(0, count)[:, : BITS * items].reshape(count, items, BITS)
        shares = np.empty((count, items), dtype=np.uint64)
        for block in blocks(items, count):
            bits = self._choices[block, None] >> _PLACES & np.uint64(1)
            lifted = unpack(corrections[:, block])
            lifted &= np.negative(bits)
            shares[:, block] = lifted.sum(axis=-1) + scaled_sum(keys[:, block])
        return shares


def blocks(items: int, count: int = 1) -> list[slice]:
    """Cut a range of items, each `count` products, for local steps."""
    size = max(1, _BLOCK // count)
    return [slice(start, start + size) for start in range(0, items, size)]


def cross_products(link: TransferLink, choices: Words, vectors: Words) -> Words:
    """Share my choices times the peer's vectors plus the peer's choices times mine.

    Parameters
    ----------
    choices
        Words (n,) of this unit; the peer has as many.
    vectors
        Words (m, n) of this unit; the peer has as many.

    Returns
    -------
    Words
        (m, n) shares of the sum of both products. Two rounds; 1,032 + 264 m bytes each way for a choosing word.
    """
    count, items = vectors.shape
    mine = link.choose(choices)
    theirs = link.accept(BITS * items)
    corrections, shares = GilboaSender(theirs, vectors[..., None]).correct()
    link.send(corrections)
    return shares + GilboaReceiver(mine, choices).complete(link.receive((count, items, PACKED)))


def cross_elements(link: TransferLink, choices: Words, vectors: Words) -> Words:
    """`cross_products` for any sizes, in batches."""
    count, items = vectors.shape
    result = np.empty((count, items), dtype=np.uint64)
    width = max(1, min(count, COLUMNS))
    for low in range(0, count, width):
        rows = slice(low, low + width)
        for start in range(0, items, BATCH // width):
            part = slice(start, start + BATCH // width)
            result[rows, part] = cross_products(link, choices[part], vectors[rows, part])
    return result


def cross_matrix(link: TransferLink, left: Words, right: Words) -> Words:
    """Share (my left) @ (the peer's right) plus (the peer's left) @ (my right), for (n, k) and (k, m) matrices.

    The smaller of the outer sizes chooses: 64 k min(n, m) transfers each way, and 264 n k m bytes of corrections.
    """
    if left.shape[0] > right.shape[1]:
        return np.ascontiguousarray(cross_matrix(link, right.T, left.T).T)
    (rows, inner), columns = left.shape, right.shape[1]
    result = np.zeros((rows, columns), dtype=np.uint64)
    if not left.size * right.size:
        return result
    width = min(columns, COLUMNS)
    depth = min(inner, BATCH // width)
    height = BATCH // (width * depth)
    for low in range(0, columns, width):
        for start in range(0, inner, depth):
            factor = right[start : start + depth, low : low + width].T
            for top in range(0, rows, height):
                choices = left[top : top + height, start : start + depth]
                vectors = np.broadcast_to(factor[:, None], (len(factor), *choices.shape))
                product = cross_products(link, choices.reshape(-1), vectors.reshape(len(factor), -1))
                result[top : top + height, low : low + width] += product.reshape(vectors.shape).sum(axis=2).T
    return result
