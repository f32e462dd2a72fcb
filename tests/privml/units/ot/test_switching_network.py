"""The network: every order of every number of rows, with as few switches as are known to do."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from numpy.typing import NDArray

from privml.units.ot.switching_network import Network, network, route

Orders = NDArray[np.int64]


def pass_through(orders: Orders, switches: Network, crossing: NDArray[np.bool_]) -> Orders:
    """Where the numbers 0 .. n - 1 come to, in every network."""
    rows = np.tile(np.arange(orders.shape[1])[:, None], (1, len(orders)))
    for layer in switches.layers():
        upper, lower = switches.upper[layer], switches.lower[layer]
        top, bottom = rows[upper], rows[lower]
        rows[upper], rows[lower] = (np.where(crossing[layer], *both) for both in ((bottom, top), (top, bottom)))
    return rows.T


@pytest.mark.parametrize("rows", range(1, 8))
def test_every_order_of_few_rows(rows: int) -> None:
    orders = np.array(list(permutations(range(rows))))
    np.testing.assert_array_equal(pass_through(orders, network(rows), route(orders)), orders)


@pytest.mark.parametrize("rows", [*range(8, 36), 63, 64, 65, 100, 1000, 1023, 1025])
def test_orders_of_many_rows(rows: int) -> None:
    orders = np.random.default_rng(rows).permuted(np.tile(np.arange(rows), (20, 1)), axis=1)
    np.testing.assert_array_equal(pass_through(orders, network(rows), route(orders)), orders)


@pytest.mark.parametrize("rows", [*range(36), 64, 1000, 1024])
def test_switches_are_those_of_waksman(rows: int) -> None:
    switches = network(rows)
    assert switches.size == sum((i - 1).bit_length() for i in range(1, rows + 1))
    assert len(switches.ends) <= max(0, 2 * (rows - 1).bit_length() - 1) if rows else not switches.ends


@pytest.mark.parametrize("rows", [2, 5, 8, 33])
def test_no_row_meets_two_switches_of_a_layer(rows: int) -> None:
    switches = network(rows)
    places = [np.concatenate([switches.upper[layer], switches.lower[layer]]) for layer in switches.layers()]
    assert sum(map(len, places)) == 2 * switches.size
    for each in places:
        assert len(set(each.tolist())) == len(each)
        assert each.max() < rows


@pytest.mark.parametrize("most", [1, 2, 3, 7, 100])
def test_parts_one_after_the_other_are_the_network(most: int) -> None:
    whole = network(11)
    parts = [whole.part(start, start + most) for start in range(0, whole.size, most)]
    np.testing.assert_array_equal(np.concatenate([part.upper for part in parts]), whole.upper)
    np.testing.assert_array_equal(np.concatenate([part.lower for part in parts]), whole.lower)
    ends = {most * index + end for index, part in enumerate(parts) for end in part.ends}
    assert set(whole.ends) <= ends
    assert all(part.ends[-1] == part.size for part in parts)


def test_settings_of_several_axes_count_as_one() -> None:
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(6), (2, 3, 1)), axis=-1)
    np.testing.assert_array_equal(route(orders), route(orders.reshape(6, 6)))
    assert route(orders[:, :0]).shape == (network(6).size, 0)
