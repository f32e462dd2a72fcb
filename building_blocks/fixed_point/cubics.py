"""Bounded functions as piecewise cubics: fitted when they are first used, evaluated exactly on shares."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.polynomial.chebyshev import chebinterpolate
from numpy.typing import NDArray

from building_blocks import truncation
from building_blocks.fixed_point.arithmetic import truncate
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.pieces import Pieces, evaluate_pieces
from building_blocks.shares import Shares
from privml.errors import SettingError
from privml.units.unit import Unit

Real = NDArray[np.float64]

DEGREE: Final = 3
SCALE: Final = 62
"""Fractional bits of a cubic's value before truncation, which takes |value - 1/2| <= 1/2 with so many."""

FINEST: Final = 16
"""Fractional bits of an argument, at most: 14 bits are left for a coefficient of its cube."""

COARSEST: Final = 10
"""Fractional bits of an argument, at least: knots and slack are multiples of 2^-10."""

SLACK: Final = 1 / 32
"""How far below its lower knot a piece is fitted: comparisons with the knots need not be exact."""


@dataclass(frozen=True)
class Cubics:
    """A function with values in [0, 1]: a cubic between any two neighbouring knots; outside level, or not defined.

    Parameters
    ----------
    function
        On arrays of real numbers.
    knots
        Ascending multiples of 2^-10.
    lowest
        The limit at minus infinity: below the first knot the value is halfway between this and the knot's. None if no
        argument lies there.
    highest
        The limit at infinity, likewise for the last knot.
    """

    function: Callable[[Real], Any]
    knots: tuple[float, ...]
    lowest: float | None = None
    highest: float | None = None

    @cache  # noqa: B019 - there are as many of these as functions in the program
    def pieces(self, fraction_bits: int) -> Pieces:
        """Return the integer polynomials for arguments of f fractional bits. Their result is the value less 1/2."""
        knots = [round(knot * 2**fraction_bits) for knot in self.knots]
        slack = round(SLACK * 2**fraction_bits)

        def value(x: Any) -> Any:
            return self.function(x / 2**fraction_bits) - 0.5

        def level(end: float, limit: float) -> list[int]:
            return [round((value(end) + limit - 0.5) / 2 * 2**SCALE), *[0] * DEGREE]

        rows = [_cubic(value, low - slack, high) for low, high in pairwise(knots)]
        first, *_, last = knots
        if self.lowest is None:
            del knots[0]
        else:
            rows.insert(0, level(first, self.lowest))
        if self.highest is None:
            del knots[-1]
        else:
            rows.append(level(last - slack, self.highest))
        words = np.array([[c % 2**64 for c in row] for row in rows], dtype=np.uint64)
        return Pieces(tuple(knots), words[:, None], slack)


def evaluate_cubics(unit: Unit, cubics: Cubics, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Evaluate a function that piecewise cubics stand for, at f fractional bits.

    All of x, x² and x³ times coefficients is exact modulo 2^64; only the value must fit, and is truncated once.

    Parameters
    ----------
    x
        With at most 16 fractional bits, else it is truncated to so many first.
    fraction_bits
        f of the result, in 1..61.

    Returns
    -------
    FixedPoint
        In [0, 1] up to its error: that of the cubics; less than 2^-f by truncation; and, where x was truncated, less
        than 2^-16 times the function's slope.

    Raises
    ------
    SettingError
        f is out of range.
    RangeError
        x has fewer than 10 fractional bits, and with so many it could leave 62 bits.

    Notes
    -----
    Four rounds, and 16 + 5/8 k bytes each way a value with k knots to compare with, for |x| below 2^12 - 16. Beyond,
    k/4 more bytes; from 2^18 - 16 on, one more round and 3 k more bytes. Where x is truncated, one more round and 8
    bytes. Both units see masked words.
    """
    if not 1 <= fraction_bits < SCALE:
        raise SettingError(f"a value in [0, 1] takes 1..{SCALE - 1} fractional bits; got {fraction_bits}")
    if x.fraction_bits < COARSEST:
        x = x.refined(COARSEST)
    x = truncate(unit, x, min(x.fraction_bits, FINEST))
    values = evaluate_pieces(unit, cubics.pieces(x.fraction_bits), x.shares, x.bound)[..., 0]
    half = 1 << (fraction_bits - 1)
    # cubics may err beyond [0, 1]
    bound = half + (half >> 10) + 1
    result = truncation.truncate(unit, values, SCALE - fraction_bits)
    if unit.is_master:
        result = Shares(result.words + np.uint64(half))
    return FixedPoint(result, fraction_bits, bound + half)


def _cubic(function: Callable[[Real], Any], low: int, high: int) -> list[int]:
    """Fit a cubic to a function of integers in [low, high]; coefficients for `SCALE` bits, the constant first.

    Interpolation at Chebyshev's points gives a_0 + a_1 T_1(u) + a_2 T_2(u) + a_3 T_3(u) for u in [-1, 1], which errs
    hardly more than the best cubic. Where the coefficient of u³ or u² is rounded, a_3 or a_2 goes with it: what
    rounding changes the value by is then a multiple of T_3 or T_2, and as small as it can be.
    """
    centre, reach = (low + high) // 2, (high - low) / 2
    a = chebinterpolate(lambda u: function(centre + reach * u), DEGREE)
    unit = [reach**m / 2.0**SCALE for m in range(DEGREE + 1)]
    cube = round(4 * a[3] / unit[3])
    square = round(2 * a[2] / unit[2])
    local = [
        round((a[0] - square * unit[2] / 2) / unit[0]),
        round((a[1] - 3 * cube * unit[3] / 4) / unit[1]),
        square,
        cube,
    ]
    # powers of x instead of x - centre: exact, since these are integers
    return [
        sum(local[m] * math.comb(m, power) * (-centre) ** (m - power) for m in range(power, DEGREE + 1))
        for power in range(DEGREE + 1)
    ]
