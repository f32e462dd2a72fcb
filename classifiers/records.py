"""Records between the units, open under masks and found valid."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from building_blocks.operand import Operand, fix_operand, fix_operands
from building_blocks.shares import Shares, Words
from building_blocks.validation import Validation
from privml.data.schema import Schema
from privml.units.unit import Unit

BLOCK: Final = 8192
"""Records that are opened at a time: bounds what one message holds."""


@dataclass(frozen=True, slots=True)
class Records:
    """One-hot features, shape (n, width), and one-hot classes, (n, classes), of a block of records."""

    features: Operand
    classes: Operand

    def __len__(self) -> int:
        """Return the number of records."""
        return self.features.shape[0]


def open_records(unit: Unit, schema: Schema, rows: Words, refusal: str) -> list[Records]:
    """Open a chunk of records under masks, in blocks, and check that it is one.

    One round for each 8192 records, of 8 bytes each way a value, and five to hear whether they are valid.

    Raises
    ------
    ValidationError
        They are no one-hot rows with one class each; `refusal` is the message.
    """
    validation = Validation(unit)
    records = []
    for block in _blocks(rows):
        features, classes = fix_operands(unit, block[:, : schema.width], block[:, schema.width :])
        validation.one_hot(features, _groups(schema), complete=False)
        validation.one_hot(classes, [slice(0, schema.class_count)], complete=True)
        records.append(Records(features, classes))
    validation.require(refusal)
    return records


def open_queries(unit: Unit, schema: Schema, rows: Words) -> Operand:
    """Open queries under a mask, and check that they are one-hot rows: six rounds.

    Raises
    ------
    ValidationError
        They are not.
    """
    queries, validation = fix_operand(unit, Shares(rows)), Validation(unit)
    validation.one_hot(queries, _groups(schema), complete=False)
    validation.require("the query is refused: its records are no one-hot rows of the schema")
    return queries


def _blocks(rows: Words) -> Iterator[Shares]:
    for start in range(0, len(rows), BLOCK):
        yield Shares(rows[start : start + BLOCK])


def _groups(schema: Schema) -> Sequence[slice]:
    return tuple(schema.slices.values())
