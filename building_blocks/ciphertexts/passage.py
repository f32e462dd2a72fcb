"""From encrypted operands to shares, through a block on shares, and to ciphertexts for a recipient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import accumulate, chain
from math import prod
from typing import TypeAlias

import numpy as np

from building_blocks.ciphertexts.horner import pack
from building_blocks.ciphertexts.numbers import EncryptedNumbers, common_shape
from building_blocks.conversion import (
    Recipient,
    bits_to_ciphertexts,
    ciphertexts_to_shares,
    encryptor_for,
    integers_to_ciphertexts,
)
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import BooleanShares, Shares
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.packing import Layout
from privml.errors import SettingError
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import Pair, pair
from privml.units.role import Role
from privml.units.unit import Unit

Block: TypeAlias = Callable[..., FixedPoint | BooleanShares]
"""A block on shares: called with the unit, shared operands and settings, it gives shared numbers, or bits."""


def through_shares(
    block: Block,
    unit: Unit,
    operands: Sequence[EncryptedNumbers],
    recipient: Recipient | None,
    *settings: float | None,
    core: int = 0,
) -> EncryptedNumbers:
    """Run a block on shares on encrypted operands: what all blocks on ciphertexts are.

    The operands are packed (`pack`), blinded and decrypted to shares (`ciphertexts_to_shares`); the result leaves as
    fresh ciphertexts (T1, T2) under the recipient's key (`integers_to_ciphertexts`, `bits_to_ciphertexts`). Each unit
    makes the randomness of its encryptions while it would wait for the other: the Secondary while the Master packs,
    the Master while the Secondary decrypts.

    Parameters
    ----------
    block
        Takes batches of any shape; what else it asks of its operands, it raises.
    operands
        The numbers that go in, with ciphertexts in the Master and without in the Secondary. Their shapes broadcast.
    recipient
        Whose key the result will be under. An encryptor keeps its tables and the randomness that was made ahead for
        the next time. None for what only the next block will read: T1 alone, under no key, for half the work. (A
        recipient who is given the Master's ciphertexts reads all that is under its key, intermediate results too.)
    settings
        What the block is given after its operands.
    core
        How many of the last axes the block takes as one: 0 for single numbers, 1 for rows.

    Raises
    ------
    ValidationError
        A packed plaintext is too long for its ciphertext: some operand breaks its declared range by far.
    SettingError
        The Master is without ciphertexts, the Secondary has some, the encryptor forms no T2, or the shapes do not go
        together.
    ParameterMismatchError
        Ciphertexts or key belong to other parameters than the units' own.
    RangeError, ScaleError
        Whatever the block raises at the scales and ranges of the operands: this and all else before anything is sent.

    Notes
    -----
    In: one message, 3|N| bits for every floor((|N| - 2) / (l + 67)) values with l the bits of their bound, and a round
    of one byte. Out: three
    rounds and 4|N| bits a value for integers, one message of the same length for bits; half of it for no recipient.

    The Secondary sees blinded plaintexts, independent of values in their declared ranges but for 2^-64 each, and masked
    words; the Master sees masked words and ciphertexts. A value k bits beyond its range is hidden to 2^{k - 64} only:
    whoever takes ciphertexts from strangers must ask for a proof of plaintext knowledge: else a stranger has multiples
    of others' ciphertexts opened. Where a block truncates, a recipient learns with one unit's help on which side of
    the last place the result was rounded.
    """
    encryptor = encryptor_for(recipient, unit)
    shape = common_shape(*(operand.shape[: len(operand.shape) - core] for operand in operands))
    for operand in operands:
        if (operand.vector is not None) != unit.is_master:
            held = "no ciphertexts" if unit.is_master else "ciphertexts"
            raise SettingError(f"the {unit.role.label} was given {held}; they are the Master's alone")
        if operand.vector is not None:
            encryptor.parameters.check_same(operand.vector.parameters)
    empty = [replace(x, vector=None, shape=(0, *x.shape[len(x.shape) - core :])) for x in operands]
    results = prod(shape + _rehearse(block, tuple(empty), settings, tuple(map(type, settings))))

    def encrypt_ahead() -> None:
        encryptor.pool.fill(max(results - len(encryptor.pool), 0))

    if not unit.is_master:
        encrypt_ahead()
    shared = _to_shares(unit, operands)
    if unit.is_master:
        encrypt_ahead()
    result = block(unit, *shared, *settings)
    if isinstance(result, BooleanShares):
        return EncryptedNumbers(bits_to_ciphertexts(unit, result, encryptor), result.shape, 1)
    vector = integers_to_ciphertexts(unit, result.shares, encryptor)
    return EncryptedNumbers(vector, result.shape, result.bound, result.fraction_bits)


@lru_cache(maxsize=256)
def _rehearse(
    block: Block,
    empty: Sequence[EncryptedNumbers],
    settings: Sequence[object],
    kinds: Sequence[type],  # noqa: ARG001 - part of what is remembered: 16 and 16.0 are equal
) -> tuple[int, ...]:
    """Run a block on no values, between two units of its own: it raises what it will not do at these ranges.

    Returns the shape of what it gives for one value of a batch.
    """
    numbers = [FixedPoint(Shares(np.zeros(x.shape, dtype=np.uint64)), x.fraction_bits, x.bound) for x in empty]
    dealer = Dealer()
    stage = Pair(*(Unit(role, link, dealer.source(role)) for role, link in zip(Role, memory_channels(), strict=True)))
    return pair(lambda unit: block(unit, *numbers, *settings), stage).master.shape[1:]


def _to_shares(unit: Unit, operands: Sequence[EncryptedNumbers]) -> list[FixedPoint]:
    """Pack operands together in slots of the widest, unless that takes more ciphertexts than each by itself."""
    apart = [[operand] for operand in operands]
    parameters = unit.strong_key().parameters

    def ciphertexts(group: Sequence[EncryptedNumbers]) -> int:
        return _layout(group).ciphertexts(parameters) if _count(group) else 0

    groups = [operands] if ciphertexts(operands) <= sum(map(ciphertexts, apart)) else apart
    shared = [share for group in groups for share in _open(unit, group)]
    return [FixedPoint(share, x.fraction_bits, x.bound) for share, x in zip(shared, operands, strict=True)]


def _open(unit: Unit, operands: Sequence[EncryptedNumbers]) -> list[Shares]:
    """Turn operands into shares, packed one behind the other."""
    if not _count(operands):
        return [Shares(np.zeros(operand.shape, dtype=np.uint64)) for operand in operands]
    layout, packed = _layout(operands), None
    if unit.is_master:
        t1 = chain.from_iterable(operand.vector.t1 for operand in operands if operand.vector is not None)
        packed = pack(CiphertextVector(unit.strong_key().parameters, tuple(t1)), layout, n_jobs=unit.n_jobs)
    words = ciphertexts_to_shares(unit, packed, layout).words
    parts = np.split(words, list(accumulate(operand.size for operand in operands))[:-1])
    return [Shares(part.reshape(operand.shape)) for part, operand in zip(parts, operands, strict=True)]


def _count(operands: Sequence[EncryptedNumbers]) -> int:
    return sum(operand.size for operand in operands)


def _layout(operands: Sequence[EncryptedNumbers]) -> Layout:
    """Slots for all of them; one bit for the sign."""
    return Layout(_count(operands), 1 + max(operand.bound for operand in operands).bit_length())
