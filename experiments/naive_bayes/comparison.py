"""Whether private predictions are those of the plaintext twin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from experiments.naive_bayes.scene import QUERY_BATCH, TWIN, Scene, ask, queries, seal
from experiments.record import Peer
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from privml.roles.card import ModelCard

ADULT = "Adult"


def measure_accuracy(report: Report, settings: Settings, scene: Scene) -> None:
    """Train on sealed uploads of all owners, and ask for every test record."""
    del settings  # no time is taken
    card = scene.new_model()
    for message in seal(card, scene.parts()):
        scene.provider.upload(message)
    compare(report, scene, f"{scene.data.title}: accuracy", predict(scene, card))


def predict(scene: Scene, card: ModelCard) -> NDArray[np.object_]:
    """Labels of all test records, in batches."""
    with scene.client.open_session(card) as session:
        return ask(session, scene.provider, queries(scene), QUERY_BATCH)


def compare(report: Report, scene: Scene, section: str, labels: NDArray[np.object_]) -> None:
    """Record the accuracy beside the twin's, and how many predictions differ."""
    schema, truth = scene.data.schema, scene.test.labels
    codes = np.array([schema.classes.index(label) for label in labels])
    expected = scene.twin().predict()
    accuracy, plain = float((codes == truth).mean()), float((expected == truth).mean())
    complete = len(scene.train) == len(scene.data.train)
    limit = LIMITS["naive Bayes, accuracy"] if scene.data.title == ADULT and complete else None
    report.add(section, "accuracy", accuracy, "", peer=Peer(TWIN, plain), limit=limit)
    report.add(section, "predictions that differ from plaintext", float((codes != expected).sum()), "records")
    report.add(section, "test records", len(codes), "records")
    report.add(section, "training records", len(scene.train), "records")
    report.note(
        section,
        f"{scene.data.split}; {len(schema.features)} features in {schema.width} one-hot columns, "
        f"{schema.class_count} classes; edges from training rows, '?' is a category of its own",
    )
