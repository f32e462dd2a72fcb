"""Small tables, and logistic regression on them beside its twin in plain numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from building_blocks.shares import Words
from classifiers.logistic_regression import LogisticRegression
from classifiers.trial import Keys, Trial
from privml import Categorical, Continuous, Schema
from privml.roles.words import words_of
from tests.classifiers.regression.twin import Codes, Twin

TOLERANCE = 2.5e-4
"""By which scores, probabilities and coefficients in units of their own scale differ from those of plain numbers."""


def schema_of(classes: int) -> Schema:
    """Listed features and numbers, of different scales."""
    features = (
        Categorical("f", ("a", "b", "c")),
        Continuous("u", -5, 30),
        Categorical("g", ("a", "b")),
        Continuous("v", 0, 1),
    )
    return Schema(features, "y", tuple(f"c{code}" for code in range(classes)))


def listed_schema(classes: int) -> Schema:
    return Schema((Categorical("f", ("a", "b", "c")), Categorical("g", ("a", "b"))), "y", schema_of(classes).classes)


def table(schema: Schema, rows: int, seed: int = 0) -> tuple[Codes, Codes]:
    """Records whose classes follow from their features, and chance."""
    rng = np.random.default_rng(seed)
    places = [rng.beta(2, 5, rows), rng.beta(5, 2, rows)]
    columns, scores = [], np.zeros((rows, schema.class_count)) + rng.gumbel(size=(rows, schema.class_count))
    for feature in schema.features:
        if feature.one_hot:
            codes = rng.integers(0, feature.levels, rows)
            scores += codes[:, None] % schema.class_count == np.arange(schema.class_count)
        else:
            place = places.pop()
            codes = np.rint(place * 2**16).astype(np.int64)
            scores += 4 * (place[:, None] - 0.5) * (np.arange(schema.class_count) - 1)
        columns.append(codes)
    return np.stack(columns, axis=1), scores.argmax(axis=1)


def trial(schema: Schema, keys: Keys, **options: Any) -> Trial:
    return Trial(LogisticRegression, schema, options, keys)


def half(both: Trial) -> LogisticRegression:
    found = both.halves.master
    assert isinstance(found, LogisticRegression)
    return found


def released(both: Trial) -> Words:
    packed = both.reveal(both.keys.owner.public_key)
    assert packed is not None
    return words_of(packed.decrypt(both.keys.owner))


def require_twins(both: Trial, twin: Twin, queries: Codes) -> None:
    scores = both.ask(queries, "score")
    np.testing.assert_allclose(scores, twin.scores(queries).reshape(scores.shape), atol=TOLERANCE)
    np.testing.assert_allclose(both.ask(queries, "probabilities"), twin.probabilities(queries), atol=TOLERANCE)
    against = np.zeros((len(queries), 1)) if both.schema.class_count == 2 else np.zeros((len(queries), 0))
    ranked = np.sort(np.concatenate([twin.scores(queries), against], axis=1), axis=1)
    clear = ranked[:, -1] - ranked[:, -2] > TOLERANCE
    assert clear.mean() > 0.5
    np.testing.assert_array_equal(both.ask(queries)[clear], twin.labels(queries)[clear])
    model = LogisticRegression.read_model(both.schema, released(both))
    for found, expected in zip((model.coef, model.intercept), twin.own_units(), strict=True):
        np.testing.assert_allclose(found, expected, atol=TOLERANCE, rtol=TOLERANCE)
