from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.typing import NDArray

from building_blocks import permutation
from building_blocks.permutation import place, shuffle
from building_blocks.shares import Shares
from building_blocks.sorting import rank
from privml.errors import SettingError, ValidationError
from privml.units.correlations import order_of
from privml.units.memory import memory_channels
from privml.units.ot.source import OtSource
from privml.units.role import Role
from privml.units.unit import Unit
from tests.two_units import Run, counts_are_even, join, make_units, recorded, run, split, suspicious

Orders = NDArray[np.int64]
VECTORS = 6_000


def transferring_units() -> list[Unit]:
    """Units that make their correlations between themselves, unrecorded."""
    return [
        recorded(Unit(role, channel, OtSource(role, lambda channel=channel: channel)))  # type: ignore[misc]
        for role, channel in zip(Role, memory_channels(timeout=60), strict=True)
    ]


both_sources = pytest.mark.parametrize("units", [make_units, transferring_units], ids=["dealt", "transferred"])


def in_order(length: int, vectors: int = VECTORS) -> Orders:
    return np.tile(np.arange(length), (vectors, 1))


def numbers(orders: Orders) -> Orders:
    """Number permutations of few rows."""
    length = orders.shape[-1]
    known = {order: index for index, order in enumerate(permutations(range(length)))}
    return np.array([known[tuple(order)] for order in orders.tolist()])


def are_uniform(orders: Orders) -> bool:
    return counts_are_even(np.bincount(numbers(orders), minlength=factorial(orders.shape[-1])))


def shuffled(x: Orders, axis: int = 0, units: list[Unit] | None = None) -> tuple[Orders, Run[Shares]]:
    done = run(lambda unit, a: shuffle(unit, a, axis), split(x), units=units)
    return join(done), done


