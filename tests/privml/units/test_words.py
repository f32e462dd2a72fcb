"""Products of matrices of words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.units.words import LEAST, matrix_product

SIZES = st.sampled_from([0, 1, 2, LEAST - 1, LEAST, LEAST + 1, 50])


def words(rng: np.random.Generator, *shape: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint64]]:
    return rng.integers(0, 2**64, shape, dtype=np.uint64)


@given(SIZES, SIZES, SIZES, st.booleans(), st.booleans(), st.integers(0, 2**32))
def test_it_is_the_product_modulo_the_ring(n: int, k: int, m: int, left: bool, right: bool, seed: int) -> None:
    """Of matrices however they lie in memory."""
    rng = np.random.default_rng(seed)
    x = words(rng, k, n).T if left else words(rng, n, k)
    y = words(rng, m, k).T if right else words(rng, k, m)
    found = matrix_product(x, y)
    assert found.dtype == np.uint64
    expected = (x.astype(object) @ y.astype(object)) % 2**64 if k else np.zeros((n, m))
    np.testing.assert_array_equal(found, expected.astype(np.uint64))


def test_vectors_and_stacks() -> None:
    rng = np.random.default_rng(0)
    matrix = words(rng, 30, 30)
    for other in (words(rng, 30), words(rng, 4, 30, 2)):
        np.testing.assert_array_equal(matrix_product(matrix, other), matrix @ other)


@pytest.mark.parametrize("inner", [1, LEAST, 29])
def test_sizes_that_do_not_fit(inner: int) -> None:
    with pytest.raises(ValueError, match="mismatch"):
        matrix_product(np.zeros((2, 30), np.uint64), np.zeros((inner, 3), np.uint64))
