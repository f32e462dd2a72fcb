"""Logistic regression as other systems have measured it: few steps on few records, and inference in large batches."""

from __future__ import annotations

from typing import Final

import numpy as np

from experiments.both_units import BothUnits
from experiments.learners.comparison import scores
from experiments.learners.data import Source
from experiments.learners.options import REGRESSION, standardisation
from experiments.learners.pair import LearnerPair
from experiments.learners.rivals import RIVALS, absent_systems
from experiments.record import Peer
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from experiments.timing import Timing

FEW_STEPS: Final = f"455 x 30, 25 steps: {REGRESSION}"
EPOCHS: Final = 5
BATCH: Final = 91
"""Five batches of 455 records: 25 steps."""

RATE: Final = 2.0
"""Of 1/20, 1/10, 1/4, 1/2, 1, 2 and 4 the one with the lowest log loss in five-fold cross-validation on the training
rows."""

QUERIES: Final = 4096
SPU: Final = Peer("SPU semi2k, quoted", 1.49)
"""Seconds, without compilation, on another machine of the kind; its own triples come from one of its parties."""

TENSEAL: Final = (Peer("TenSEAL CKKS, quoted", 0.053), Peer("TenSEAL CKKS, quoted", 2500.0))
"""Milliseconds and bytes of a query in batches of 4096; it knows the model, and the bytes are those of its client."""


def measure_regression(report: Report, settings: Settings, both: BothUnits, source: Source) -> None:
    """Train in 25 steps, again and again in turns with scikit-learn; then ask in batches of 4096."""
    section = FEW_STEPS
    (split,) = source.prepared(REGRESSION, None)
    scales = standardisation(split.schema, split.train)
    options = {"epochs": EPOCHS, "batch": BATCH, "learning_rate": RATE, "standardisation": scales}
    generator = np.random.default_rng(settings.seed)
    learners, costs = [], []
    for _ in range(1 + settings.repeats):
        learners.append(LearnerPair(both, REGRESSION, split.schema, options, generator))
        costs.append(learners[-1].learn(split.train))
    ours, cost = learners[-1], costs[-1]
    training = Timing(tuple(each.seconds for each in costs[1:]))  # the first one is a warm-up
    report.time(section, "train + refresh", training, "s", limit=LIMITS["logistic regression, 455 x 30"], keyless=True)
    report.add(section, f"train + refresh, against {SPU.name}", training.median, "s", peer=SPU, keyless=True)
    rival = RIVALS[REGRESSION](split.schema, options)
    rival.fit(split.train)
    codes, truth = split.test.codes, np.asarray(split.test.labels)
    found = scores(truth, ours.classes(codes), ours.ask(codes, "probabilities")[0])
    plain = scores(truth, rival.predict(codes), rival.probabilities(codes))
    report.add(section, "accuracy", found.accuracy, "", peer=Peer(rival.name, plain.accuracy), keyless=True)
    if found.auc is not None and plain.auc is not None:
        report.add(section, "AUC", found.auc, "", peer=Peer(rival.name, plain.auc), keyless=True)
    drawn = codes[generator.integers(0, len(codes), QUERIES)]
    ours.ask(drawn, batch=QUERIES)
    asked = [ours.ask(drawn, batch=QUERIES)[1] for _ in range(settings.repeats)]
    inference = Timing(tuple(each.seconds / QUERIES for each in asked))
    name, (by_time, by_bytes) = f"a query, in batches of {QUERIES}", TENSEAL
    report.time(section, name, inference, "ms", limit=LIMITS["logistic regression, inference"], keyless=True)
    report.add(section, f"{name}, against {by_time.name}", inference.median * 1e3, "ms", peer=by_time, keyless=True)
    size, limit = asked[-1].fuller_direction / QUERIES, LIMITS["logistic regression, inference, bytes"]
    report.add(section, f"{name}: bytes, fuller direction", size, "bytes", peer=by_bytes, limit=limit, keyless=True)
    report.step(section, "training", training.median, cost.traffic, keyless=True)
    report.step(section, f"{QUERIES} queries", asked[-1].seconds, asked[-1].traffic, keyless=True)
    report.note(section, _about_systems())


def _about_systems() -> str:
    missing = absent_systems()
    here = f"{' and '.join(missing)} cannot be imported on this Python" if missing else "both can be imported here"
    return f"SPU and TenSEAL: {here}; their figures are quoted from another machine, and not measured in this run"
