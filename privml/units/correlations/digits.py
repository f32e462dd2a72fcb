"""Correlations for truncation and for the boolean world."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

import numpy as np

from privml.units.correlations.correlation import Array, Field, Shape
from privml.units.correlations.products import OfOperand, chosen_columns

TOP_BIT = np.uint64(1 << 63)


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


@dataclass(frozen=True)
class OperandDigits(OfOperand):
    """r = -A for some columns of an operand's mask A, in the boolean world: X - A is X + r, as for a `RandomWord`.

    With the ANDs of shifted copies of the low digits of r by `patterns`: as many digits as `dtype` has.
    """

    elementwise: ClassVar[bool] = False

    columns: tuple[int, ...]
    dtype: type[np.unsignedinteger[Any]]
    patterns: tuple[Pattern, ...]

    @property
    def derived(self) -> Sequence[Field]:
        """The words, whole, and the products of their low digits."""
        shape = self.operand.shape[0], len(self.columns)
        return Field(shape, boolean=True), *(Field(shape, self.dtype, boolean=True),) * len(self.patterns)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Negate, and AND the shifted digits."""
        (a,) = bases
        r = np.negative(chosen_columns(a, self.columns))
        return [r, *products_of_shifts([r.astype(self.dtype)], self.patterns)]


@dataclass(frozen=True)
class WeighedBits:
    """w uniform in 64 bits, shared by addition; random bits, in bit 0 of bytes; and each bit times its w."""

    elementwise: ClassVar[bool] = True

    shape: Shape

    @property
    def bases(self) -> Sequence[Field]:
        """The weights, and the bits."""
        return Field(self.shape), Field(self.shape, np.uint8, boolean=True)

    @property
    def derived(self) -> Sequence[Field]:
        """The products."""
        return (Field(self.shape),)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Keep the weights of bits that are set."""
        weights, bits = bases
        return (weights * (bits & np.uint8(1)),)


def shifted(word: Array, shift: int) -> Array:
    """Shift the bits of every word, left for a positive shift, filling with zeros."""
    if shift == 0:
        return word
    moved: Array = word << word.dtype.type(shift) if shift > 0 else word >> word.dtype.type(-shift)
    return moved


def products_of_shifts(words: Sequence[Array], patterns: Sequence[Pattern]) -> list[Array]:
    """AND the shifted words of each pattern; a pattern that extends another reuses its product."""
    memory = np.empty((len(patterns), *words[0].shape), dtype=words[0].dtype)
    known: dict[Pattern, Array] = {
        ((index, shift),): shifted(words[index], shift) for index, shift in _factors(tuple(patterns))
    }
    for position, head, last in _steps(tuple(patterns)):
        known[(*head, last)] = np.bitwise_and(_product(known, head), known[(last,)], out=memory[position, ...])
    return list(memory)


def _product(known: dict[Pattern, Array], pattern: Pattern) -> Array:
    """AND the factors of a pattern, and remember that for others that begin with it."""
    found = known.get(pattern)
    if found is None:
        found = known[pattern] = _product(known, pattern[:-1]) & known[pattern[-1:]]
    return found


@cache
def _factors(patterns: tuple[Pattern, ...]) -> frozenset[tuple[int, int]]:
    """All shifted words that the patterns are products of."""
    return frozenset(factor for pattern in patterns for factor in pattern)


@cache
def _steps(patterns: tuple[Pattern, ...]) -> tuple[tuple[int, Pattern, tuple[int, int]], ...]:
    """Short patterns first: the place of each, all of its factors but the last, and that."""
    order = sorted(range(len(patterns)), key=lambda k: len(patterns[k]))
    return tuple((k, tuple(patterns[k][:-1]), patterns[k][-1]) for k in order)