class TestShuffle:
    @given(
        array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5).flatmap(
            lambda shape: st.tuples(st.just(shape), st.integers(0, len(shape) - 1))
        )
    )
    def test_rows_stay_together_and_in_their_vector(self, form: tuple[tuple[int, ...], int]) -> None:
        shape, axis = form
        x = np.arange(np.prod(shape)).reshape(shape)
        got, _ = shuffled(x, axis)
        assert got.shape == shape
        # rows are told apart by their first values
        if x.size:
            first = got.reshape(*shape[: axis + 1], -1)[..., 0]
            order = np.argsort(first, axis=axis)
            order = order.reshape(*order.shape, *[1] * (len(shape) - axis - 1))
            np.testing.assert_array_equal(np.take_along_axis(got, order, axis), x)

    def test_any_words(self) -> None:
        x = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, 1000, endpoint=True)
        got, _ = shuffled(x)
        np.testing.assert_array_equal(np.sort(got), np.sort(x))
        assert (got != x).mean() > 0.9

    @both_sources
    @pytest.mark.parametrize("length", [2, 3, 4])
    def test_all_orders_are_equally_likely(self, length: int, units: Callable[[], list[Unit]]) -> None:
        got, _ = shuffled(in_order(length), 1, units())
        assert are_uniform(got)

    def test_neither_units_permutation_tells_the_order(self) -> None:
        """All pairs of a unit's own permutation and the outcome are equally likely."""
        got, done = shuffled(in_order(3), 1)
        for side in (0, 1):
            pairs = 6 * numbers(order_of(keys_of(done, side))) + numbers(got)
            assert counts_are_even(np.bincount(pairs, minlength=36))

    def test_if_one_unit_did_not_permute_the_other_would_know(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(permutation, "Role", [Role.MASTER])
        got, done = shuffled(in_order(3), 1)
        np.testing.assert_array_equal(order_of(done.views[0].own[2]), got)

    def test_vectors_and_runs_have_orders_of_their_own(self) -> None:
        first, second = (shuffled(in_order(8, 500), 1)[0] for _ in range(2))
        assert len(np.unique(first, axis=0)) > 450
        assert (first != second).any(axis=1).mean() > 0.9

    @pytest.mark.parametrize(("shape", "axis"), [((), 0), ((3,), 1), ((3, 2), -1)])
    def test_no_such_axis(self, shape: tuple[int, ...], axis: int) -> None:
        with pytest.raises(SettingError, match="no axis"):
            shuffled(np.zeros(shape, dtype=np.int64), axis)

    def test_one_message_to_either_unit(self) -> None:
        _, done = shuffled(np.zeros((100, 3), dtype=np.int64))
        assert [[len(frame) for frame in view.sent] for view in done.views] == [[2400], [2400]]


def keys_of(done: Run[Any], side: int) -> NDArray[np.uint64]:
    """The keys that a unit drew: there are two draws, each a mask, keys, and what is derived. The others are zeros."""
    mine, others = (done.views[side].own[1:][3 * draw + 1] for draw in (side, 1 - side))
    assert not others.any()
    return mine


class TestPlace:
    @given(st.integers(0, 9), st.sampled_from([(), (2,), (0,), (2, 3)]), st.sampled_from([(), (1,), (2, 3), (0,)]))
    def test_rows_come_to_their_places(self, length: int, batch: tuple[int, ...], row: tuple[int, ...]) -> None:
        generator = np.random.default_rng(length)
        places = generator.permuted(np.broadcast_to(np.arange(length), (*batch, length)), axis=-1)
        x = generator.integers(-(2**63), 2**63 - 1, (*batch, length, *row))
        got = join(run(place, split(places), split(x)))
        axis = len(batch)
        np.testing.assert_array_equal(np.take_along_axis(got, places.reshape(*places.shape, *[1] * len(row)), axis), x)

    @pytest.mark.parametrize("length", [256, 257, 66_000])
    def test_many_rows(self, length: int) -> None:
        places = np.random.default_rng(0).permutation(length)
        got = join(run(place, split(places), split(np.arange(length))))
        np.testing.assert_array_equal(got[places], np.arange(length))

    def test_no_permutation_is_refused_by_both(self) -> None:
        with pytest.raises(ValidationError, match="no permutation") as caught:
            run(place, split([0, 2, 2]), split([1, 2, 3]))
        assert caught.value.agreed

    @pytest.mark.parametrize(("places", "rows"), [((), ()), ((3,), (2,)), ((2, 3), (3, 2)), ((2, 3), (2,))])
    def test_shapes_that_do_not_fit(self, places: tuple[int, ...], rows: tuple[int, ...]) -> None:
        units = make_units()
        with pytest.raises(SettingError, match="axes must agree"):
            run(place, *(split(np.zeros(shape, dtype=np.int64)) for shape in (places, rows)), units=units)
        assert units[0].channel.statistics.messages_sent == 0

    @both_sources
    @pytest.mark.parametrize("places", [(0, 1, 2), (2, 0, 1)])
    def test_units_see_masked_words_and_a_uniform_order(
        self, places: tuple[int, ...], units: Callable[[], list[Unit]]
    ) -> None:
        chosen = np.tile(places, (VECTORS, 1))
        done = run(place, split(chosen), split(np.full(chosen.shape, -1)), units=units())
        require_uniform_order(done, 3)


def opened_orders(done: Run[Any], length: int) -> Orders:
    """What both units saw last: one byte each way a row."""
    mine, theirs = (np.frombuffer(view.sent[-1], dtype=np.uint8) for view in done.views)
    return (mine + theirs).reshape(-1, length).astype(np.int64)


def require_uniform_order(done: Run[Any], length: int) -> None:
    assert are_uniform(opened_orders(done, length))
    for view in done.views:
        last = f"frame {len(view.received) - 1}"
        # either half of the opening is uniform; both together are the order
        assert all(name.startswith(f"{last} ") for name in suspicious(view))


@pytest.mark.parametrize("keys", [(5, 5, 5), (1, 2, 3), (3, 2, 2)])
def test_ranked_before_it_is_shuffled_nothing_shows_of_equals(keys: tuple[int, ...]) -> None:
    x = np.tile(keys, (VECTORS, 1))
    done = run(lambda unit, a: place(unit, rank(unit, a), a), split(x))
    require_uniform_order(done, 3)


@pytest.mark.parametrize(("keys", "shows"), [((1, 2, 3), False), ((5, 5, 5), True), ((3, 2, 2), True)])
def test_ranked_after_it_was_shuffled_equals_would_show(keys: tuple[int, ...], shows: bool) -> None:
    """The reason for the order of steps in `sort_by`: places of equals would follow from the shuffled order."""

    def wrong(unit: Unit, x: Shares) -> Shares:
        return rank(unit, shuffle(unit, x, 1))

    ranks = join(run(wrong, split(np.tile(keys, (VECTORS, 1)))))
    assert are_uniform(ranks) is not shows
