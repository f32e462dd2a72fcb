"""Products of fixed-point numbers, and coarser scales."""

from __future__ import annotations

import numpy as np

from building_blocks import product, truncation
from building_blocks.fixed_point.number import FixedPoint, require_range
from privml.errors import ScaleError, SettingError
from privml.units.unit import Unit


def truncate(unit: Unit, x: FixedPoint, fraction_bits: int) -> FixedPoint:
    """Bring to a coarser scale: the floor or the ceiling at 2^-f, unbiased (`building_blocks.truncation`).

    One round, 8 bytes each way a value; nothing at all if the scale is that already.

    Raises
    ------
    ScaleError
        The scale is finer; that is what `refined` does.
    SettingError
        The scale is none.
    """
    _require_coarser(x.fraction_bits, fraction_bits)
    dropped = x.fraction_bits - fraction_bits
    if not dropped:
        return x
    return FixedPoint(truncation.truncate(unit, x.shares, dropped), fraction_bits, -(-x.bound >> dropped))


def multiply(unit: Unit, x: FixedPoint, y: FixedPoint, fraction_bits: int | None = None) -> FixedPoint:
    """Elementwise product; shapes broadcast. With `fraction_bits`, truncated to so many; else exact, with all of both.

    One round and 8 bytes each way for every value of x and of y, and those of `truncate`. Error: 0 without truncation,
    else below 2^-f. Both units see masked words.

    Raises
    ------
    RangeError
        The product, before truncation, could leave 62 bits.
    ScaleError
        The product has fewer fractional bits than it is to be truncated to.
    SettingError
        The shapes do not broadcast, or the product has more fractional bits than there are.
    """
    _joint_shape(x, y)
    bits, bound = _range_of_products(x, y, 1, fraction_bits)
    return _finish(unit, FixedPoint(product.multiply(unit, x.shares, y.shares), bits, bound), fraction_bits)


def dot(unit: Unit, x: FixedPoint, y: FixedPoint, fraction_bits: int | None = None) -> FixedPoint:
    """Sum of products over the last axis, truncated once if at all; shapes broadcast. Cost and errors as `multiply`."""
    shape = _joint_shape(x, y)
    if not shape:
        raise SettingError("a dot product needs rows; got two single numbers")
    bits, bound = _range_of_products(x, y, shape[-1], fraction_bits)
    return _finish(unit, FixedPoint(product.dot(unit, x.shares, y.shares), bits, bound), fraction_bits)


def matmul(unit: Unit, x: FixedPoint, y: FixedPoint, fraction_bits: int | None = None) -> FixedPoint:
    """Matrix product of (n, k) and (k, m), truncated once if at all.

    Cost of `building_blocks.product.matmul` and of `truncate`; errors as `multiply`.
    """
    bits, bound = _range_of_products(x, y, x.shape[-1] if x.shape else 0, fraction_bits)
    return _finish(unit, FixedPoint(product.matmul(unit, x.shares, y.shares), bits, bound), fraction_bits)


def _joint_shape(x: FixedPoint, y: FixedPoint) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(x.shape, y.shape)
    except ValueError:
        raise SettingError(f"numbers of shapes {x.shape} and {y.shape} do not go together") from None


def _range_of_products(x: FixedPoint, y: FixedPoint, count: int, fraction_bits: int | None) -> tuple[int, int]:
    """Fractional bits and bound of a sum of products, checked together with what it is to be truncated to."""
    bits, bound = x.fraction_bits + y.fraction_bits, x.bound * y.bound * count
    require_range(bits, bound)
    if fraction_bits is not None:
        _require_coarser(bits, fraction_bits)
    return bits, bound


def _require_coarser(bits: int, fraction_bits: int) -> None:
    require_range(fraction_bits, 0)
    if fraction_bits > bits:
        raise ScaleError(f"{bits} fractional bits become {fraction_bits} by refined(), not by truncation")


def _finish(unit: Unit, x: FixedPoint, fraction_bits: int | None) -> FixedPoint:
    return x if fraction_bits is None else truncate(unit, x, fraction_bits)
