"""The hash is the formula it states, computed here block by block with the library."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given, settings
from hypothesis import strategies as st

from privml.units.ot import row_hash
from privml.units.ot.row_hash import HashBatch, HashBatches

KEY = bytes(range(16))
MASK = 2**64 - 1


def plainly(low: int, high: int, number: int, block: int) -> tuple[int, int]:
    state = ((low ^ high) ^ number).to_bytes(8, "little") + (low ^ block).to_bytes(8, "little")
    permuted = Cipher(algorithms.AES(KEY), modes.ECB()).encryptor().update(state)  # noqa: S305
    result = bytes(a ^ b for a, b in zip(permuted, state, strict=True))
    return int.from_bytes(result[:8], "little"), int.from_bytes(result[8:], "little")


@settings(max_examples=30)
@given(first=st.integers(0, 5), count=st.integers(1, 6), items=st.integers(1, 9), shift=st.booleans())
def test_words_are_those_of_the_formula(first: int, count: int, items: int, shift: bool) -> None:
    rows = np.random.default_rng(items).integers(0, 2**64, (2, items), dtype=np.uint64)
    offset = np.array([3, 1 << 60], dtype=np.uint64)
    got = HashBatch(KEY, 1000).words(rows, first, count, offset if shift else None)
    moved = rows ^ offset[:, None] if shift else rows
    for column in range(items):
        low, high = (int(word) for word in moved[:, column])
        for position in range(count):
            block, half = divmod(first + position, 2)
            assert int(got[position, column]) == plainly(low, high, 1000 + column, block)[half]


@pytest.mark.parametrize("size", [1, 2, 16])
def test_computed_in_pieces_alike(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    rows = np.random.default_rng(1).integers(0, 2**64, (2, 50), dtype=np.uint64)
    whole = HashBatch(KEY, 7).words(rows, 1, 9)
    monkeypatch.setattr(row_hash, "_BLOCK", size)
    np.testing.assert_array_equal(HashBatch(KEY, 7).words(rows, 1, 9), whole)


def test_equal_rows_hash_differently() -> None:
    batches = HashBatches(KEY)
    rows = np.ones((2, 64), dtype=np.uint64)
    hashed = np.concatenate([batches.next(64).words(rows, 0, 4).reshape(-1) for _ in range(3)])
    assert len(set(hashed.tolist())) == hashed.size
    assert batches.transfers == 192
