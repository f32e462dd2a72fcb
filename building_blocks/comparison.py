"""Signs and comparisons. Nobody learns an outcome: it stays a shared bit."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks.boolean import open_borrows, to_integers
from building_blocks.gates import WINDOW, Gate, Variable, lexicographic, run_of
from building_blocks.shares import BooleanShares, Shares
from privml.units.unit import Unit

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
    with the public c is local up to windows of four bits (`open_borrows`) and takes two more gates of four digits
    (after Damgård et al., TCC 2006, section 6).

    Returns
    -------
    BooleanShares
        uint8 words with the outcome in bit 0, in the shape of x.

    Notes
    -----
    Three rounds; 8 + 4 + 1 bytes each way a value. Both units see c and twice a masked word: uniform.
    """
    borrows = open_borrows(unit, x, drop_top=True)
    digits = [BooleanShares(_every_fourth_of_64(w.words)) for w in (borrows.generate, borrows.propagate)]
    generate, propagate = _DIGITS.evaluate(unit, digits)
    nibbles = BooleanShares(_every_fourth_of_16(generate.words) | _every_fourth_of_16(propagate.words) << np.uint8(4))
    (borrow,) = _LAST.evaluate(unit, [nibbles])
    bit = borrow.words ^ _top_bit(borrows.mask.words)
    if unit.is_master:
        bit = bit ^ _top_bit(borrows.opened)
    return BooleanShares(bit) & 1


def less_than(unit: Unit, x: Shares, y: Shares) -> BooleanShares:
    """Return 1 where x < y, else 0, for |x - y| < 2^63; shapes broadcast. Cost and view as `sign`."""
    return sign(unit, x - y)


def bit_to_integer(unit: Unit, bit: BooleanShares) -> Shares:
    """Convert shared bits (bit 0 of each word) to shared integers 0 or 1. One round, one bit each way a value."""
    return to_integers(unit, bit, 1)[..., 0]


def _top_bit(words: NDArray[np.uint64]) -> NDArray[np.uint8]:
    return (words >> np.uint64(63)).astype(np.uint8)


def _every_fourth_of_64(words: NDArray[np.uint64]) -> NDArray[Any]:
    """Gather lanes 3, 7, ..., 63 into 16 bits."""
    x = (words >> np.uint64(3)) & np.uint64(0x1111111111111111)
    for by, keep in ((3, 0x0303030303030303), (6, 0x000F000F000F000F), (12, 0x000000FF000000FF), (24, 0xFFFF)):
        x = (x | x >> np.uint64(by)) & np.uint64(keep)
    return x.astype(np.uint16)


def _every_fourth_of_16(words: NDArray[np.uint16]) -> NDArray[Any]:
    """Gather lanes 3, 7, 11, 15 into 4 bits."""
    x = (words >> np.uint16(3)) & np.uint16(0x1111)
    for by, keep in ((3, 0x0303), (6, 0x000F)):
        x = (x | x >> np.uint16(by)) & np.uint16(keep)
    return x.astype(np.uint8)
