"""Scans over the bits of shared words: runs from below and from above, and the most significant bit.

Runs from above, `suffix_and` and `suffix_or`, belong to the boolean world's own circuits (`boolean`).
"""

from __future__ import annotations

from functools import cache

import numpy as np

from building_blocks.boolean import invert, suffix_or, to_bits, weigh_bits
from building_blocks.gates import WINDOW, Gate, run_of
from building_blocks.shares import BITS, BooleanShares, Shares
from privml.errors import SettingError
from privml.units.unit import Unit


def prefix_and(unit: Unit, x: BooleanShares, bits: int) -> BooleanShares:
    """AND every lane with all lanes below it: lane i becomes x_0 and ... and x_i, for i < `bits`.

    Windows of four lanes, then of 16, and so on: ceil(log4(bits)) rounds, a word each way in each. Exact. Both units
    see masked words. Lanes from `bits` on end up clear.

    Raises
    ------
    SettingError
        The words have no so many lanes.
    """
    mask = _lanes(x, bits)
    step = 1
    while step < bits:
        (x,) = _run_downwards(step).evaluate(unit, [x])
        step *= WINDOW
    return x & mask


def prefix_or(unit: Unit, x: BooleanShares, bits: int) -> BooleanShares:
    """Set every lane above a set lane: lane i becomes x_0 or ... or x_i, for i < `bits`. As `prefix_and`."""
    return invert(unit, prefix_and(unit, invert(unit, x), bits)) & _lanes(x, bits)


def prefix_xor(x: BooleanShares, bits: int) -> BooleanShares:
    """XOR every lane with all lanes below it: lane i becomes x_0 + ... + x_i modulo 2. Local; otherwise as above."""
    mask = _lanes(x, bits)
    words, step = x.words, 1
    while step < bits:
        words = words ^ words << words.dtype.type(step)
        step *= 2
    return BooleanShares(words) & mask


def suffix_xor(x: BooleanShares, bits: int) -> BooleanShares:
    """XOR every lane with all lanes above it, up to lane `bits` - 1. Local."""
    words, step = (x & _lanes(x, bits)).words, 1
    while step < bits:
        words = words ^ words >> words.dtype.type(step)
        step *= 2
    return BooleanShares(words)


def most_significant_bit(unit: Unit, x: Shares, bits: int = BITS) -> BooleanShares:
    """Largest power of two in each 0 <= x < 2^bits, as a word with that one lane set; no lane for x = 0.

    The binary digits, OR of each with all above, and the lone edge (Catrina and Saxena, FC 2010, section 4).

    Returns
    -------
    BooleanShares
        uint64 words; feed them to `weigh_bits` for any function of the position, many at once.

    Raises
    ------
    SettingError
        `bits` is outside 1..64.

    Notes
    -----
    Exact. 2 ceil(log4(bits)) rounds: 6 for more than 16 bits, then 64 bytes each way a value. Both units see masked
    words. A value outside the range gives a wrong bit and no message.
    """
    if not 1 <= bits <= BITS:
        raise SettingError(f"words have 1..{BITS} bits; got {bits}")
    filled = suffix_or(unit, to_bits(unit, x, bits), bits)
    return BooleanShares(filled.words ^ filled.words >> np.uint64(1))


def bit_length(unit: Unit, x: Shares, bits: int = BITS) -> Shares:
    """Number of binary digits of each 0 <= x < 2^bits: floor(log2 x) + 1, and 0 for x = 0.

    One round and 8 bytes each way a value more than `most_significant_bit`, and otherwise as that.
    """
    top = most_significant_bit(unit, x, bits)
    return weigh_bits(unit, top, np.arange(1, bits + 1, dtype=np.uint64)[:, None])[..., 0]


def _lanes(x: BooleanShares, bits: int) -> int:
    width = 8 * x.words.itemsize
    if not 1 <= bits <= width:
        raise SettingError(f"these words have 1..{width} lanes to scan; got {bits}")
    return (1 << bits) - 1


@cache
def _run_downwards(step: int) -> Gate:
    """Four lanes, `step` apart, downwards from each; there are ones below the lowest."""
    return Gate(1, [[run_of(0, step, fill=1)]])
