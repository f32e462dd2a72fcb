"""Steps, and that nothing goes further than their reach says."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.regression.step import Gradients, Reach, Rule
from privml.errors import SettingError

LARGEST = Gradients(1.0)
PLAIN = st.builds(Rule, momentum=st.just(0.0), nesterov=st.just(False), l2=st.floats(0, 1))
RULES = st.one_of(PLAIN, st.builds(Rule, momentum=st.floats(0.01, 0.999), nesterov=st.booleans(), l2=st.floats(0, 1)))


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
        largest = step.largest_sum(reach, LARGEST)
        assert max(abs(change).max(), abs(after).max()) <= largest
        weights, velocity = weights + change, after
        reach = step.after(reach, LARGEST, 0.0)
        assert abs(weights).max() <= reach.weights
        assert abs(velocity).max() <= reach.velocity


def test_the_reach_is_not_far_off() -> None:
    """Gradients that always point one way go nearly as far; the margin is a thirty-second."""
    rule, reach, weights, velocity = Rule(0.9, nesterov=False, l2=0.0), Reach(), 0.0, 0.0
    for _ in range(50):
        velocity = 0.9 * velocity - 0.1
        weights += velocity
        reach = rule.step(0.1).after(reach, LARGEST, 0.0)
    assert abs(weights) == pytest.approx(reach.weights / (1 + 1 / 32))


def descended(rule: Rule, rates: list[float], records: np.ndarray, truth: np.ndarray, wrong: float) -> list[float]:
    """Lengths of the weights after each step on a record of its own, which ends with a 1 for the intercept."""
    weights, lengths = np.zeros(records.shape[1]), []
    shrinking = np.ones(records.shape[1])
    shrinking[-1] = 0
    for rate, x, y in zip(rates, records, truth, strict=True):
        step = rule.step(rate)
        # probabilities that err, the way that leads further
        error = 1 / (1 + math.exp(-float(x @ weights))) - y
        error += math.copysign(wrong, -float(x @ weights))
        weights = weights - step.shrink * shrinking * weights - rate * error * x
        lengths.append(float(np.linalg.norm(weights)))
    return lengths


@given(PLAIN, st.lists(st.floats(1e-3, 50.0), min_size=1, max_size=60), st.integers(0, 2**32), st.booleans())
def test_downhill_no_length_exceeds_its_reach(rule: Rule, rates: list[float], seed: int, same: bool) -> None:
    """Whatever the records and classes; and the same record again and again leads straight on."""
    rule, rng = replace(rule, l2=rule.l2 / max(rates)), np.random.default_rng(seed)
    records = rng.normal(size=(1 if same else len(rates), 5)) @ np.diag([1, 1, 1, 1, 0]) + np.eye(5)[-1]
    records = np.broadcast_to(records, (len(rates), 5))
    truth = np.ones(len(rates)) if same else rng.integers(0, 2, len(rates))
    longest = float(np.linalg.norm(records, axis=1).max())
    gradients, reach = Gradients(longest, math.log(2), 0.01 * longest), Reach()
    for rate, length in zip(rates, descended(rule, rates, records, truth, 0.01), strict=True):
        reach = rule.step(rate).after(reach, gradients, 0.0)
        assert length <= reach.weights


@pytest.mark.parametrize("less", [{"at_zero": 0.0}, {"largest": 0.2}], ids=str)
def test_what_the_bound_downhill_needs(less: dict[str, float]) -> None:
    """Small steps that all go one way need the loss at zero; a large one needs the largest gradient."""
    rule, rates = Rule(0.0, nesterov=False, l2=0.0), [0.1] * 20 if "at_zero" in less else [50.0]
    lengths = descended(rule, rates, np.ones((len(rates), 1)), np.ones(len(rates)), 0.0)

    def reaches(gradients: Gradients) -> bool:
        reach = Reach()
        for rate in rates:
            reach = rule.step(rate).after(reach, gradients, 0.0)
        return lengths[-1] <= reach.weights

    assert reaches(Gradients(1.0, math.log(2)))
    assert not reaches(replace(Gradients(1.0, math.log(2)), **less))


def test_downhill_the_reach_grows_with_the_root_of_the_steps() -> None:
    rule, gradients, reach = Rule(0.0, nesterov=False, l2=0.0), Gradients(4.0, math.log(2)), Reach()
    found = []
    for _ in range(4000):
        reach = rule.step(1.0).after(reach, gradients, 0.0)
        found.append(reach.weights)
    assert found[3999] == pytest.approx(2 * found[999], rel=1e-3)
    assert found[3999] < 4000 * 4.0 / 30


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
