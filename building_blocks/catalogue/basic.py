"""Products of integers, and truncation."""

from __future__ import annotations

from typing import Final

from building_blocks import product, truncation
from building_blocks.catalogue.block import Block, Input

ANY: Final = Input(-(2**63), 2**63 - 1)
ROW: Final = Input(-(2**63), 2**63 - 1, shape=(4,))
# columns enough for statistics on what is opened of it
MATRIX: Final = Input(-(2**63), 2**63 - 1, shape=(4, 40), batched=False)
BELOW_62: Final = Input(-(2**62) + 1, 2**62 - 1)

BEAVER: Final = "Beaver, CRYPTO 1991"
EXACT: Final = "exact modulo 2^64"

BASIC: Final = (
    Block(
        "multiply",
        product.multiply,
        "x y",
        "any words",
        EXACT,
        BEAVER,
        (ANY, ANY),
        lambda x, y: x * y,
        sees="x - a, y - b",
    ),
    Block(
        "square",
        product.square,
        "x²",
        "any words",
        EXACT,
        BEAVER,
        (ANY,),
        lambda x: x * x,
        sees="x - a, x - b",
    ),
    Block(
        "dot",
        product.dot,
        "sum of x_i y_i, rows of 4",
        "any words",
        EXACT,
        BEAVER,
        (ROW, ROW),
        lambda x, y: (x * y).sum(-1),
        sees="x - a, y - b",
    ),
    Block(
        "matmul",
        product.matmul,
        "X Y, rows of 4 times (4, 40)",
        "any words",
        EXACT,
        "Mohassel and Zhang, IEEE S&P 2017",
        (ROW, MATRIX),
        lambda x, y: x @ y,
        sees="X - A, Y - B",
        any_batch=False,
    ),
    Block(
        "truncate",
        truncation.truncate,
        "x / 2^f; f = 20",
        "|x| < 2^62, f in 1..62",
        "floor or ceiling, unbiased",
        "after Dalskov, Escudero and Keller, PoPETs 2020",
        (BELOW_62,),
        lambda x: x / 2**20,
        tolerance=1,
        program=lambda unit, x: truncation.truncate(unit, x, 20),
        sees="x + 2^62 + r",
    ),
)
