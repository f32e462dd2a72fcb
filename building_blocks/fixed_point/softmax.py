"""Scores as probabilities."""

from __future__ import annotations

from typing import Final

import numpy as np

from building_blocks.fixed_point.arithmetic import multiply
from building_blocks.fixed_point.cubics import COARSEST, Cubics, evaluate_cubics
from building_blocks.fixed_point.number import FixedPoint, require_range
from building_blocks.selection import maximum
from privml.errors import SettingError
from privml.units.unit import Unit

EXP_ERROR: Final = 7.5e-6
"""Bound on the error of a power of e: 7.32e-6 of the cubics, 5.1e-6 of the level below -11.5, and their truncation."""

INVERSE_ERROR: Final = 2.4e-5
"""Bound on the error of the inverse sum: 8e-6 of the cubics, and 2^-16 of the sum, which is truncated."""

MOST: Final = 64
"""Candidates, at most."""

WORKING_BITS: Final = 28
"""Fractional bits of the powers and of their inverse sum."""

# of twelve cubics with knots at multiples of 1/8, those that err least
_EXP: Final = Cubics(
    np.exp,
    (-11.5, -9.125, -6.75, -5.25, -4.125, -3.25, -2.5, -1.875, -1.375, -1.0, -0.625, -0.25, 0.0),
    lowest=0.0,
)

# each cubic reaches as far as an error of 8e-6 permits; that the first one starts below one suits powers that err
_INVERSE: Final = Cubics(
    np.reciprocal,
    (1.0, 1.15625, 1.34375, 1.578125, 1.875, 2.265625, 2.75, 3.375, 4.25, 5.4375, 6.875)  # noqa: RUF005 - one line each
    + (8.625, 11.0, 13.25, 15.25, 17.75, 20.75, 24.5, 29.5, 35.75, 44.0, 55.25, 64.5),
)


def softmax(unit: Unit, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Probabilities e^{x_i} / sum of e^{x_j} over the last axis.

    The largest score is taken off all, which leaves the quotients as they are, and the sum between 1 and m. The powers
    and their inverse sum are piecewise cubics (`evaluate_cubics`).

    Parameters
    ----------
    x
        Rows of m candidates, 2 <= m <= 64.
    fraction_bits
        f of the result, in 1..28.

    Returns
    -------
    FixedPoint
        |error| <= (m + 1) 7.5e-6 + 2.4e-5 + 2^-f (`softmax_error`), and 2^-17 more if x has more than 16 fractional
        bits.

    Raises
    ------
    SettingError
        The number of candidates or of fractional bits is out of range.
    RangeError
        A difference of two scores could leave 62 bits.

    Notes
    -----
    The rounds of `maximum` and 11: 16 for m = 2, 17 for m <= 5, 18 for m <= 8, 7 more for each further level of its
    brackets. 80 to 120 bytes each way a candidate. 3 more bytes where differences can be 2^12 - 16 or more; one more
    round and 36 more bytes where they can be 2^18 - 16 or more. One more round and 8 more bytes if x has more than 16
    fractional bits. Both units see masked words.
    """
    count = x.shape[-1] if x.shape else 0
    if not 2 <= count <= MOST:
        raise SettingError(f"softmax takes 2..{MOST} candidates along the last axis; got shape {x.shape}")
    if not 1 <= fraction_bits <= WORKING_BITS:
        raise SettingError(f"probabilities take 1..{WORKING_BITS} fractional bits; got {fraction_bits}")
    x = x.refined(max(x.fraction_bits, COARSEST))
    require_range(x.fraction_bits, 2 * x.bound)
    largest = FixedPoint(maximum(unit, x.shares), x.fraction_bits, x.bound)
    powers = evaluate_cubics(unit, _EXP, x - largest.reshape(*x.shape[:-1], 1), WORKING_BITS)
    inverse = evaluate_cubics(unit, _INVERSE, powers.sum(axis=-1), WORKING_BITS)
    return multiply(unit, powers, inverse.reshape(*x.shape[:-1], 1), fraction_bits)


def softmax_error(count: int, fraction_bits: int) -> float:
    """Bound on the error of probabilities of so many candidates, for scores of at most 16 fractional bits.

    An error of e in every power changes a quotient by e, and through their sum by m e at most.
    """
    return (count + 1) * EXP_ERROR + INVERSE_ERROR + 2.0**-fraction_bits
