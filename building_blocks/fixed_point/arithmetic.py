"""Products of fixed-point numbers, and coarser scales."""

from __future__ import annotations

from building_blocks import product, truncation
from building_blocks.fixed_point.number import FixedPoint, require_range
from privml.errors import ScaleError
from privml.units.unit import Unit


def truncate(unit: Unit, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Bring to a coarser scale: the floor at 2^-f, or one unit of 2^-f more, unbiased (`building_blocks.truncation`).

    One round, 8 bytes each way a value; nothing at all if the scale is that already.

    Raises
    ------
    ScaleError
        The scale is finer; that is what `refined` does.
    """
    dropped = x.fraction_bits - fraction_bits
    if dropped < 0:
        raise ScaleError(f"{x.fraction_bits} fractional bits become {fraction_bits} by refined(), not by truncation")
    if not dropped:
        return x
    return FixedPoint(truncation.truncate(unit, x.shares, dropped), fraction_bits, (x.bound >> dropped) + 1)


def multiply(unit: Unit, x: FixedPoint, y: FixedPoint, fraction_bits: int | None = None) -> FixedPoint:
    """Elementwise product; shapes broadcast. With `fraction_bits`, truncated to so many; else exact, with all of both.

    One round and 8 bytes each way for every value of x and of y, and those of `truncate`. Error: 0 without truncation,
    else below 2^-f. Both units see masked words.

    Raises
    ------
    RangeError
        The product, before truncation, could leave 62 bits.
    """
    bits, bound = x.fraction_bits + y.fraction_bits, x.bound * y.bound
    require_range(bits, bound)
    return _finish(unit, FixedPoint(product.multiply(unit, x.shares, y.shares), bits, bound), fraction_bits)


def dot(unit: Unit, x: FixedPoint, y: FixedPoint, fraction_bits: int | None = None) -> FixedPoint:
    """Sum of products over the last axis, truncated once if at all; shapes broadcast. Cost and errors as `multiply`."""
    bits, bound = x.fraction_bits + y.fraction_bits, x.bound * y.bound * x.shape[-1]
    require_range(bits, bound)
    return _finish(unit, FixedPoint(product.dot(unit, x.shares, y.shares), bits, bound), fraction_bits)


def matmul(unit: Unit, x: FixedPoint, y: FixedPoint, fraction_bits: int | None = None) -> FixedPoint:
    """Matrix product of (n, k) and (k, m), truncated once if at all.

    Cost of `building_blocks.product.matmul` and of `truncate`; errors as `multiply`.
    """
    bits, bound = x.fraction_bits + y.fraction_bits, x.bound * y.bound * x.shape[-1]
    require_range(bits, bound)
    return _finish(unit, FixedPoint(product.matmul(unit, x.shares, y.shares), bits, bound), fraction_bits)


def _finish(unit: Unit, x: FixedPoint, fraction_bits: int | None) -> FixedPoint:
    return x if fraction_bits is None else truncate(unit, x, fraction_bits)
