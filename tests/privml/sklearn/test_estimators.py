"""The estimators: what they compute, what they take, what they refuse, and what they keep."""

from __future__ import annotations

import doctest
import multiprocessing
import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.naive_bayes import CategoricalNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

import privml.sklearn
from privml import Categorical, Continuous, Schema
from privml.crypto import randomness
from privml.crypto.secret import Secret
from privml.data.feature import Feature
from privml.errors import PrivMLError, SchemaError, SettingError
from privml.learner import classifier
from privml.sklearn import PrivateDecisionTree, PrivateLogisticRegression, PrivateNaiveBayes, estimators
from privml.sklearn.columns import codes_of
from privml.units import dealer
from privml.units.unit import Unit

ALL = [
    PrivateNaiveBayes(),
    PrivateLogisticRegression(),
    PrivateDecisionTree(depth=2, batch=25, grace_period=25, tau=0.5),
]
CELLS, KINDS = load_iris(return_X_y=True)

each = pytest.mark.parametrize("estimator", ALL, ids=lambda estimator: type(estimator).__name__)


def table(rows: int, seed: int = 0) -> tuple[pd.DataFrame, NDArray[Any]]:
    """Numbers and categories that go with the class, more or less."""
    rng = np.random.default_rng(seed)
    kinds = rng.integers(0, 2, rows)
    frame = pd.DataFrame(
        {
            "weight": kinds + rng.normal(size=rows),
            "colour": np.where(rng.random(rows) < 0.8, np.array(["red", "blue"])[kinds], "green"),
            "size": pd.Categorical(np.array(["s", "m", "l"])[kinds + rng.integers(0, 2, rows)], ["s", "m", "l"]),
        }
    )
    return frame, np.array(["no", "yes"])[kinds]


def test_names_and_examples() -> None:
    assert privml.sklearn.__all__ == ["PrivateDecisionTree", "PrivateLogisticRegression", "PrivateNaiveBayes"]
    found = doctest.testmod(estimators)
    assert found.attempted >= 8
    assert not found.failed


