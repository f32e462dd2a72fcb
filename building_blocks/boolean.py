"""Shared words in the boolean world: into it, runs of bits in it, and out of it again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.gates import WINDOW, Gate, Variable, lexicographic, run_of
from building_blocks.shares import BooleanShares, Shares, Words, in_blocks, open_bits, open_lone_bits, open_shares
from privml.units.correlations import RandomBits, RandomWord, shifted
from privml.units.unit import Unit

Array = NDArray[Any]

_AND = Gate(2, [[(Variable(0), Variable(1))]])


def conjunction(unit: Unit, x: BooleanShares, y: BooleanShares) -> BooleanShares:
    """AND of two words. One round, the bytes of both each way; both units see masked words."""
    return _AND.evaluate(unit, [x, y])[0]


def invert(unit: Unit, x: BooleanShares) -> BooleanShares:
    """Flip every lane. Local."""
    return BooleanShares(~x.words) if unit.is_master else x


def suffix_and(unit: Unit, x: BooleanShares, bits: int) -> BooleanShares:
    """AND every lane with all lanes above it, up to lane `bits` - 1: lane 0 says whether all are set.

    ceil(log4(bits)) rounds, a word each way in each. Both units see masked words. Lanes from `bits` on end up set.
    """
    beyond = x.words.dtype.type(~(2**bits - 1) & (2 ** (8 * x.words.itemsize) - 1))
    kept = x & (2**bits - 1)
    result = BooleanShares(kept.words | beyond) if unit.is_master else kept
    step = 1
    while step < bits:
        (result,) = _run_upwards(step).evaluate(unit, [result])
        step *= WINDOW
    return result


@cache
def _run_upwards(step: int) -> Gate:
    """Four lanes, `step` apart, upwards from each; there are ones above the top."""
    return Gate(1, [[run_of(0, -step, fill=1)]])


def suffix_or(unit: Unit, x: BooleanShares, bits: int) -> BooleanShares:
    """Set every lane below a set lane: lane i becomes x_i or x_{i+1} or ... up to lane `bits` - 1.

    Cost as `suffix_and`.
    """
    return invert(unit, suffix_and(unit, invert(unit, x), bits))


_WINDOWS = Gate(1, [[run_of(0, 1, length)] for length in range(1, WINDOW + 1)])
"""The runs of one to four bits downwards from each lane."""

WINDOW_PRODUCTS: Final = _WINDOWS.patterns
"""The ANDs of a mask's shifts that `compare_windows` takes."""


@dataclass(frozen=True, slots=True)
class MaskedWord:
    """A word opened as c = x + r, with r in the boolean world: shares of r, and of ANDs of its shifts for windows."""

    opened: Words
    mask: BooleanShares
    products: list[Array]

    def __sub__(self, public_words: Words) -> MaskedWord:
        """Take public numbers off x, under the same mask: nothing more is opened. Shapes broadcast."""
        return replace(self, opened=np.asarray(self.opened - public_words))


def open_masked(unit: Unit, x: Shares) -> MaskedWord:
    """Open x under a random word that the dealer also shared bit by bit.

    One round, 8 bytes each way a value. Both units see c = x + r, uniform because r is.
    """
    r, mask, *products = unit.correlations.draw(RandomWord(x.shape, WINDOW_PRODUCTS))
    (c,) = open_shares(unit, x + Shares(r))
    return MaskedWord(c, BooleanShares(mask), products)


