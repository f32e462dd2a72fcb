"""The correlation for permutations: its law, who knows what of it, and that all orders are equally likely."""

from __future__ import annotations

from collections import Counter
from itertools import permutations
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from privml.crypto.prg import Stream
from privml.units import dealer as dealer_module
from privml.units.correlations import Permutation, order_of, permuted
from privml.units.dealer import Dealer
from privml.units.role import Role
from tests.two_units import counts_are_even, looks_uniform

Array = NDArray[Any]

each_owner = pytest.mark.parametrize("owner", Role, ids=lambda role: role.label)


def draw(correlation: Permutation) -> dict[Role, list[Array]]:
    dealer = Dealer()
    return {role: dealer.source(role).draw(correlation) for role in Role}


@each_owner
@pytest.mark.parametrize(
    ("shape", "axis"), [((5,), 0), ((4, 3), 0), ((4, 3), 1), ((2, 3, 4, 2), 2), ((1,), 0), ((0,), 0), ((3, 0, 2), 1)]
)
def test_shares_add_up_and_the_owner_knows_the_order(owner: Role, shape: tuple[int, ...], axis: int) -> None:
    shares = draw(Permutation(shape, axis, owner))
    (a, _, moved) = (one + other for one, other in zip(*shares.values(), strict=True))
    order = order_of(shares[owner][1]).reshape(*shape[: axis + 1], *[1] * (len(shape) - axis - 1))
    np.testing.assert_array_equal(np.take_along_axis(a, order, axis), moved)


@each_owner
def test_the_other_units_stream_does_not_hold_the_keys(owner: Role, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: Counter[bytes] = Counter()

    class Watched(Stream):
        def __init__(self, key: bytes, nonce: int) -> None:
            super().__init__(key, nonce)
            self.key = key

        def octets(self, size: int) -> Any:
            drawn[self.key] += size
            return super().octets(size)

    monkeypatch.setattr(dealer_module, "Stream", Watched)
    dealer = Dealer()
    for role in Role:
        shares = dealer.source(role).draw(Permutation((100,), 0, owner))
        assert shares[1].any() == (role is owner)
        # the mask, the keys, and the Master's share of what is derived
        expected = 800 + 1600 * (role is owner) + 800 * (role is Role.MASTER)
        # by the unit, and by the dealer after it: for the Master's draw there is nothing to correct
        assert drawn[dealer._seeds[role]] == expected * (2 if role is Role.SECONDARY else 1)


@each_owner
def test_shares_of_either_unit_are_uniform(owner: Role) -> None:
    for role, (mask, keys, moved) in draw(Permutation((4000,), 0, owner)).items():
        for share in (mask, moved, moved - mask, *([keys] if role is owner else [])):
            assert looks_uniform(np.ascontiguousarray(share).reshape(-1).view(np.uint8))


@each_owner
def test_the_unit_that_does_not_know_cannot_tell_the_order(owner: Role) -> None:
    """Its own two shares, put in any order, differ by uniform words."""
    shares = draw(Permutation((4000, 2), 1, owner))
    mask, _, moved = shares[Role.SECONDARY if owner is Role.MASTER else Role.MASTER]
    for order in ([0, 1], [1, 0]):
        assert looks_uniform(np.ascontiguousarray(moved - mask[:, order]).reshape(-1).view(np.uint8))


@pytest.mark.parametrize("length", [2, 3, 4])
def test_all_orders_are_equally_likely(length: int) -> None:
    keys = np.random.default_rng(length).integers(0, 2**64, (2, 6000, length), dtype=np.uint64)
    found = Counter(map(tuple, order_of(keys).tolist()))
    assert counts_are_even(np.array([found[order] for order in permutations(range(length))]))


def test_the_second_words_decide_between_equal_first_ones() -> None:
    first = np.zeros((6000, 3), dtype=np.uint64)
    second = np.random.default_rng(0).integers(0, 2**64, first.shape, dtype=np.uint64)
    np.testing.assert_array_equal(order_of(np.stack([first, second])), np.argsort(second, axis=-1))


def test_one_pair_of_equals_among_many_is_found() -> None:
    keys = np.stack([np.arange(6000, dtype=np.uint64), np.zeros(6000, dtype=np.uint64)])
    keys[:, 4000] = 17, 0
    keys[1, 17] = 1
    assert order_of(keys)[17:19].tolist() == [4000, 17]


@pytest.mark.parametrize(("batch", "row"), [((), ()), ((2,), ()), ((2, 3), (2, 2)), ((0,), (2,)), ((2,), (0,))])
def test_rows_are_moved_vector_by_vector(batch: tuple[int, ...], row: tuple[int, ...]) -> None:
    generator = np.random.default_rng(0)
    order = generator.permuted(np.broadcast_to(np.arange(4), (*batch, 4)), axis=-1)
    rows = generator.integers(0, 99, (*batch, 4, *row))
    expected = np.take_along_axis(rows, order.reshape(*order.shape, *[1] * len(row)), axis=len(batch))
    np.testing.assert_array_equal(permuted(rows, order), expected)
