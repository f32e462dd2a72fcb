"""Square root, and its inverse, of shared numbers."""

from __future__ import annotations

from typing import Final

from building_blocks.fixed_point.number import FixedPoint
from building_blocks.fixed_point.power import power
from privml.units.unit import Unit

# (3/2 + u)^(1/2) and (3/2 + u)^(-1/2) on [-1/2, 1/2], minimax in the relative error (2.9e-9 and 2.1e-10) by the Remez
# exchange, lowest power first
_SQUARE_ROOT: Final = (
    1.2247448698113805,
    0.40824823291591217,
    -0.0680411459781825,
    0.022683515649722756,
    -0.009456000448304878,
    0.004366787313471658,
    -0.0021543142051209697,
    0.0013772361370445118,
    -0.0008042355950214901,
)
_INVERSE: Final = (
    0.8164965807563105,
    -0.2721655262686227,
    0.1360828123997473,
    -0.07560161445732533,
    0.04409864277531324,
    -0.02645802055248676,
    0.01620802563700797,
    -0.010044192290342662,
    0.005974952912179709,
    -0.0037193964608955945,
    0.0034317534721700314,
    -0.0022458232318670053,
)


def square_root(unit: Unit, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Square root of x >= 0, with f fractional bits.

    x = m 2^i with m in [1, 2): a polynomial of degree 8 in m, times sqrt(2)^i as a public function of the secret i,
    odd or even (for the normalisation, Catrina and Saxena, FC 2010, section 4).

    Returns
    -------
    FixedPoint
        |error| <= 1e-8 sqrt(x) + 2 2^-f (`POWER_ERROR`). Exactly 0 at x = 0. Meaningless for x < 0.

    Raises
    ------
    RangeError
        The root of the largest x leaves 62 bits at this scale.

    Notes
    -----
    With k bits for the integers: 2 ceil(log4(k)) + 10 rounds, and one more for k > 31: 17 then, and at most 240 bytes
    each way a value. One round more where the root can exceed 31 bits. Both units see masked words only.
    """
    return power(unit, x, 1, _SQUARE_ROOT, fraction_bits)


def inverse_square_root(unit: Unit, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Inverse square root of x > 0, with f fractional bits: as `square_root`, with a polynomial of degree 11.

    Returns
    -------
    FixedPoint
        |error| <= 1e-8 / sqrt(x) + 2 2^-f (`POWER_ERROR`). Exactly 0 at x = 0. Meaningless for x < 0.

    Raises
    ------
    RangeError
        2^{f + e/2}, the result for the smallest positive x, 2^-e, leaves 62 bits.

    Notes
    -----
    With k bits for the integers: 2 ceil(log4(k)) + 10 rounds, and one more for k > 31: 17 then, and at most 296 bytes
    each way a value. Where f + e/2 > 30, 2 rounds more. Both units see masked words only.
    """
    return power(unit, x, -1, _INVERSE, fraction_bits)
