"""A learner at two units of this process."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from privml import Categorical, Schema
from privml.data.encoding import one_hot, one_hot_labels
from privml.errors import NotFittedError, SettingError, UnknownClassifierError
from privml.learner import classifier
from privml.sklearn import local
from privml.sklearn.local import LocalLearner
from privml.units.unit import Unit

SCHEMA = Schema((Categorical("f", ("a", "b", "c")), Categorical("g", ("a", "b"))), "y", ("p", "q"))
CODES = np.random.default_rng(0).integers(0, 2, (200, 2))
LABELS = CODES[:, 0]


def learner() -> LocalLearner:
    return LocalLearner("naive_bayes", SCHEMA, {"alpha": 0.5})


def test_each_unit_gets_a_uniform_share_of_the_records(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[bool, NDArray[np.uint64]] = {}
    make = classifier("naive_bayes")
    partial_fit = make.partial_fit

    def recorded(half: Any, unit: Unit, chunk: str, rows: NDArray[np.uint64]) -> None:
        seen[unit.is_master] = rows
        partial_fit(half, unit, chunk, rows)

    monkeypatch.setattr(make, "partial_fit", recorded)
    learner().learn(CODES, LABELS)
    records = np.concatenate([one_hot(SCHEMA, CODES), one_hot_labels(SCHEMA, LABELS)], axis=1)
    np.testing.assert_array_equal(seen[True] + seen[False], records)
    for rows in seen.values():
        assert abs(np.bitwise_count(rows).mean() - 32) < 1


def test_batches_are_answered_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    both = learner()
    both.learn(CODES, LABELS)
    expected = both.ask(CODES, "probabilities")
    monkeypatch.setattr(local, "BATCH", 64)
    np.testing.assert_array_equal(both.ask(CODES, "probabilities"), expected)
    assert both.ask(CODES[:1], "label").shape == (1,)


def test_what_is_refused() -> None:
    with pytest.raises(UnknownClassifierError):
        LocalLearner("no such", SCHEMA, {})
    with pytest.raises(SettingError, match="alpha"):
        LocalLearner("naive_bayes", SCHEMA, {"alpha": -1})
    with pytest.raises(NotFittedError):
        learner().ask(CODES, "label")
