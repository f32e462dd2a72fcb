"""A record's columns on one scale, and centred, though the shared records stay as they are."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from building_blocks.operand import Operand, fix_operand, multiply_operands
from building_blocks.shares import Shares, concatenate
from classifiers.regression.moments import Moments
from privml.data.continuous import UNIT_BITS, Continuous
from privml.data.schema import Schema
from privml.errors import SettingError
from privml.units.unit import Unit

FACTOR_BITS: Final = 4
"""Fractional bits of the factors that continuous features are multiplied by, unless all factors are integers."""

MOST: Final = 256
"""The largest such factor: a scale is at least so small a part of a feature's range."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns z of records as x = factor (z - centre).

    Records are opened under masks as they come. That x is linear in z moves to where it is cheap: w'x is a linear form
    of z with other coefficients, and sums of x e follow from those of z e and of e. Both are exact, as integers.

    Attributes
    ----------
    fraction_bits
        Of the integers that stand for x: 0 if there are one-hot blocks only.
    factors, centres
        Public integers, shape (width,): x = factor (z - centre) 2^-fraction_bits.
    magnitudes
        Largest |x| of each column, shape (width,).
    features
        First column of each feature; of a one-hot block a single column differs from 0.
    scales
        What the units worked out of records, as shares; None for columns that are public.
    """

    fraction_bits: int
    factors: NDArray[np.int64]
    centres: NDArray[np.int64]
    magnitudes: NDArray[np.float64]
    features: NDArray[np.int64]
    scales: Shares | None = None

    @classmethod
    def of(cls, schema: Schema, standardisation: Mapping[str, Sequence[float]]) -> Self:
        """Make the columns of a schema.

        Parameters
        ----------
        schema
            Features and classes.
        standardisation
            (mean, scale) of continuous features, by name and in their own units. A mean lies between the limits, a
            scale between 1/256 of their distance and the distance; the ratio of the two is rounded to a multiple of
            1/16. By default, mean and scale are the centre and half the distance: x lies in [-1, 1].

        Raises
        ------
        SettingError
            A name is not that of a continuous feature, or a number is out of range.
        """
        continuous = {feature.name: feature for feature in schema.features if isinstance(feature, Continuous)}
        for name in standardisation:
            if name not in continuous:
                raise SettingError(f"standardisation: {name!r} is no continuous feature of the schema")
        factors, centres = np.ones(schema.width), np.zeros(schema.width, dtype=np.int64)
        for name, feature in continuous.items():
            place = schema.slices[name].start
            centres[place], factors[place] = _place(feature, standardisation.get(name))
        numbers = [schema.slices[name].start for name in continuous]
        fraction_bits = 0
        if numbers:
            fraction_bits = UNIT_BITS + (0 if (factors == np.rint(factors)).all() else FACTOR_BITS)
        integers = np.rint(factors * 2.0**fraction_bits).astype(np.int64)
        integers[numbers] >>= UNIT_BITS
        magnitudes = np.ones(schema.width)
        magnitudes[numbers] = (factors * np.maximum(centres, 2**UNIT_BITS - centres) / 2**UNIT_BITS)[numbers]
        return cls(fraction_bits, integers, centres, magnitudes, first_columns(schema))

    @property
    def largest(self) -> float:
        """Largest magnitude of a column, or 1, that of the intercept."""
        return max(1.0, float(self.magnitudes.max()))

    @property
    def largest_score(self) -> float:
        """Largest |w'x + b| if |w_j| <= max(1, magnitude of column j) and |b| <= 1."""
        magnitudes = self.magnitudes[self.features]
        return 1.0 + float((magnitudes * np.maximum(magnitudes, 1.0)).sum())

    @property
    def longest(self) -> float:
        """Largest Euclidean length of a record, with a 1 for the intercept."""
        return math.sqrt(1.0 + float((self.magnitudes[self.features] ** 2).sum()))

    def fitted(self, unit: Unit, records: Sequence[Operand], ahead: Moments | None) -> Self:
        """Return the columns with what is to be worked out of moments, or of the first chunk's records: nothing."""
        return self

    def linear_form(self, unit: Unit, weights: Shares) -> Shares:
        """Turn weights for x and intercepts, (width + 1, m), into those for z, with `fraction_bits` more. Local."""
        if not self.fraction_bits:
            return weights
        of_columns, of_centres = self._weigh(unit, weights[:-1], weights[:-1])
        intercepts = weights[-1] * (1 << self.fraction_bits) - of_centres.sum(axis=0)
        return concatenate([of_columns, intercepts.reshape(1, -1)])

    def scores(self, unit: Unit, records: Operand, weights: Shares) -> Shares:
        """Scores w'x + b of every record, (n, m), with `fraction_bits` more than the weights. One round."""
        form = self.linear_form(unit, weights)
        return multiply_operands(unit, records, fix_operand(unit, form[:-1])) + form[-1:]

    def correlate(self, unit: Unit, records: Operand, errors: Shares) -> Shares:
        """Sums of x e over the records, and of e, (width + 1, m), with `fraction_bits` more than e. One round."""
        sums = errors.sum(axis=0).reshape(1, -1)
        with_z = multiply_operands(unit, fix_operand(unit, errors), records, transpose_left=True).transposed
        if not self.fraction_bits:
            return concatenate([with_z, sums])
        with_factors, with_centres = self._weigh(unit, with_z, sums)
        return concatenate([with_factors - with_centres, sums * (1 << self.fraction_bits)])

    def _weigh(self, unit: Unit, x: Shares, y: Shares) -> tuple[Shares, Shares]:
        """Multiply x by the factors, and y by factors times centres, column by column."""
        return x * self.factors[:, None], y * (self.factors * self.centres)[:, None]


def first_columns(schema: Schema) -> NDArray[np.int64]:
    """First column of each feature."""
    return np.array([block.start for block in schema.slices.values()], dtype=np.int64)


def _place(feature: Continuous, given: Sequence[float] | None) -> tuple[int, float]:
    """Return a feature's centre in its codes, and the rounded factor."""
    reach = feature.high - feature.low
    try:
        mean, scale = (feature.low + reach / 2, reach / 2) if given is None else map(float, given)
    except (TypeError, ValueError) as error:
        raise SettingError(f"standardisation: {feature.name!r} needs a mean and a scale; got {given!r}") from error
    if not feature.low <= mean <= feature.high or not math.isfinite(scale) or not reach / MOST <= scale <= reach:
        raise SettingError(
            f"standardisation of {feature.name!r}: the mean lies in {feature.low:g}..{feature.high:g}, and the scale "
            f"in {reach / MOST:g}..{reach:g}; got {mean:g} and {scale:g}"
        )
    factor = round(reach / scale * 2**FACTOR_BITS) / 2**FACTOR_BITS
    return round((mean - feature.low) / reach * 2**UNIT_BITS), factor