def compare_windows(unit: Unit, x: MaskedWord) -> tuple[BooleanShares, BooleanShares]:
    """For each lane's window of four bits downwards: does it borrow in c - r = x, and are r and c equal in it. Local.

    Bit i of r exceeds that of c if r_i n_i, and equals it if p_i = r_i xor n_i, with n = not c: linear in r, since c is
    public. With q_k = p_i ... p_{i-k+1} from the dealer's ANDs of r, a window of r exceeds that of c exactly if
    n_i + q_1 (n_i + n_{i-1}) + q_2 (n_{i-1} + n_{i-2}) + q_3 (n_{i-2} + n_{i-3}) + q_4 n_{i-3}.
    Below the lowest bit there is nothing: no window borrows from there or is equal there.
    """
    absent: Array = ~x.opened
    words = [np.broadcast_to(word, absent.shape) for word in (x.mask.words, *x.products)]
    runs = _WINDOWS.local(unit, [absent], words)
    lower = [shifted(absent, k) for k in range(WINDOW)]
    exceeds = runs[3] & lower[3]
    for k in range(WINDOW - 1):
        exceeds ^= runs[k] & (lower[k] ^ lower[k + 1])
    if unit.is_master:
        exceeds ^= absent
    return BooleanShares(exceeds), BooleanShares(runs[3])


def to_bits(unit: Unit, x: Shares, bits: int = 64) -> BooleanShares:
    """Convert to XOR shares of the binary digits; for values in [0, 2^bits), higher lanes are not computed.

    Opens x + r and subtracts the shared r: windows of four bits locally, then of 16 and of 64 as `bits` asks for.
    ceil(log4(bits)) rounds; 8 bytes each way a value, and 16 in each further round.

    Returns
    -------
    BooleanShares
        uint64 words; lanes from `bits` on are arbitrary shared bits.
    """
    masked = open_masked(unit, x)
    generate, propagate = compare_windows(unit, masked)
    step = WINDOW
    while step < bits:
        generate, propagate = _wider_window(step).evaluate(unit, [generate, propagate])
        step *= WINDOW
    digits = masked.mask.words ^ shifted(generate.words, 1)
    return BooleanShares(digits ^ masked.opened if unit.is_master else digits)


@cache
def _wider_window(step: int) -> Gate:
    """Four windows of `step` lanes side by side, as one."""
    return Gate(2, [lexicographic(0, 1, step), [run_of(1, step)]])


def to_integers(unit: Unit, x: BooleanShares, bits: int) -> Shares:
    """Convert the low `bits` lanes of each word to shared integers 0 or 1; a new last axis runs over the lanes.

    With a random word shared in both worlds, w xor rho is opened, and b = v + rho - 2 v rho is linear. One round, the
    word's bytes each way (single bits travel packed). Both units see w xor rho, uniform.
    """
    opened, rho = _open_under_bits(unit, x, bits)
    return Shares(_unmask(unit, opened, rho))


def weigh_bits(unit: Unit, x: BooleanShares, weights: Words) -> Shares:
    """Sum the lanes of each word with public weights, as integers: weights of shape (bits, k) give a last axis of k.

    Cost and view as `to_integers`; the lanes are never held all at once.
    """
    opened, rho = _open_under_bits(unit, x, len(weights))
    flat = in_blocks(
        lambda words, masks: _unmask(unit, words, masks) @ weights, opened.reshape(-1), rho.reshape(-1, len(weights))
    )
    return Shares(flat.reshape(*x.shape, weights.shape[1]))


def _open_under_bits(unit: Unit, x: BooleanShares, bits: int) -> tuple[Array, Words]:
    """Open words under masks whose bits are shared as integers too: (opened words, shares of the masks' bits)."""
    mask, rho = unit.correlations.draw(RandomBits(x.shape, bits, x.words.dtype.type))
    hidden = BooleanShares(x.words ^ mask)
    return (open_bits(unit, hidden)[0] if bits > 1 else open_lone_bits(unit, hidden)), rho


def _unmask(unit: Unit, opened: Array, rho: Words) -> Words:
    one = np.uint64(1)
    lanes = (opened[..., None].astype(np.uint64) >> np.arange(rho.shape[-1], dtype=np.uint64)) & one
    flipped: Words = rho * (one - (lanes << one))
    return flipped + lanes if unit.is_master else flipped
