"""The logistic function."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from building_blocks.fixed_point.cubics import Cubics, Real, evaluate_cubics
from building_blocks.fixed_point.number import FixedPoint
from privml.units.unit import Unit

SIGMOID_ERROR: Final = 3.01e-5
"""Bound on the error before truncation: 2.4e-5 for |x| < 9.71, with rounded coefficients; beyond, 3.01e-5, which is
about half of the tail.
"""


def _logistic(x: Real) -> Any:
    return 1 / (1 + np.exp(-x))


# of twelve cubics with knots at multiples of 1/8, those that err least
_KNOTS: Final = (0.875, 1.625, 3.125, 4.5, 6.375, 9.75)
_SIGMOID: Final = Cubics(_logistic, (*(-t for t in reversed(_KNOTS)), 0.0, *_KNOTS), lowest=0.0, highest=1.0)


def sigmoid(unit: Unit, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """1 / (1 + e^-x), by twelve cubics between -9.75 and 9.75, and level beyond (`evaluate_cubics`).

    Splines stand for the function as in MiniONN (Liu, Juuti, Lu and Asokan, CCS 2017, section 5.3); their piece is
    found, and their value taken, under one mask.

    Parameters
    ----------
    x
        Of any declared range, below 2^52. With more than 16 fractional bits it is truncated to 16 first.
    fraction_bits
        f of the result, in 1..61.

    Returns
    -------
    FixedPoint
        |error| < 3.01e-5 + 2^-f (`SIGMOID_ERROR`), and 2^-18 more if x has more than 16 fractional bits.

    Raises
    ------
    SettingError
        f is out of range.

    Notes
    -----
    4 rounds, 24.1 bytes each way a value for |x| < 2^12 - 16, and 27.4 for |x| < 2^18 - 16. One more round and 36 more
    bytes where |x| can be larger. One more round and 8 more bytes if x has more than 16 fractional bits. Both units see
    masked words.
    """
    return evaluate_cubics(unit, _SIGMOID, x, fraction_bits)
