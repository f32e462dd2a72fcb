"""Products with a shared matrix that is used again and again: it is opened once, under a mask of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from building_blocks.shares import Shares, Words, open_shares
from privml.errors import SettingError
from privml.units.correlations import DrawnMask, OperandMask, OperandProduct, OperandSquares, group_sums
from privml.units.unit import Unit
from privml.units.words import matrix_product


@dataclass(frozen=True, slots=True)
class Operand:
    """A shared matrix that was opened once under its own mask, for any number of products and other uses.

    The mask belongs to this one matrix: a changed matrix needs a new `Operand`, or the difference would be opened.
    """

    masked: Words
    mask: Shares
    drawn: DrawnMask

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the matrix."""
        return self.drawn.shape

    def __repr__(self) -> str:
        return f"Operand(shape={self.shape})"


def fix_operands(unit: Unit, *matrices: Shares) -> list[Operand]:
    """Open matrices, each under its own mask: one round for all, 8 bytes each way a value.

    Both units see X - A, uniform: A is fresh, and used for X alone.

    Raises
    ------
    SettingError
        One is no matrix.
    """
    drawn, masks = [], []
    for matrix in matrices:
        if len(matrix.shape) != 2:
            raise SettingError(f"an operand is a matrix; got shape {matrix.shape}")
        shape = (matrix.shape[0], matrix.shape[1])
        drawn.append(DrawnMask(shape, unit.correlations.position))
        masks += [Shares(mask) for mask in unit.correlations.draw(OperandMask(shape))]
    opened = open_shares(unit, *(matrix - mask for matrix, mask in zip(matrices, masks, strict=True)))
    return [Operand(*each) for each in zip(opened, masks, drawn, strict=True)]


def fix_operand(unit: Unit, matrix: Shares) -> Operand:
    """Open one matrix under its own mask, as `fix_operands`."""
    return fix_operands(unit, matrix)[0]


def multiply_operands(unit: Unit, x: Operand, y: Operand, *, transpose_left: bool = False) -> Shares:
    """Matrix product [X Y], or [X^T Y], of two operands. No message at all: both are open under their masks.

    With C = A B for the masks: XY = C + (X - A) B + A (Y - B) + (X - A)(Y - B), of which the Master adds the last part,
    which is public, to the smaller operand's. Exact modulo 2^64.

    Raises
    ------
    SettingError
        The inner sizes differ.
    """
    masked, mask = x.masked, x.mask.words
    if transpose_left:
        masked, mask = np.ascontiguousarray(masked.T), np.ascontiguousarray(mask.T)
    if masked.shape[1] != y.shape[0]:
        raise SettingError(f"a product of operands needs shapes (n, k) and (k, m); got {masked.shape} and {y.shape}")
    (product,) = unit.correlations.draw(OperandProduct(x.drawn, y.drawn, transpose_left))
    other = y.mask.words
    if unit.is_master and masked.size < other.size:
        mask = mask + masked
    elif unit.is_master:
        other = other + y.masked
    total = matrix_product(masked, other)
    total += matrix_product(mask, y.masked)
    total += product
    return Shares(total)


def multiply_by_operand(unit: Unit, x: Shares, operand: Operand) -> Shares:
    """Matrix product [X Y] of a fresh (n, k) matrix with a fixed (k, m) operand Y.

    Exact modulo 2^64. One round, 8 bytes each way for every value of X. Both units see X - A, uniform: A is fresh.
    """
    return multiply_operands(unit, fix_operand(unit, x), operand)


def values(unit: Unit, x: Operand) -> Shares:
    """Return the matrix itself, as shared. No message."""
    return x.mask + Shares(x.masked) if unit.is_master else x.mask


def column_sums(x: Shares, groups: Sequence[slice]) -> Shares:
    """Sum each row over groups of columns: (n, k) to (n, groups). Local."""
    return Shares(group_sums(x.words, _spans(groups)))


def squares(unit: Unit, x: Operand, groups: Sequence[slice] = ()) -> tuple[Shares, Shares]:
    """Squares of an (n, k) operand, and those of each row's sums over groups of columns: (n, k) and (n, groups).

    x^2 = a^2 + 2 (x - a) a + (x - a)^2. Exact modulo 2^64. No message.
    """
    spans = _spans(groups)
    of_values, of_sums = map(Shares, unit.correlations.draw(OperandSquares(x.drawn, spans)))
    sums, mask_sums = group_sums(x.masked, spans), column_sums(x.mask, groups)
    return _square(unit, of_values, x.mask, x.masked), _square(unit, of_sums, mask_sums, sums)


def _square(unit: Unit, of_mask: Shares, mask: Shares, masked: Words) -> Shares:
    """a^2 + (2 a + (x - a)) (x - a), in one array: queries are squared by the million."""
    words = mask.words << np.uint64(1)
    if unit.is_master:
        words += masked
    words *= masked
    words += of_mask.words
    return Shares(words)


def _spans(groups: Sequence[slice]) -> tuple[tuple[int, int], ...]:
    return tuple((group.start, group.stop) for group in groups)
