"""Products with matrices that are used again and again."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from building_blocks import operand
from building_blocks.catalogue.basic import EXACT, MATRIX, ROW
from building_blocks.catalogue.block import Block, Values
from building_blocks.shares import Shares
from privml.units.unit import Unit

BEAVER: Final = "after Mohassel and Zhang, IEEE S&P 2017"
GROUPS: Final = (slice(0, 1), slice(1, 4))


def _times_fixed(unit: Unit, x: Shares, y: Shares) -> Shares:
    return operand.multiply_by_operand(unit, x, operand.fix_operand(unit, y))


def _both_fixed(unit: Unit, x: Shares, y: Shares) -> Shares:
    return operand.multiply_operands(unit, *operand.fix_operands(unit, x, y))


def _squares(unit: Unit, x: Shares) -> tuple[Shares, ...]:
    return operand.squares(unit, operand.fix_operand(unit, x), GROUPS)


def _all_squares(x: Values) -> tuple[Any, Any]:
    sums = np.stack([x[:, group].sum(axis=-1) for group in GROUPS], axis=-1)
    return x * x, sums * sums


OPERANDS: Final = (
    Block(
        "fixed operand",
        operand.multiply_by_operand,
        "X Y, rows of 4 times a (4, 40) that is opened once under a mask: one round for that",
        "any words",
        EXACT,
        BEAVER,
        (ROW, MATRIX),
        lambda x, y: x @ y,
        program=_times_fixed,
        sees="X - A, Y - B",
        also=(operand.fix_operand,),
        any_batch=False,
    ),
    Block(
        "product of operands",
        operand.multiply_operands,
        "X Y, rows of 4 times (4, 40), both opened under masks: no further round",
        "any words",
        EXACT,
        BEAVER,
        (ROW, MATRIX),
        lambda x, y: x @ y,
        program=_both_fixed,
        sees="X - A, Y - B",
        also=(operand.fix_operands,),
        any_batch=False,
    ),
    Block(
        "squares of an operand",
        operand.squares,
        "all x², and (sum of x)² over two groups of columns, rows of 4 opened under a mask: no further round",
        "any words",
        EXACT,
        BEAVER,
        (ROW,),
        _all_squares,
        program=_squares,
        sees="X - A",
        any_batch=False,
    ),
    Block(
        "values of an operand",
        operand.values,
        "X, rows of 4 opened under a mask: no further round",
        "any words",
        EXACT,
        BEAVER,
        (ROW,),
        lambda x: x,
        program=lambda unit, x: operand.values(unit, operand.fix_operand(unit, x)),
        sees="X - A",
        any_batch=False,
    ),
)
