"""Functions that are one polynomial between any two neighbouring knots, at a secret number."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import (
    BITS,
    BooleanShares,
    Shares,
    Words,
    in_blocks,
    open_bits,
    open_shares,
    ring,
)
from building_blocks.windows import MaskedWindows
from privml.errors import SettingError
from privml.units.correlations import PieceMask, Windows
from privml.units.correlations.pieces import WINDOW
from privml.units.unit import Unit
from privml.units.words import matrix_product

FEWER: Final = (3, 4)
"""Windows of digits that a comparison looks at, if so few will do."""

ALL: Final = Windows(64 - 11 * WINDOW, 11)
"""All digits of a word."""

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

    def windows(self, bound: int) -> Windows:
        """Which digits the comparisons look at, for |x| <= bound.

        The digits from n on show (x - t) / 2^n, rounded down or up. Some will do if they hold it with its sign, and if
        the rounding is within the slack.
        """
        furthest = bound + int(np.abs(self.thresholds(bound)).max())
        for count in FEWER:
            digits = count * WINDOW
            lowest = max(0, (furthest + 1).bit_length() - (digits - 1))
            if (furthest >> lowest) + 1 >> (digits - 1):
                lowest += 1
            if not lowest or (1 << lowest <= self.slack and lowest + digits <= BITS):
                return Windows(lowest, count)
        return ALL

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
        terms = matrix_product(below.reshape(count, len(steps)), steps) + powers @ last
        terms = terms.reshape(count, self.degree + 1, self.results)
        total: Words = terms[:, -1]
        for power in range(self.degree - 1, -1, -1):
            total = total * opened[:, None] + terms[:, power]
        return total


def evaluate_pieces(unit: Unit, pieces: Pieces, x: Shares, bound: int) -> Shares:
    """Evaluate the polynomials of the piece that x lies in, exactly modulo 2^64, for |x| <= bound < 2^62.

    Opens c = x + r, compares with every knot under this one mask (`MaskedWindows`), and opens the outcomes under random
    bits rho_j. The products rho_j r^l were dealt, so that all powers and products are local
    (`Pieces.combine`): what is opened is but a number and its bits, whatever the degree.

    Parameters
    ----------
    bound
        The largest magnitude of x. As long as 18 or 24 of its digits tell the pieces apart, `slack` taken into account,
        the others are not looked at.

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
    Three rounds and 8 + 5/8 k bytes each way a value with k knots, if 18 digits do; 8 + 7/8 k if 24 do; else four, and
    8 + 29/8 k. Both units see c, and masked bits: uniform, since r, the masks and rho are, and used once.
    """
    if not 0 <= bound < FURTHEST:
        raise SettingError(f"numbers lie below 2^62 in magnitude; got a bound of {bound}")
    count, knots = x.size, len(pieces.knots)
    mask = PieceMask((count,), pieces.windows(bound), knots, pieces.degree)
    r, rho, powers, products, tables = unit.correlations.draw(mask)
    (c,) = open_shares(unit, Shares(x.words.reshape(count) + r))
    below = MaskedWindows(mask.windows, tables).negative(unit, c, pieces.thresholds(bound).view(np.uint64))
    (flipped,) = open_bits(unit, BooleanShares(below ^ np.packbits((rho & np.uint8(1)).reshape(-1))))
    with_powers = np.empty((count, pieces.degree + 1), dtype=np.uint64)
    with_powers[:, 0] = unit.is_master
    with_powers[:, 1] = r
    with_powers[:, 2:] = powers
    bits = np.unpackbits(flipped, count=count * knots).reshape(count, knots)
    return Shares(
        in_blocks(pieces.combine, c, bits, with_powers, products, rows=ROWS).reshape(*x.shape, pieces.results)
    )
