"""Fixed-point numbers, shared: integers with a scale and a declared range."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import index
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from building_blocks.shares import Shares, Words, public, signed
from privml.crypto.secret import Secret
from privml.errors import RangeError, ScaleError, SettingError
from privml.units.unit import Unit

RANGE_BITS: Final = 62
"""Every fixed-point number is an integer of magnitude below 2^62: what truncation and comparison can take."""


@dataclass(frozen=True, slots=True)
class FixedPoint(Secret):
    """One unit's share of an array of real numbers v: integers v 2^f of magnitude at most `bound`.

    The range is declared, and follows from the operands' ranges through every operation: what could leave 62 bits
    raises before it runs. Scales must agree; nothing is rescaled silently. Nobody can check a declaration against the
    secret values: data from outside are checked by `building_blocks.validation`.

    Parameters
    ----------
    shares
        This unit's share of the integers.
    fraction_bits
        f, in 0..61. No integer of numpy's: those wrap where ranges are shifted.
    bound
        Largest magnitude of the integers, in [0, 2^62).

    Raises
    ------
    RangeError
        The bound is 2^62 or more.
    SettingError
        The number of fractional bits is out of range or no int, or the bound is negative.
    """

    shares: Shares
    fraction_bits: int
    bound: int

    def __post_init__(self) -> None:
        # numpy's integers would wrap where ranges are multiplied
        object.__setattr__(self, "bound", index(self.bound))
        require_range(self.fraction_bits, self.bound)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array."""
        return self.shares.shape

    @property
    def limit(self) -> float:
        """Largest magnitude of the real numbers."""
        return float(self.bound / 2**self.fraction_bits)

    def __repr__(self) -> str:
        return f"FixedPoint(shape={self.shape}, fraction_bits={self.fraction_bits}, limit={self.limit:g})"

    def __add__(self, other: FixedPoint) -> FixedPoint:
        self._require_scale(other)
        return self._with(self.shares + other.shares, self.bound + other.bound)

    def __sub__(self, other: FixedPoint) -> FixedPoint:
        self._require_scale(other)
        return self._with(self.shares - other.shares, self.bound + other.bound)

    def __neg__(self) -> FixedPoint:
        return self._with(-self.shares, self.bound)

    def __mul__(self, factor: ArrayLike) -> FixedPoint:
        """Multiply by public integers; the scale stays."""
        return self._with(self.shares * factor, self.bound * largest_magnitude(factor))

    __rmul__ = __mul__

    # numpy must leave `array * number` to this class
    __array_ufunc__ = None

    def __getitem__(self, index: Any) -> FixedPoint:
        return self._with(self.shares[index], self.bound)

    def reshape(self, *shape: int) -> FixedPoint:
        """Give the array another shape."""
        return self._with(self.shares.reshape(*shape), self.bound)

    @property
    def transposed(self) -> FixedPoint:
        """The matrix transposed: the last two axes swapped."""
        return self._with(self.shares.transposed, self.bound)

    def sum(self, axis: int | None = None) -> FixedPoint:
        """Sum over an axis, or over all."""
        count = self.shares.size if axis is None else self.shape[axis]
        return self._with(self.shares.sum(axis), self.bound * count)

    def scaled(self, factors: ArrayLike, fraction_bits: int) -> FixedPoint:
        """Multiply by public real numbers, rounded to `fraction_bits`; the result has so many more. Local.

        Raises
        ------
        RangeError
            A factor is not finite, or the result could leave 62 bits.
        SettingError
            The number of fractional bits is out of range.
        """
        require_range(fraction_bits, 0)
        integers = encode(factors, fraction_bits)
        bound = self.bound * largest_magnitude(integers)
        return FixedPoint(self.shares * integers, self.fraction_bits + fraction_bits, bound)

    def refined(self, fraction_bits: int) -> FixedPoint:
        """Bring to a finer scale. Exact and local.

        Raises
        ------
        ScaleError
            The scale is coarser; that is what `truncate` does.
        """
        require_range(fraction_bits, 0)
        more = fraction_bits - self.fraction_bits
        if more < 0:
            raise ScaleError(f"{self.fraction_bits} fractional bits become {fraction_bits} by truncation only")
        require_range(fraction_bits, self.bound << more)
        return FixedPoint(self.shares * (1 << more), fraction_bits, self.bound << more)

    def declared(self, limit: float) -> FixedPoint:
        """Return the same numbers with a smaller range, which the caller knows of, in real units.

        Raises
        ------
        RangeError
            The range is not smaller, or no number.
        """
        if not 0 <= limit <= self.limit:
            raise RangeError(f"numbers of magnitude up to {self.limit:g} cannot be declared up to {limit:g}")
        return replace(self, bound=min(int(limit * 2**self.fraction_bits), self.bound))

    def _with(self, shares: Shares, bound: int) -> FixedPoint:
        return FixedPoint(shares, self.fraction_bits, bound)

    def _require_scale(self, other: FixedPoint) -> None:
        if not isinstance(other, FixedPoint):
            raise ScaleError(f"{type(other).__name__} has no scale; make it fixed point first, e.g. by fixed_public()")
        if self.fraction_bits != other.fraction_bits:
            raise ScaleError(
                f"numbers with {self.fraction_bits} and {other.fraction_bits} fractional bits do not add up; "
                "bring them to one scale by refined() or truncate()"
            )


