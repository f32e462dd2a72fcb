"""Polynomials over GF(2) in shared bits, any degree in one round.

Open every word under a mask, d = w xor m, and expand the product of the factors (d xor m) over the ANDs of masks that
the dealer shared: the opened words are public, so everything after the opening is local. A gate with k factors costs
the dealer up to 2^k words, so circuits here take gates of four factors: half the rounds of a binary tree.

A gate is compiled once, when it is made, to straight-line code in which nothing is computed twice; running it costs one
numpy call an instruction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import BooleanShares, open_bits
from privml.units.correlations import BitProducts, Pattern, shifted
from privml.units.unit import Unit

Array = NDArray[Any]

WINDOW = 4
"""Factors of a monomial in the circuits of this package."""

BLOCK = 1 << 16
"""Words to a run of the code: few enough for the cache, enough that two threads seldom wait for the interpreter."""


class Variable(NamedTuple):
    """The bits of a word, each lane reading the bit `shift` places below it (above it, for a negative shift).

    Lanes that would read beyond the word's end read `fill`.
    """

    word: int
    shift: int = 0
    fill: int = 0


Monomial = tuple[Variable, ...]
Polynomial = Sequence[Monomial]


def run_of(word: int, step: int, length: int = WINDOW, fill: int = 0) -> Monomial:
    """Return the AND of `length` bits of a word, `step` lanes apart, downwards from each lane."""
    return tuple(Variable(word, step * k, fill) for k in range(length))


def lexicographic(generate: int, propagate: int, step: int, length: int = WINDOW) -> Polynomial:
    """Return the decision of the first of `length` positions that does not pass it on: g0 + p0 g1 + p0 p1 g2 + ...

    Positions are `step` lanes apart, downwards. It is the rule of carries, borrows and of comparing digit by digit.
    """
    return [(*run_of(propagate, step, k), Variable(generate, step * k)) for k in range(length)]


def canonical(variables: Monomial) -> tuple[Pattern, int]:
    """Move a product of shifts so that its least shift is none: AND commutes with shifting."""
    base = min((v.shift for v in variables), key=abs)
    return tuple(sorted((v.word, v.shift - base) for v in variables)), base


class _Op(Enum):
    AND = 1
    XOR = 2
    SHIFT = 3
    SHIFT_ONES = 4


class _Instruction(NamedTuple):
    op: _Op
    left: int
    right: int
    """A register, or the number of places for a shift."""
    dead: tuple[int, ...] = ()
    """Registers that nobody reads afterwards."""


@dataclass
class _Code:
    """Straight-line code under construction; a register is written once."""

    registers: int
    body: list[_Instruction] = field(default_factory=list)
    known: dict[tuple[_Op, int, int], int] = field(default_factory=dict)

    def emit(self, op: _Op, left: int, right: int) -> int:
        """Append an instruction, or find the register that holds its result already."""
        if op in (_Op.AND, _Op.XOR) and left > right:
            left, right = right, left
        if (op, left, right) not in self.known:
            self.known[op, left, right] = self.registers
            self.body.append(_Instruction(op, left, right))
            self.registers += 1
        return self.known[op, left, right]

    def shift(self, register: int, places: int, fill: int = 0) -> int:
        """Shift a register; by no place it is the register itself."""
        return self.emit(_Op.SHIFT_ONES if fill else _Op.SHIFT, register, places) if places else register

    def finish(self, inputs: int, results: Sequence[int]) -> list[_Instruction]:
        """Note after each instruction which registers have served."""
        last = dict.fromkeys(results, len(self.body))
        for position in range(len(self.body) - 1, -1, -1):
            each = self.body[position]
            reads = (each.left, each.right) if each.op in (_Op.AND, _Op.XOR) else (each.left,)
            dead = {register for register in reads if register not in last}
            last |= dict.fromkeys(dead, position)
            self.body[position] = each._replace(dead=tuple(register for register in dead if register >= inputs))
        return self.body


class Gate:
    """Polynomials over GF(2) in the lanes of equally shaped words, to be evaluated in one round.

    Parameters
    ----------
    words
        How many words go in.
    polynomials
        What comes out, a word each. All shifts have the same direction.
    """

    def __init__(self, words: int, polynomials: Sequence[Polynomial]) -> None:
        subsets = (
            subset
            for polynomial in polynomials
            for monomial in polynomial
            for size in range(2, len(monomial) + 1)
            for subset in combinations(monomial, size)
        )
        self.words = words
        self.patterns: tuple[Pattern, ...] = tuple(sorted({canonical(subset)[0] for subset in subsets}))
        # registers: the opened words, their masks, the ANDs of masks; then results
        singles: list[Pattern] = [((word, 0),) for word in range(words)]
        self._registers = {pattern: words + k for k, pattern in enumerate([*singles, *self.patterns])}
        self._inputs = 2 * words + len(self.patterns)
        self._programs = {is_master: self._compile(polynomials, is_master) for is_master in (True, False)}

    def __repr__(self) -> str:
        return f"Gate({self.words} words, {len(self.patterns)} products)"

    def evaluate(self, unit: Unit, words: Sequence[BooleanShares]) -> list[BooleanShares]:
        """Evaluate on shared words.

        One round; each word's bytes each way, once. Both units see the words under fresh uniform masks.
        """
        shape, dtype = words[0].shape, words[0].words.dtype.type
        masks = unit.correlations.draw(BitProducts(shape, dtype, self.words, self.patterns))
        hidden = [BooleanShares(w.words ^ m) for w, m in zip(words, masks[: self.words], strict=True)]
        return [BooleanShares(result) for result in self.local(unit, open_bits(unit, *hidden), masks)]

    def local(self, unit: Unit, opened: Sequence[Array], masks: Sequence[Array]) -> list[Array]:
        """Compute this unit's shares from opened words, and its shares of their masks and of the masks' ANDs."""
        shape = opened[0].shape
        inputs = [array.reshape(-1) for array in (*opened, *masks)]
        size = inputs[0].size
        if size == 1:
            return [result.reshape(shape) for result in self._run_one(unit.is_master, inputs)]
        if size <= BLOCK:
            return [result.reshape(shape) for result in self._run(unit.is_master, inputs)]
        results = [np.empty(size, dtype=inputs[0].dtype) for _ in self._programs[True][1]]
        for start in range(0, size, BLOCK):
            block = slice(start, start + BLOCK)
            for whole, part in zip(results, self._run(unit.is_master, [a[block] for a in inputs]), strict=True):
                whole[block] = part
        return [result.reshape(shape) for result in results]

    def _run(self, is_master: bool, inputs: list[Array]) -> list[Array]:
        body, results = self._programs[is_master]
        registers: list[Any] = list(inputs)
        for op, left, right, dead in body:
            if op is _Op.AND:
                value = registers[left] & registers[right]
            elif op is _Op.XOR:
                value = registers[left] ^ registers[right]
            elif op is _Op.SHIFT:
                value = shifted(registers[left], right)
            else:
                # moving zeros into the complement moves ones in
                value = ~shifted(~registers[left], right)
            registers.append(value)
            for register in dead:
                registers[register] = None
        return [registers[result] for result in results]

    def _run_one(self, is_master: bool, inputs: list[Array]) -> list[Array]:
        """Run the code on one word: integers, as a numpy call costs more than all of its work here."""
        body, results = self._programs[is_master]
        dtype = inputs[0].dtype
        ones = (1 << 8 * dtype.itemsize) - 1
        registers: list[int] = [int(array[0]) for array in inputs]
        for op, left, right, _ in body:
            if op is _Op.AND:
                value = registers[left] & registers[right]
            elif op is _Op.XOR:
                value = registers[left] ^ registers[right]
            else:
                flip = 0 if op is _Op.SHIFT else ones
                word = registers[left] ^ flip
                value = (word << right & ones if right > 0 else word >> -right) ^ flip
            registers.append(value)
        return [np.array([registers[result]], dtype=dtype) for result in results]

    def _compile(self, polynomials: Sequence[Polynomial], is_master: bool) -> tuple[list[_Instruction], list[int]]:
        code = _Code(self._inputs)
        results = []
        for polynomial in polynomials:
            terms = [term for monomial in polynomial for term in self._monomial(code, monomial, is_master)]
            total = terms[0]
            for term in terms[1:]:
                total = code.emit(_Op.XOR, total, term)
            results.append(total)
        return code.finish(self._inputs, results), results

    def _monomial(self, code: _Code, monomial: Monomial, is_master: bool) -> Iterator[int]:
        """A share of the AND of (d xor m): split by the first factor that gives its mask; those before give d.

        The term in which all give d is public: the Master's alone.
        """
        head: int | None = None
        for position, variable in enumerate(monomial):
            term = self._expand(code, (variable,), monomial[position + 1 :])
            yield term if head is None else code.emit(_Op.AND, head, term)
            value = code.shift(variable.word, variable.shift, variable.fill)
            head = value if head is None else code.emit(_Op.AND, head, value)
        if is_master and head is not None:
            yield head

    def _expand(self, code: _Code, chosen: Monomial, rest: Monomial) -> int:
        """The AND of the masks of `chosen` with (d xor m) over the rest."""
        if not rest:
            pattern, shift = canonical(chosen)
            return code.shift(self._registers[pattern], shift)
        value = code.shift(rest[0].word, rest[0].shift, rest[0].fill)
        without = code.emit(_Op.AND, value, self._expand(code, chosen, rest[1:]))
        return code.emit(_Op.XOR, without, self._expand(code, (*chosen, rest[0]), rest[1:]))
