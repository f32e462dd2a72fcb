"""From encrypted operands to shares, and from a block's result on shares to ciphertexts for a recipient."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, chain
from math import prod

import numpy as np

from building_blocks.ciphertexts.horner import pack
from building_blocks.ciphertexts.numbers import EncryptedNumbers
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
from privml.units.unit import Unit


class Passage:
    """What every block on ciphertexts does before and after the block on shares that it rests on.

    The operands are packed (`pack`), blinded and decrypted to shares (`ciphertexts_to_shares`); the result leaves as
    fresh ciphertexts (T1, T2) under the recipient's key (`integers_to_ciphertexts`, `bits_to_ciphertexts`). Each unit
    makes the randomness of its encryptions while it would wait for the other: the Secondary while the Master packs,
    the Master while the Secondary decrypts.

    All is checked here, before anything is sent.

    Parameters
    ----------
    unit
        This unit.
    operands
        The numbers that go in, with ciphertexts in the Master and without in the Secondary.
    recipient
        Whose key the result will be under. An encryptor keeps its tables and randomness made ahead for the next time.
    shape
        Shape of the result.

    Raises
    ------
    SettingError
        The Master is without ciphertexts, the Secondary has some, or the encryptor forms no T2.
    ParameterMismatchError
        Ciphertexts or key belong to other parameters than the units' own.

    Notes
    -----
    In: one message, 3|N| bits for every floor((|N| - 2) / (l + 67)) values with l the bits of their bound. Out: three
    rounds and 4|N| bits a value for integers, one message of the same length for bits. The Secondary sees blinded
    plaintexts, independent of the values but for 2^-64 each, and masked words; the Master sees masked words and
    ciphertexts under the recipient's key.
    """

    def __init__(
        self, unit: Unit, operands: tuple[EncryptedNumbers, ...], recipient: Recipient, shape: tuple[int, ...]
    ) -> None:
        self._unit = unit
        self._operands = operands
        self._encryptor = encryptor_for(recipient, unit)
        self._results = prod(shape)
        for operand in operands:
            if (operand.vector is not None) != unit.is_master:
                held = "no ciphertexts" if unit.is_master else "ciphertexts"
                raise SettingError(f"the {unit.role.label} was given {held}; they are the Master's alone")
            if operand.vector is not None:
                operand.vector.parameters.check_same(self._encryptor.parameters)

    def enter(self) -> list[FixedPoint]:
        """Turn the operands into shared numbers.

        They are packed together in slots of the widest, unless that takes more ciphertexts than each by itself.
        """
        if not self._unit.is_master:
            self._encrypt_ahead()
        apart = [(operand,) for operand in self._operands]
        saves = self._ciphertexts(self._operands) <= sum(map(self._ciphertexts, apart))
        groups = [self._operands] if saves else apart
        shared = [share for group in groups for share in self._open(group)]
        if self._unit.is_master:
            self._encrypt_ahead()
        return [FixedPoint(s, x.fraction_bits, x.bound) for s, x in zip(shared, self._operands, strict=True)]

    def leave(self, result: FixedPoint | BooleanShares) -> EncryptedNumbers:
        """Encrypt the result: shared numbers, or bits as integers 0 and 1."""
        if isinstance(result, BooleanShares):
            return EncryptedNumbers(bits_to_ciphertexts(self._unit, result, self._encryptor), result.shape, 1)
        vector = integers_to_ciphertexts(self._unit, result.shares, self._encryptor)
        return EncryptedNumbers(vector, result.shape, result.bound, result.fraction_bits)

    def _encrypt_ahead(self) -> None:
        pool = self._encryptor.pool
        pool.fill(max(self._results - len(pool), 0))

    def _ciphertexts(self, operands: Sequence[EncryptedNumbers]) -> int:
        return _layout(operands).ciphertexts(self._encryptor.parameters) if _count(operands) else 0

    def _open(self, operands: Sequence[EncryptedNumbers]) -> list[Shares]:
        """Pack operands together and turn them into shares."""
        if not _count(operands):
            return [Shares(np.zeros(operand.shape, dtype=np.uint64)) for operand in operands]
        layout = _layout(operands)
        t1 = tuple(chain.from_iterable(operand.vector.t1 for operand in operands if operand.vector is not None))
        vector = CiphertextVector(self._encryptor.parameters, t1)
        packed = pack(vector, layout, n_jobs=self._unit.n_jobs) if self._unit.is_master else None
        words = ciphertexts_to_shares(self._unit, packed, layout).words
        parts = np.split(words, list(accumulate(operand.size for operand in operands))[:-1])
        return [Shares(part.reshape(operand.shape)) for part, operand in zip(parts, operands, strict=True)]


def _count(operands: Sequence[EncryptedNumbers]) -> int:
    return sum(operand.size for operand in operands)


def _layout(operands: Sequence[EncryptedNumbers]) -> Layout:
    """Slots for all of them, one behind the other; one bit for the sign."""
    return Layout(_count(operands), 1 + max(operand.bound for operand in operands).bit_length())
