"""The same model on plain data, by somebody else's code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privml.cli.demo.data import Scene
from privml.cli.demo.peers import peer_of
from privml.cli.demo.story import Outcome
from privml.data.encoding import encode
from privml.data.schema import Schema
from privml.data.table import Table


@dataclass(frozen=True)
class Comparison:
    """Both learners on the same records and the same questions; all are numbers of records."""

    holds: int
    asked: int
    private_right: int
    plaintext_right: int
    equal: int


def compare(scene: Scene, outcome: Outcome) -> list[Comparison]:
    """Compare every round of answers with those of the classifier's peer."""
    column = scene.test.column(scene.schema.target)
    # a class that is in no training row has a negative code: neither learner can be right about it
    truth = scene.schema.class_feature.codes(column, scene.test.missing_texts)
    compared = []
    for asked in outcome.rounds:
        private = np.array([scene.schema.classes.index(label) for label in asked.labels])
        plain = plaintext_predictions(scene.schema, asked.holds, scene.test, scene.classifier)
        compared.append(
            Comparison(
                sum(map(len, asked.holds)),
                len(truth),
                int((private == truth).sum()),
                int((plain == truth).sum()),
                int((private == plain).sum()),
            )
        )
    return compared


def plaintext_predictions(
    schema: Schema, training: Sequence[Table], test: Table, classifier: str = "naive_bayes"
) -> NDArray[Any]:
    """Codes of the classes that the classifier's peer predicts, on the encoding that the owners upload."""
    encoded = [encode(schema, table, unknown="ignore") for table in training]
    codes = np.concatenate([table.codes for table in encoded])
    labels = np.concatenate([table.labels for table in encoded if table.labels is not None])
    questions = encode(schema, test, unknown="ignore", labelled=False).codes
    return peer_of(classifier).predict(schema, codes, labels, questions)
