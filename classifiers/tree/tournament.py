"""The best within each of several groups, and the two best of all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from building_blocks.product import dot, multiply
from building_blocks.selection import argmax, one_hot, top_two
from building_blocks.shares import Shares, Words, public
from building_blocks.sorting import rank
from privml.units.unit import Unit

BRACKET: Final = 8
"""Candidates that meet at once."""

RANKED: Final = 32
"""Up to this many candidates are ranked all against all: a third of the rounds of two tournaments."""


def best_in_groups(unit: Unit, x: Shares, groups: Sequence[slice]) -> tuple[Shares, Shares]:
    """Find the largest in each group of the last axis, the first of equals; for differences below 2^63.

    Groups of any sizes meet in brackets of up to eight, all groups at once, and the winners of one group in the next.

    Returns
    -------
    Shares
        One-hot within each group, in the shape of x.
    Shares
        The largest of each group, along the last axis.

    Notes
    -----
    Exact. One round more than `argmax` of a bracket: 7 where no group is larger than 8, and at most 8 more for each
    further level of brackets. Both units see masked words only.
    """
    brackets, of_group = _brackets(groups)
    contested = [number for number, bracket in enumerate(brackets) if len(bracket) > 1]
    chosen = public(unit, np.ones(x.shape, dtype=np.uint64)).words
    if not contested:
        return Shares(chosen), x
    width = max(map(len, brackets))
    # a bracket that is not full repeats its last candidate, who loses against itself
    columns = np.array([[*brackets[b], *[brackets[b][-1]] * (width - len(brackets[b]))] for b in contested])
    winner = argmax(unit, x[..., columns]).one_hot
    best = x[..., [bracket[0] for bracket in brackets]].words
    best[..., contested] = dot(unit, winner, x[..., columns]).words
    ahead, best_of_group = best_in_groups(unit, Shares(best), of_group)
    if len(brackets) > len(groups):
        winner = multiply(unit, winner, ahead[..., contested, None])
        chosen = ahead.words[..., np.repeat(range(len(brackets)), list(map(len, brackets)))]
    return Shares(_scattered(chosen, winner.words, [brackets[b] for b in contested])), best_of_group


def first_two(unit: Unit, x: Shares) -> tuple[Shares, Shares]:
    """One-hot rows of the largest and the second largest along the last axis, for |x| < 2^61; of equals the first.

    Exact. 8 rounds for up to 32 candidates, who are all compared with each other; `top_two` above.
    """
    if x.shape[-1] > RANKED:
        first, second = top_two(unit, x)
        return first.one_hot, second.one_hot
    places = one_hot(unit, rank(unit, x, descending=True), 2)
    return places[..., 0], places[..., 1]


def _brackets(groups: Sequence[slice]) -> tuple[list[list[int]], list[slice]]:
    """Columns of each bracket, and the brackets of each group; sizes within a group differ by one at most."""
    brackets: list[list[int]] = []
    of_group = []
    for group in groups:
        columns = np.arange(group.start, group.stop)
        parts = np.array_split(columns, -(-len(columns) // BRACKET))
        of_group.append(slice(len(brackets), len(brackets) + len(parts)))
        brackets += [part.tolist() for part in parts]
    return brackets, of_group


def _scattered(words: Words, rows: Words, brackets: Sequence[Sequence[int]]) -> Words:
    """Put each bracket's row into its columns."""
    result = words.copy()
    for position, columns in enumerate(brackets):
        result[..., columns] = rows[..., position, : len(columns)]
    return result
