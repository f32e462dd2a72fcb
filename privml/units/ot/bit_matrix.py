"""Transposing bit matrices by numpy: swaps of ever smaller blocks inside words (Warren, Hacker's Delight, 7-3)."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

WORD_BITS: Final = 64
_STEPS: Final = tuple(
    (step, np.uint64(sum(1 << bit for bit in range(WORD_BITS) if not bit & step))) for step in (32, 16, 8, 4, 2, 1)
)
_BYTE_STEPS: Final = tuple(
    (np.uint64(shift), np.uint64(mask))
    for shift, mask in ((7, 0x00AA00AA00AA00AA), (14, 0x0000CCCC0000CCCC), (28, 0x00000000F0F0F0F0))
)
_BLOCK: Final = 512
"""Columns of words that are transposed at once: half a megabyte for 128 rows, so it stays in the cache."""


def transpose(columns: Words) -> Words:
    """Transpose a bit matrix of 64 g rows of W words into W * 64 rows of g words, given as g arrays.

    Bit b of word w of row 64 k + c becomes bit c of item 64 w + b of array k. Bits count from the least significant.

    Parameters
    ----------
    columns
        Shape (64 g, W).

    Returns
    -------
    Words
        Shape (g, 64 W). About 13 ns for 128 bits.
    """
    groups, width = columns.shape[0] // WORD_BITS, columns.shape[1]
    result = np.empty((groups, width, WORD_BITS), dtype=np.uint64)
    for start in range(0, width, _BLOCK):
        block = columns[:, start : start + _BLOCK].reshape(groups, WORD_BITS, -1).copy()
        _transpose_in_place(block)
        result[:, start : start + _BLOCK] = block.transpose(0, 2, 1)
    return result.reshape(groups, width * WORD_BITS)


def _transpose_in_place(block: Words) -> None:
    """Transpose the 64x64 blocks of a (g, 64, W) array, one to each column of words."""
    groups, _, width = block.shape
    room = np.empty(block.size // 2, dtype=np.uint64)
    for step, mask in _STEPS:
        halves = block.reshape(groups, 32 // step, 2, step, width)
        upper, lower, swap = halves[:, :, 0], halves[:, :, 1], room.reshape(groups, 32 // step, step, width)
        by = np.uint64(step)
        np.right_shift(upper, by, out=swap)
        swap ^= lower
        swap &= mask
        lower ^= swap
        np.left_shift(swap, by, out=swap)
        upper ^= swap


def planes(words: Words, first: int, count: int) -> Bytes:
    """Gather bits `first` to `first + count` - 1 of every word, a packed array for each.

    Parameters
    ----------
    words
        Shape (n,), n a multiple of 8.
    first
        A multiple of 8.
    count
        Bits wanted, first + count <= 64.

    Returns
    -------
    Bytes
        Shape (count, n / 8): bit r of byte i of plane p is bit `first + p` of word 8 i + r.
    """
    octets = words.view(np.uint8).reshape(-1, 8)
    wanted = range(first // 8, (first + count + 7) // 8)
    result = np.empty((8 * len(wanted), len(words) // 8), dtype=np.uint8)
    for position, index in enumerate(wanted):
        block = np.ascontiguousarray(octets[:, index]).view(np.uint64)
        for shift, mask in _BYTE_STEPS:
            swap = (block >> shift ^ block) & mask
            block ^= swap ^ swap << shift
        result[8 * position : 8 * position + 8] = block.view(np.uint8).reshape(-1, 8).T
    return result[:count]


def lanes(words: NDArray[Any], count: int) -> Bytes:
    """Return the low `count` bits of every word as bytes 0 or 1, in a new last axis, bit 0 first."""
    size = words.dtype.itemsize
    octets = np.ascontiguousarray(words).view(np.uint8).reshape(*words.shape, size)
    return np.unpackbits(octets, axis=-1, bitorder="little", count=count)
