"""Products of fixed-point numbers, and coarser scales."""

from __future__ import annotations

from typing import Final

from building_blocks.catalogue.basic import BEAVER
from building_blocks.catalogue.block import Block, Input
from building_blocks.fixed_point import arithmetic

F: Final = 20
LARGE: Final = Input(-(2**61), 2**61, fraction_bits=30)
FACTOR: Final = Input(-(2**30), 2**30, fraction_bits=F)
ROW: Final = Input(-(2**29), 2**29, fraction_bits=F, shape=(4,))
MATRIX: Final = Input(-(2**29), 2**29, fraction_bits=F, shape=(4, 40), batched=False)

RANGE: Final = "|x y| < 2^62 as integers"
UNIT: Final = 2.0**-F
BELOW_A_UNIT: Final = "below 2^-f; exact without truncation"

FIXED_PRODUCTS: Final = (
    Block(
        "truncate, fixed point",
        arithmetic.truncate,
        "x at a coarser scale, from 30 to f = 20 bits",
        "|x| < 2^62 as an integer",
        "below 2^-f, unbiased",
        "`truncate`",
        (LARGE,),
        lambda x: x / 2**30,
        tolerance=UNIT,
        program=lambda unit, x: arithmetic.truncate(unit, x, F),
        sees="x + 2^62 + r",
    ),
    Block(
        "multiply, fixed point",
        arithmetic.multiply,
        "x y, truncated to f = 20 bits",
        RANGE,
        BELOW_A_UNIT,
        BEAVER,
        (FACTOR, FACTOR),
        lambda x, y: x * y / 2 ** (2 * F),
        tolerance=UNIT,
        program=lambda unit, x, y: arithmetic.multiply(unit, x, y, F),
        sees="x - a, y - b, x y + 2^62 + r",
    ),
    Block(
        "dot, fixed point",
        arithmetic.dot,
        "sum of x_i y_i, rows of 4, truncated to f = 20 bits",
        "the sum of all |x_i y_i| below 2^62 as integers",
        BELOW_A_UNIT,
        BEAVER,
        (ROW, ROW),
        lambda x, y: (x * y).sum(-1) / 2 ** (2 * F),
        tolerance=UNIT,
        program=lambda unit, x, y: arithmetic.dot(unit, x, y, F),
        sees="x - a, y - b, the sum + 2^62 + r",
    ),
    Block(
        "matmul, fixed point",
        arithmetic.matmul,
        "X Y, rows of 4 times (4, 40), truncated to f = 20 bits",
        "the sums of all |x_i y_i| below 2^62 as integers",
        BELOW_A_UNIT,
        "Mohassel and Zhang, IEEE S&P 2017",
        (ROW, MATRIX),
        lambda x, y: x @ y / 2 ** (2 * F),
        tolerance=UNIT,
        program=lambda unit, x, y: arithmetic.matmul(unit, x, y, F),
        sees="X - A, Y - B, X Y + 2^62 + r",
        any_batch=False,
    ),
)
