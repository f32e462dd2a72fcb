"""Columns on scales that nobody knows: means and deviations that the units work out on the first chunk, as shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.arithmetic import truncate
from building_blocks.fixed_point.joined import multiply_all
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint, fixed_public
from building_blocks.fixed_point.root import inverse_square_root
from building_blocks.operand import Operand, squares, values
from building_blocks.product import multiply
from building_blocks.shares import Shares, stack
from classifiers.regression.columns import FACTOR_BITS, Columns, first_columns
from privml.data.continuous import UNIT_BITS
from privml.data.schema import Schema
from privml.errors import ClassifierError, SettingError
from privml.units.unit import Unit

PRIVATE: Final = "private"

FLOOR: Final = 2.0**-8
"""Added to variances, in units of a feature's range squared: no factor exceeds 16."""

LARGEST_FACTOR: Final = FLOOR**-0.5 + 3 * 2.0**-FACTOR_BITS
"""With what it may err, and the mean."""

VARIANCE_BITS: Final = 24


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
        pairs = zip(schema.features, schema.slices.values(), strict=True)
        numbers = np.array([block.start for feature, block in pairs if not feature.one_hot], dtype=np.int64)
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

    def fitted(self, unit: Unit, records: Sequence[Operand]) -> Self:
        """Work means and variances out: two products, two truncations and an inverse root of each, as masked words."""
        count = sum(block.shape[0] for block in records)
        zero = Shares(np.zeros(len(self.numbers), dtype=np.uint64))
        total = sum((values(unit, block)[:, self.numbers].sum(axis=0) for block in records), start=zero)
        of_squares = sum((squares(unit, block)[0][:, self.numbers].sum(axis=0) for block in records), start=zero)
        mean = _over(unit, FixedPoint(total, UNIT_BITS, count << UNIT_BITS), count, UNIT_BITS)
        # sum of (z - c)^2 = sum of z^2 - c (2 sum of z - n c), for every c near the mean
        spread = of_squares - multiply(unit, mean.shares, total * 2 - mean.shares * count)
        variance = _over(unit, FixedPoint(spread, 2 * UNIT_BITS, count << 2 * UNIT_BITS), count, VARIANCE_BITS)
        floored = variance + fixed_public(unit, np.full(len(self.numbers), FLOOR), VARIANCE_BITS)
        factor = inverse_square_root(unit, floored, FACTOR_BITS).shares
        return replace(self, scales=stack([factor, multiply(unit, factor, mean.shares)]))

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


def _over(unit: Unit, total: FixedPoint, count: int, fraction_bits: int) -> FixedPoint:
    """Divide sums over so many records by their number."""
    more = min(RANGE_BITS - 1 - total.fraction_bits, RANGE_BITS - 2 - total.bound.bit_length() + count.bit_length())
    return truncate(unit, total.scaled(1 / count, more), fraction_bits)
