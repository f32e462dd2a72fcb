"""The correlation for choosing one of several polynomials in a secret number by comparisons of that number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from privml.units.correlations.correlation import Array, Field, Shape
from privml.units.correlations.digits import Pattern, products_of_shifts

ONE = np.uint64(1)


@dataclass(frozen=True)
class PieceMask:
    """A mask r for a number, a random bit for each of its comparisons, and the products of these bits with powers of r.

    Parameters
    ----------
    shape
        Of the numbers.
    dtype, lowest
        The digits of r that comparisons look at: as many as the unsigned type has, from bit `lowest` on.
    patterns
        ANDs of shifted copies of these digits.
    knots
        How many comparisons there are.
    degree
        The highest power of r, 1 or more.
    """

    elementwise: ClassVar[bool] = True

    shape: Shape
    dtype: type[np.unsignedinteger[Any]]
    lowest: int
    patterns: tuple[Pattern, ...]
    knots: int
    degree: int

    @property
    def bases(self) -> Sequence[Field]:
        """r, uniform in 64 bits; and a bit for each comparison, in bit 0 of a word."""
        return Field(self.shape), Field((*self.shape, self.knots), np.uint8, boolean=True)

    @property
    def derived(self) -> Sequence[Field]:
        """r², r³, ...; for l = 0, 1, ..., each bit times r^l; the digits of r, and their ANDs."""
        powers = Field((*self.shape, self.degree - 1))
        products = Field((*self.shape, self.degree + 1, self.knots))
        return powers, products, *(Field(self.shape, self.dtype, boolean=True),) * (1 + len(self.patterns))

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Multiply, and take the digits."""
        r, words = bases
        powers = np.empty((*r.shape, self.degree + 1), dtype=np.uint64)
        powers[..., 0] = ONE
        for exponent in range(self.degree):
            powers[..., exponent + 1] = powers[..., exponent] * r
        bits = words.astype(np.uint64) & ONE
        digits = self.digits(r)
        return [
            powers[..., 2:],
            powers[..., None] & np.negative(bits)[..., None, :],
            digits,
            *products_of_shifts([digits], self.patterns),
        ]

    def digits(self, words: Array) -> Array:
        """Cut the digits that comparisons look at out of 64-bit words."""
        return (words >> np.uint64(self.lowest)).astype(self.dtype)
