"""Columns on scales that nobody knows: means and deviations that the units work out of shared moments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from building_blocks.boolean import to_bits, weigh_bits
from building_blocks.fixed_point.arithmetic import truncate
from building_blocks.fixed_point.joined import multiply_all
from building_blocks.fixed_point.number import fixed_public
from building_blocks.fixed_point.root import inverse_square_root
from building_blocks.operand import Operand
from building_blocks.product import multiply
from building_blocks.shares import Shares, public, stack
from classifiers.regression.columns import FACTOR_BITS, Columns, first_columns
from classifiers.regression.moments import Moments, numbers_of
from privml.data.continuous import UNIT_BITS
from privml.data.schema import Schema
from privml.errors import ClassifierError, SettingError
from privml.units.unit import Unit

PRIVATE: Final = "private"

FLOOR: Final = 2.0**-8
"""Added to variances, in units of a feature's range squared: no factor exceeds 16."""

LARGEST_FACTOR: Final = FLOOR**-0.5 + 2.0**-FACTOR_BITS
"""With what it may err, and the mean."""

VARIANCE_BITS: Final = 28

FINER_BITS: Final = 12
"""Fractional bits beyond those that are kept: means and factors are rounded from these, the same way every time."""

ROUNDED_BITS: Final = UNIT_BITS + FINER_BITS + 2
"""Of what is rounded: a mean can be 2^16, and factors are smaller."""


@dataclass(frozen=True, eq=False)
class SecretColumns(Columns):
    """Columns whose continuous features are x = (z - mean) / sqrt(variance + (range / 16)^2), with shared numbers.

    `scales` are factors, and factors times means, (2, numbers); None before the first chunk.
    """

    @classmethod
    def of_schema(cls, schema: Schema) -> Self:
        """Make the columns of a schema, before there are records.

        Raises
        ------
        SettingError
            No feature is continuous.
        """
        numbers = numbers_of(schema)
        if not numbers.size:
            raise SettingError("standardisation: no feature is continuous; leave the option out")
        fraction_bits = UNIT_BITS + FACTOR_BITS
        factors = np.full(schema.width, 1 << fraction_bits)
        factors[numbers] = 0
        magnitudes = np.ones(schema.width)
        magnitudes[numbers] = LARGEST_FACTOR
        return cls(fraction_bits, factors, np.zeros_like(factors), magnitudes, first_columns(schema))

    @property
    def numbers(self) -> NDArray[np.int64]:
        """Columns of the continuous features: those without a public factor."""
        return np.flatnonzero(self.factors == 0)

    def fitted(self, unit: Unit, records: Sequence[Operand], ahead: Moments | None) -> Self:
        """Work scales out of the moments that came ahead, or if none did, of these records.

        Means are rounded to 2^-16 of a feature's range and factors to 1/16, by the moments and not by chance, so that
        learning anew leads to the same model. Factors err by 1/32, and by 2^-28 times the records more. Nine rounds for
        mean, variance, rounding and the product, and those of `inverse_square_root`; both units see masked words.
        """
        moments = ahead or Moments.of_records(unit, records, self.numbers)
        mean = moments.mean(unit, UNIT_BITS + FINER_BITS)
        variance = moments.variance(unit, truncate(unit, mean, UNIT_BITS).shares, VARIANCE_BITS)
        floored = variance + fixed_public(unit, np.full(len(self.numbers), FLOOR), VARIANCE_BITS)
        factor = inverse_square_root(unit, floored, FACTOR_BITS + FINER_BITS)
        rounded = _nearest(unit, stack([factor.shares, mean.shares]))
        return replace(self, scales=stack([rounded[0], multiply(unit, rounded[0], rounded[1])]))

    def _weigh(self, unit: Unit, x: Shares, y: Shares) -> tuple[Shares, Shares]:
        """One round, 16 bytes each way a value."""
        if self.scales is None:
            raise ClassifierError("means and deviations were not worked out yet")
        factors, with_means = self.scales[0][:, None], self.scales[1][:, None]
        of_y = y[self.numbers] if y.shape[0] > 1 else y
        found = multiply_all(unit, [(factors, x[self.numbers]), (with_means, of_y)])
        weighed, shifted = (x * self.factors[:, None]).words, np.zeros(x.shape, dtype=np.uint64)
        weighed[self.numbers], shifted[self.numbers] = (part.words for part in found)
        return Shares(weighed), Shares(shifted)


def columns_of(schema: Schema, standardisation: Mapping[str, Sequence[float]] | str) -> Columns:
    """Return columns on scales that are given, or on such as will be worked out.

    Raises
    ------
    SettingError
        It says neither, or does not go with the schema.
    """
    if not isinstance(standardisation, str):
        return Columns.of(schema, standardisation)
    if standardisation != PRIVATE:
        raise SettingError(f"standardisation is {PRIVATE!r}, or mean and scale by feature; got {standardisation!r}")
    return SecretColumns.of_schema(schema)


def _nearest(unit: Unit, x: Shares) -> Shares:
    """Drop 12 bits of integers in [0, 2^29), to the nearest: a truncation would leave it to chance. Four rounds."""
    # halves are common among means over few records, and may have come out a unit smaller: they go up for certain
    half = (1 << FINER_BITS - 1) + 11
    raised = x + public(unit, np.full(x.shape, half))
    weights = [0] * FINER_BITS + [1 << bit for bit in range(ROUNDED_BITS - FINER_BITS)]
    return weigh_bits(unit, to_bits(unit, raised, ROUNDED_BITS), np.array(weights, dtype=np.uint64)[:, None])[..., 0]
