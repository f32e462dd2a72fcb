"""Turns: the first leaves that are due, no more than records came for, and nobody sees which."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from building_blocks.shares import Shares
from classifiers.tree.turns import take_turns, turns
from privml.units.unit import Unit
from tests.two_units import join, run, split, suspicious


@settings(max_examples=40)
@given(st.lists(st.integers(0, 30), min_size=1, max_size=20), st.integers(1, 20), st.integers(1, 25))
def test_the_first_that_are_due(waiting: list[int], grace: int, most: int) -> None:
    taken = join(run(lambda unit, x: take_turns(unit, x, grace, most), split(np.array(waiting))))
    due = np.flatnonzero(np.array(waiting) >= grace)[:most]
    assert taken.shape == (len(waiting), min(most, len(waiting)))
    assert ((taken == 0) | (taken == 1)).all()
    assert sorted(np.argwhere(taken)[:, 0].tolist()) == due.tolist()
    assert taken.sum(axis=0).max() <= 1


@pytest.mark.parametrize(("most", "rounds"), [(3, 8), (6, 4), (9, 4)])
def test_what_units_see(most: int, rounds: int) -> None:
    """Words that look alike whoever is due, in so many rounds."""

    def program(unit: Unit, x: Shares) -> int:
        take_turns(unit, x, 5, most)
        return unit.channel.statistics.rounds

    found = [run(program, split(np.full(6, waiting))) for waiting in (0, 9)]
    assert [each.master for each in found] == [rounds, rounds]
    assert [view.trace for view in found[0].views] == [view.trace for view in found[1].views]
    many = run(lambda unit, x: take_turns(unit, x, 5, most), split(np.full(300, 9)))
    for view in many.views:
        assert suspicious(view) == []


@settings(max_examples=30)
@given(st.integers(1, 50), st.integers(1, 16), st.integers(0, 2**32))
def test_nobody_waits_for_ever(grace: int, leaves: int, seed: int) -> None:
    """However records fall, what waits stays below two grace periods a leaf and two batches."""
    rng = np.random.default_rng(seed)
    waiting, since, largest = np.zeros(leaves, np.int64), 0, 0
    for _ in range(200):
        batch = int(rng.integers(1, 3 * grace))
        largest = max(largest, batch)
        waiting += rng.multinomial(batch, rng.dirichlet(np.full(leaves, 0.3)))
        since += batch
        if since >= grace:
            due = np.flatnonzero(waiting >= grace)[: turns(since, grace)]
            waiting[due], since = 0, 0
        assert waiting.sum() <= 2 * (leaves * grace + grace + largest)
