"""Logarithms."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks.catalogue.block import Block, Input
from building_blocks.fixed_point import logarithm
from building_blocks.fixed_point.logarithm import LOG_ERROR

POSITIVE: Final = Input(1, 2**44 - 1, fraction_bits=20)
RANGE: Final = "x > 0; 0 gives 0"
CATRINA: Final = "after Catrina and Saxena, FC 2010, 4"

LOGARITHMS: Final = (
    Block(
        "log2",
        logarithm.log2,
        "log2(x), x of 44 bits",
        RANGE,
        "5.5e-8",
        CATRINA,
        (POSITIVE,),
        lambda x: np.log2(x / 2**20),
        tolerance=LOG_ERROR,
    ),
    Block(
        "ln",
        logarithm.ln,
        "ln(x), x of 44 bits",
        RANGE,
        "5.5e-8",
        CATRINA,
        (POSITIVE,),
        lambda x: np.log(x / 2**20),
        tolerance=LOG_ERROR,
    ),
)
