"""Polynomials with public coefficients in a shared number: what the functions of analysis come down to."""

from __future__ import annotations

from collections.abc import Sequence

from building_blocks.fixed_point.arithmetic import multiply, truncate
from building_blocks.fixed_point.number import FixedPoint, fixed_public
from building_blocks.shares import stack
from privml.errors import SettingError
from privml.units.unit import Unit


def evaluate(unit: Unit, coefficients: Sequence[float], u: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Evaluate c_0 + c_1 u + ... + c_n u^n for |u| <= 1.

    low(u) + u^k high(u), with k the least power of two from n/2 on and the powers by doubling (Paterson and
    Stockmeyer, SIAM J. Comput. 1973, for depth instead of products). What does not wait for each other is joined.

    Parameters
    ----------
    coefficients
        c_0, ..., c_n with n >= 1.
    u
        Its fractional bits, w <= 30, are the working precision.
    fraction_bits
        f of the result, at most 2w.

    Returns
    -------
    FixedPoint
        Error below 2^-f + 2^-w (1 + sum of i |c_i| + 1/2 over i = 1..n): of the last truncation, of that of high, of
        u^i (each product adds one unit), and of rounded coefficients. The declared range follows from that of u.

    Raises
    ------
    SettingError
        There are fewer than two coefficients.
    RangeError
        A product could leave 62 bits: take fewer fractional bits, or declare the range of u.

    Notes
    -----
    Degree 1: 1 round; 2: 3; 3: 4; 4: 5; 5 and 6: 6; 7 and 8: 7; 9 to 12: 8; 13 to 16: 9. Degree 8 sends 96 bytes each
    way a value. Both units see masked words.
    """
    degree = len(coefficients) - 1
    if degree < 1:
        raise SettingError(f"a polynomial to evaluate has two coefficients at least; got {len(coefficients)}")
    if degree == 1:
        return truncate(unit, _combination(unit, coefficients, [u]), fraction_bits)
    middle = 1 << ((degree - 1).bit_length() - 1)
    powers, high = [u], None
    while len(powers) < middle:
        due = _multiply_each(unit, powers, powers[-1])
        if degree - middle <= len(powers) == middle // 2:
            # high has all the powers that it needs: it comes along
            due.append(_combination(unit, coefficients[middle:], powers))
        truncated = _truncate_each(unit, due, u.fraction_bits)
        powers, high = powers + truncated[: len(powers)], truncated[len(powers)] if len(due) > len(powers) else None
    if high is None:
        high = truncate(unit, _combination(unit, coefficients[middle:], powers), u.fraction_bits)
    low = _combination(unit, coefficients[:middle], powers)
    return truncate(unit, low + multiply(unit, powers[-1], high), fraction_bits)


def _combination(unit: Unit, coefficients: Sequence[float], powers: Sequence[FixedPoint]) -> FixedPoint:
    """Add c_0 + c_1 u + ..., with twice the fractional bits. Local."""
    bits = powers[0].fraction_bits
    total = fixed_public(unit, coefficients[0], 2 * bits)
    # in one dimension numpy makes scalars of sums, so the powers come first
    for coefficient, power in zip(coefficients[1:], powers, strict=False):
        total = power.scaled(coefficient, bits) + total
    return total


def _multiply_each(unit: Unit, factors: Sequence[FixedPoint], y: FixedPoint) -> list[FixedPoint]:
    """Multiply several numbers of one scale by y, in one round in which y is sent once."""
    bits = factors[0].fraction_bits
    products = multiply(unit, FixedPoint(stack([x.shares for x in factors]), bits, max(x.bound for x in factors)), y)
    return [FixedPoint(products.shares[k], products.fraction_bits, x.bound * y.bound) for k, x in enumerate(factors)]


def _truncate_each(unit: Unit, numbers: Sequence[FixedPoint], fraction_bits: int) -> list[FixedPoint]:
    """Truncate several numbers of one scale and shape, in one round."""
    bits = numbers[0].fraction_bits
    joined = FixedPoint(stack([x.shares for x in numbers]), bits, max(x.bound for x in numbers))
    shares = truncate(unit, joined, fraction_bits).shares
    return [
        FixedPoint(shares[k], fraction_bits, (x.bound >> (bits - fraction_bits)) + 1) for k, x in enumerate(numbers)
    ]
