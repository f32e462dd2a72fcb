"""How good a split is, and how sure one can be."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cache
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.division import divide_integers
from building_blocks.product import square
from building_blocks.shares import Shares, concatenate
from classifiers.tree.curve import FRACTION_BITS, MOST, Curve, log2
from privml.errors import SettingError
from privml.units.unit import Unit

BOUND_BITS: Final = 20
"""Fractional bits of the square of the Hoeffding bound times n."""

QUOTIENT_BITS: Final = 7
"""Fractional bits of the Gini purity: n^2 2^7 has 49 bits at most, as many as an exact division takes."""


class Criterion(ABC):
    """The purity of a set of records, by its counts of each class, as an integer times 2^-32: at most 0 or n.

    A split is as good as the purities of its sides add up to. What n records gain by it is n times the usual gain: no
    division by n is needed, and purities of all splits of a node compare as gains do.
    """

    name: ClassVar[str]

    @abstractmethod
    def spread(self, classes: int) -> float:
        """R, the largest gain of one record."""

    @abstractmethod
    def purity(self, unit: Unit, counts: Shares, most: int) -> Shares:
        """Purities of sets with class counts along the last axis, of `most` records at most. Exactly `plain`."""

    @abstractmethod
    def plain(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Purities of public class counts."""


class InformationGain(Criterion):
    """sum over classes of n_c log2 n_c - n log2 n, with the curve `n_log_n`.

    Rounds and bytes of `evaluate_pieces` for every class and their sum, with 21 knots for 32,561 records and 46 for the
    most that there may be.
    """

    name = "information_gain"

    def spread(self, classes: int) -> float:
        """log2 C bits."""
        return math.log2(classes)

    def purity(self, unit: Unit, counts: Shares, most: int) -> Shares:
        """See `Criterion.purity`."""
        total = counts.sum(axis=-1)
        values = n_log_n().shared(unit, concatenate([counts, total[..., None]], axis=-1), most)
        return values[..., :-1].sum(axis=-1) - values[..., -1]

    def plain(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Criterion.plain`."""
        return np.asarray(n_log_n().plain(counts).sum(axis=-1) - n_log_n().plain(counts.sum(axis=-1)))


class Gini(Criterion):
    """floor(sum over classes of n_c^2 2^7 / n) 2^-7, and 0 for no record: n less n times the Gini impurity.

    33 rounds; 458 bytes each way a set and 16 a class.
    """

    name = "gini"

    def spread(self, classes: int) -> float:
        """One: the largest that any number of classes can come near."""
        return 1.0

    def purity(self, unit: Unit, counts: Shares, most: int) -> Shares:
        """See `Criterion.purity`."""
        squares = square(unit, counts).sum(axis=-1) * (1 << QUOTIENT_BITS)
        bits = (most * most << QUOTIENT_BITS).bit_length()
        quotient = divide_integers(unit, squares, counts.sum(axis=-1), bits).quotient
        return quotient * (1 << FRACTION_BITS - QUOTIENT_BITS)

    def plain(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """See `Criterion.plain`."""
        squares = (counts**2).sum(axis=-1) << QUOTIENT_BITS
        quotient: NDArray[np.int64] = squares // np.maximum(counts.sum(axis=-1), 1)
        return quotient << (FRACTION_BITS - QUOTIENT_BITS)


CRITERIA: Final[Mapping[str, Criterion]] = {each.name: each for each in (InformationGain(), Gini())}
"""By name."""


def split_margin(criterion: Criterion, classes: int, delta: float, tau: float) -> Curve:
    """By how much, times n, the best split of n records must beat the second best.

    Hoeffding's bound n R sqrt(ln(1 / delta) / (2 n)) (Domingos and Hulten, KDD 2000), and -2^-32, which any two
    splits that tie for the best have, as soon as the bound itself is at most tau.

    Raises
    ------
    SettingError
        delta is no probability, or tau is negative.
    """
    if not 0 < delta < 1:
        raise SettingError(f"delta, the chance of a wrong split, lies between 0 and 1; got {delta}")
    if not 0 <= tau < math.inf:
        raise SettingError(f"tau, the bound at which ties are broken, is not negative; got {tau}")
    # rounded, so that it is the same number wherever it is computed
    square_over_n = round(criterion.spread(classes) ** 2 * -math.log(delta) / 2 * 2**BOUND_BITS)
    square = tau * tau * 2**BOUND_BITS
    until = math.ceil(min(square_over_n / square, MOST + 1)) if square else MOST + 1
    places = 2 * FRACTION_BITS - BOUND_BITS
    return Curve(lambda n: math.isqrt(square_over_n * n << places), until=max(until, 1), beyond=-1)


@cache
def n_log_n() -> Curve:
    """The curve of n log2 n, within sqrt(n) / 32: a fraction of what the Hoeffding bound leaves open."""
    return Curve(_n_log_n)


def _n_log_n(n: int) -> int:
    return round(log2(n) * n * 2**FRACTION_BITS) if n else 0
