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
    """Features, shape (n, width), and one-hot classes, (n, classes), of a block of records."""

    features: Operand
    classes: Operand

    def __len__(self) -> int:
        """Return the number of records."""
        return self.features.shape[0]


def blocks_of(rows: Words) -> list[Words]:
    """Part rows into blocks of 8192."""
    return [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]


def open_records(unit: Unit, schema: Schema, blocks: Sequence[Words], refusal: str) -> list[Records]:
    """Open blocks of records under masks of their own, and check that they are records.

    One round for each 8192 records, of 8 bytes each way a value, and two to hear whether they are valid. One more for
    each 8192 if there are continuous features, of a byte each.

    Raises
    ------
    ValidationError
        They are no records of the schema with one class each; `refusal` is the message.
    """
    validation = Validation(unit)
    records = []
    for together in _messages(blocks):
        parts = [Shares(part) for block in together for part in (block[:, : schema.width], block[:, schema.width :])]
        operands = fix_operands(unit, *parts)
        opened = [Records(*pair) for pair in zip(operands[::2], operands[1::2], strict=True)]
        for block in opened:
            validation.one_hot(block.classes, [slice(0, schema.class_count)], complete=True)
        _check_features(validation, schema, [block.features for block in opened])
        records += opened
    validation.require(refusal)
    return records


def open_queries(unit: Unit, schema: Schema, rows: Words) -> Operand:
    """Open queries under a mask, and check that they are records of the schema: three rounds, or four.

    Raises
    ------
    ValidationError
        They are not.
    """
    queries, validation = fix_operand(unit, Shares(rows)), Validation(unit)
    _check_features(validation, schema, [queries])
    validation.require("the query is refused: its rows are no records of the schema")
    return queries


def _messages(blocks: Sequence[Words]) -> Iterator[list[Words]]:
    """Blocks that are opened in one round: one, or several that have 8192 records at most."""
    together: list[Words] = []
    for block in blocks:
        if together and sum(map(len, together)) + len(block) > BLOCK:
            yield together
            together = []
        together.append(block)
    if together:
        yield together


def _check_features(validation: Validation, schema: Schema, opened: Sequence[Operand]) -> None:
    """Require one-hot blocks, at most one value each, and 16 bits of continuous features."""
    blocks = list(zip(schema.features, schema.slices.values(), strict=True))
    listed = [block for feature, block in blocks if feature.one_hot]
    numbers = [block.start for feature, block in blocks if not feature.one_hot]
    for features in opened:
        validation.one_hot(features, listed, complete=False)
    if numbers:
        validation.short(opened, numbers)
