"""Reciprocals, quotients and roots."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks import division
from building_blocks.catalogue.block import Block, Input
from building_blocks.fixed_point import power, reciprocal, root
from building_blocks.fixed_point.power import POWER_ERROR

POSITIVE: Final = Input(1, 2**44 - 1, fraction_bits=16)
NUMERATOR: Final = Input(-(2**19), 2**19, fraction_bits=16)
DIVIDEND: Final = Input(0, 2**44 - 1)
DIVISOR: Final = Input(1, 2**44 - 1)

F: Final = 10
UNIT: Final = 2.0**-F
CATRINA: Final = "after Catrina and Saxena, FC 2010, 4"

QUOTIENTS: Final = (
    Block(
        "reciprocal",
        reciprocal.reciprocal,
        "1 / x; x of 44 bits, f = 10",
        "x > 0; 0 gives 0",
        "1e-8 / x + 2 2^-f",
        CATRINA,
        (POSITIVE,),
        lambda x: 2**16 / x,
        tolerance=lambda x: POWER_ERROR * 2**16 / x + 2 * UNIT,
        program=lambda unit, x: reciprocal.reciprocal(unit, x, F),
        also=(power.power,),
    ),
    Block(
        "divide, fixed point",
        reciprocal.divide,
        "x / y; x of 20 bits, y of 44, f = 10",
        "|x| < 2^42 as an integer, y > 0; 0 where y is 0",
        "1e-8 |x / y| + 3 2^-f",
        CATRINA,
        (NUMERATOR, POSITIVE),
        lambda x, y: x / y,
        tolerance=lambda x, y: POWER_ERROR * np.abs(x) / y + 3 * UNIT,
        program=lambda unit, x, y: reciprocal.divide(unit, x, y, F),
    ),
    Block(
        "divide integers",
        division.divide_integers,
        "floor(x / y) and x mod y",
        "0 <= x < 2^k, 0 < y < 2^k, k = 44 of at most 49; (0, x) where y is 0",
        "exact",
        "long division on reciprocals",
        (DIVIDEND, DIVISOR),
        lambda x, y: (x // y, x % y),
    ),
    Block(
        "square root",
        root.square_root,
        "sqrt(x); x of 44 bits, f = 10",
        "x >= 0",
        "1e-8 sqrt(x) + 2 2^-f",
        CATRINA,
        (POSITIVE,),
        lambda x: np.sqrt(x / 2**16),
        tolerance=lambda x: POWER_ERROR * np.sqrt(x / 2**16) + 2 * UNIT,
        program=lambda unit, x: root.square_root(unit, x, F),
    ),
    Block(
        "inverse square root",
        root.inverse_square_root,
        "1 / sqrt(x); x of 44 bits, f = 20",
        "x > 0; 0 gives 0",
        "1e-8 / sqrt(x) + 2 2^-f",
        CATRINA,
        (POSITIVE,),
        lambda x: 1 / np.sqrt(x / 2**16),
        tolerance=lambda x: POWER_ERROR / np.sqrt(x / 2**16) + 2 * 2.0**-20,
        program=lambda unit, x: root.inverse_square_root(unit, x, 20),
    ),
)
