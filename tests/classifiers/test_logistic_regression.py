"""Logistic regression on shares is the same descent in plain numbers, however it is set, and nobody sees its way."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression as Reference
from sklearn.metrics import roc_auc_score

from classifiers.checks import check_classifier
from classifiers.logistic_regression import LogisticRegression
from classifiers.trial import Keys
from privml import Categorical, Schema
from privml.data.encoding import one_hot
from privml.errors import (
    ClassifierError,
)
from tests.classifiers.regression.scene import (
    TOLERANCE,
    half,
    listed_schema,
    released,
    require_twins,
    schema_of,
    table,
    trial,
)
from tests.classifiers.regression.twin import Twin


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


SETTINGS: list[dict[str, Any]] = [
    {},
    {"schedule": "constant", "average": False},
    {"schedule": "inverse", "decay": 0.1},
    {"l2": 0.1},
    {"momentum": 0.9, "learning_rate": 0.1},
    {"momentum": 0.9, "learning_rate": 0.1, "l2": 0.05},
    {"momentum": 0.9, "learning_rate": 0.1, "nesterov": True},
    {"class_weight": {"c0": 2.0, "c1": 0.5}},
    {"multiclass": "multinomial"},
    {"standardisation": {"u": (5, 7), "v": (0.75, 0.2)}},
    {"standardisation": {"u": (5, 7), "v": (0.75, 0.32)}, "class_weight": {"c1": 3}},
    {"fraction_bits": 16},
    {"batch": 1000, "fraction_bits": 24},
]


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("options", SETTINGS, ids=str)
def test_it_is_the_plain_descent(classes: int, options: dict[str, Any], keys: Keys) -> None:
    """Two chunks, one after the other."""
    schema = schema_of(classes)
    options = {"batch": 16, "epochs": 4, **options}
    both = trial(schema, keys, **options)
    twin = Twin(schema, **{name: value for name, value in options.items() if name != "fraction_bits"})
    for chunk, rows in enumerate((60, 35)):
        codes, labels = table(schema, rows, chunk)
        both.learn(str(chunk), codes, labels)
        twin.learn(codes, labels)
    require_twins(both, twin, table(schema, 30, 9)[0])


@pytest.mark.parametrize(
    "options",
    [
        {"retain": True, "multiclass": "multinomial"},
        {"retain": True, "momentum": 0.5, "nesterov": True, "l2": 0.01, "class_weight": {"p": 2.0}, "batch": 16},
    ],
    ids=str,
)
def test_the_contract_with_options(options: dict[str, Any]) -> None:
    for check in check_classifier(LogisticRegression, **options):
        check()


def test_another_rate_would_show(keys: Keys) -> None:
    schema = schema_of(2)
    both, twin = trial(schema, keys, batch=16), Twin(schema, batch=16, learning_rate=0.502)
    both.learn("a", *table(schema, 60))
    twin.learn(*table(schema, 60))
    with pytest.raises(AssertionError):
        require_twins(both, twin, table(schema, 30, 9)[0])


def test_many_small_steps_are_not_lost(keys: Keys) -> None:
    """A rate of 2^-10 over batches of 64 moves weights by less than 2^-16 a record: rounding is unbiased."""
    schema = listed_schema(2)
    options: dict[str, Any] = {"learning_rate": 2.0**-10, "batch": 64, "epochs": 40, "schedule": "constant"}
    both, twin = trial(schema, keys, fraction_bits=16, **options), Twin(schema, **options)
    both.learn("a", *table(schema, 64))
    twin.learn(*table(schema, 64))
    assert abs(twin.coef).max() > 30 * 2.0**-16
    require_twins(both, twin, table(schema, 30, 9)[0])


class TestAgainstScikitLearn:
    def test_it_ends_where_the_penalised_loss_is_least(self, keys: Keys) -> None:
        schema, rows, l2 = schema_of(2), 200, 0.02
        codes, labels = table(schema, rows)
        both = trial(schema, keys, learning_rate=1.0, batch=rows, epochs=250, l2=l2, schedule="constant")
        both.learn("a", codes, labels)
        x = Twin(schema).columns(codes)
        reference = Reference(C=1 / (rows * l2), tol=1e-8, max_iter=1000).fit(x, labels)
        queries = table(schema, 50, 9)[0]
        expected = reference.predict_proba(Twin(schema).columns(queries))
        np.testing.assert_allclose(both.ask(queries, "probabilities"), expected, atol=2e-3)

    @pytest.mark.parametrize("separable", [True, False])
    def test_a_few_epochs_come_close(self, separable: bool, keys: Keys) -> None:
        schema = schema_of(2)
        codes, labels = table(schema, 400)
        if separable:
            labels = (codes[:, 1] + codes[:, 3] > 2**16).astype(np.int64)
        both = trial(schema, keys, learning_rate=1.0, batch=32, epochs=30)
        both.learn("a", codes[:300], labels[:300])
        x = Twin(schema).columns(codes)
        expected = Reference().fit(x[:300], labels[:300]).decision_function(x[300:])
        ours, theirs = (roc_auc_score(labels[300:], found) for found in (both.ask(codes[300:], "score"), expected))
        assert ours > theirs - 0.01
        assert ours > (0.99 if separable else 0.7)

    @pytest.mark.parametrize("classes", [2, 3])
    @pytest.mark.parametrize("multiclass", ["ovr", "multinomial"])
    def test_a_revealed_model_predicts_the_same_there(self, classes: int, multiclass: str, keys: Keys) -> None:
        schema = schema_of(classes)
        both = trial(schema, keys, batch=16, multiclass=multiclass)
        both.learn("a", *table(schema, 60))
        model = LogisticRegression.read_model(schema, released(both))
        assert model.columns == ("f=a", "f=b", "f=c", "u", "g=a", "g=b", "v")
        assert (model.classes, model.multiclass) == (schema.classes, multiclass)
        queries = table(schema, 40, 9)[0]
        values = one_hot(schema, queries).astype(np.float64)
        values[:, 3] = values[:, 3] / 2**16 * 35 - 5
        values[:, 6] /= 2**16
        loaded = model.to_sklearn()
        np.testing.assert_allclose(loaded.predict_proba(values), both.ask(queries, "probabilities"), atol=TOLERANCE)
        assert loaded.predict(values).tolist() == both.ask(queries).tolist()
        assert loaded.classes_.tolist() == list(schema.classes)

    def test_classes_in_an_order_of_their_own(self, keys: Keys) -> None:
        schema = Schema((Categorical("f", ("a", "b", "c")),), "y", ("z", "m", "a"))
        both = trial(schema, keys, batch=16)
        both.learn("a", *table(schema, 60))
        queries = np.arange(3)[:, None]
        loaded = LogisticRegression.read_model(schema, released(both)).to_sklearn()
        assert loaded.predict(one_hot(schema, queries)).tolist() == both.ask(queries).tolist()

    def test_without_it(self, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
        schema = listed_schema(2)
        both = trial(schema, keys)
        both.learn("a", *table(schema, 10))
        model = LogisticRegression.read_model(schema, released(both))
        monkeypatch.setitem(__import__("sys").modules, "sklearn.linear_model", None)
        with pytest.raises(ClassifierError, match="scikit-learn is not installed"):
            model.to_sklearn()


class TestOnline:
    def test_a_chunk_costs_the_same_whatever_came_before(self, keys: Keys) -> None:
        """But for the first step of all, which knows that all weights are 0."""
        schema = listed_schema(2)
        both = trial(schema, keys, batch=8)
        ends = [0]
        for chunk in range(3):
            both.learn(str(chunk), *table(schema, 24, chunk))
            ends.append(len(both.trace[0]))
        traces = [both.trace[0][start:end] for start, end in pairwise(ends)]
        assert traces[1] == traces[2]
        # six rounds fewer: the weights and scores are not opened, and nothing is evaluated
        assert len(traces[1]) - len(traces[0]) == 2 * 6

    @pytest.mark.parametrize("left", [("0",), ("2",), ("0", "2"), ("0", "1", "2")])
    def test_withdrawn_is_as_never_learned(self, left: tuple[str, ...], keys: Keys) -> None:
        schema = schema_of(2)
        both, twin = trial(schema, keys, batch=16, retain=True), Twin(schema, batch=16)
        for chunk in range(3):
            both.learn(str(chunk), *table(schema, 30 + 7 * chunk, chunk))
        for name in left:
            both.withdraw(name)
        codes, labels = table(schema, 50, 3)
        both.learn("3", codes, labels)
        for chunk in range(4):
            if str(chunk) not in left:
                rows = 50 if chunk == 3 else 30 + 7 * chunk
                twin.learn(*table(schema, rows, chunk))
        assert half(both).chunks.keys() == {"0", "1", "2", "3"} - set(left)
        require_twins(both, twin, table(schema, 30, 9)[0])

    def test_withdrawals_are_made_good_once(self, keys: Keys) -> None:
        schema = listed_schema(2)
        both = trial(schema, keys, batch=16, retain=True)
        for chunk in range(4):
            both.learn(str(chunk), *table(schema, 20, chunk))
        before = len(both.trace[0])
        both.withdraw("1")
        both.withdraw("3")
        assert len(both.trace[0]) == before
        both.refresh()
        after = len(both.trace[0])
        assert after > before
        both.refresh()
        assert len(both.trace[0]) == after

    def test_without_retained_records_nothing_can_be_withdrawn(self, keys: Keys) -> None:
        schema = listed_schema(2)
        both = trial(schema, keys)
        both.learn("a", *table(schema, 20))
        before = both.ask(table(schema, 5)[0], "score")
        with pytest.raises(ClassifierError, match="retain"):
            both.withdraw("a")
        assert half(both).has("a")
        both = trial(schema, keys)
        both.learn("a", *table(schema, 20))
        np.testing.assert_allclose(both.ask(table(schema, 5)[0], "score"), before, atol=TOLERANCE)

    @pytest.mark.parametrize("retain", [False, True])
    def test_what_is_kept(self, retain: bool, keys: Keys) -> None:
        """The weights; with `retain` also the records, once."""
        schema = schema_of(3)
        for rows in (1, 40):
            both = trial(schema, keys, retain=retain)
            both.learn("a", *table(schema, rows))
            both.ask(table(schema, 3)[0])
            state = half(both).state()
            assert state["learned"]["weights"].nbytes == 8 * (schema.width + 1) * 3
            assert sum(kept.nbytes for kept in state["rows"].values()) == retain * rows * 8 * (schema.width + 3)

    @pytest.mark.parametrize("behind", [False, True])
    def test_state_and_restore(self, behind: bool, keys: Keys) -> None:
        schema, options = schema_of(2), {"batch": 16, "retain": True, "schedule": "inverse"}
        both, again = trial(schema, keys, **options), trial(schema, keys, **options)
        for chunk in range(2):
            both.learn(str(chunk), *table(schema, 30, chunk))
        if behind:
            both.withdraw("0")
        for old, new in zip(both.halves, again.halves, strict=True):
            new.restore(old.state())
            assert new.has("1")
        for each in (both, again):
            each.learn("2", *table(schema, 20, 2))
        queries = table(schema, 20, 9)[0]
        np.testing.assert_allclose(both.ask(queries, "score"), again.ask(queries, "score"), atol=TOLERANCE)
        assert [half(each)._position.steps for each in (both, again)] == [half(both)._position.steps] * 2
