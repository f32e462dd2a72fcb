"""What the functions of analysis are made of: mantissas and polynomials."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.polynomial.polynomial import polyval

from building_blocks.catalogue.block import Block, Input, Values
from building_blocks.fixed_point import joined, normalisation, polynomial
from building_blocks.fixed_point.normalisation import MANTISSA_BITS
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import Shares
from privml.units.unit import Unit

BITS: Final = 44
POSITIVE: Final = Input(1, 2**BITS - 1, fraction_bits=0)
MANTISSA: Final = Input(-(2**29), 2**29, fraction_bits=MANTISSA_BITS)
FACTOR: Final = Input(-(2**30), 2**30, fraction_bits=10)
UNIT: Final = 2.0**-MANTISSA_BITS

# e^u to within 5e-12
EXPONENTIAL: Final = (1.0, 1.0, 0.5, 1 / 6, 1 / 24, 1 / 120, 1 / 720, 1 / 5040, 1 / 40320)
CURVATURE: Final = sum(EXPONENTIAL[2:])


def _normalised(x: Values) -> tuple[Any, Any]:
    """Mantissa, less 3/2, and exponent; float64 is exact below 2^53."""
    half, exponent = np.frexp(x.astype(np.float64))
    return 2 * half - 1.5, exponent.astype(np.int64) - 1


def _with_position(unit: Unit, x: FixedPoint) -> tuple[FixedPoint, Shares]:
    """Normalise, with the position of the top bit for its weight."""
    u, weights = normalisation.normalise(unit, x, np.arange(BITS, dtype=np.uint64)[:, None])
    return u, weights[..., 0]


POLYNOMIALS: Final = (
    Block(
        "normalise",
        normalisation.normalise,
        "u with x = (3/2 + u) 2^i; public weights at i",
        f"x > 0 of k bits, k = {BITS} of at most 62; 0 gives 0",
        "2^-30; weights exact",
        "after Catrina and Saxena, FC 2010, 4",
        (POSITIVE,),
        _normalised,
        tolerance=(UNIT, 0),
        program=_with_position,
        also=(normalisation.locate,),
    ),
    Block(
        "polynomial",
        polynomial.evaluate,
        "c_0 + c_1 u + ... + c_n u^n; n = 8, f = 28",
        "|u| <= 1; no product from 2^62 on",
        "2^-f + 2^-w (1 + 2 sum of |c_i|, i > 1) for |u| <= 1/2",
        "after Paterson and Stockmeyer, SIAM J. Comput. 1973",
        (MANTISSA,),
        lambda u: polyval(u * UNIT, EXPONENTIAL),
        tolerance=2.0**-28 + UNIT * (1 + 2 * CURVATURE),
        program=lambda unit, u: polynomial.evaluate(unit, EXPONENTIAL, u, 28),
    ),
    Block(
        "polynomial times a factor",
        polynomial.evaluate_times,
        "t (c_0 + c_1 u + ... + c_n u^n); n = 8",
        "|u| <= 1/2; no product from 2^62 on",
        "|t| 2^-w (2 + 2 sum of |c_i|, i > 1) + 2^-f (1 + high(u))",
        "`polynomial`",
        (MANTISSA, FACTOR),
        lambda u, t: polyval(u * UNIT, EXPONENTIAL) * t / 2**10,
        tolerance=lambda *operands: (
            np.abs(operands[1]) / 2**10 * UNIT * (2 + 2 * CURVATURE) + 2.0**-10 * (1 + EXPONENTIAL[3])
        ),
        program=lambda unit, u, t: polynomial.evaluate_times(unit, EXPONENTIAL, u, t),
        also=(joined.multiply_all, joined.truncate_all),
    ),
)
