from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks import product
from building_blocks.shares import Shares
from privml.errors import SettingError
from privml.units.unit import Unit
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


def test_an_operand_serves_many_products_and_is_opened_once() -> None:
    rng = np.random.default_rng(5)
    y, first, second = rng.integers(-99, 99, (4, 3)), rng.integers(-99, 99, (2, 4)), rng.integers(-99, 99, (5, 4))

    def program(unit: Unit, y: Shares, first: Shares, second: Shares) -> list[Shares]:
        operand = product.fix_operand(unit, y)
        return [product.multiply_by_operand(unit, x, operand) for x in (first, second)]

    done = run(program, split(y), split(first), split(second))
    for k, x in enumerate((first, second)):
        np.testing.assert_array_equal((done.master[k].words + done.secondary[k].words).view(np.int64), x @ y)
    assert [len(frame) for frame in done.views[0].sent] == [8 * 12, 8 * 8, 8 * 20]


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((3,), (3, 2)), ((2, 3), (3,))])
def test_shapes_that_are_no_matrix_product(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    x, y = (split(np.zeros(shape, dtype=np.int64)) for shape in shapes)
    with pytest.raises(SettingError, match="shapes"):
        run(product.matmul, x, y)


def test_an_operand_of_another_shape() -> None:
    with pytest.raises(SettingError, match="operand"):
        run(product.fix_operand, split(np.zeros(3, dtype=np.int64)))

    def program(unit: Unit, x: Shares) -> Shares:
        return product.multiply_by_operand(unit, x, product.fix_operand(unit, x))

    with pytest.raises(SettingError, match="other factor"):
        run(program, split(np.zeros((2, 3), dtype=np.int64)))
