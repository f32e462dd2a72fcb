"""Signs, comparisons and equality. Nobody learns an outcome: it stays a shared bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from building_blocks.boolean import MaskedWord, compare_windows, open_masked, suffix_and, to_integers
from building_blocks.gates import WINDOW, Gate, Variable, lexicographic, run_of
from building_blocks.shares import BooleanShares, Shares, public, ring
from privml.errors import SettingError
from privml.units.unit import Unit

DIGITS = 16
"""Windows of four bits in a word."""

_DIGITS = Gate(2, [lexicographic(0, 1, 1), [run_of(1, 1)]])
"""Four digits as one: what they decide, and whether they are all equal."""

_LAST = Gate(
    1,
    [[(*(Variable(0, k + 1 - 2 * WINDOW) for k in range(n)), Variable(0, n + 1 - WINDOW)) for n in range(WINDOW)]],
)
"""What four digits decide, into lane 0: their decisions lie in the low nibble, their equalities in the high one."""


def sign(unit: Unit, x: Shares) -> BooleanShares:
    """Return 1 where x < 0 as a signed 64-bit integer, else 0; exact for every word.

    Opens c = x + r; x < 0 exactly if msb(c) xor msb(r) xor [r mod 2^63 > c mod 2^63]. The comparison of the shared r
    with the public c is local up to windows of four bits (`compare_windows`) and takes two more gates of four digits
    (after Damgård et al., TCC 2006, section 6).

    Returns
    -------
    BooleanShares
        uint8 words with the outcome in bit 0, in the shape of x.

    Notes
    -----
    Three rounds; 8 + 4 + 1 bytes each way a value. Both units see c and twice a masked word: uniform.
    """
    return sign_of_masked(unit, open_masked(unit, x))


def less_than(unit: Unit, x: Shares, y: Shares) -> BooleanShares:
    """Return 1 where x < y, else 0, for |x - y| < 2^63; shapes broadcast. Cost and view as `sign`."""
    return sign(unit, x - y)


def below_thresholds(unit: Unit, x: Shares, thresholds: ArrayLike) -> BooleanShares:
    """Compare with k public thresholds at once: 1 where x < t, for |x - t| < 2^63; a new last axis runs over them.

    x is opened under one mask for all of them, since c - t is as public as c. Three rounds; 8 + 5 k bytes each way a
    value. Both units see c and masked words: uniform.

    Raises
    ------
    SettingError
        The thresholds are no integers in one dimension.
    """
    words = ring(thresholds)
    if words.ndim != 1:
        raise SettingError(f"thresholds are one-dimensional; got shape {words.shape}")
    return sign_of_masked(unit, open_masked(unit, x[..., None]) - words)


def is_zero(unit: Unit, x: Shares) -> BooleanShares:
    """Return 1 where x = 0, else 0; exact for every word.

    Opens c = x + r; x = 0 exactly if r = c in all sixteen windows of four bits. Three rounds; 8 + 2 + 2 bytes each way
    a value. Both units see c and twice a masked word: uniform.
    """
    _, equals = compare_windows(unit, open_masked(unit, x))
    digits = BooleanShares(_every_fourth_of_64(equals.words, first=3))
    return BooleanShares((suffix_and(unit, digits, DIGITS) & 1).words.astype(np.uint8))


def equal(unit: Unit, x: Shares, y: Shares) -> BooleanShares:
    """Return 1 where x = y modulo 2^64, else 0; shapes broadcast. Cost and view as `is_zero`."""
    return is_zero(unit, x - y)


def equal_to(unit: Unit, x: Shares, values: ArrayLike) -> BooleanShares:
    """Return 1 where x equals a public integer, else 0; shapes broadcast. Cost and view as `is_zero`."""
    words = np.broadcast_to(ring(values), np.broadcast_shapes(x.shape, np.shape(values)))
    return is_zero(unit, x - public(unit, words))


def sign_of_masked(unit: Unit, x: MaskedWord) -> BooleanShares:
    """Return 1 where x < 0 as a signed integer of the word's size, else 0, for a word that was opened under its mask.

    Words of 64 bits, or of 16 without the gate that makes four digits of sixteen. Two rounds, 4 + 1 bytes each way a
    value; or one, of 1 byte. Both units see masked words: uniform.
    """
    bit = _borrow(unit, x, WINDOW - 2).words ^ _top_bit(x.mask.words)
    if unit.is_master:
        bit = bit ^ _top_bit(x.opened)
    return BooleanShares(bit) & 1


def mask_exceeds(unit: Unit, x: MaskedWord) -> BooleanShares:
    """Return 1 where the mask exceeds what was opened, as unsigned words: where c - r borrows.

    Sizes, cost and view as `sign_of_masked`.
    """
    return _borrow(unit, x, WINDOW - 1) & 1


def bit_to_integer(unit: Unit, bit: BooleanShares) -> Shares:
    """Convert shared bits (bit 0 of each word) to shared integers 0 or 1. One round, one bit each way a value."""
    return to_integers(unit, bit, 1)[..., 0]


def _borrow(unit: Unit, x: MaskedWord, first: int) -> BooleanShares:
    """Decide by the windows that begin at lanes first, first + 4, ...; into lane 0, others hold anything."""
    windows = compare_windows(unit, x)
    if x.opened.dtype == np.uint64:
        generate, propagate = _DIGITS.evaluate(
            unit, [BooleanShares(_every_fourth_of_64(w.words, first)) for w in windows]
        )
        windows, first = (generate, propagate), WINDOW - 1
    low, high = (_every_fourth_of_16(w.words, first) for w in windows)
    return _LAST.evaluate(unit, [BooleanShares(low | high << np.uint8(4))])[0]


def _top_bit(words: NDArray[Any]) -> NDArray[np.uint8]:
    top: NDArray[Any] = words >> words.dtype.type(8 * words.itemsize - 1)
    return top.astype(np.uint8)


def _every_fourth_of_64(words: NDArray[np.uint64], first: int) -> NDArray[Any]:
    """Gather lanes first, first + 4, ..., first + 60 into 16 bits."""
    x = (words >> np.uint64(first)) & np.uint64(0x1111111111111111)
    for by, keep in ((3, 0x0303030303030303), (6, 0x000F000F000F000F), (12, 0x000000FF000000FF), (24, 0xFFFF)):
        x = (x | x >> np.uint64(by)) & np.uint64(keep)
    return x.astype(np.uint16)


def _every_fourth_of_16(words: NDArray[np.uint16], first: int) -> NDArray[Any]:
    """Gather lanes first, first + 4, ..., first + 12 into 4 bits."""
    x = (words >> np.uint16(first)) & np.uint16(0x1111)
    for by, keep in ((3, 0x0303), (6, 0x000F)):
        x = (x | x >> np.uint16(by)) & np.uint16(keep)
    return x.astype(np.uint8)
