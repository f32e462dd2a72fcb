"""Schedules compute every pattern from parts known in time, and use no plane of a key twice."""

from __future__ import annotations

from functools import reduce
from operator import and_

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks.boolean import _WINDOWS
from building_blocks.comparison import _DIGITS
from privml.units.correlations import Pattern, shifted
from privml.units.ot.schedule import canonical, schedule

factors = st.tuples(st.integers(0, 2), st.integers(-7, 7))
patterns = st.lists(st.lists(factors, min_size=1, max_size=6).map(tuple), min_size=1, max_size=5).map(tuple)


@given(patterns)
def test_every_pattern_is_made_of_parts_known_before(wanted: tuple[Pattern, ...]) -> None:
    known: set[Pattern] = {((word, 0),) for word in range(3)}
    chosen: set[Pattern] = set()
    planes: set[tuple[Pattern, int]] = set()
    widest: dict[Pattern, int] = {}
    for level in schedule(wanted):
        assert known.issuperset(level.choosing)
        assert chosen.isdisjoint(level.choosing)
        chosen |= set(level.choosing)
        widest |= dict.fromkeys(level.choosing, level.planes)
        for node, left, right in level.products:
            assert {left.node, right.node} <= known
            parts = [(word, shift + factor.shift) for factor in (left, right) for word, shift in factor.node]
            assert tuple(sorted(parts)) == node
            assert len([term for term in level.terms if term.product == node]) == 2
        for term in level.terms:
            assert term.choice.node in chosen
            assert term.plane < widest[term.choice.node]
            assert (term.choice.node, term.plane) not in planes
            planes.add((term.choice.node, term.plane))
        known |= {product.node for product in level.products}
    longest = max(len(set(pattern)) for pattern in wanted)
    assert len(schedule(wanted)) == (longest - 1).bit_length()
    assert known.issuperset(canonical(pattern)[0] for pattern in wanted)


@given(st.lists(factors, min_size=1, max_size=5).map(tuple), st.integers(0, 2**32))
def test_canonical_patterns_differ_by_a_shift_only(pattern: Pattern, seed: int) -> None:
    words = list(np.random.default_rng(seed).integers(0, 256, (3, 20), dtype=np.uint8))

    def plainly(chosen: Pattern) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        return reduce(and_, (shifted(words[word], shift) for word, shift in chosen))

    node, base = canonical(pattern)
    np.testing.assert_array_equal(plainly(pattern), shifted(plainly(node), base))


def test_a_window_of_four_bits_costs_two_choices_a_bit() -> None:
    assert [len(level.choosing) for level in schedule(_WINDOWS.patterns)] == [1, 1]
    assert [len(level.choosing) for level in schedule(_DIGITS.patterns)] == [2, 2]


@pytest.mark.parametrize("length", [9, 16, 17, 64])
def test_long_patterns_are_cut_in_the_middle(length: int) -> None:
    levels = schedule((tuple((0, shift) for shift in range(length)),))
    assert len(levels) == (length - 1).bit_length()
    # equal halves are the same word, shifted: one choice a level where the length is a power of two
    assert all(len(level.choosing) <= 2 for level in levels)
