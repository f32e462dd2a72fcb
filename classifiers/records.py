"""Records between the units, open under masks and found valid."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from building_blocks.operand import Operand, fix_operand, fix_operands, values
from building_blocks.shares import Shares, Words
from building_blocks.validation import Validation
from privml.data.continuous import UNIT_BITS
from privml.data.schema import Schema
from privml.units.unit import Unit

BLOCK: Final = 8192
"""Records that are opened at a time: bounds what one message holds."""


@dataclass(frozen=True, slots=True)
class Records:
    """Features, shape (n, width), and one-hot classes, (n, classes), of a block of records."""

    features: Operand
    classes: Operand

    def __len__(self) -> int:
        """Return the number of records."""
        return self.features.shape[0]


def open_records(unit: Unit, schema: Schema, rows: Words, refusal: str) -> list[Records]:
    """Open a chunk of records under masks, in blocks, and check that it is one.

    One round for each 8192 records, of 8 bytes each way a value, and five to hear whether they are valid. Three more a
    block if there are continuous features, of 18 bytes each.

    Raises
    ------
    ValidationError
        They are no records of the schema with one class each; `refusal` is the message.
    """
    validation = Validation(unit)
    records = []
    for block in _blocks(rows):
        features, classes = fix_operands(unit, block[:, : schema.width], block[:, schema.width :])
        _check_features(unit, validation, schema, features)
        validation.one_hot(classes, [slice(0, schema.class_count)], complete=True)
        records.append(Records(features, classes))
    validation.require(refusal)
    return records


def open_queries(unit: Unit, schema: Schema, rows: Words) -> Operand:
    """Open queries under a mask, and check that they are records of the schema: six rounds, or nine.

    Raises
    ------
    ValidationError
        They are not.
    """
    queries, validation = fix_operand(unit, Shares(rows)), Validation(unit)
    _check_features(unit, validation, schema, queries)
    validation.require("the query is refused: its rows are no records of the schema")
    return queries


def _blocks(rows: Words) -> Iterator[Shares]:
    for start in range(0, len(rows), BLOCK):
        yield Shares(rows[start : start + BLOCK])


def _check_features(unit: Unit, validation: Validation, schema: Schema, features: Operand) -> None:
    """Require one-hot blocks, at most one value each, and places between limits for continuous features."""
    blocks = list(zip(schema.features, schema.slices.values(), strict=True))
    validation.one_hot(features, [block for feature, block in blocks if feature.one_hot], complete=False)
    numbers = [block.start for feature, block in blocks if not feature.one_hot]
    if numbers:
        validation.within(values(unit, features)[:, numbers], 0, 1 << UNIT_BITS)
