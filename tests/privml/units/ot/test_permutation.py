"""Permutations by transfers: right for all sizes and batches, and uniform for either side."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.typing import NDArray

from privml.units.correlations import Permutation, order_of
from privml.units.ot import making
from privml.units.ot.extension import SenderPads
from privml.units.ot.permutation import giver_shares, owner_shares
from privml.units.ot.switching_network import network
from privml.units.pair import PairRunner
from privml.units.role import Role
from tests.privml.units.ot.two_ends import Ends, check_law, draw, source_of
from tests.two_units import looks_uniform

Array = NDArray[Any]

kinds = array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=6).flatmap(
    lambda shape: st.builds(Permutation, st.just(shape), st.integers(0, len(shape) - 1), st.sampled_from(Role))
)
each_owner = pytest.mark.parametrize("owner", Role, ids=lambda role: role.label)


@given(kind=kinds)
def test_shares_add_up(runner: PairRunner, kind: Permutation) -> None:
    check_law(kind, draw(runner, kind))


@pytest.mark.parametrize("limit", [1, 40, 300])
@pytest.mark.parametrize("shape", [(37,), (37, 3), (12, 9)])
@each_owner
def test_shares_add_up_across_batches(
    runner: PairRunner, owner: Role, shape: tuple[int, ...], limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "TRANSFERS_AT_ONCE", limit)
    for axis in range(len(shape)):
        kind = Permutation(shape, axis, owner)
        check_law(kind, draw(runner, kind))


@each_owner
def test_shares_and_what_they_differ_by_are_uniform(runner: PairRunner, owner: Role) -> None:
    kind = Permutation((4000, 1), 1, owner)  # vectors of one: nothing is permuted, and nothing shows that
    for mask, _, moved in draw(runner, kind):
        assert looks_uniform(np.ascontiguousarray(moved - mask).reshape(-1).view(np.uint8))


@each_owner
def test_sums_of_shares_do_not_stay(runner: PairRunner, owner: Role) -> None:
    """Every switch keeps the sum of its rows in either unit: what is added after them hides it."""
    for mask, _, moved in draw(runner, Permutation((4000, 3), 1, owner)):
        assert looks_uniform((moved - mask).sum(axis=1).view(np.uint8))


def test_only_the_owner_has_keys(runner: PairRunner) -> None:
    shares = draw(runner, Permutation((50,), 0, Role.SECONDARY))
    assert not shares.master[1].any()
    assert sorted(order_of(shares.secondary[1]).tolist()) == list(range(50))


def exchange(ends: Ends, rows: Array, order: Array) -> tuple[Array, Array]:
    return ends.run(
        lambda link, side: giver_shares(link, rows, 1 << 18) if side else owner_shares(link, order, len(rows), 1 << 18)
    )


@pytest.mark.parametrize("value", [0, 2**64 - 1])
@pytest.mark.parametrize("crossed", [False, True])
def test_neither_unit_sees_what_goes_in(ends: Ends, value: int, crossed: bool) -> None:
    order = np.arange(2000)[None, :: -1 if crossed else 1]
    shares = exchange(ends, np.full((1, 2000, 1), value, dtype=np.uint64), order)
    np.testing.assert_array_equal(shares[0] + shares[1], np.uint64(value))
    assert ends.frames_look_uniform()


def test_corrections_without_the_other_key_show(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    words = SenderPads.words

    def unmasked(pads: SenderPads, first: int, count: int) -> tuple[Array, Array]:
        key, _ = words(pads, first, count)
        return key, key

    monkeypatch.setattr(SenderPads, "words", unmasked)
    exchange(ends, np.zeros((1, 2000, 1), dtype=np.uint64), np.arange(2000)[None])
    assert not ends.frames_look_uniform()


def test_one_transfer_a_switch_in_two_messages(runner: PairRunner) -> None:
    units = runner._units
    draw(runner, Permutation((2,), 0, Role.MASTER))
    before = source_of(units[0]).statistics
    draw(runner, Permutation((64, 8), 1, Role.MASTER))
    cost = source_of(units[0]).statistics - before
    assert cost.transfers == 64 * network(8).size
    assert (cost.traffic.messages_received, cost.traffic.bytes_received) == (1, 8 * cost.transfers)
