"""Somebody else's learners, in the clear: for each classifier the one that it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from privml.cli.demo.extras import load
from privml.data.encoding import one_hot
from privml.data.schema import Schema

Codes = NDArray[np.int64]
Predict = Callable[[Schema, Codes, Codes, Codes], Codes]
"""From a schema, the codes of records in the order in which they came, their classes, and questions: their classes."""


@dataclass(frozen=True)
class Peer:
    """A learner in the clear.

    Attributes
    ----------
    method
        What the classifier is called in a sentence.
    described
        Who the peer is.
    module
        What has to be installed for it; None for nothing.
    """

    method: str
    described: str
    module: str | None
    predict: Predict


def peer_of(classifier: str) -> Peer:
    """The peer of a classifier; one that nobody knows here is held against mere guessing."""
    unknown = Peer(
        classifier.replace("_", " "), "mere guessing: always the class that most of the records have", None, _guess
    )
    return _PEERS.get(classifier, unknown)


def _categorical_nb(schema: Schema, codes: Codes, labels: Codes, questions: Codes) -> Codes:
    """One CategoricalNB a feature, and their sum: for complete records that is one CategoricalNB of all features.

    It refuses empty cells; so they can be left out as ours leaves them out.
    """
    classes = np.arange(schema.class_count)
    learner = load("sklearn.naive_bayes").CategoricalNB
    with np.errstate(divide="ignore"):  # the logarithm of a class without records
        scores = np.tile(np.log(np.bincount(labels, minlength=len(classes)) / len(labels)), (len(questions), 1))
    for feature, cardinality in enumerate(schema.cardinalities):
        known, asked = codes[:, feature] >= 0, questions[:, feature] >= 0
        if known.any():
            model = learner(min_categories=[cardinality])
            model.partial_fit(codes[known, feature, None], labels[known], classes=classes)
            scores[asked] += model.feature_log_prob_[0][:, questions[asked, feature]].T
    return np.asarray(scores.argmax(axis=1))


def _logistic_regression(schema: Schema, codes: Codes, labels: Codes, questions: Codes) -> Codes:
    if len(np.unique(labels)) == 1:  # which it refuses to learn
        return _guess(schema, codes, labels, questions)
    model = load("sklearn.linear_model").LogisticRegression(max_iter=1000)
    model.fit(one_hot(schema, codes).astype(np.float64), labels)
    return np.asarray(model.predict(one_hot(schema, questions).astype(np.float64)))


def _hoeffding_tree(schema: Schema, codes: Codes, labels: Codes, questions: Codes) -> Codes:
    model = load("river.tree").HoeffdingTreeClassifier(nominal_attributes=list(schema.names), leaf_prediction="mc")
    for row, label in zip(codes, labels, strict=True):
        model.learn_one(_named(schema, row), int(label))
    most = int(np.bincount(labels).argmax())
    answers: list[Any] = [model.predict_one(_named(schema, row)) for row in questions]
    return np.array([most if answer is None else answer for answer in answers])


def _named(schema: Schema, row: Codes) -> dict[str, int]:
    """A record as river has it, an empty cell being one more value."""
    return dict(zip(schema.names, row.tolist(), strict=True))


def _guess(_schema: Schema, _codes: Codes, labels: Codes, questions: Codes) -> Codes:
    return np.full(len(questions), np.bincount(labels).argmax())


_PEERS: Final = {
    "naive_bayes": Peer("naive Bayes", "scikit-learn's CategoricalNB", "sklearn.naive_bayes", _categorical_nb),
    "logistic_regression": Peer(
        "logistic regression",
        "scikit-learn's LogisticRegression, which goes through all records at once until nothing changes",
        "sklearn.linear_model",
        _logistic_regression,
    ),
    "decision_tree": Peer(
        "a decision tree",
        "river's HoeffdingTreeClassifier with majority leaves, which takes the records one by one",
        "river.tree",
        _hoeffding_tree,
    ),
}
