"""Steps, and that nothing goes further than their reach says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.regression.step import Reach, Rule
from privml.errors import SettingError

RULES = st.one_of(
    st.builds(Rule, momentum=st.just(0.0), nesterov=st.just(False), l2=st.floats(0, 1)),
    st.builds(Rule, momentum=st.floats(0.01, 0.999), nesterov=st.booleans(), l2=st.floats(0, 1)),
)


@given(RULES, st.lists(st.floats(1e-6, 1.0), min_size=1, max_size=40), st.integers(0, 2**32))
def test_nothing_goes_further_than_its_reach(rule: Rule, rates: list[float], seed: int) -> None:
    """Whatever the gradients, all of one sign among them, and whether weights shrink or, as intercepts, do not."""
    rng = np.random.default_rng(seed)
    weights, velocity, reach = np.zeros(9), np.zeros(9), Reach()
    shrinking = np.array([1.0] * 6 + [0.0] * 3)
    for rate in rates:
        step = rule.step(rate)
        gradient = rng.uniform(-1, 1, 9)
        gradient[[0, 6]], gradient[[1, 7]] = 1, -1
        change = step.along * velocity - step.against * gradient - step.shrink * shrinking * weights
        after = step.keep * velocity - step.rate * gradient
        largest = step.largest_sum(reach, 1.0)
        assert max(abs(change).max(), abs(after).max()) <= largest
        weights, velocity = weights + change, after
        reach = step.after(reach, 1.0, 0.0)
        assert abs(weights).max() <= reach.weights
        assert abs(velocity).max() <= reach.velocity


def test_the_reach_is_not_far_off() -> None:
    """Gradients that always point one way go nearly as far; the margin is a thirty-second."""
    rule, reach, weights, velocity = Rule(0.9, nesterov=False, l2=0.0), Reach(), 0.0, 0.0
    for _ in range(50):
        velocity = 0.9 * velocity - 0.1
        weights += velocity
        reach = rule.step(0.1).after(reach, 1.0, 0.0)
    assert abs(weights) == pytest.approx(reach.weights / (1 + 1 / 32))


def test_nesterov_looks_ahead() -> None:
    plain, ahead = Rule(0.5, nesterov=False, l2=0.0).step(0.1), Rule(0.5, nesterov=True, l2=0.0).step(0.1)
    velocity, gradient = 3.0, 2.0
    after = plain.keep * velocity - plain.rate * gradient
    assert plain.along * velocity - plain.against * gradient == pytest.approx(after)
    assert ahead.along * velocity - ahead.against * gradient == pytest.approx(0.5 * after - 0.1 * gradient)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ((-0.1, False, 0.0), "momentum"),
        ((1.0, False, 0.0), "momentum"),
        ((float("nan"), False, 0.0), "momentum"),
        ((0.0, True, 0.0), "nesterov"),
        ((0.0, False, -1.0), "l2"),
        ((0.0, False, float("inf")), "l2"),
    ],
)
def test_refused(settings: tuple[float, bool, float], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        Rule(*settings)
