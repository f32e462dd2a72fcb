"""Correlations for products of shared numbers and matrices."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from privml.units.correlations.correlation import Array, Field, Shape
from privml.units.words import matrix_product


@dataclass(frozen=True)
class ProductTriple:
    """a, b, c = a*b elementwise; the operands broadcast as numpy does it (Beaver, CRYPTO 1991)."""

    elementwise: ClassVar[bool] = False

    left: Shape
    right: Shape

    @property
    def bases(self) -> Sequence[Field]:
        """The two masks."""
        return Field(self.left), Field(self.right)

    @property
    def derived(self) -> Sequence[Field]:
        """Their product."""
        return (Field(np.broadcast_shapes(self.left, self.right)),)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Multiply elementwise."""
        a, b = bases
        return (a * b,)


@dataclass(frozen=True)
class MatrixTriple:
    """A (n, k), B (k, m), C = A @ B (Mohassel and Zhang, IEEE S&P 2017)."""

    elementwise: ClassVar[bool] = False

    rows: int
    inner: int
    columns: int

    @property
    def bases(self) -> Sequence[Field]:
        """The two masks."""
        return Field((self.rows, self.inner)), Field((self.inner, self.columns))

    @property
    def derived(self) -> Sequence[Field]:
        """Their product."""
        return (Field((self.rows, self.columns)),)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Multiply."""
        a, b = bases
        return (matrix_product(a, b),)


@dataclass(frozen=True)
class OperandMask:
    """The mask B of a matrix that is used again and again: opened once, it may belong to that one matrix only."""

    elementwise: ClassVar[bool] = False

    shape: tuple[int, int]

    @property
    def bases(self) -> Sequence[Field]:
        """The mask."""
        return (Field(self.shape),)

    @property
    def derived(self) -> Sequence[Field]:
        """Nothing yet."""
        return ()

    def derive(self, *bases: Array) -> Sequence[Array]:  # noqa: ARG002 - the contract's signature
        """Nothing yet."""
        return ()


class DrawnMask(NamedTuple):
    """Which draw an operand's mask was, and its shape: what later draws refer to it by."""

    shape: tuple[int, int]
    number: int


class OfOperands(ABC):
    """A correlation of masks that were drawn before: nothing fresh is drawn, and whoever derives it gives these."""

    @property
    @abstractmethod
    def operands(self) -> Sequence[DrawnMask]:
        """The masks."""

    @property
    def bases(self) -> Sequence[Field]:
        """Nothing."""
        return ()


@dataclass(frozen=True)
class OfOperand(OfOperands):
    """A correlation of one such mask."""

    operand: DrawnMask

    @property
    def operands(self) -> Sequence[DrawnMask]:
        """The one."""
        return (self.operand,)


@dataclass(frozen=True)
class OperandProduct(OfOperands):
    """A @ B, or A^T @ B, of the masks of two operands."""

    elementwise: ClassVar[bool] = False

    left: DrawnMask
    right: DrawnMask
    transpose_left: bool = False

    @property
    def operands(self) -> Sequence[DrawnMask]:
        """Both."""
        return self.left, self.right

    @property
    def derived(self) -> Sequence[Field]:
        """The product."""
        return (Field((self.left.shape[1 if self.transpose_left else 0], self.right.shape[1])),)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Multiply."""
        a, b = bases
        return (matrix_product(np.ascontiguousarray(a.T) if self.transpose_left else a, b),)


@dataclass(frozen=True)
class OperandSquares(OfOperand):
    """The squares of an operand's mask, and of its sums over groups of columns, given by (start, stop) each."""

    elementwise: ClassVar[bool] = False

    groups: tuple[tuple[int, int], ...] = ()

    @property
    def derived(self) -> Sequence[Field]:
        """The squares, and those of the sums."""
        return Field(self.operand.shape), Field((self.operand.shape[0], len(self.groups)))

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Square."""
        (a,) = bases
        sums = group_sums(a, self.groups)
        return a * a, sums * sums


def chosen_columns(matrix: Array, columns: Sequence[int]) -> Array:
    """Take different columns in ascending order; where they are all, the matrix as it is."""
    return matrix if len(columns) == matrix.shape[1] else matrix.take(columns, axis=1)


def group_sums(matrix: Array, groups: Sequence[tuple[int, int]]) -> Array:
    """Sum the columns from start up to stop, for every group; a row a row."""
    starts = [start for start, _ in groups]
    side_by_side = [start for start, stop in groups if start < stop][1:] == [stop for _, stop in groups][:-1]
    if groups and side_by_side:
        return np.asarray(np.add.reduceat(matrix[:, : groups[-1][1]], starts, axis=1, dtype=np.uint64))
    sums = [matrix[:, start:stop].sum(axis=1, dtype=np.uint64) for start, stop in groups]
    return np.stack(sums, axis=1) if sums else np.zeros((len(matrix), 0), dtype=np.uint64)
