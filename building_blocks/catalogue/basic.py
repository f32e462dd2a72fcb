"""Products and truncation."""

from __future__ import annotations

from typing import Final

from building_blocks import product, truncation
from building_blocks.catalogue.block import Block, Input

ANY: Final = Input(-(2**63), 2**63 - 1)
BELOW_62: Final = Input(-(2**62) + 1, 2**62 - 1)

BASIC: Final = (
    Block(
        "multiply",
        product.multiply,
        "x y",
        "any words",
        "exact modulo 2^64",
        "Beaver, CRYPTO 1991",
        (ANY, ANY),
        lambda x, y: x * y,
    ),
    Block(
        "truncate",
        lambda unit, x: truncation.truncate(unit, x, 20),
        "x / 2^f",
        "|x| < 2^62, f in 1..62",
        "floor or one more, unbiased",
        "after Dalskov, Escudero and Keller, PoPETs 2020",
        (BELOW_62,),
        lambda x: x >> 20,
        tolerance=1,
    ),
)
