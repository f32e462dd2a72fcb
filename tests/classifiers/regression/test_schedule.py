"""Rates of the descent."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.regression.schedule import Schedule
from privml.errors import SettingError


def test_constant() -> None:
    assert Schedule("constant", 0.5, 0.01).rates(done=7, steps=3) == [0.5, 0.5, 0.5]


def test_linear_falls_within_each_chunk_and_never_to_zero() -> None:
    schedule = Schedule("linear", 2.0, 0.01)
    np.testing.assert_allclose(schedule.rates(0, 4), [2.0, 1.5, 1.0, 0.5])
    assert schedule.rates(1000, 4) == schedule.rates(0, 4)


def test_inverse_goes_on_where_the_last_chunk_ended() -> None:
    schedule = Schedule("inverse", 1.0, 0.5)
    np.testing.assert_allclose(schedule.rates(0, 3), [1, 1 / 1.5, 1 / 2])
    assert schedule.rates(0, 9)[4:] == schedule.rates(4, 5)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (("cosine", 0.5, 0.01), "constant, linear, inverse"),
        (("linear", 0.0, 0.01), "learning_rate"),
        (("linear", -1.0, 0.01), "learning_rate"),
        (("linear", float("nan"), 0.01), "learning_rate"),
        (("linear", 1025.0, 0.01), "learning_rate"),
        (("inverse", 0.5, 0.0), "decay"),
        (("inverse", 0.5, 1.5), "decay"),
    ],
)
def test_refused(settings: tuple[str, float, float], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        Schedule(*settings)