def require_range(fraction_bits: int, bound: int) -> None:
    """Check that integers of this scale and magnitude are fixed-point numbers; see `FixedPoint` on what is raised."""
    if not isinstance(fraction_bits, int) or not 0 <= fraction_bits < RANGE_BITS:
        raise SettingError(f"fixed point has 0..{RANGE_BITS - 1} fractional bits, an int; got {fraction_bits!r}")
    if bound < 0:
        raise SettingError(f"the bound of a magnitude is not negative; got {bound}")
    if bound >> RANGE_BITS:
        raise RangeError(
            f"numbers up to {bound / 2**fraction_bits:g} with {fraction_bits} fractional bits could exceed "
            f"{RANGE_BITS} bits; take fewer fractional bits or declare a smaller range"
        )


def largest_magnitude(integers: ArrayLike) -> int:
    """Largest magnitude of public integers, exactly; 0 for an empty array."""
    array = np.asarray(integers)
    return max(abs(int(array.max())), abs(int(array.min()))) if array.size else 0


def encode(values: ArrayLike, fraction_bits: int) -> NDArray[np.int64]:
    """Round real numbers to multiples of 2^-f, as integers; integers are taken exactly.

    Raises
    ------
    RangeError
        A number is not finite, or leaves 62 bits.
    """
    array = np.asarray(values)
    if array.dtype.kind in "iu" and largest_magnitude(array) << fraction_bits < 1 << RANGE_BITS:
        return array.astype(np.int64) << fraction_bits
    with np.errstate(over="ignore"):
        scaled = np.rint(np.asarray(array, dtype=np.float64) * 2.0**fraction_bits)
    if not (np.abs(scaled) < 2.0**RANGE_BITS).all():
        raise RangeError(f"a number leaves {RANGE_BITS} bits at {fraction_bits} fractional bits, or is not finite")
    return scaled.astype(np.int64)


def decode(words: Words, fraction_bits: int) -> NDArray[np.float64]:
    """Read opened integers as real numbers."""
    return np.asarray(signed(words) / 2.0**fraction_bits)


def fixed_public(unit: Unit, values: ArrayLike, fraction_bits: int) -> FixedPoint:
    """Share real numbers that both units know, rounded to f fractional bits. No message."""
    integers = encode(values, fraction_bits)
    return FixedPoint(public(unit, integers), fraction_bits, largest_magnitude(integers))
