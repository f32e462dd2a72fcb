"""Comparisons of one secret number with many public ones: windows of its mask's digits are tables to look up in.

The mask r is shared as what each window of its digits makes of every window that there may be: a bit for each of 64
(`Windows`). Those of the public words, c less a threshold, are public, so that looking up is local, and all that needs
a round is one product of what the windows say. (Truth tables as correlated randomness: Ishai, Kushilevitz, Meldgaard,
Orlandi and Paskin-Cherniavsky, TCC 2013.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.gates import WINDOW as FACTORS
from building_blocks.gates import Gate, Monomial, Variable
from building_blocks.shares import BooleanShares, Words
from privml.units.correlations import Windows
from privml.units.unit import Unit

Bits = NDArray[np.uint8]

ROWS: Final = 1 << 9
"""Numbers at a time in the local step, a multiple of 8: there are many words to each."""

_ONE: Final = np.uint64(1)
_LAST: Final = np.uint64(63)


@dataclass(frozen=True, slots=True)
class MaskedWindows:
    """Two to sixteen windows of numbers that were opened as c = x + r, and shares of their tables, (n, windows)."""

    windows: Windows
    tables: Words

    def negative(self, unit: Unit, opened: Words, thresholds: Words) -> Bits:
        """Share whether x - t < 0 in these windows, for n opened numbers and k thresholds: n k bits, packed.

        Without a borrow from below, that is what the highest window says; with one, also if that window is 0 or the
        least number of all. A window decides about a borrow unless it is equal. One round of 4 bits each way for a
        comparison with three windows, 6 with four; two rounds with up to sixteen. Both units see masked words.
        """
        blocks = range(0, max(len(opened), 1), ROWS)
        parts = [self._look_up(unit, opened[start : start + ROWS], thresholds, start) for start in blocks]
        found = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=-1)
        decisions, equalities = found
        if len(decisions) > FACTORS:
            decisions, equalities = _by_fours(unit, decisions, equalities)
        count = len(decisions)
        words = [BooleanShares(word) for word in (*equalities[: count - 1], *decisions[1:])]
        (borrow,) = _borrow(count).evaluate(unit, words)
        return np.asarray(decisions[0] ^ borrow.words)

    def _look_up(self, unit: Unit, opened: Words, thresholds: Words, start: int) -> Bits:
        """What the windows say, the highest first: whether they decide so, and whether they are equal. Local.

        Equal is where a table changes from one place to the next.
        """
        tables = self.tables[start : start + len(opened)].T[::-1]
        both = np.empty((2, *tables.shape), dtype=np.uint64)
        decisions, equalities = both
        decisions[...] = tables
        np.left_shift(decisions, _ONE, out=equalities)
        equalities ^= decisions
        equalities[0] ^= decisions[0] >> _LAST
        if unit.is_master:
            equalities[1:] ^= _ONE
        places = self.windows.digits(opened[:, None] - thresholds)[::-1]
        bits = both[..., None] >> places
        bits &= _ONE
        return np.packbits(bits.astype(np.uint8).reshape(2, len(places), -1), axis=-1)


def _by_fours(unit: Unit, decisions: Bits, equalities: Bits) -> tuple[Any, Any]:
    """Make one of every four windows; below the lowest there is nothing."""
    lacking = -len(decisions) % FACTORS
    padded = [np.pad(bits, ((0, lacking), (0, 0))) for bits in (decisions, equalities)]
    words = [BooleanShares(bits[place::FACTORS]) for bits in padded for place in range(FACTORS)]
    decision, equality = _four().evaluate(unit, words)
    return decision.words, equality.words


@cache
def _four() -> Gate:
    """The first of four windows that is not equal decides: d_0 + e_0 d_1 + e_0 e_1 d_2 + ...; all are equal, or not."""
    decisions, equalities = range(FACTORS), range(FACTORS, 2 * FACTORS)
    chain = [_product(*equalities[:place], decision) for place, decision in enumerate(decisions)]
    return Gate(2 * FACTORS, [chain, [_product(*equalities)]])


@cache
def _borrow(count: int) -> Gate:
    """The same for so many windows, without what the highest one decides; nor does it matter if the lowest is equal."""
    equalities, decisions = range(count - 1), range(count - 1, 2 * count - 2)
    return Gate(2 * count - 2, [[_product(*equalities[: place + 1], d) for place, d in enumerate(decisions)]])


def _product(*words: int) -> Monomial:
    return tuple(Variable(word) for word in words)
