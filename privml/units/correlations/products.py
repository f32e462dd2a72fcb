"""Correlations for products of shared numbers and matrices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from privml.units.correlations.correlation import Array, Field, Shape


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
        return (a @ b,)


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


@dataclass(frozen=True)
class OperandTriple:
    """A fresh and C = A @ B for the mask B that was drawn as `operand` under the number `number`."""

    elementwise: ClassVar[bool] = False

    rows: int
    operand: OperandMask
    number: int

    @property
    def bases(self) -> Sequence[Field]:
        """The fresh mask; the dealer adds the operand's."""
        return (Field((self.rows, self.operand.shape[0])),)

    @property
    def derived(self) -> Sequence[Field]:
        """Their product."""
        return (Field((self.rows, self.operand.shape[1])),)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Multiply the fresh mask by the operand's."""
        a, b = bases
        return (a @ b,)
