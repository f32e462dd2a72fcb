"""Choosing between shared values, and finding the largest, without telling which it is."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import ArrayLike

from building_blocks.boolean import suffix_and
from building_blocks.comparison import bit_to_integer, equal_to, less_than, sign
from building_blocks.product import dot, multiply
from building_blocks.shares import BooleanShares, Shares, concatenate, public, ring
from privml.errors import SettingError
from privml.units.unit import Unit

BRACKET = 4
"""Candidates that meet at once: all pairs are compared, so a bracket of m costs m (m - 1) / 2 comparisons."""

SET_BACK = 1 << 62
"""What a winner loses before the others meet again."""

SINGLE_BRACKET = 8
"""Up to this many candidates meet in one bracket: rounds matter more than comparisons."""


def select(unit: Unit, bit: Shares, x: Shares, y: Shares) -> Shares:
    """Return x where the shared bit is 1, y where it is 0: [bit (x - y) + y]; shapes broadcast.

    The bit is a shared integer 0 or 1 (`bit_to_integer`). One round, cost and view as `multiply`. Exact.
    """
    return multiply(unit, bit, x - y) + y


@dataclass(frozen=True, slots=True)
class Largest:
    """The outcome of `argmax` (or of `argmin`), shared: the winner's index, as a number and as a one-hot row."""

    index: Shares
    one_hot: Shares


def argmax(unit: Unit, x: Shares) -> Largest:
    """Index of the largest of m candidates along the last axis; the first of equals wins. For differences below 2^63.

    Up to 8 candidates: every pair is compared at once and a candidate's wins are multiplied in the boolean world, which
    gives the one-hot row directly. More: brackets of four, whose winners meet in the next; the one-hot rows go back
    down.

    Returns
    -------
    Largest
        index of shape x.shape[:-1] and one_hot of shape x.shape.

    Raises
    ------
    SettingError
        There is no candidate.

    Notes
    -----
    Exact. Rounds: m = 2: 4, m <= 5: 5, m <= 8: 6; above, 7 more for each further level of brackets of four. Bytes each
    way a row: 13 for each of m (m - 1) / 2 pairs, and up to 2.2 for each candidate; above 8, 50 to 70 for each
    candidate in all. Both units see masked words only; in particular not which candidate won.
    """
    count = x.shape[-1] if x.shape else 0
    if count == 0:
        raise SettingError("argmax needs at least one candidate along the last axis")
    one_hot = _one_hot_of_largest(unit, x)
    return Largest((one_hot * np.arange(count)).sum(axis=-1), one_hot)


def maximum(unit: Unit, x: Shares) -> Shares:
    """Largest value along the last axis: one round and 16 bytes a candidate more than `argmax`."""
    return dot(unit, argmax(unit, x).one_hot, x)


def argmin(unit: Unit, x: Shares) -> Largest:
    """Index of the smallest candidate along the last axis; the first of equals wins. As `argmax` of -x."""
    return argmax(unit, -x)


def minimum(unit: Unit, x: Shares) -> Shares:
    """Smallest value along the last axis: one round and 16 bytes a candidate more than `argmin`."""
    return dot(unit, argmin(unit, x).one_hot, x)


def top_two(unit: Unit, x: Shares) -> tuple[Largest, Largest]:
    """Return the largest and the second largest of m >= 2 candidates along the last axis, for |x| < 2^61.

    The winner is set back by 2^62 and the rest meet again; among equals the first wins, then the next. Exact; twice the
    rounds and bytes of `argmax`, and the same view.

    Raises
    ------
    SettingError
        There are fewer than two candidates.
    """
    if not x.shape or x.shape[-1] < 2:
        raise SettingError(f"the top two need at least two candidates along the last axis; got shape {x.shape}")
    first = argmax(unit, x)
    return first, argmax(unit, x - first.one_hot * SET_BACK)


def absolute(unit: Unit, x: Shares) -> Shares:
    """Absolute value [x - 2 (x < 0) x] for |x| < 2^63. Exact; 5 rounds, 29.1 bytes each way a value; view as `sign`."""
    negative = bit_to_integer(unit, sign(unit, x))
    return x - multiply(unit, negative, x) * 2


def one_hot(unit: Unit, index: Shares, size: int) -> Shares:
    """Turn a secret index in [0, size) into a one-hot row along a new last axis; out of range it is all zeros.

    The index is compared with every place at once. Exact; 4 rounds, 12.1 bytes each way a value and place, view as
    `equal_to`.
    """
    return bit_to_integer(unit, equal_to(unit, index[..., None], np.arange(size)))


def lookup(unit: Unit, index: Shares, table: ArrayLike) -> Shares:
    """Read a public table of integers, shape (size, ...), at a secret index; zeros where it is out of range.

    Rounds, bytes and view as `one_hot`: the product with the table is local.
    """
    words = ring(table)
    if not words.ndim:
        raise SettingError("a table to look things up in has at least one dimension")
    rows = one_hot(unit, index, len(words)) @ words.reshape(len(words), -1)
    return rows.reshape(*index.shape, *words.shape[1:])


def _one_hot_of_largest(unit: Unit, x: Shares) -> Shares:
    count = x.shape[-1]
    if count <= SINGLE_BRACKET:
        return _bracket(unit, x)
    # the last bracket is filled with copies of the last candidate, which lose against it: the first of equals wins
    copies = -count % BRACKET
    filled = concatenate([x, *[x[..., -1:]] * copies], axis=-1)
    groups = filled.reshape(*x.shape[:-1], (count + copies) // BRACKET, BRACKET)
    inside = _bracket(unit, groups)
    across = _one_hot_of_largest(unit, dot(unit, inside, groups))
    winner = multiply(unit, across[..., None], inside)
    return winner.reshape(*filled.shape)[..., :count]


def _bracket(unit: Unit, x: Shares) -> Shares:
    """One-hot row of the largest of at most 8 candidates."""
    count = x.shape[-1]
    if count == 1:
        return public(unit, np.ones(x.shape, dtype=np.uint64))
    pairs = list(combinations(range(count), 2))
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    later_wins = less_than(unit, x[..., first], x[..., second]).words
    earlier_wins = later_wins ^ np.uint8(1) if unit.is_master else later_wins
    # a candidate's wins against the others, one lane each
    wins = np.zeros(x.shape, dtype=np.uint8)
    for position, (early, late) in enumerate(pairs):
        wins[..., early] |= earlier_wins[..., position] << np.uint8(late - 1)
        wins[..., late] |= later_wins[..., position] << np.uint8(early)
    return bit_to_integer(unit, suffix_and(unit, BooleanShares(wins), count - 1) & 1)
