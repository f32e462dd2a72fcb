"""How each kind of correlation is made from transfers.

Every unit draws its own shares of the bases from its own stream, so the bases are uniform. What follows from both
units' shares is computed by products across the units; each result is masked by keys of which the other unit does not
know one. Where a derived share would otherwise follow from the unit's own bases (bits that shifting left empty), a
stream that both units know is added: the value is a linear function of known shares there, so nothing needs hiding.

Kinds that are symmetric in the units are halved: the Master is the sender for the first half of the values, the
Secondary for the second, so that both compute at the same time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from privml.crypto.prg import Stream
from privml.errors import SettingError
from privml.units.correlations import (
    BitProducts,
    Correlation,
    DrawnMask,
    MatrixTriple,
    OfOperands,
    OperandDigits,
    OperandProduct,
    OperandSquares,
    Pattern,
    Permutation,
    PieceMask,
    ProductTriple,
    RandomBits,
    RandomWord,
    TruncationMask,
    WeighedBits,
    Windows,
    chosen_columns,
    group_sums,
    order_of,
    permuted,
    shifted,
)
from privml.units.ot.bits import and_words, weigh_and_words
from privml.units.ot.digits import digits_of, weigh_bits
from privml.units.ot.link import TransferLink
from privml.units.ot.permutation import giver_shares, owner_shares
from privml.units.ot.schedule import schedule
from privml.units.ot.tables import PRODUCTS, packed_digits, tables_of
from privml.units.ot.words import cross_elements, cross_matrix
from privml.units.role import Role

Array = NDArray[Any]
Words = NDArray[np.uint64]

TRANSFERS_AT_ONCE: Final = 1 << 18
"""Transfers to a batch, in each direction: with their keys and messages, about 45 MiB in either unit."""

BITS: Final = 64

_BOTH: Final[tuple[Pattern, ...]] = (((0, 0), (1, 0)),)
_CARRY_STEPS: Final[tuple[tuple[Pattern, ...], ...]] = tuple(
    (((1, 0), (0, step)), ((1, 0), (1, step))) for step in (1, 2, 4, 8, 16, 32)
)
"""With runs of so many lanes known: what they carry into each lane from those below, and what they pass on."""


class Halves(NamedTuple):
    """Which values of a batch this unit is the sender of, and which it receives for."""

    sending: slice
    receiving: slice


@dataclass(frozen=True)
class Making:
    """One draw.

    Parameters
    ----------
    link
        To the other unit.
    is_master
        Which of the two this is.
    own
        This unit's stream of this draw.
    common
        Another, that both units know.
    operand
        Gives this unit's share of a mask that was drawn before.
    """

    link: TransferLink
    is_master: bool
    own: Stream
    common: Stream
    operand: Callable[[DrawnMask], Words]

    def make(self, correlation: Correlation) -> list[Array]:
        """Return this unit's shares: bases first, then what is derived."""
        if isinstance(correlation, TruncationMask):
            return self._truncation(correlation)
        if isinstance(correlation, RandomWord):
            return self._random_word(correlation)
        if isinstance(correlation, Permutation):
            return self._permutation(correlation)
        if isinstance(correlation, PieceMask):
            return self._piece_mask(correlation)
        if isinstance(correlation, OfOperands):
            return self._derive_of_operands(correlation)
        bases: list[Array] = [self.own.draw(field.shape, field.dtype) for field in correlation.bases]
        return bases + self._derive(correlation, bases)

    def _derive(self, correlation: Correlation, bases: list[Array]) -> list[Array]:
        match correlation:
            case ProductTriple():
                return [self._product(*bases)]
            case MatrixTriple():
                return [self._matrix(*bases)]
            case WeighedBits():
                return [self._weighed_bits(*bases)]
            case RandomBits():
                return [self._digits(bases[0], correlation.bits)]
            case BitProducts():
                return self._bit_products(bases, correlation)
            case _:
                raise _unknown(correlation)

    def _derive_of_operands(self, correlation: OfOperands) -> list[Array]:
        masks = [self.operand(drawn) for drawn in correlation.operands]
        match correlation:
            case OperandProduct():
                left, right = masks
                return [self._matrix(np.ascontiguousarray(left.T) if correlation.transpose_left else left, right)]
            case OperandSquares():
                (mask,) = masks
                sums = group_sums(mask, correlation.groups)
                return [self._product(mask, mask), self._product(sums, sums)]
            case OperandDigits():
                return self._operand_digits(correlation, *masks)
            case _:
                raise _unknown(correlation)

    def _product(self, a: Words, b: Words) -> Words:
        """(a_M + a_S) (b_M + b_S): the operand with fewer values chooses, for all it is multiplied with at once."""
        small, large = (a, b) if a.size <= b.size else (b, a)
        shape = np.broadcast_shapes(a.shape, b.shape)
        padded = (1,) * (len(shape) - small.ndim) + small.shape
        order = sorted(range(len(shape)), key=lambda axis: padded[axis] == shape[axis])
        vectors = np.broadcast_to(large, shape).transpose(order)
        if not vectors.size:
            return np.asarray(a * b)
        cross = cross_elements(self.link, small.reshape(-1), vectors.reshape(-1, small.size))
        return np.asarray(a * b + cross.reshape(vectors.shape).transpose(np.argsort(order)))

    def _matrix(self, a: Words, b: Words) -> Words:
        product: Words = a @ b + cross_matrix(self.link, a, b)
        return product

    def _digits(self, words: Array, bits: int) -> Words:
        flat = words.reshape(-1)
        result = np.empty((flat.size, bits), dtype=np.uint64)
        for halves in self._batches(flat.size, bits):
            result[halves.sending], result[halves.receiving] = digits_of(
                self.link, flat[halves.sending], flat[halves.receiving], bits
            )
        return result.reshape(*words.shape, bits)

    def _weighed_bits(self, weights: Words, bits: Array) -> Words:
        flat = weights.reshape(-1), bits.reshape(-1)
        result = np.empty_like(flat[0])
        for start in range(0, result.size, TRANSFERS_AT_ONCE):
            part = slice(start, start + TRANSFERS_AT_ONCE)
            result[part] = weigh_bits(self.link, flat[0][part], flat[1][part])
        return result.reshape(weights.shape)

    def _truncation(self, correlation: TruncationMask) -> list[Array]:
        """Sum the digits of r with the weights of r, of its truncation, and of its top bit."""
        shift = correlation.fraction_bits
        if not 1 <= shift < BITS - 1:
            raise SettingError(f"a truncation drops 1..62 bits; got {shift}")
        flat = self.own.words(int(np.prod(correlation.shape, dtype=np.int64)))
        places = np.arange(BITS, dtype=np.uint64)
        results = np.empty((3, flat.size), dtype=np.uint64)
        for halves in self._batches(flat.size, BITS):
            both = digits_of(self.link, flat[halves.sending], flat[halves.receiving], BITS)
            for part, digits in zip(halves, both, strict=True):
                results[0, part] = (digits << places).sum(axis=-1)
                results[1, part] = (digits[:, shift : BITS - 1] << places[: BITS - 1 - shift]).sum(axis=-1)
                results[2, part] = digits[:, BITS - 1]
        return [result.reshape(correlation.shape) for result in results]

    def _bit_products(self, words: list[Array], correlation: BitProducts) -> list[Array]:
        shape, dtype, patterns = correlation.shape, correlation.dtype, correlation.patterns
        flat = [word.reshape(-1) for word in words]
        results = self.common.draw((len(patterns), flat[0].size), dtype)
        levels = schedule(patterns)
        widest = max((len(level.choosing) for level in levels), default=1)
        for halves in self._batches(flat[0].size, widest * np.dtype(dtype).itemsize * 8):
            sending, receiving = ([word[part] for word in flat] for part in halves)
            both = and_words(self.link, sending, receiving, patterns)
            for part, found in zip(halves, both, strict=True):
                for result, words_ in zip(results, found, strict=True):
                    result[part] ^= words_
        return [result.reshape(shape) for result in results]

    def _random_word(self, correlation: RandomWord) -> list[Array]:
        shape, patterns = correlation.shape, correlation.patterns
        flat = self.own.words(int(np.prod(shape, dtype=np.int64)))
        additive = np.empty_like(flat)
        results = self.common.draw((len(patterns), flat.size), np.uint64)
        levels = schedule(patterns, always=(((0, 0),),))
        widest = max(len(level.choosing) for level in levels)
        for halves in self._batches(flat.size, widest * BITS):
            both = weigh_and_words(self.link, flat[halves.sending], flat[halves.receiving], patterns)
            for part, (weighed, found) in zip(halves, both, strict=True):
                additive[part] = weighed
                for result, words in zip(results, found, strict=True):
                    result[part] ^= words
        return [array.reshape(shape) for array in (additive, flat, *results)]

    def _permutation(self, correlation: Permutation) -> list[Array]:
        """The owner permutes its own share of a; the giver's share passes a network that the owner set."""
        mask, keys = correlation.bases
        a = self.own.words(mask.shape)
        axis = correlation.axis
        form = math.prod(a.shape[:axis]), a.shape[axis], math.prod(a.shape[axis + 1 :])
        # a switch keeps the sum of its rows, and a single row passes none: new shares would follow from old ones
        fresh = self.common.words(mask.shape)
        if self.is_master is not (correlation.owner is Role.MASTER):
            given = giver_shares(self.link, a.reshape(form).transpose(), TRANSFERS_AT_ONCE)
            return [a, np.zeros(keys.shape, dtype=np.uint64), given.transpose().reshape(mask.shape) - fresh]
        own_keys = self.own.words(keys.shape)
        order = order_of(own_keys)
        found = owner_shares(self.link, order.reshape(form[:2]), form[2], TRANSFERS_AT_ONCE)
        return [a, own_keys, permuted(a, order) + found.transpose().reshape(mask.shape) + fresh]

    def _piece_mask(self, correlation: PieceMask) -> list[Array]:
        """R in both worlds first; the rest are products."""
        shape = correlation.shape
        r, word = self._random_word(RandomWord(shape, ()))
        bits = self.own.draw((*shape, correlation.knots), np.uint8)
        integers = self._digits(bits, 1)[..., 0]
        powers = [r]
        while len(powers) < correlation.degree:
            powers.append(self._product(powers[-1], r))
        stacked = np.stack(powers, axis=-1)
        products = self._product(stacked[..., None], integers[..., None, :])
        weighed = np.concatenate([integers[..., None, :], products], axis=-2)
        return [r, bits, stacked[..., 1:], weighed, self._tables(word, correlation.windows)]

    def _tables(self, word: Words, windows: Windows) -> Words:
        places = windows.digits(word.reshape(-1))
        digits = packed_digits(places)
        tables = tables_of(places, digits, self._ands(digits, PRODUCTS), is_master=self.is_master)
        # some places are never set, whatever the digits
        return (tables ^ self.common.words(tables.shape)).reshape(*word.shape, windows.count)

    def _operand_digits(self, correlation: OperandDigits, mask: Words) -> list[Array]:
        """Add both units' shares of r in the boolean world: carries by ever longer runs of lanes."""
        own = np.negative(chosen_columns(mask, correlation.columns))
        nothing = np.zeros_like(own)
        generate = self._ands([own, nothing] if self.is_master else [nothing, own], _BOTH)[0]
        propagate = own
        for step in _CARRY_STEPS:
            carried, propagate = self._ands([generate, propagate], step)
            generate ^= carried
        word = own ^ shifted(generate, 1) ^ self.common.words(own.shape)
        return [word, *self._ands([word.astype(correlation.dtype)], correlation.patterns)]

    def _ands(self, words: list[Array], patterns: tuple[Pattern, ...]) -> list[Array]:
        return self._bit_products(words, BitProducts(words[0].shape, words[0].dtype.type, len(words), patterns))

    def _batches(self, items: int, transfers: int) -> Iterator[Halves]:
        """Cut values, each of so many transfers, in batches, and these in halves."""
        size = 2 * max(1, TRANSFERS_AT_ONCE // max(1, transfers))
        for start in range(0, items, size):
            stop = min(start + size, items)
            middle = (start + stop) // 2
            first, second = slice(start, middle), slice(middle, stop)
            yield Halves(first, second) if self.is_master else Halves(second, first)


def _unknown(correlation: object) -> SettingError:
    return SettingError(f"no way is known to make a {type(correlation).__name__} by oblivious transfer")
