"""Correlated randomness: what a draw consists of, and where a unit gets it.

A correlation is described by what it draws (`bases`: uniformly random shared arrays) and what follows from them
(`derive`: e.g. the products of the bases, shared as well). A source gives each unit its shares of both.

Draws are numbered in the order of the programme, which is the same in both units. A number is reserved before it is
used and never used twice.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Shape = tuple[int, ...]
TOP_BIT = np.uint64(1 << 63)


class Field(NamedTuple):
    """One array of a correlation: its shape, its word type, and how it is shared.

    `boolean` arrays are shared by XOR, others by addition modulo 2^64.
    """

    shape: Shape
    dtype: type[np.unsignedinteger[Any]] = np.uint64
    boolean: bool = False

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def join(self, mine: Array, peer: Array) -> Array:
        """Both shares together."""
        return np.asarray(mine ^ peer if self.boolean else mine + peer)

    def correct(self, value: Array, share: Array) -> Array:
        """What is left of a value when one share of it is taken away; it takes the share's memory."""
        return np.bitwise_xor(value, share, out=share) if self.boolean else np.subtract(value, share, out=share)


class Correlation(Protocol):
    """What a draw consists of."""

    elementwise: ClassVar[bool]
    """Whether each place of the derived arrays follows from the same place of the bases alone."""

    @property
    def bases(self) -> Sequence[Field]:
        """The uniformly random arrays."""

    @property
    def derived(self) -> Sequence[Field]:
        """The arrays that follow from them."""

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Compute the derived arrays from the reconstructed bases; the dealer alone runs this."""


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


@dataclass(frozen=True)
class TruncationMask:
    """r uniform in 64 bits, floor((r mod 2^63) / 2^f) and the top bit of r, all shared by addition."""

    elementwise: ClassVar[bool] = True

    shape: Shape
    fraction_bits: int

    @property
    def bases(self) -> Sequence[Field]:
        """The mask."""
        return (Field(self.shape),)

    @property
    def derived(self) -> Sequence[Field]:
        """Its truncation and its top bit."""
        return Field(self.shape), Field(self.shape)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Truncate and take the top bit."""
        (r,) = bases
        return (r & ~TOP_BIT) >> np.uint64(self.fraction_bits), r >> np.uint64(63)


@dataclass(frozen=True)
class RandomBits:
    """Random words in the boolean world, and one additive share for each of their low `bits` bits.

    The additive shares have the shape ``(*shape, bits)``, bit 0 first.
    """

    elementwise: ClassVar[bool] = True

    shape: Shape
    bits: int
    dtype: type[np.unsignedinteger[Any]] = np.uint64

    @property
    def bases(self) -> Sequence[Field]:
        """The packed word."""
        return (Field(self.shape, self.dtype, boolean=True),)

    @property
    def derived(self) -> Sequence[Field]:
        """The bits as integers."""
        return (Field((*self.shape, self.bits)),)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Take the word apart."""
        (word,) = bases
        return ((word[..., None].astype(np.uint64) >> np.arange(self.bits, dtype=np.uint64)) & np.uint64(1),)


Pattern = tuple[tuple[int, int], ...]
"""A product of shifted mask words: (index of the word, shift) each; a positive shift goes left, a negative right."""


@dataclass(frozen=True)
class BitProducts:
    """Random words m_0, m_1, ... and, for each pattern, the AND of the shifted words that it names; shared by XOR."""

    elementwise: ClassVar[bool] = True

    shape: Shape
    dtype: type[np.unsignedinteger[Any]]
    words: int
    patterns: tuple[Pattern, ...]

    @property
    def bases(self) -> Sequence[Field]:
        """The masks."""
        return (Field(self.shape, self.dtype, boolean=True),) * self.words

    @property
    def derived(self) -> Sequence[Field]:
        """One word a pattern."""
        return (Field(self.shape, self.dtype, boolean=True),) * len(self.patterns)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """AND the shifted masks."""
        return products_of_shifts(bases, self.patterns)


@dataclass(frozen=True)
class RandomWord:
    """r uniform in 64 bits, shared by addition; r again, by XOR; and the ANDs of shifted copies of r by `patterns`."""

    elementwise: ClassVar[bool] = True

    shape: Shape
    patterns: tuple[Pattern, ...]

    @property
    def bases(self) -> Sequence[Field]:
        """The word."""
        return (Field(self.shape),)

    @property
    def derived(self) -> Sequence[Field]:
        """The word in the boolean world, and its products."""
        return (Field(self.shape, boolean=True),) * (1 + len(self.patterns))

    def derive(self, *bases: Array) -> Sequence[Array]:
        """The word itself, then the ANDs of its shifts."""
        return [bases[0], *products_of_shifts(bases, self.patterns)]


def shifted(word: Array, shift: int) -> Array:
    """Shift the bits of every word, left for a positive shift, filling with zeros."""
    if shift == 0:
        return word
    moved: Array = word << word.dtype.type(shift) if shift > 0 else word >> word.dtype.type(-shift)
    return moved


def products_of_shifts(words: Sequence[Array], patterns: Sequence[Pattern]) -> list[Array]:
    """AND the shifted words of each pattern; a pattern that extends another reuses its product."""
    memory = np.empty((len(patterns), *words[0].shape), dtype=words[0].dtype)
    known: dict[Pattern, Array] = {((index, 0),): word for index, word in enumerate(words)}
    for position in sorted(range(len(patterns)), key=lambda k: len(patterns[k])):
        pattern = patterns[position]
        *head, (index, shift) = pattern
        start = known.get(tuple(head))
        if start is None:
            start = reduce(np.bitwise_and, (shifted(words[other], by) for other, by in head))
        known[pattern] = np.bitwise_and(start, shifted(words[index], shift), out=memory[position, ...])
    return list(memory)


class CorrelationSource(Protocol):
    """Where a unit's correlated randomness comes from."""

    @property
    def epoch(self) -> bytes:
        """16 bytes that name the deal."""

    @property
    def position(self) -> int:
        """The number of the next draw."""

    def jump(self, position: int) -> None:
        """Skip to a later draw; going back raises `DrawReusedError`."""

    def draw(self, correlation: Correlation) -> list[Array]:
        """Return this unit's shares of the next draw: bases first, then what is derived."""
