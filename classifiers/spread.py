"""Work on many records, divided among the units' lanes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Concatenate, Final, ParamSpec, TypeVar

import numpy as np

from building_blocks.shares import Words
from privml.units.lanes import Lane
from privml.units.unit import Unit

T = TypeVar("T")
P = ParamSpec("P")

LEAST: Final = 64
"""Records that are worth a lane."""


def lanes_for(unit: Unit, records: int) -> int:
    """Among how many lanes to divide so many records: 1 where the unit does better alone."""
    return 1 if unit.lanes is None else max(1, min(unit.lanes.count, records // LEAST))


def spread(
    unit: Unit, program: Callable[Concatenate[Lane, Words, P], T], rows: Words, *args: P.args, **kwargs: P.kwargs
) -> list[T]:
    """Run `program(lane, rows, ...)` on parts of the rows, in their order: in lanes, or here on all of them.

    What a lane does is what this unit would do, with a link and correlations of its own: each worker sees what its
    unit would see.

    Parameters
    ----------
    unit
        The unit whose rows these are.
    program
        A function of a module.
    rows
        This unit's shares, a row each record.
    args
        Public, or shares of what all rows need; `kwargs` stays empty.
    """
    count = lanes_for(unit, len(rows))
    if unit.lanes is None or count == 1:
        return [program(Lane(unit), rows, *args, **kwargs)]
    return unit.lanes.map(unit, program, [(part, *args) for part in np.array_split(rows, count)])
