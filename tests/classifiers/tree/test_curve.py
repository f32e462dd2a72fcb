"""Curves: the same integers on shares and in the clear, close to the function they stand for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.tree.criterion import CRITERIA, n_log_n, split_margin
from classifiers.tree.curve import ANCHORS, FRACTION_BITS, MOST, Curve
from classifiers.tree.leaves import SCORE_BITS, log2_of_count
from tests.two_units import join, run, split

CURVES = {
    "n log2 n": n_log_n(),
    "log2 n": log2_of_count(),
    "margin": split_margin(CRITERIA["information_gain"], 3, 1e-3, 0.05),
    "margin for ever": split_margin(CRITERIA["gini"], 2, 1e-7, 0.0),
    "margin of none": split_margin(CRITERIA["gini"], 2, 0.5, 1e3),
}


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
@pytest.mark.parametrize("most", [1, 2, 3, 13, 1000, 16_000, 32_561, 60_000, MOST])
def test_shares_have_the_same_values(curve: Curve, most: int) -> None:
    """At random counts, and at all that lie beside where quadratics meet."""
    beside = np.array(ANCHORS)[:, None] + np.arange(-1, 3)
    counts = np.concatenate([beside.ravel(), np.random.default_rng(most).integers(0, most + 1, 50), [0, 1, most]])
    counts = counts[(counts >= 0) & (counts <= most)]
    found = join(run(lambda unit, x: curve.shared(unit, x, most), split(counts)))
    np.testing.assert_array_equal(found, curve.plain(counts))


@settings(max_examples=25)
@given(st.integers(1, 40), st.integers(0, 60), st.integers(1, 60))
def test_beyond_an_end_there_is_one_value(until: int, most: int, beyond: int) -> None:
    curve = Curve(lambda n: 100 * n * n + n, until=until, beyond=-beyond)
    counts = np.arange(max(most, 1) + 1)
    expected = np.where(counts < until, 100 * counts**2 + counts, -beyond)
    np.testing.assert_array_equal(curve.plain(counts), expected)
    found = join(run(lambda unit, x: curve.shared(unit, x, max(most, 1)), split(counts)))
    np.testing.assert_array_equal(found, expected)


def test_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classifiers.tree.curve.TOGETHER", 7)
    counts = np.arange(60).reshape(5, 12)
    found = join(run(lambda unit, x: n_log_n().shared(unit, x, 60), split(counts)))
    np.testing.assert_array_equal(found, n_log_n().plain(counts))


def test_more_records_take_a_few_more_knots() -> None:
    """What an evaluation takes grows with the logarithm of the records, and by no more."""
    knots = [len(n_log_n()._pieces(1 << octave).knots) for octave in range(4, 22)]
    assert max(np.diff(knots)) <= 5


def test_n_log_n_is_within_its_bound() -> None:
    counts = np.arange(1, MOST + 1)
    error = np.abs(n_log_n().plain(counts) / 2.0**FRACTION_BITS - counts * np.log2(counts))
    assert (error <= np.sqrt(counts) / 32).all()
    assert n_log_n().plain(np.array([0, 1, 2])).tolist() == [0, 0, 2 << FRACTION_BITS]


def test_n_log_n_is_convex() -> None:
    """So that no split of a set loses."""
    steps = np.diff(n_log_n().plain(np.arange(MOST + 1)))
    assert (np.diff(steps) > 0).all()


def test_the_logarithm_is_within_its_bound() -> None:
    counts = np.arange(1, 2 * MOST)
    error = np.abs(log2_of_count().plain(counts) / 2.0**SCORE_BITS - np.log2(counts))
    assert error.max() < 1e-3


@pytest.mark.parametrize(("criterion", "spread"), [("information_gain", math.log2(3)), ("gini", 1.0)])
def test_the_margin_is_the_hoeffding_bound(criterion: str, spread: float) -> None:
    """Times n, as long as it is above tau."""
    delta, tau = 1e-5, 0.02
    counts = np.array([1, 5, 30, 200, 3000, 10_000, 30_000, 100_000, 1_000_000, MOST])
    bound = spread * np.sqrt(math.log(1 / delta) / 2 / counts)
    found = split_margin(CRITERIA[criterion], 3, delta, tau).plain(counts) / 2.0**FRACTION_BITS
    assert (found[bound <= tau] == -(2.0**-FRACTION_BITS)).all()
    assert (bound <= tau).any()
    np.testing.assert_allclose(found[bound > tau], (counts * bound)[bound > tau], rtol=0.02)
