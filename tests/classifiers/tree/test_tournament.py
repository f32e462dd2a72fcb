"""Tournaments: the first of the largest, in groups of any sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building_blocks.shares import Shares
from classifiers.tree.tournament import RANKED, best_in_groups, first_two
from privml.units.unit import Unit
from tests.two_units import outcome, run, split


def groups_of(sizes: list[int]) -> list[slice]:
    ends = np.cumsum(sizes).tolist()
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]


@settings(max_examples=30)
@given(st.lists(st.sampled_from([1, 1, 2, 3, 7, 8, 9, 17, 70]), min_size=1, max_size=4), st.sampled_from([1, 5, 2**55]))
def test_the_best_of_each_group(sizes: list[int], largest: int) -> None:
    """Ties are frequent with small numbers."""
    groups = groups_of(sizes)
    x = np.random.default_rng(sum(sizes)).integers(-largest, largest + 1, (3, sum(sizes)))
    found = run(lambda unit, shares: best_in_groups(unit, shares, groups), split(x))
    one_hot, best = outcome(found.master, found.secondary)
    for number, group in enumerate(groups):
        np.testing.assert_array_equal(best[:, number], x[:, group].max(axis=1))
        expected = np.arange(sizes[number]) == x[:, group].argmax(axis=1)[:, None]
        np.testing.assert_array_equal(one_hot[:, group], expected)


@pytest.mark.parametrize("count", [2, 3, 15, RANKED, RANKED + 1, 40])
@pytest.mark.parametrize("largest", [0, 2, 2**58])
def test_the_two_best(count: int, largest: int) -> None:
    x = np.random.default_rng(count).integers(-largest, largest + 1, (4, count))
    found = run(first_two, split(x))
    order = np.argsort(-x, axis=1, kind="stable")
    for place, one_hot in enumerate(outcome(found.master, found.secondary)):
        np.testing.assert_array_equal(one_hot, np.arange(count) == order[:, place, None])


@pytest.mark.parametrize(("sizes", "rounds"), [([1, 1], 0), ([4, 1], 6), ([8, 3], 7), ([9, 2], 12), ([42, 16], 15)])
def test_rounds(sizes: list[int], rounds: int) -> None:
    def program(unit: Unit, x: Shares) -> int:
        best_in_groups(unit, x, groups_of(sizes))
        return unit.channel.statistics.rounds

    assert run(program, split(np.zeros((2, sum(sizes)), np.int64))).master == rounds
