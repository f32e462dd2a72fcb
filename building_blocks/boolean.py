"""Boolean circuits on XOR-shared words, four inputs to a round.

Any polynomial over GF(2) in shared bits takes ONE round, however many factors its monomials have: open every word
under a mask, d = w xor m, and expand the product of (d xor m) over the shared ANDs of masks that the dealer adds.
Wide gates cost the dealer 2^k words, so circuits here take gates of four: a quarter of the depth of a binary tree costs
half its rounds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import BooleanShares, Shares, Words, in_blocks, open_bits
from privml.units.correlations import BitProducts, Pattern, RandomBits, RandomWord, shifted
from privml.units.unit import Unit

Array = NDArray[Any]

WINDOW = 4
"""Inputs of a gate."""


@dataclass(frozen=True, slots=True, order=True)
class Variable:
    """The bits of a word, each lane reading the bit `shift` places below it (above it, for a negative shift).

    Lanes that would read beyond the word's end read `fill`.
    """

    word: int
    shift: int = 0
    fill: int = 0


Monomial = tuple[Variable, ...]
Polynomial = Sequence[Monomial]


def evaluate(unit: Unit, words: Sequence[BooleanShares], polynomials: Sequence[Polynomial]) -> list[BooleanShares]:
    """Evaluate polynomials over GF(2), lane by lane, on equally shaped words; the first variable of each monomial is on top.

    One round; each word's bytes each way, once. Both units see the words under fresh uniform masks. All shifts of one
    call have the same direction, and variables with fill 1 stand in monomials of two or more.
    """
    patterns = tuple(sorted({p for polynomial in polynomials for monomial in polynomial for p in _patterns(monomial)}))
    shape, dtype = words[0].shape, words[0].words.dtype.type
    drawn = unit.correlations.draw(BitProducts(shape, dtype, len(words), patterns))
    masks, products = drawn[: len(words)], dict(zip(patterns, drawn[len(words) :], strict=True))
    opened = open_bits(unit, *(BooleanShares(w.words ^ m) for w, m in zip(words, masks, strict=True)))
    products |= {((index, 0),): mask for index, mask in enumerate(masks)}
    gate = _Gate(unit, opened, products)
    results = []
    for polynomial in polynomials:
        total = np.zeros(shape, dtype=dtype)
        for monomial in polynomial:
            (first, *others) = monomial
            total ^= gate.monomial(monomial) if others else shifted(words[first.word].words, first.shift)
        results.append(BooleanShares(total))
    return results


class _Gate:
    """Products of masked bits (d xor m), from public words d and shared ANDs of the masks m. Local.

    Every shifted word is made once, however many monomials it enters.
    """

    def __init__(self, unit: Unit, opened: Sequence[Array], masks: Mapping[Pattern, Array]) -> None:
        self._is_master = unit.is_master
        self._opened = opened
        self._masks = masks
        self._values: dict[Variable, Array] = {}
        self._products: dict[Monomial, Array] = {}

    def monomial(self, variables: Monomial) -> Array:
        """Return a share of the AND of (d xor m) over the variables.

        Expanded by the first variable that contributes its mask: the ones before contribute d.
        """
        head = self._value(variables[0])
        total = self._expand(variables[:1], variables[1:]).copy()
        for position, variable in enumerate(variables[1:], start=1):
            total ^= head & self._expand((variable,), variables[position + 1 :])
            head = head & self._value(variable)
        if self._is_master:
            total ^= head
        return total

    def _expand(self, chosen: Monomial, rest: Monomial) -> Array:
        if not rest:
            return self._product(chosen)
        without = self._value(rest[0]) & self._expand(chosen, rest[1:])
        without ^= self._expand((*chosen, rest[0]), rest[1:])
        return without

    def _value(self, variable: Variable) -> Array:
        if variable not in self._values:
            word = self._opened[variable.word]
            # with fill: moving zeros into the complement moves ones in; the mask's lanes there stay zero
            moved = ~shifted(~word, variable.shift) if variable.fill else shifted(word, variable.shift)
            self._values[variable] = moved
        return self._values[variable]

    def _product(self, chosen: Monomial) -> Array:
        if chosen not in self._products:
            pattern, shift = _canonical(chosen)
            self._products[chosen] = shifted(self._masks[pattern], shift)
        return self._products[chosen]


def _canonical(variables: Monomial) -> tuple[Pattern, int]:
    """Move a product of shifts so that its least shift is none: AND commutes with shifting."""
    base = min((v.shift for v in variables), key=abs)
    return tuple(sorted((v.word, v.shift - base) for v in variables)), base


def _patterns(monomial: Monomial) -> set[Pattern]:
    return {
        _canonical(subset)[0] for size in range(2, len(monomial) + 1) for subset in combinations(monomial, size)
    }


def conjunction(unit: Unit, x: BooleanShares, y: BooleanShares) -> BooleanShares:
    """AND of two words. One round, the bytes of both each way."""
    return evaluate(unit, [x, y], [[(Variable(0), Variable(1))]])[0]


def run_of(word: int, step: int, length: int = WINDOW, fill: int = 0) -> Monomial:
    """Return the AND of `length` bits of a word, `step` lanes apart, downwards from each lane."""
    return tuple(Variable(word, step * k, fill) for k in range(length))


def lexicographic(generate: int, propagate: int, step: int, length: int = WINDOW) -> Polynomial:
    """Return the decision of the first of `length` positions that does not pass it on: g0 + p0 g1 + p0 p1 g2 + ...

    Positions are `step` lanes apart, downwards. It is the rule of carries, borrows and of comparing digit by digit.
    """
    return [(*run_of(propagate, step, k), Variable(generate, step * k)) for k in range(length)]


def suffix_and(unit: Unit, x: BooleanShares, bits: int) -> BooleanShares:
    """AND every lane with all lanes above it, up to lane `bits` - 1: lane 0 says whether all are set.

    ceil(log4(bits)) rounds, a word each way in each. Both units see masked words. Lanes from `bits` on end up set.
    """
    beyond = x.words.dtype.type(~(2**bits - 1) & (2 ** (8 * x.words.itemsize) - 1))
    kept = x & (2**bits - 1)
    # lanes above the top read ones
    result = BooleanShares(kept.words | beyond) if unit.is_master else kept
    step = 1
    while step < bits:
        (result,) = evaluate(unit, [result], [[run_of(0, -step, fill=1)]])
        step *= WINDOW
    return result


def suffix_or(unit: Unit, x: BooleanShares, bits: int) -> BooleanShares:
    """Set every lane below a set lane: lane i becomes x_i or x_{i+1} or ... up to lane `bits` - 1. Cost as `suffix_and`."""
    return invert(unit, suffix_and(unit, invert(unit, x), bits))


def invert(unit: Unit, x: BooleanShares) -> BooleanShares:
    """Flip every lane. Local."""
    return BooleanShares(~x.words) if unit.is_master else x


WINDOW_PATTERNS: tuple[Pattern, ...] = tuple(sorted(_patterns(run_of(0, 1))))
"""ANDs of a word with its shifts that a window of four needs."""


@dataclass(frozen=True, slots=True)
class Borrows:
    """What opening c = x + r tells about the borrows of c - r = x: for each lane's window of four, shared.

    `generate`: the window's lowest lane upwards borrows whatever comes in; `propagate`: it hands on a borrow that comes in.
    """

    opened: Array
    mask: BooleanShares
    generate: BooleanShares
    propagate: BooleanShares


def mask_and_open(unit: Unit, x: Shares, drop_top: bool) -> Borrows:
    """Open c = x + r for a random word r that the dealer also shared bit by bit, and compare windows of four bits.

    Bit i of r exceeds that of c if r_i (1 - c_i), and equals it if p_i = r_i xor (1 - c_i): linear in r, since c is public.
    With q_k = p_i ... p_{i-k+1} from the dealer's ANDs of r, a window of r exceeds that of c exactly if
    n_i + q_1 (n_i + n_{i-1}) + q_2 (n_{i-1} + n_{i-2}) + q_3 (n_{i-2} + n_{i-3}) + q_4 n_{i-3}, n = not c. Local after the opening.

    Parameters
    ----------
    x
        Any words.
    drop_top
        Look at the low 63 bits, moved up by one lane, so that the whole word decides the borrow into bit 63.

    Notes
    -----
    One round, 8 bytes each way a value. Both units see c, uniform because r is.
    """
    r, *boolean = unit.correlations.draw(RandomWord(x.shape, WINDOW_PATTERNS))
    c = x.words + r
    (peer,) = unit.exchange(c)
    c = c + peer
    lift = 1 if drop_top else 0
    absent = ~shifted(c, lift)
    windows = in_blocks(
        lambda *words: _compare_windows(unit, *words), absent.reshape(-1), *(shifted(w, lift).reshape(-1) for w in boolean)
    )
    generate, propagate = (BooleanShares(windows[:, side].reshape(x.shape)) for side in (0, 1))
    return Borrows(c, BooleanShares(boolean[0]), generate, propagate)


def _compare_windows(unit: Unit, absent: Array, r: Array, *products: Array) -> Words:
    """For each lane: does its window of r exceed that of c, and does it equal it (a last axis of two), from n = not c."""
    gate = _Gate(unit, [absent], {((0, 0),): r} | dict(zip(WINDOW_PATTERNS, products, strict=True)))
    runs = [gate.monomial(run_of(0, 1, length)) for length in range(1, WINDOW + 1)]
    lower = [shifted(absent, k) for k in range(WINDOW)]
    exceeds = runs[3] & lower[3]
    for k in range(WINDOW - 1):
        exceeds ^= runs[k] & (lower[k] ^ lower[k + 1])
    if unit.is_master:
        exceeds ^= absent
    return np.stack([exceeds, runs[3]], axis=-1)


def to_bits(unit: Unit, x: Shares, bits: int = 64) -> BooleanShares:
    """Convert to XOR shares of the binary digits; for values in [0, 2^bits), higher lanes are not computed.

    Opens x + r and subtracts the shared r: windows of four bits locally, then of 16 and 64 (for `bits` above 4 and 16).
    1 + ceil(log4(bits)) - 1 rounds, 8 + 16 for each further round bytes each way a value.

    Returns
    -------
    BooleanShares
        uint64 words; lanes from `bits` on are arbitrary shared bits.
    """
    borrows = mask_and_open(unit, x, drop_top=False)
    generate, propagate = borrows.generate, borrows.propagate
    step = WINDOW
    while step < bits:
        generate, propagate = evaluate(
            unit, [generate, propagate], [lexicographic(0, 1, step), [run_of(1, step)]]
        )
        step *= WINDOW
    digits = borrows.mask.words ^ shifted(generate.words, 1)
    if unit.is_master:
        digits = digits ^ borrows.opened
    return BooleanShares(digits)


def to_integers(unit: Unit, x: BooleanShares, bits: int) -> Shares:
    """Convert the low `bits` lanes of each word to shared integers 0 or 1; a new last axis runs over the lanes.

    With a random word shared in both worlds, w xor rho is opened, and b = v + rho - 2 v rho is linear. One round, the
    word's bytes each way (single bits travel packed). Both units see w xor rho, uniform.
    """
    opened, rho = _open_under_bits(unit, x, bits)
    return Shares(_unmask(unit, opened, rho))


def weigh_bits(unit: Unit, x: BooleanShares, weights: Words) -> Shares:
    """Sum the lanes of each word with public weights, as integers: weights of shape (bits, k) give a last axis of k.

    Cost and view as `to_integers`; the lanes are never held all at once.
    """
    opened, rho = _open_under_bits(unit, x, len(weights))
    flat = in_blocks(
        lambda words, masks: _unmask(unit, words, masks) @ weights, opened.reshape(-1), rho.reshape(-1, len(weights))
    )
    return Shares(flat.reshape(*x.shape, weights.shape[1]))


def _open_under_bits(unit: Unit, x: BooleanShares, bits: int) -> tuple[Array, Words]:
    """Open words under masks whose bits are shared as integers too: (opened words, shares of the masks' bits)."""
    mask, rho = unit.correlations.draw(RandomBits(x.shape, bits, x.words.dtype.type))
    mine = x.words ^ mask
    if bits > 1:
        (peer,) = unit.exchange(mine)
        return mine ^ peer, rho
    packed = np.packbits((mine & mine.dtype.type(1)).reshape(-1).astype(np.uint8))
    (peer,) = unit.exchange(packed)
    return np.unpackbits(packed ^ peer, count=mine.size).reshape(mine.shape).astype(mine.dtype), rho


def _unmask(unit: Unit, opened: Array, rho: Words) -> Words:
    one = np.uint64(1)
    lanes = (opened[..., None].astype(np.uint64) >> np.arange(rho.shape[-1], dtype=np.uint64)) & one
    flipped: Words = rho * (one - (lanes << one))
    return flipped + lanes if unit.is_master else flipped
