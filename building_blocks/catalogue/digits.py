"""Binary digits: into the boolean world, runs of bits in it, and out of it again."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from building_blocks import boolean, comparison
from building_blocks.catalogue.block import Block, Input, Values
from building_blocks.shares import BooleanShares, Shares
from privml.units.unit import Unit

ANY: Final = Input(-(2**63), 2**63 - 1)
WORD: Final = Input(-(2**63), 2**63 - 1, digits=64)
SHORT: Final = Input(0, 2**16 - 1, digits=16)
BIT: Final = Input(0, 1, digits=1)

WINDOWS: Final = "windows after Damgård et al., TCC 2006, 6"
GATES: Final = "gates of four factors after Beaver, CRYPTO 1991"
BOTH_WORLDS: Final = "bits dealt in both worlds: Rotaru and Wood, INDOCRYPT 2019"

WEIGHTS: Final = np.stack([np.arange(16) ** 3 - 500, 2 ** np.arange(16)], axis=-1)


def _sixteen_digits(unit: Unit, x: Shares) -> BooleanShares:
    # lanes above are arbitrary
    return boolean.to_bits(unit, x, 16) & 0xFFFF


def _lanes(x: Values) -> Values:
    lanes: Values = (x[..., None] >> np.arange(16)) & 1
    return lanes


def _below_its_top(x: Values) -> Any:
    """All lanes from the highest set one down."""
    words = x.view(np.uint64)
    for step in (1, 2, 4, 8, 16, 32):
        words = words | words >> np.uint64(step)
    return words


DIGITS: Final = (
    Block(
        "and",
        boolean.conjunction,
        "x and y, lane by lane, of 64-bit words",
        "any words",
        "exact",
        GATES,
        (WORD, WORD),
        lambda x, y: (x & y).view(np.uint64),
        sees="x ⊕ a, y ⊕ b",
    ),
    Block(
        "suffix and",
        boolean.suffix_and,
        "lane i: whether lanes i.. are all set, of 64",
        "any words",
        "exact",
        GATES,
        (WORD,),
        lambda x: ~_below_its_top(~x),
        program=lambda unit, x: boolean.suffix_and(unit, x, 64),
    ),
    Block(
        "suffix or",
        boolean.suffix_or,
        "lane i: whether one of lanes i.. is set, of 64",
        "any words",
        "exact",
        GATES,
        (WORD,),
        _below_its_top,
        program=lambda unit, x: boolean.suffix_or(unit, x, 64),
    ),
    Block(
        "binary digits",
        boolean.to_bits,
        "the 64 bits of x",
        "any words",
        "exact",
        WINDOWS,
        (ANY,),
        lambda x: x.view(np.uint64),
        sees="x + r, masked words",
    ),
    Block(
        "16 binary digits",
        boolean.to_bits,
        "the 16 bits of x",
        "0 <= x < 2^16",
        "exact",
        WINDOWS,
        (Input(0, 2**16 - 1),),
        lambda x: x.astype(np.uint64),
        program=_sixteen_digits,
        sees="x + r, masked words",
    ),
    Block(
        "digits as integers",
        boolean.to_integers,
        "each of 16 lanes as an integer 0 or 1",
        "any words",
        "exact",
        BOTH_WORLDS,
        (SHORT,),
        _lanes,
        program=lambda unit, x: boolean.to_integers(unit, x, 16),
        sees="x ⊕ r",
    ),
    Block(
        "weighed digits",
        boolean.weigh_bits,
        "sum of w_i over the set lanes, of 16, for two lists of public weights",
        "any words, any weights",
        "exact modulo 2^64",
        BOTH_WORLDS,
        (SHORT,),
        lambda x: _lanes(x) @ WEIGHTS,
        program=lambda unit, x: boolean.weigh_bits(unit, x, WEIGHTS.astype(np.uint64)),
        sees="x ⊕ r",
    ),
    Block(
        "bit to integer",
        comparison.bit_to_integer,
        "the shared bit as an integer 0 or 1",
        "a bit",
        "exact",
        BOTH_WORLDS,
        (BIT,),
        lambda x: x,
        sees="x ⊕ r",
    ),
)
