"""Losses: what their bounds say of probabilities."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.regression.loss import Loss


@pytest.mark.parametrize(("loss", "candidates"), [(Loss.logistic(), 2), (Loss.multinomial(5), 5)])
def test_the_loss_at_zero(loss: Loss, candidates: int) -> None:
    assert loss.at_zero == pytest.approx(-math.log(1 / candidates))


@given(st.lists(st.floats(-30, 30), min_size=2, max_size=6), st.integers(0, 2**32))
def test_no_softmax_error_is_longer_nor_errs_more(scores: list[float], seed: int) -> None:
    loss, rng = Loss.multinomial(len(scores)), np.random.default_rng(seed)

    def probabilities(x: np.ndarray) -> np.ndarray:
        powers = np.exp(x - x.max())
        return np.asarray(powers / powers.sum())

    p, x = probabilities(np.array(scores)), np.array(scores)
    assert max(np.linalg.norm(p - truth) for truth in np.eye(len(x))) <= loss.longest + 1e-12
    off = rng.uniform(-0.1, 0.1, len(x))
    assert np.linalg.norm(probabilities(x + off) - p) <= loss.inexact(0.1)


@given(st.floats(-30, 30), st.floats(-0.1, 0.1))
def test_nor_that_of_one_probability(x: float, off: float) -> None:
    loss = Loss.logistic()
    p, moved = (1 / (1 + math.exp(-each)) for each in (x, x + off))
    assert max(p, 1 - p) <= loss.longest
    assert abs(moved - p) <= loss.inexact(abs(off))
