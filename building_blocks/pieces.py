"""Functions that are one polynomial between any two neighbouring knots, at a secret number."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.boolean import WINDOW_PRODUCTS, MaskedWord
from building_blocks.comparison import sign_of_masked
from building_blocks.shares import (
    BITS,
    BooleanShares,
    Shares,
    Words,
    in_blocks,
    open_lone_bits,
    open_shares,
    public,
    ring,
)
from privml.errors import SettingError
from privml.units.correlations import PieceMask
from privml.units.unit import Unit

NARROW: Final = 16
"""Digits that a comparison looks at, if so few will do."""

FURTHEST: Final = 1 << 62
"""No number reaches it, and no knot lies beyond it."""

ROWS: Final = 1 << 9
"""Numbers at a time in the local step: there are many products to each."""


@dataclass(frozen=True)
class Pieces:
    """Integer polynomials between integer knots: piece j is for t_{j-1} <= x < t_j.

    Parameters
    ----------
    knots
        t_0 < t_1 < ... < t_{k-1} <= 2^62, at least one; no two closer than the slack.
    coefficients
        Shape (k + 1, results, degree + 1), modulo 2^64, the constant first: every piece gives so many results at x.
        Degree 1 or more.
    slack
        How far below its lower knot a piece will do as well as the one before it.

    Raises
    ------
    SettingError
        The knots do not ascend by the slack, or go beyond 2^62, or the shapes do not fit.
    """

    knots: tuple[int, ...]
    coefficients: Words
    slack: int = 0
    _shifted: tuple[Words, Words] = field(init=False, repr=False)
    """What b_j r^l at each knot, and r^l, contribute to each coefficient of a polynomial in c."""

    def __post_init__(self) -> None:
        if not self.knots or any(low >= high or high - low < self.slack for low, high in pairwise(self.knots)):
            raise SettingError(f"knots ascend by the slack, {self.slack}, and there is one at least; got {self.knots}")
        if self.knots[-1] > FURTHEST:
            raise SettingError(f"knots are at most 2^62; got {self.knots[-1]}")
        shape = self.coefficients.shape
        if len(shape) != 3 or shape[0] != len(self.knots) + 1 or shape[2] < 2:
            raise SettingError(
                f"{len(self.knots)} knots part {len(self.knots) + 1} pieces, each of some results of two coefficients "
                f"or more; got shape {shape}"
            )
        steps, last = self.coefficients[:-1] - self.coefficients[1:], self.coefficients[-1:]
        object.__setattr__(self, "_shifted", (self._shift(steps), self._shift(last)))

    @property
    def results(self) -> int:
        """How many results there are at a number."""
        return int(self.coefficients.shape[1])

    @property
    def degree(self) -> int:
        """Of the polynomials."""
        return int(self.coefficients.shape[2]) - 1

    def thresholds(self, bound: int) -> NDArray[np.int64]:
        """Return the knots to compare |x| <= bound with: one that no x is below may as well be -bound.

        Further off, differences could leave 64 bits.
        """
        return np.array([max(knot, -bound) for knot in self.knots], dtype=np.int64)

    def digits(self, bound: int) -> tuple[type[np.uint16 | np.uint64], int]:
        """Which digits the comparisons look at, for |x| <= bound: a word's type, and the lowest digit in it.

        The sixteen digits from n on show (x - t) / 2^n, rounded down or up. They will do if they hold it with its
        sign, and if the rounding is within the slack.
        """
        furthest = bound + int(np.abs(self.thresholds(bound)).max())
        lowest = max(0, (furthest + 1).bit_length() - (NARROW - 1))
        if (furthest >> lowest) + 1 >> (NARROW - 1):
            lowest += 1
        within = not lowest or (1 << lowest <= self.slack and lowest + NARROW <= BITS)
        return (np.uint16, lowest) if within else (np.uint64, 0)

    def _shift(self, coefficients: Words) -> Words:
        """Expand polynomials in c - r: rows for r^l of each polynomial, columns for c^p of each result."""
        rows, results, size = coefficients.shape
        shifted = np.zeros((size, rows, size, results), dtype=np.uint64)
        for m in range(size):
            for low in range(m + 1):
                shifted[low, :, m - low] = coefficients[..., m] * ring((-1) ** low * math.comb(m, low))
        return shifted.reshape(size * rows, size * results)

    def combine(self, opened: Words, flipped: NDArray[np.uint8], powers: Words, products: Words) -> Words:
        """Compute this unit's share of the results at x = c - r, from public c and v = b xor rho. Local.

        Shares of b_j r^l = v_j r^l + (1 - 2 v_j) rho_j r^l, weighed by the steps at the knots, give the coefficients
        of the results as polynomials in c.

        Parameters
        ----------
        opened, flipped
            c, shape (n,), and v, shape (n, k).
        powers, products
            Shares of r^l, shape (n, degree + 1), and of rho_j r^l, shape (n, degree + 1, k).
        """
        count, bits = len(opened), flipped[:, None].astype(np.uint64)
        below = products * (np.uint64(1) - (bits << np.uint64(1)))
        below += powers[..., None] * bits
        steps, last = self._shifted
        terms = below.reshape(count, len(steps)) @ steps + powers @ last
        terms = terms.reshape(count, self.degree + 1, self.results)
        total = terms[:, -1]
        for power in range(self.degree - 1, -1, -1):
            total = total * opened[:, None] + terms[:, power]
        return total


def evaluate_pieces(unit: Unit, pieces: Pieces, x: Shares, bound: int) -> Shares:
    """Evaluate the polynomials of the piece that x lies in, exactly modulo 2^64, for |x| <= bound < 2^62.

    Opens c = x + r, compares with every knot under this one mask (as `comparison.below_thresholds`), and opens the
    outcomes under random bits rho_j. The products rho_j r^l were dealt, so that all powers and products are local
    (`Pieces.combine`): what is opened is but a number and its bits, whatever the degree.

    Parameters
    ----------
    bound
        The largest magnitude of x. As long as 16 of its digits tell the pieces apart, `slack` taken into account, the
        others are not looked at.

    Returns
    -------
    Shares
        The results, along a new last axis. Within `slack` below a knot they may be those of the piece above it.

    Raises
    ------
    SettingError
        The bound is negative, or 2^62 or more.

    Notes
    -----
    Three rounds and 8 + 9/8 k bytes each way a value with k knots, if 16 digits do; else four, and 8 + 41/8 k. Both
    units see c, masked words and masked bits: uniform, since r, the masks and rho are, and used once.
    """
    if not 0 <= bound < FURTHEST:
        raise SettingError(f"numbers lie below 2^62 in magnitude; got a bound of {bound}")
    dtype, lowest = pieces.digits(bound)
    mask = PieceMask(x.shape, dtype, lowest, WINDOW_PRODUCTS, len(pieces.knots), pieces.degree)
    r, rho, powers, products, *digits = unit.correlations.draw(mask)
    (c,) = open_shares(unit, x + Shares(r))
    knots = pieces.thresholds(bound).view(np.uint64)
    shown, *ands = (words[..., None] for words in digits)
    below = sign_of_masked(unit, MaskedWord(mask.digits(c[..., None] - knots), BooleanShares(shown), ands))
    flipped = open_lone_bits(unit, below ^ BooleanShares(rho))
    one = public(unit, np.ones((*x.shape, 1), dtype=np.uint64)).words
    count = x.size
    flat = in_blocks(
        pieces.combine,
        c.reshape(count),
        flipped.reshape(count, len(knots)),
        np.concatenate([one, r[..., None], powers], axis=-1).reshape(count, pieces.degree + 1),
        products.reshape(count, pieces.degree + 1, len(knots)),
        rows=ROWS,
    )
    return Shares(flat.reshape(*x.shape, pieces.results))
