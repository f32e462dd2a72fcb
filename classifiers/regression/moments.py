"""Sums and sums of squares of numbers: what means and variances are made of, and what owners may send ahead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.arithmetic import truncate
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint
from building_blocks.operand import Operand, squares, values
from building_blocks.product import multiply
from building_blocks.shares import BooleanShares, Shares, public, stack
from building_blocks.validation import Validation
from privml.crypto.packing import Layout
from privml.data.continuous import UNIT_BITS
from privml.data.encoding import EncodedTable
from privml.data.schema import Schema
from privml.units.unit import Unit

MOST_RECORDS: Final = 1 << 24
"""Sums over more would leave too few bits for what they are divided by."""


@dataclass(frozen=True, eq=False)
class Moments:
    """Of so many records, the sums of numbers z in [0, 2^16] and of z^2: shares of integers, one of each a number."""

    sums: Shares
    squares: Shares
    records: int

    @classmethod
    def of_records(cls, unit: Unit, records: Sequence[Operand], numbers: NDArray[np.int64]) -> Self:
        """Add up the columns `numbers` of blocks of records. No message."""
        zero = Shares(np.zeros(len(numbers), dtype=np.uint64))
        return cls(
            sum((values(unit, block)[:, numbers].sum(axis=0) for block in records), start=zero),
            sum((squares(unit, block)[0][:, numbers].sum(axis=0) for block in records), start=zero),
            sum(block.shape[0] for block in records),
        )

    @classmethod
    def of_statistics(cls, statistics: Shares, records: int) -> Self:
        """Read what `statistics` makes, or sums of it."""
        both = statistics[:-1].reshape(2, -1)
        return cls(both[0], both[1], records)

    def mean(self, unit: Unit, fraction_bits: int) -> FixedPoint:
        """Means of z / 2^16: the floor or the ceiling. One round, 8 bytes each way a number."""
        total = FixedPoint(self.sums, UNIT_BITS, self.records << UNIT_BITS)
        return self._over_records(unit, total, fraction_bits)

    def spread(self, unit: Unit, centre: Shares) -> Shares:
        """Sums of (z - c)^2 for shared integers c, exact modulo 2^64. One round, 16 bytes each way a number."""
        return self.squares - multiply(unit, centre, self.sums * 2 - centre * self.records)

    def variance(self, unit: Unit, centre: Shares, fraction_bits: int) -> FixedPoint:
        """Variances of z / 2^16, for integers c within 1 of the mean of z, whose distance adds 2^-32 at most.

        The floor or the ceiling of what errs by a part of 2^-30 times the records: one over them is a public integer.
        Two rounds, 24 bytes each way a number.
        """
        # no number in [0, 2^16] varies more than one that is at both ends equally often
        bound = self.records * ((1 << 2 * UNIT_BITS - 2) + 1)
        return self._over_records(unit, FixedPoint(self.spread(unit, centre), 2 * UNIT_BITS, bound), fraction_bits)

    def _over_records(self, unit: Unit, total: FixedPoint, fraction_bits: int) -> FixedPoint:
        """Divide sums over the records by their number."""
        room = RANGE_BITS - 2 - total.bound.bit_length() + self.records.bit_length()
        more = min(RANGE_BITS - 1 - total.fraction_bits, room)
        return truncate(unit, total.scaled(1 / self.records, more), fraction_bits)


def numbers_of(schema: Schema) -> NDArray[np.int64]:
    """Columns of the continuous features."""
    pairs = zip(schema.features, schema.slices.values(), strict=True)
    return np.array([block.start for feature, block in pairs if not feature.one_hot], dtype=np.int64)


def layout_of(schema: Schema, chunk_rows: int) -> Layout:
    """Layout of the packed moments of a chunk: signed numbers that hold sums of squares."""
    return Layout(count=2 * len(numbers_of(schema)) + 1, value_bits=(chunk_rows << 2 * UNIT_BITS).bit_length() + 1)


def statistics(schema: Schema, table: EncodedTable) -> NDArray[np.int64]:
    """Sums of every number, then of their squares, then the number of records: what an owner sends."""
    places = table.codes[:, [index for index, feature in enumerate(schema.features) if not feature.one_hot]]
    return np.concatenate([places.sum(axis=0), (places * places).sum(axis=0), [len(table)]])


def check_statistics(unit: Unit, validation: Validation, statistics: Shares, records: int) -> None:
    """Require moments that numbers in [0, 2^16] can have.

    They are those of so many records, and of every number

    0 <= sum z <= 2^16 n,  sum z^2 <= 2^16 sum z,  sum z^2 even exactly if sum z is,  sum (z - c)^2 >= 0,

    where c is the mean up to its rounding: (sum z)^2 <= n sum z^2 to within n^2. Exact products of sums over many
    records would leave the ring; these stay below 2^53 for 2^20 records. Five rounds, 96 bytes each way a number; none
    of it tells what another check found.
    """
    found = Moments.of_statistics(statistics, records)
    validation.zero(statistics[-1:] - public(unit, np.array([records])))
    validation.clear(BooleanShares((found.squares - found.sums).words & np.uint64(1)))
    spread = found.spread(unit, found.mean(unit, UNIT_BITS).shares)
    left = public(unit, np.full(found.sums.shape, records << UNIT_BITS)) - found.sums
    sides = [found.sums, left, found.sums * (1 << UNIT_BITS) - found.squares, spread]
    validation.within(stack(sides), 0, records << 2 * UNIT_BITS)
