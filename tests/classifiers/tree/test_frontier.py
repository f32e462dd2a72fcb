"""Frontiers: what is public about where a tree has grown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.tree.frontier import Frontier, children_of, level_of, parent_of


def grown(depth: int, steps: int) -> Frontier:
    frontier = Frontier(depth)
    for _ in range(steps):
        frontier = frontier.grown(())
    return frontier


@given(st.integers(0, 2000))
def test_the_family_of_a_node(node: int) -> None:
    assert [parent_of(child) for child in children_of(node)] == [node, node]
    assert [level_of(child) for child in children_of(node)] == [level_of(node) + 1] * 2


@given(st.integers(1, 7), st.integers(0, 9))
def test_a_level_more_each_time(depth: int, steps: int) -> None:
    frontier, level = grown(depth, steps), min(depth, steps)
    assert len(frontier.inner) == 2**level - 1
    assert [level_of(end) for end in frontier.ends] == [level] * 2**level
    assert frontier.end_places == list(range(0, 2**depth, 2 ** (depth - level)))


@given(st.integers(1, 6), st.integers(0, 8))
def test_a_leaf_keeps_its_place(depth: int, steps: int) -> None:
    """Every node that may be a leaf and may be split is a candidate, once, at the end that has its place."""
    frontier = grown(depth, steps)
    expected = [node for node in range(frontier.nodes) if level_of(node) <= min(depth, steps)]
    assert sorted(node for node, _ in frontier.candidates) == expected
    for node, row in frontier.candidates:
        assert frontier.place(node) == frontier.growing_places[row]
        left, _ = children_of(node)
        assert frontier.place(left) == frontier.place(node)
    new = [frontier.place(children_of(node)[1]) for node, _ in frontier.candidates]
    assert len(set(new)) == len(new)


def test_leaves_that_cannot_be_split_are_not_examined() -> None:
    assert len(grown(3, 2).growing) == 4
    assert grown(3, 3).growing == [0, 2, 4, 6]


class TestKnown:
    def test_it_is_what_was_split(self) -> None:
        frontier = Frontier(3, known=True).grown([0]).grown([2]).grown([])
        assert frontier.inner == {0, 2}
        assert frontier.ends == (1, 5, 6)
        assert [node for node, _ in frontier.candidates] == [1, 5, 6]

    @pytest.mark.parametrize("inner", [{0, 1, 3}, {0, 2, 6}])
    def test_leaves_of_the_lowest_level_are_left_out(self, inner: set[int]) -> None:
        frontier = Frontier(3, frozenset(inner), known=True)
        assert len(frontier.ends) == 4
        assert len(frontier.growing) == 2
