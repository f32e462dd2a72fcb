from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks import product
from privml.errors import SettingError
from tests.two_units import join, run, split

words = st.integers(-(2**63), 2**63 - 1)


@given(words, words)
def test_products_are_exact_modulo_2_to_the_64(x: int, y: int) -> None:
    got = int(join(run(product.multiply, split(np.array([x])), split(np.array([y]))))[0])
    assert (got - x * y) % 2**64 == 0


@pytest.mark.parametrize("shapes", [((), ()), ((0,), (0,)), ((3, 1), (1, 4)), ((2, 3), (3,)), ((5,), ())])
def test_products_broadcast_as_numpy_does(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, y = (np.random.default_rng(k).integers(-9, 9, shape) for k, shape in enumerate(shapes))
    np.testing.assert_array_equal(join(run(product.multiply, split(x), split(y))), x * y)


def test_square_and_dot() -> None:
    x, y = (np.random.default_rng(k).integers(-(2**30), 2**30, (4, 6)) for k in range(2))
    np.testing.assert_array_equal(join(run(product.square, split(x))), x * x)
    np.testing.assert_array_equal(join(run(product.dot, split(x), split(y))), (x * y).sum(axis=-1))


@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5), st.integers(0, 2**32))
def test_matrix_products(rows: int, inner: int, columns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.integers(-(2**63), 2**63 - 1, (rows, inner)), rng.integers(-(2**63), 2**63 - 1, (inner, columns))
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(join(run(product.matmul, split(x), split(y))), x @ y)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((3,), (3, 2)), ((2, 3), (3,))])
def test_shapes_that_are_no_matrix_product(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, y = (split(np.zeros(shape, dtype=np.int64)) for shape in shapes)
    with pytest.raises(SettingError, match="shapes"):
        run(product.matmul, x, y)