@pytest.mark.parametrize("alpha", [0.25, 1.0])
@pytest.mark.parametrize("frame", [False, True])
def test_naive_bayes_is_categorical_nb_on_the_same_bins(alpha: float, frame: bool) -> None:
    cells, kinds = table(200) if frame else (CELLS, KINDS)
    model = PrivateNaiveBayes(alpha=alpha, n_bins=5).fit(cells, kinds)
    codes = codes_of(model.schema_, np.asarray(cells))
    peer = CategoricalNB(alpha=alpha, min_categories=model.schema_.cardinalities).fit(codes, kinds)
    np.testing.assert_allclose(model.predict_proba(cells), peer.predict_proba(codes), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(model.predict(cells), peer.predict(codes))
    assert model.score(cells, kinds) == peer.score(codes, kinds) > 0.8


def test_logistic_regression_is_about_scikit_learns() -> None:
    rng = np.random.default_rng(1)
    cells = rng.normal(size=(300, 3)) * (1, 10, 0.1) + (5, 0, 1)
    kinds = (cells @ (1, 0.2, -5) + rng.normal(size=300) > 0).astype(int)
    model = PrivateLogisticRegression(epochs=30, batch=32, l2=1 / 300).fit(cells, kinds)
    peer = make_pipeline(StandardScaler(), LogisticRegression()).fit(cells, kinds)
    assert np.abs(model.predict_proba(cells) - peer.predict_proba(cells)).max() < 0.03


@each
def test_parts_are_the_whole(estimator: Any) -> None:
    cells, kinds = table(120)
    whole = clone(estimator).fit(cells, kinds)
    parts = clone(estimator).set_params(schema=whole.schema_)
    for start in range(0, 120, 40):
        parts.partial_fit(cells[start : start + 40], kinds[start : start + 40], classes=["no", "yes"])
    assert parts.schema_ == whole.schema_
    if isinstance(estimator, PrivateNaiveBayes):  # a function of the records alone
        np.testing.assert_allclose(parts.predict_proba(cells), whole.predict_proba(cells), rtol=0, atol=1e-6)
    assert parts.score(cells, kinds) > 0.8


@each
def test_in_a_pipeline_and_in_searches(estimator: Any) -> None:
    scores = cross_val_score(make_pipeline(MinMaxScaler(), estimator), CELLS[:100], KINDS[:100], cv=3)
    assert scores.min() > 0.9
    grid = {"epochs": [1, 4]} if isinstance(estimator, PrivateLogisticRegression) else {"n_bins": [2, 6]}
    search = GridSearchCV(estimator, grid, cv=2, n_jobs=2).fit(CELLS, KINDS)
    (best,) = search.best_params_.values()
    assert best in next(iter(grid.values()))
    assert search.predict(CELLS).shape == (150,)


@each
def test_tables_of_numbers_and_categories(estimator: Any) -> None:
    cells, kinds = table(150)
    model = clone(estimator).fit(cells, kinds)
    assert model.score(cells, kinds) > 0.8
    assert list(model.feature_names_in_) == ["weight", "colour", "size"] == list(model.schema_.names)
    assert model.schema_.feature("size").labels == ("s", "m", "l")
    strange = pd.DataFrame({"weight": [1e9], "colour": ["mauve"], "size": ["s"]})
    assert model.predict(strange) in model.classes_
    for wrong, message in [(cells[["colour", "weight", "size"]], "order"), (cells.drop(columns="size"), "missing")]:
        with pytest.raises(ValueError, match=message):
            model.predict(wrong)
    nothing: list[Any] = [None, np.nan]
    for empty in nothing:
        with pytest.raises(ValueError, match=r"NaN|empty cell"):
            model.predict(strange.assign(colour=[empty]))
        with pytest.raises(ValueError, match=r"NaN|empty cell"):
            clone(estimator).fit(cells.assign(weight=[empty, *cells["weight"][1:]]), kinds)


@each
@pytest.mark.parametrize("labels", [["b", "a"], [7, -3], [2.0, 1.0], [True, False], [np.str_("x y"), "x"]])
def test_classes_come_back_as_they_went_in(estimator: Any, labels: list[Any]) -> None:
    kinds = np.array(labels)[KINDS[:100]]
    model = clone(estimator).fit(CELLS[:100], kinds)
    np.testing.assert_array_equal(model.classes_, np.unique(kinds))
    assert model.predict(CELLS[:100]).dtype == kinds.dtype
    np.testing.assert_array_equal(model.predict(CELLS[:100]), kinds)


@each
def test_what_is_refused(estimator: Any) -> None:
    model, first = clone(estimator), clone(estimator)
    with pytest.raises(NotFittedError):
        model.predict(CELLS)
    with pytest.raises(SettingError, match="only 1 class"):
        model.fit(CELLS, np.zeros(150))
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.where(CELLS < 2, np.nan, CELLS), KINDS)
    with pytest.raises(ValueError, match="Unknown label type"):
        model.fit(CELLS, CELLS[:, 0])
    with pytest.raises(SettingError, match="needs `classes`"):
        first.partial_fit(CELLS, KINDS)
    with pytest.raises(SettingError, match="y holds 1; the classes are 0, 2"):
        first.partial_fit(CELLS, KINDS, classes=[0, 2])
    assert not hasattr(first, "learner_")
    first.partial_fit(CELLS, KINDS, classes=[0, 1, 2])
    with pytest.raises(SettingError, match="those of the first call"):
        first.partial_fit(CELLS, KINDS, classes=[0, 1, 2, 3])
    with pytest.raises(SettingError, match="y holds 5"):
        first.partial_fit(CELLS, KINDS + 5)
    with pytest.raises(ValueError, match="2 features"):
        first.predict(CELLS[:, :2])
    for wrong in (
        {"alpha": 0},
        {"n_bins": 1},
        {"epochs": 0},
        {"standardisation": "none"},
        {"feature_ranges": [1, 2, 3]},
    ):
        if wrong.keys() <= model.get_params().keys():
            with pytest.raises(PrivMLError, match="|".join(["alpha", "n_bins", "epochs", "standardisation", "ranges"])):
                clone(model).set_params(**wrong).fit(CELLS, KINDS)


def test_a_schema_that_is_given() -> None:
    schema = Schema((Categorical("x0", ("0", "1")), Categorical("x1", ("0", "1", "2"))), "y", ("0", "1", "2"))
    cells, kinds = np.array([[0, 2], [1, 1], [0, 0], [1, 2]]), np.array([0, 1, 0, 1])
    model = PrivateNaiveBayes(schema=schema).fit(cells, kinds)
    assert model.schema_ == Schema(schema.features, "y", ("0", "1"))
    np.testing.assert_array_equal(model.predict(cells), kinds)
    with pytest.raises(SchemaError, match="no class '4', '5'; it has '0', '1', '2'"):
        PrivateNaiveBayes(schema=schema).fit(cells, kinds + 4)
    with pytest.raises(SchemaError, match="3 columns"):
        PrivateNaiveBayes(schema=schema).fit(np.ones((4, 3)), kinds)
    with pytest.raises(SchemaError, match="'a', 'b'; the schema has 'x0', 'x1'"):
        PrivateNaiveBayes(schema=schema).fit(pd.DataFrame(cells, columns=["a", "b"]), kinds)


