"""Scans over bits: runs from below, and the most significant bit."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from building_blocks import bit_scan
from building_blocks.catalogue.block import Block, Input, Values

WORD: Final = Input(-(2**63), 2**63 - 1, digits=64)
BITS: Final = 44
NUMBER: Final = Input(0, 2**BITS - 1)

GATES: Final = "gates of four factors after Beaver, CRYPTO 1991"
NORMALISED: Final = "Catrina and Saxena, FC 2010, 4"
RANGE: Final = f"0 <= x < 2^{BITS}; 0 has none"


def _above_its_lowest(x: Values) -> Any:
    """All lanes from the lowest set one up."""
    words = x.view(np.uint64)
    return words | (np.uint64(0) - words)


def _length(x: Values) -> Any:
    # exact, since the numbers are below 2^53
    return np.frexp(x.astype(np.float64))[1]


BIT_SCANS: Final = (
    Block(
        "prefix and",
        bit_scan.prefix_and,
        "lane i: whether lanes ..i are all set, of 64",
        "any words",
        "exact",
        GATES,
        (WORD,),
        lambda x: ~_above_its_lowest(~x),
        program=lambda unit, x: bit_scan.prefix_and(unit, x, 64),
    ),
    Block(
        "prefix or",
        bit_scan.prefix_or,
        "lane i: whether one of lanes ..i is set, of 64",
        "any words",
        "exact",
        GATES,
        (WORD,),
        _above_its_lowest,
        program=lambda unit, x: bit_scan.prefix_or(unit, x, 64),
    ),
    Block(
        "most significant bit",
        bit_scan.most_significant_bit,
        "2^floor(log2 x), a word",
        RANGE,
        "exact",
        NORMALISED,
        (NUMBER,),
        lambda x: np.where(x > 0, np.uint64(1) << (_length(x) - 1).clip(0).astype(np.uint64), 0).astype(np.uint64),
        program=lambda unit, x: bit_scan.most_significant_bit(unit, x, BITS),
        sees="x + r, masked words",
    ),
    Block(
        "bit length",
        bit_scan.bit_length,
        "floor(log2 x) + 1",
        f"0 <= x < 2^{BITS}; 0 has length 0",
        "exact",
        NORMALISED,
        (NUMBER,),
        _length,
        program=lambda unit, x: bit_scan.bit_length(unit, x, BITS),
        sees="x + r, masked words",
    ),
)
