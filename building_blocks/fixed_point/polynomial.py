"""Polynomials with public coefficients in a shared number: what the functions of analysis come down to.

A product and its truncation take a round each, so depth counts. Powers are made by doubling, and what the high
coefficients make is ready when the power is that it is multiplied by (after Paterson and Stockmeyer, SIAM J. Comput.
1973, who count products instead).
"""

from __future__ import annotations

from collections.abc import Sequence

from building_blocks.fixed_point.arithmetic import multiply, truncate
from building_blocks.fixed_point.joined import multiply_all, truncate_all
from building_blocks.fixed_point.number import FixedPoint, fixed_public, require_range
from building_blocks.shares import stack
from privml.errors import ScaleError, SettingError
from privml.units.unit import Unit


def evaluate(unit: Unit, coefficients: Sequence[float], u: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Evaluate c_0 + c_1 u + ... + c_n u^n for |u| <= 1, as low(u) + u^k high(u).

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
        The declared range follows from that of u. Error below 2^-f + 2^-w (1 + sum of (i |c_i| + 1/2) over i = 1..n):
        of the last truncation, and of high's; of u^i, as each product adds a unit; of rounded coefficients. For
        |u| <= 1/2 below 2^-f + 2^-w (1 + 2 sum of |c_i| over i = 2..n): what a product adds is halved by the next.

    Raises
    ------
    SettingError
        There are fewer than two coefficients.
    ScaleError
        The result would be finer than 2w fractional bits.
    RangeError
        A product could leave 62 bits: take fewer fractional bits, or declare the range of u.

    Notes
    -----
    Degree 1: 1 round; 2: 3; 3: 4; 4: 5; 5 to 7: 6; 8: 7; 9 to 15: 8; 16: 9. Degree 8 sends 96 bytes each way a value.
    Both units see masked words.
    """
    if fraction_bits > 2 * u.fraction_bits:
        raise ScaleError(f"{u.fraction_bits} fractional bits give a polynomial {2 * u.fraction_bits} at most")
    _largest(coefficients, u)
    degree = len(coefficients) - 1
    if degree == 1:
        return truncate(unit, _combine(unit, coefficients, [u]), fraction_bits)
    middle = 1 << ((degree - 1).bit_length() - 1)
    powers, high = _climb(unit, u, middle, coefficients[middle:] if degree < 2 * middle else [])
    if high is None:
        high = truncate(unit, _combine(unit, coefficients[middle:], powers), u.fraction_bits)
    low = _combine(unit, coefficients[:middle], powers)
    return truncate(unit, low + multiply(unit, powers[-1], high), fraction_bits)


def evaluate_times(unit: Unit, coefficients: Sequence[float], u: FixedPoint, factor: FixedPoint) -> FixedPoint:
    """Multiply t by c_0 + c_1 u + ... + c_n u^n for |u| <= 1/2, at once: t low(u) + (t u^k) high(u).

    Parameters
    ----------
    coefficients
        c_0, ..., c_n with n >= 1.
    u
        Its fractional bits, w <= 30, are the working precision.
    factor
        t, of any scale 2^-f; as an integer, its product with the polynomial stays below 2^{62-w}. Shapes broadcast.

    Returns
    -------
    FixedPoint
        At the scale of t. Error below |t| 2^-w (2 + 2 sum of |c_i| over i = 2..n) + 2^-f (1 + the largest |high(u)|).

    Raises
    ------
    SettingError
        There are fewer than two coefficients.
    RangeError
        A product could leave 62 bits.

    Notes
    -----
    Degree 1 and 2: 4 rounds; 3 to 5: 6; 6 to 11: 8; 12 to 23: 10. Degree 11 sends 184 bytes each way a value. Both
    units see masked words.
    """
    bits, degree, middle = u.fraction_bits, len(coefficients) - 1, 1
    require_range(bits, int(factor.bound * _largest(coefficients, u) * 2**bits))
    while 3 * middle <= degree:
        middle *= 2
    split = 2 * middle + (degree == 2 * middle)
    powers, higher = _climb(unit, u, middle, coefficients[split:])
    # whatever its scale: t is multiplied by mantissas only, and brought back from each
    t = FixedPoint(factor.shares, bits, factor.bound)
    low = _combine(unit, coefficients[:middle], powers)
    high = _combine(unit, coefficients[middle:split], powers)
    scaled, *products = _multiply_pairs(unit, [(x, powers[-1]) for x in (t, higher) if x is not None])
    scaled, low, high = _truncate_each(unit, [scaled, low, sum(products, start=high)])
    first, second = _multiply_pairs(unit, [(t, low), (scaled, high)])
    result = truncate(unit, first + second, bits)
    return FixedPoint(result.shares, factor.fraction_bits, result.bound)


def _largest(coefficients: Sequence[float], u: FixedPoint) -> float:
    """Bound the polynomial, and check before anything is sent that the coefficients suit the range of u."""
    if len(coefficients) < 2:
        raise SettingError(f"a polynomial to evaluate has two coefficients at least; got {len(coefficients)}")
    largest, power = 0.0, 1.0
    for coefficient in reversed(coefficients):
        # what is left when lower powers are split off, and those powers
        largest, power = abs(coefficient) + u.limit * largest, power * max(u.limit, 1.0)
        require_range(2 * u.fraction_bits, int(max(largest, power) * 4**u.fraction_bits))
    return largest


def _climb(
    unit: Unit, u: FixedPoint, top: int, coefficients: Sequence[float]
) -> tuple[list[FixedPoint], FixedPoint | None]:
    """Powers u, ..., u^top, top a power of two, and on the way a polynomial of degree below top if there is one.

    2 log2(top) rounds.
    """
    if top == 1:
        return [u], None
    half = top // 2
    beyond = coefficients[half:] if len(coefficients) > half + 1 else []
    powers, rest = _climb(unit, u, half, beyond)
    products = _multiply_each(unit, powers if rest is None else [*powers, rest], powers[-1])
    if not coefficients:
        return powers + _truncate_each(unit, products), None
    value = _combine(unit, coefficients[: half + (not beyond)], powers)
    if rest is not None:
        value = value + products.pop()
    *higher, value = _truncate_each(unit, [*products, value])
    return powers + higher, value


def _combine(unit: Unit, coefficients: Sequence[float], powers: Sequence[FixedPoint]) -> FixedPoint:
    """Add c_0 + c_1 u + ..., with twice the fractional bits. Local."""
    bits = powers[0].fraction_bits
    total = fixed_public(unit, coefficients[0], 2 * bits)
    for coefficient, power in zip(coefficients[1:], powers, strict=False):
        total = total + power.scaled(coefficient, bits)
    return total


def _multiply_each(unit: Unit, factors: Sequence[FixedPoint], y: FixedPoint) -> list[FixedPoint]:
    """Multiply several numbers of one scale and shape by y, in one round in which y is sent once."""
    bits = factors[0].fraction_bits
    joined = FixedPoint(stack([x.shares for x in factors]), bits, max(x.bound for x in factors))
    products = multiply(unit, joined, y)
    return [FixedPoint(products.shares[k], products.fraction_bits, x.bound * y.bound) for k, x in enumerate(factors)]


def _multiply_pairs(unit: Unit, pairs: Sequence[tuple[FixedPoint, FixedPoint]]) -> list[FixedPoint]:
    """Multiply pair by pair, in one round."""
    products = multiply_all(unit, [(x.shares, y.shares) for x, y in pairs])
    return [
        FixedPoint(product, x.fraction_bits + y.fraction_bits, x.bound * y.bound)
        for product, (x, y) in zip(products, pairs, strict=True)
    ]


def _truncate_each(unit: Unit, numbers: Sequence[FixedPoint]) -> list[FixedPoint]:
    """Halve the fractional bits of several numbers of one scale, in one round."""
    bits = numbers[0].fraction_bits // 2
    shares = truncate_all(unit, [x.shares for x in numbers], bits)
    return [FixedPoint(part, bits, (x.bound >> bits) + 1) for part, x in zip(shares, numbers, strict=True)]