def limits(feature: Feature) -> tuple[float, float]:
    assert isinstance(feature, Continuous)
    return feature.low, feature.high


def test_ranges_that_are_given() -> None:
    low_high = [(0, 10), (0, 5), (0, 10), (0, 2)]
    model = PrivateLogisticRegression(feature_ranges=low_high, standardisation=None).fit(CELLS[:100], KINDS[:100])
    assert [limits(feature) for feature in model.schema_.features] == low_high
    assert model.score(CELLS[:100], KINDS[:100]) > 0.8
    outside = model.predict_proba([[11, -1, 10, 99.0]])
    np.testing.assert_allclose(outside, model.predict_proba([[10, 0, 10, 2.0]]), atol=2**-14)
    same = PrivateLogisticRegression(feature_ranges=(0, 10), class_weight={0: 2.0}, batch=32)
    same.fit(CELLS[:100], KINDS[:100])
    assert {limits(feature) for feature in same.schema_.features} == {(0, 10)}


@each
def test_a_call_that_fails_changes_nothing(estimator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = clone(estimator).fit(CELLS, KINDS)
    before = model.predict_proba(CELLS)
    learner = classifier(model._learner)
    refresh = learner.refresh

    def interrupted(half: Any, unit: Unit) -> None:
        if not unit.is_master:
            raise KeyboardInterrupt
        refresh(half, unit)

    with monkeypatch.context() as patch:
        patch.setattr(learner, "refresh", interrupted)
        with pytest.raises(KeyboardInterrupt):
            model.partial_fit(CELLS[:50], (KINDS[:50] + 1) % 3)
    np.testing.assert_allclose(model.predict_proba(CELLS), before, rtol=0, atol=2**-13)
    model.partial_fit(CELLS, KINDS)
    assert "2 chunks" in repr(model.learner_)


@each
def test_what_a_pickle_holds(estimator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """States of both units; no key, no seed, no correlated randomness, and nothing that grows with the records."""
    seeds: list[bytes] = []

    def recorded(count: int) -> bytes:
        seeds.append(randomness.random_bytes(count))
        return seeds[-1]

    monkeypatch.setattr(dealer, "random_bytes", recorded)
    model = clone(estimator).fit(CELLS, KINDS)
    pickled = pickle.dumps(model)
    assert len(seeds) >= 3
    assert not any(seed in pickled for seed in seeds)
    repeated = clone(estimator).set_params(schema=model.schema_).fit(np.tile(CELLS, (10, 1)), np.tile(KINDS, 10))
    assert len(pickle.dumps(repeated)) < len(pickled) + 1000
    assert not [thing for thing in things(model) if isinstance(thing, Secret)]
    again = pickle.loads(pickled)  # noqa: S301 - it is our own
    np.testing.assert_allclose(again.predict_proba(CELLS), model.predict_proba(CELLS), rtol=0, atol=2**-13)
    again.partial_fit(CELLS, KINDS)
    assert again.score(CELLS, KINDS) > 0.8


def things(root: object) -> list[object]:
    """Everything that an object holds."""
    parts: list[object] = [root]
    for part in parts:
        inside = part.values() if isinstance(part, dict) else part if isinstance(part, list | tuple) else ()
        parts += [*inside, *vars(part).values()] if hasattr(part, "__dict__") and not isinstance(part, type) else inside
    return parts


def test_an_estimator_that_kept_its_dealer_would_be_found() -> None:
    model = PrivateNaiveBayes().fit(CELLS, KINDS)
    vars(model.learner_)["dealer"] = dealer.Dealer()
    assert [thing for thing in things(model) if isinstance(thing, Secret)]
    with pytest.raises(TypeError, match="neither pickled nor copied"):
        pickle.dumps(model)


def ask(model: Any) -> NDArray[Any]:
    labels: NDArray[Any] = model.predict(CELLS)
    return labels


def test_threads_and_forks_ask_the_same_model() -> None:
    model = PrivateNaiveBayes().fit(CELLS, KINDS)
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(ask, [model] * 8))
    with multiprocessing.get_context("forkserver").Pool(1) as pool:
        answers += pool.map(ask, [model])
    for answer in answers:
        np.testing.assert_array_equal(answer, model.predict(CELLS))
