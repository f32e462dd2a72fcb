"""Order among the values of short vectors: ranks, and sorting."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Final

import numpy as np

from building_blocks.comparison import bit_to_integer, less_than
from building_blocks.permutation import place
from building_blocks.shares import Shares, concatenate, public
from privml.errors import SettingError
from privml.units.unit import Unit

LONGEST: Final = 64
"""Values of a vector, at most: all pairs are compared at once."""


def rank(unit: Unit, x: Shares, *, descending: bool = False) -> Shares:
    """Place that each value takes when vectors are sorted along the last axis, from 0; of equals the first comes first.

    The number of smaller values, and of equal ones before it. All pairs are compared at once.

    Parameters
    ----------
    x
        Vectors of at most 64 values, for differences below 2^63. Further apart, comparisons contradict each other, and
        ranks repeat.
    descending
        Count larger values in place of smaller ones.

    Raises
    ------
    SettingError
        There is no last axis, or it is too long.

    Notes
    -----
    Exact. 4 rounds (none for single values); 13.125 bytes each way for each of the m (m - 1) / 2 pairs. Both units see
    masked words only.
    """
    if not x.shape or x.shape[-1] > LONGEST:
        raise SettingError(f"vectors of at most {LONGEST} values are ranked along the last axis; got shape {x.shape}")
    values = np.moveaxis((-x if descending else x).words, -1, 0)
    ranks = public(unit, np.broadcast_to(np.arange(x.shape[-1]), x.shape)).words.copy()
    pairs = list(combinations(range(x.shape[-1]), 2))
    if pairs:
        early, late = ([pair[side] for pair in pairs] for side in (0, 1))
        late_is_less = bit_to_integer(unit, less_than(unit, Shares(values[late]), Shares(values[early]))).words
        for first, second, outcome in zip(early, late, late_is_less, strict=True):
            ranks[..., first] += outcome
            ranks[..., second] -= outcome
    return Shares(ranks)


def sort(unit: Unit, x: Shares, *, descending: bool = False) -> Shares:
    """Sort vectors along the last axis. Ranges, cost and view as `sort_by` without columns."""
    return sort_by(unit, x, descending=descending)[0]


def sort_by(unit: Unit, keys: Shares, *columns: Shares, descending: bool = False) -> list[Shares]:
    """Sort vectors of keys along the last axis, and carry columns along; equals keep their order.

    Each key is ranked, and goes to that place with what belongs to it (`place`). That takes fewer rounds and bytes than
    a one-hot row for each rank: 7 in place of 9, and m (m - 1) / 2 comparisons without m^2 tests for equality. Ranks
    are computed before anything is shuffled, since among equals the order in which they were shuffled would show.

    Parameters
    ----------
    keys
        Vectors of at most 64 values, for differences below 2^63. Hold keys from outside to a range first
        (`building_blocks.validation.Validation.within`): ranks of keys further apart repeat, and open as such.
    columns
        Any words, of the shape of the keys and any further axes.

    Returns
    -------
    list of Shares
        The keys and the columns, in the order of the keys.

    Raises
    ------
    SettingError
        The vectors are too long, or a column's shape does not fit.

    Notes
    -----
    Exact. 4 rounds, 2 messages one after the other, 1 round (nothing for single values). For k words a row, the key
    being one: 13.125 m (m - 1) / 2 + m bytes each way a vector, and 8 (k + 1) m one way and back. Both units see masked
    words and a uniformly random permutation.
    """
    for column in columns:
        if column.shape[: len(keys.shape)] != keys.shape:
            raise SettingError(f"a column of shape {column.shape} does not fit keys of shape {keys.shape}")
    ranks = rank(unit, keys, descending=descending)
    if keys.shape[-1] < 2:
        return [keys, *columns]
    widths = [math.prod(column.shape[len(keys.shape) :]) for column in (keys, *columns)]
    rows = [column.reshape(*keys.shape, width) for column, width in zip((keys, *columns), widths, strict=True)]
    placed = place(unit, ranks, concatenate(rows, axis=-1))
    parts = np.split(placed.words, np.cumsum(widths)[:-1], axis=-1)
    return [Shares(part.reshape(column.shape)) for part, column in zip(parts, (keys, *columns), strict=True)]
