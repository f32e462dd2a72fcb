"""Orders: rows in a secret one, ranks, and sorting."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from building_blocks import permutation, sorting
from building_blocks.catalogue.block import Block, Input, Values
from building_blocks.shares import Shares, public
from privml.units.unit import Unit

ROWS: Final = Input(-(2**63), 2**63 - 1, shape=(5, 2))
KEYS: Final = Input(-(2**62), 2**62 - 1, shape=(5,))

SHUFFLE: Final = "Chase, Ghosh and Poburinnaya, ASIACRYPT 2020"
PAIRS: Final = "all pairs at once: this project"
RANKS: Final = "ranks, shuffled and opened: this project"
DIFFERENCES: Final = "differences below 2^63"
SEES_ORDER: Final = "masked words, a uniform permutation"


def _sum_of_shuffled(unit: Unit, x: Shares) -> Shares:
    # the one thing that the order does not change
    return permutation.shuffle(unit, x, axis=len(x.shape) - 2).sum(axis=-2)


def _moved_back(unit: Unit, x: Shares) -> Shares:
    # to the places that a descending order gives
    return permutation.place(unit, sorting.rank(unit, x, descending=True), x)


def _order(x: Values) -> Any:
    return np.argsort(x, axis=-1, kind="stable")


def _with_places(unit: Unit, x: Shares) -> tuple[Shares, ...]:
    # the column that is carried along: where each key was
    places = np.broadcast_to(np.arange(x.shape[-1]), x.shape)
    return tuple(sorting.sort_by(unit, x, public(unit, places)))


ORDERINGS: Final = (
    Block(
        "shuffle",
        permutation.shuffle,
        "rows of 2 in a uniformly random order, vectors of 5 rows",
        "any words",
        "exact",
        SHUFFLE,
        (ROWS,),
        lambda x: x.sum(axis=-2),
        program=_sum_of_shuffled,
        sees="π⁻¹(x) - a",
    ),
    Block(
        "place",
        permutation.place,
        "each value to its secret place, vectors of 5; here with `rank` for the places",
        "places are a permutation; any words",
        "exact",
        RANKS,
        (KEYS,),
        lambda x: np.take_along_axis(x, _order(-x), axis=-1),
        program=_moved_back,
        sees=SEES_ORDER,
        opens_orders=True,
    ),
    Block(
        "rank",
        sorting.rank,
        "number of smaller values, and of equals before it, vectors of 5",
        DIFFERENCES,
        "exact",
        PAIRS,
        (KEYS,),
        lambda x: np.argsort(_order(x), axis=-1),
        sees="x - y + r, masked words",
    ),
    Block(
        "sort",
        sorting.sort,
        "vectors of 5 in ascending order",
        DIFFERENCES,
        "exact",
        RANKS,
        (KEYS,),
        lambda x: np.sort(x, axis=-1),
        sees=SEES_ORDER,
        opens_orders=True,
    ),
    Block(
        "sort by",
        sorting.sort_by,
        "vectors of 5 keys in ascending order, and a column moved along",
        DIFFERENCES,
        "exact; equals keep their order",
        RANKS,
        (KEYS,),
        lambda x: (np.sort(x, axis=-1), _order(x)),
        program=_with_places,
        sees=SEES_ORDER,
        opens_orders=True,
    ),
)
