"""Choosing between values, and the largest and smallest of them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from building_blocks import selection
from building_blocks.catalogue.block import Block, Input, Values
from building_blocks.shares import Shares
from privml.units.unit import Unit

ANY: Final = Input(-(2**63), 2**63 - 1)
BIT: Final = Input(0, 1)
ROW: Final = Input(-(2**62), 2**62 - 1, shape=(4,))
LONG_ROW: Final = Input(-(2**62), 2**62 - 1, shape=(10,))
BELOW_61: Final = Input(-(2**61) + 1, 2**61 - 1, shape=(4,))
INDEX: Final = Input(-(2**63), 2**63 - 1)

OWN: Final = "all pairs at once, wins multiplied: this project"
BRACKETS: Final = "a tournament of brackets of four: this project"
DIFFERENCES: Final = "differences below 2^63"
FIRST: Final = "exact; the first of equals"

TABLE: Final = np.array([[7, -1], [-8, 2**62], [9, 0]])


def _both(largest: selection.Largest) -> tuple[Shares, Shares]:
    return largest.index, largest.one_hot


def _one_hot(index: Values, size: int) -> Values:
    places: Values = np.arange(size)
    return np.asarray(index[..., None] == places, dtype=np.int64)


def _argmax(x: Values) -> tuple[Any, Any]:
    return x.argmax(-1), _one_hot(x.argmax(-1), x.shape[-1])


def _top_two(x: Values) -> tuple[Any, ...]:
    order = np.argsort(-x, axis=-1, kind="stable")
    first, second = order[..., 0], order[..., 1]
    return first, _one_hot(first, x.shape[-1]), second, _one_hot(second, x.shape[-1])


def _run_top_two(unit: Unit, x: Shares) -> tuple[Shares, ...]:
    first, second = selection.top_two(unit, x)
    return *_both(first), *_both(second)


SELECTIONS: Final = (
    Block(
        "select",
        selection.select,
        "b ? x : y",
        "b an integer 0 or 1; any words",
        "exact",
        "b (x - y) + y by a product",
        (BIT, ANY, ANY),
        lambda b, x, y: np.where(b == 1, x, y),
        sees="b - a, x - y - c",
    ),
    Block(
        "argmax",
        selection.argmax,
        "index of the largest and one-hot row, rows of 4",
        DIFFERENCES,
        FIRST,
        OWN,
        (ROW,),
        _argmax,
        program=lambda unit, x: _both(selection.argmax(unit, x)),
    ),
    Block(
        "argmax of many",
        selection.argmax,
        "index of the largest and one-hot row, rows of 10",
        DIFFERENCES,
        FIRST,
        BRACKETS,
        (LONG_ROW,),
        _argmax,
        program=lambda unit, x: _both(selection.argmax(unit, x)),
    ),
    Block(
        "argmin",
        selection.argmin,
        "index of the smallest and one-hot row, rows of 4",
        DIFFERENCES,
        FIRST,
        OWN,
        (ROW,),
        lambda x: _argmax(-x),
        program=lambda unit, x: _both(selection.argmin(unit, x)),
    ),
    Block(
        "maximum",
        selection.maximum,
        "largest value, rows of 4",
        DIFFERENCES,
        "exact",
        OWN,
        (ROW,),
        lambda x: x.max(-1),
    ),
    Block(
        "minimum",
        selection.minimum,
        "smallest value, rows of 4",
        DIFFERENCES,
        "exact",
        OWN,
        (ROW,),
        lambda x: x.min(-1),
    ),
    Block(
        "top two",
        selection.top_two,
        "indices and one-hot rows of the largest and the second largest, rows of 4",
        "|x| < 2^61",
        FIRST,
        OWN,
        (BELOW_61,),
        _top_two,
        program=_run_top_two,
    ),
    Block(
        "absolute value",
        selection.absolute,
        "|x|",
        "|x| < 2^63",
        "exact",
        "x - 2 (x < 0) x",
        (Input(-(2**63) + 1, 2**63 - 1),),
        np.abs,
    ),
    Block(
        "one-hot",
        selection.one_hot,
        "row of 3 with a one at the place x",
        "any words; zeros out of range",
        "exact",
        "equality with every place",
        (INDEX,),
        lambda x: _one_hot(x, 3),
        program=lambda unit, x: selection.one_hot(unit, x, 3),
    ),
    Block(
        "lookup",
        selection.lookup,
        "row x of a public table, shape (3, 2)",
        "any words; zeros out of range",
        "exact",
        "equality with every place",
        (INDEX,),
        lambda x: _one_hot(x, 3) @ TABLE,
        program=lambda unit, x: selection.lookup(unit, x, TABLE),
    ),
)
