"""Bit matrices against numpy's own bits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.units.ot.bit_matrix import lanes, planes, transpose


def words(*shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    return np.random.default_rng(sum(shape)).integers(0, 2**64, shape, dtype=np.uint64)


@pytest.mark.parametrize("width", [1, 5, 512, 700])
def test_transpose(width: int) -> None:
    columns = words(128, width)
    bits = np.unpackbits(columns.view(np.uint8), axis=1, bitorder="little")
    expected = np.ascontiguousarray(np.packbits(bits.T, axis=1, bitorder="little")).view(np.uint64)
    before = columns.copy()
    np.testing.assert_array_equal(transpose(columns), expected.T)
    np.testing.assert_array_equal(columns, before)


@given(first=st.sampled_from([0, 8, 24]), count=st.integers(1, 40), size=st.sampled_from([8, 64, 72]))
def test_planes(first: int, count: int, size: int) -> None:
    rows = words(size)
    bits = np.unpackbits(rows.view(np.uint8).reshape(-1, 8), axis=1, bitorder="little")
    expected = np.packbits(bits[:, first : first + count].T, axis=1, bitorder="little")
    np.testing.assert_array_equal(planes(rows, first, count), expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32, np.uint64])
def test_lanes(dtype: type[np.unsignedinteger[Any]]) -> None:
    values = words(3, 4).astype(dtype)
    for count in (1, 5, 8 * values.itemsize):
        expected = (values[..., None].astype(np.uint64) >> np.arange(count, dtype=np.uint64)) & np.uint64(1)
        np.testing.assert_array_equal(lanes(values, count), expected)
