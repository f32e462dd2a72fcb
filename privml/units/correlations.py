"""Correlated randomness, dealt ahead of time by the authority.

A correlation is described by what it draws (`bases`: uniformly random shared arrays) and what follows from them
(`derive`: e.g. the products of the bases, shared as well). The Master expands all of its shares from its own seed; the
Secondary expands its shares of the bases from its own seed and receives one correction word for each derived word:
``correction = derived - master's share``. Neither holds the other's seed, and the corrections are masked by the
Master's share, so each unit sees uniformly random words only.

Draws are numbered in the order of the programme, which is the same in both units. A number is reserved before it is
used and never used twice; the dealer refuses to deal a number again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from privml.crypto.prg import Stream
from privml.crypto.randomness import random_bytes
from privml.crypto.secret import Secret
from privml.errors import DrawReusedError, SettingError
from privml.units.ledger import Ledger, MemoryLedger
from privml.units.unit import Role

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

    def draw(self, stream: Stream) -> Array:
        """Expand the next array of this form from a stream."""
        return stream.draw(self.shape, self.dtype)

    def join(self, mine: Array, peer: Array) -> Array:
        """Both shares together."""
        return np.asarray(mine ^ peer if self.boolean else mine + peer)

    def correct(self, value: Array, share: Array) -> Array:
        """What is left of a value when one share of it is taken away."""
        return np.asarray(value ^ share if self.boolean else value - share)


class Correlation(Protocol):
    """What a draw consists of."""

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
    known: dict[Pattern, Array] = {}
    for pattern in sorted(patterns, key=len):
        *head, (index, shift) = pattern
        last = shifted(words[index], shift)
        start = known.get(tuple(head))
        if start is None:
            start = shifted(words[head[0][0]], head[0][1])
            for other, by in head[1:]:
                start = start & shifted(words[other], by)
        known[pattern] = start & last
    return [known[pattern] for pattern in patterns]


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


class Dealer(Secret):
    """The authority's part: it knows both seeds, and makes the correction words for the Secondary.

    Both seeds are fresh and live in this object only. It sees no data, no share and no message of the units.
    """

    def __init__(self) -> None:
        self.epoch = random_bytes(16)
        self._seeds = {role: random_bytes(32) for role in Role}
        self._next = 0
        self._operands: dict[int, OperandMask] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Dealer(epoch={self.epoch.hex()[:8]}…)"

    def source(self, role: Role, ledger: Ledger | None = None) -> DealtSource:
        """Return the source of one unit, with that unit's own seed and no other."""
        corrections = self.corrections if role is Role.SECONDARY else None
        return DealtSource(self.epoch, self._seeds[role], corrections, ledger or MemoryLedger())

    def corrections(self, number: int, correlation: Correlation) -> list[Array]:
        """Return the correction words of one draw.

        Raises
        ------
        DrawReusedError
            The number was dealt before.
        """
        with self._lock:
            if number < self._next:
                raise DrawReusedError(f"draw {number} was dealt already; the next is {self._next}")
            self._next = number + 1
        streams = [Stream(self._seeds[role], number) for role in Role]
        bases = [field.join(*(field.draw(stream) for stream in streams)) for field in correlation.bases]
        if isinstance(correlation, OperandTriple):
            bases.append(self._operand(correlation))
        elif isinstance(correlation, OperandMask):
            self._operands[number] = correlation
        values = correlation.derive(*bases)
        master = streams[0]
        return [
            field.correct(value, field.draw(master)) for field, value in zip(correlation.derived, values, strict=True)
        ]

    def _operand(self, triple: OperandTriple) -> Array:
        if self._operands.get(triple.number) != triple.operand:
            raise SettingError(f"draw {triple.number} is no operand mask of shape {triple.operand.shape}")
        field = triple.operand.bases[0]
        return field.join(*(field.draw(Stream(self._seeds[role], triple.number)) for role in Role))


class DealtSource(Secret):
    """A unit's stream of dealt correlations: its seed and, in the Secondary, the dealer's correction words."""

    def __init__(
        self,
        epoch: bytes,
        seed: bytes,
        corrections: Callable[[int, Correlation], list[Array]] | None,
        ledger: Ledger,
    ) -> None:
        self._epoch = epoch
        self._seed = seed
        self._corrections = corrections
        self._ledger = ledger

    def __repr__(self) -> str:
        return f"DealtSource(epoch={self._epoch.hex()[:8]}…, position={self.position})"

    @property
    def epoch(self) -> bytes:
        """16 bytes that name the deal."""
        return self._epoch

    @property
    def position(self) -> int:
        """The number of the next draw."""
        return self._ledger.position

    def jump(self, position: int) -> None:
        """Skip to a later draw; going back raises `DrawReusedError`."""
        self._ledger.jump(position)

    def draw(self, correlation: Correlation) -> list[Array]:
        """Return this unit's shares of the next draw: bases first, then what is derived."""
        number = self._ledger.reserve()
        stream = Stream(self._seed, number)
        shares = [field.draw(stream) for field in correlation.bases]
        if self._corrections is None:
            return shares + [field.draw(stream) for field in correlation.derived]
        return shares + self._corrections(number, correlation)
