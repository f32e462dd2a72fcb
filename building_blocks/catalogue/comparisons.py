"""Signs, comparisons and equality."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks import comparison
from building_blocks.catalogue.block import Block, Input

ANY: Final = Input(-(2**63), 2**63 - 1)
HALF: Final = Input(-(2**62), 2**62 - 1)

DAMGARD: Final = "after Damgård et al., TCC 2006, 6"
SEES: Final = "x + r, masked words"
SEES_DIFFERENCE: Final = "x - y + r, masked words"

THRESHOLDS: Final = (-5, 0, 2**40)

COMPARISONS: Final = (
    Block(
        "sign",
        comparison.sign,
        "x < 0, a bit",
        "any words",
        "exact",
        DAMGARD,
        (ANY,),
        lambda x: x < 0,
        sees=SEES,
        also=(comparison.sign_of_masked, comparison.mask_exceeds),
    ),
    Block(
        "less than",
        comparison.less_than,
        "x < y, a bit",
        "|x - y| < 2^63",
        "exact",
        DAMGARD,
        (HALF, HALF),
        lambda x, y: x < y,
        sees=SEES_DIFFERENCE,
    ),
    Block(
        "less than, as integer",
        comparison.less_than,
        "x < y, an integer 0 or 1",
        "|x - y| < 2^63",
        "exact",
        DAMGARD,
        (HALF, HALF),
        lambda x, y: x < y,
        program=lambda unit, x, y: comparison.bit_to_integer(unit, comparison.less_than(unit, x, y)),
        sees=SEES_DIFFERENCE,
    ),
    Block(
        "below thresholds",
        comparison.below_thresholds,
        "x < t, a bit each for k = 3 public t",
        "|x - t| < 2^63",
        "exact",
        DAMGARD,
        (HALF,),
        lambda x: x[..., None] < np.array(THRESHOLDS),
        program=lambda unit, x: comparison.below_thresholds(unit, x, THRESHOLDS),
        sees=SEES,
    ),
    Block(
        "is zero",
        comparison.is_zero,
        "x = 0, a bit",
        "any words",
        "exact",
        DAMGARD,
        (ANY,),
        lambda x: x == 0,
        sees=SEES,
    ),
    Block(
        "equal",
        comparison.equal,
        "x = y, a bit",
        "any words",
        "exact",
        DAMGARD,
        (ANY, ANY),
        lambda x, y: x == y,
        sees=SEES_DIFFERENCE,
    ),
    Block(
        "equal to a public value",
        comparison.equal_to,
        "x = v, a bit, for a public v",
        "any words",
        "exact",
        DAMGARD,
        (ANY,),
        lambda x: x == -1,
        program=lambda unit, x: comparison.equal_to(unit, x, -1),
        sees="x - v + r, masked words",
    ),
)
