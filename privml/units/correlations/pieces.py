"""The correlation for choosing one of several polynomials in a secret number by comparisons of that number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, Final

import numpy as np

from privml.units.correlations.correlation import Array, Field, Shape

ONE = np.uint64(1)

WINDOW: Final = 6
"""Digits to a window: a bit for each of their values is one word."""

VALUES: Final = 1 << WINDOW

EXCEEDS: Final = np.array([(1 << value) - 1 for value in range(VALUES)], dtype=np.uint64)
"""For digits r: a bit for every d, whether r > d."""

NEGATIVE: Final = np.array(
    [sum(1 << d for d in range(VALUES) if (d - value) % VALUES >= VALUES // 2) for value in range(VALUES)],
    dtype=np.uint64,
)
"""For digits r: a bit for every d, whether d - r is negative, as a signed number of as many digits."""


@dataclass(frozen=True)
class Windows:
    """Which digits of a word c = x + r are compared: windows of six, side by side, the lowest first.

    Parameters
    ----------
    lowest
        The lowest digit; below 0 for a lowest window that has fewer than six.
    count
        How many windows there are.
    """

    lowest: int
    count: int

    @cached_property
    def _cuts(self) -> tuple[Array, Array]:
        """By how much to shift for each window, and what to keep then."""
        positions = [self.lowest + WINDOW * index for index in range(self.count)]
        shifts = [max(position, 0) for position in positions]
        kept = [(VALUES - 1) >> max(-position, 0) for position in positions]
        return np.array(shifts, dtype=np.uint64), np.array(kept, dtype=np.uint64)

    def digits(self, words: Array) -> Array:
        """Cut the windows out of 64-bit words, along a new first axis."""
        shifts, kept = (cut.reshape(-1, *(1,) * words.ndim) for cut in self._cuts)
        digits: Array = words >> shifts
        digits &= kept
        return digits

    def tables(self, words: Array) -> Array:
        """What every window of r makes of any window of c, along a new last axis.

        `EXCEEDS` for all but the highest, which also has the sign: `NEGATIVE`.
        """
        digits = self.digits(words)
        tables = np.empty((*words.shape, self.count), dtype=np.uint64)
        for index in range(self.count):
            tables[..., index] = (NEGATIVE if index == self.count - 1 else EXCEEDS)[digits[index]]
        return tables


@dataclass(frozen=True)
class PieceMask:
    """A mask r for a number, a random bit for each of its comparisons, and the products of these bits with powers of r.

    Parameters
    ----------
    shape
        Of the numbers.
    windows
        What comparisons look at.
    knots
        How many comparisons there are.
    degree
        The highest power of r, 1 or more.
    """

    elementwise: ClassVar[bool] = True

    shape: Shape
    windows: Windows
    knots: int
    degree: int

    @property
    def bases(self) -> Sequence[Field]:
        """r, uniform in 64 bits; and a bit for each comparison, in bit 0 of a word."""
        return Field(self.shape), Field((*self.shape, self.knots), np.uint8, boolean=True)

    @property
    def derived(self) -> Sequence[Field]:
        """r², r³, ...; for l = 0, 1, ..., each bit times r^l; the tables of r."""
        powers = Field((*self.shape, self.degree - 1))
        products = Field((*self.shape, self.degree + 1, self.knots))
        return powers, products, Field((*self.shape, self.windows.count), boolean=True)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Multiply, and look at the digits."""
        r, words = bases
        powers = np.empty((*r.shape, self.degree + 1), dtype=np.uint64)
        powers[..., 0] = ONE
        for exponent in range(self.degree):
            powers[..., exponent + 1] = powers[..., exponent] * r
        bits = words.astype(np.uint64) & ONE
        return [
            powers[..., 2:],
            powers[..., None] & np.negative(bits)[..., None, :],
            self.windows.tables(r),
        ]
