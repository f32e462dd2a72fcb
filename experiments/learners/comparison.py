"""A learner on a data set beside its rivals in the clear: how good it is, and what it takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from experiments.both_units import BothUnits
from experiments.learners.data import Prepared, Source
from experiments.learners.options import BAYES, REGRESSION, TREE, options_for
from experiments.learners.pair import QUERY_BATCH, Cost, LearnerPair, memory_of
from experiments.learners.rivals import RIVALS, Rival, TwinTree
from experiments.record import Peer
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS, Limit
from experiments.timing import Timing
from privml.learner import classifier

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {BAYES: "naive Bayes", REGRESSION: "logistic regression", TREE: "tree"}
)
"""What targets call the learners."""


@dataclass(frozen=True)
class Scores:
    """How good predictions are; `auc` is None where it has no meaning."""

    accuracy: float
    auc: float | None


@dataclass(frozen=True)
class Outcome:
    """One training with all its test records."""

    trained: Cost
    rival_trained: float
    asked: list[Cost]
    rival_asked: list[float]
    ours: Scores
    rival: Scores
    twin: Scores | None
    differing: int
    queries: int


def limit_of(settings: Settings, title: str, learner: str, what: str = "") -> Limit | None:
    """What a target says of a learner on a data set, if all its records are taken."""
    return LIMITS.get(f"{TITLES[learner]}, {title}{what}") if settings.records is None else None


def measure_learner(
    report: Report,
    settings: Settings,
    both: BothUnits,
    learner: str,
    source: Source,
    what: str = "",
    changes: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Train on every split, or several times on the only one, in turns with the rival; ask for all test records.

    With other options than usual if there are `changes`; `what` then says so. No target is about these.
    """
    splits = source.prepared(learner, settings.records)
    again = max(1, settings.repeats // 2) if len(splits) == 1 else 1
    generator = np.random.default_rng(settings.seed)

    def options_of(split: Prepared) -> dict[str, Any]:
        return {**options_for(learner, split.schema, split.train), **changes}

    def trained(split: Prepared) -> tuple[LearnerPair, Cost]:
        ours = LearnerPair(both, learner, split.schema, options_of(split), generator)
        return ours, ours.learn(split.train)

    memory = memory_of(lambda: trained(splits[0]))  # and a warm-up
    outcomes = [
        _try(trained, split, learner, options_of(split), settings.repeats) for split in splits for _ in range(again)
    ]
    title = f"{source.title}{what}"
    _write(report, settings, learner, title, outcomes)
    section = f"{title}: {learner}"
    report.add(section, "memory of training at its peak, both units and dealer", memory, "MiB", keyless=True)
    first = splits[0]
    report.note(
        section,
        f"{source.splits[0].split}; {len(first.train):,} training records, {len(first.schema.features)} features in "
        f"{first.schema.width} columns, {first.schema.class_count} classes; "
        + ", ".join(f"{name} {value}" for name, value in options_of(first).items() if name != "standardisation"),
    )


def _try(
    trained: Callable[[Prepared], tuple[LearnerPair, Cost]],
    split: Prepared,
    learner: str,
    options: Mapping[str, Any],
    repeats: int,
) -> Outcome:
    ours, cost = trained(split)
    start = time.perf_counter()
    rival = RIVALS[learner](split.schema, options)
    rival.fit(split.train)
    rival_trained = time.perf_counter() - start
    codes, truth = split.test.codes, np.asarray(split.test.labels)
    labels = ours.classes(codes)  # and a warm-up
    asked, rival_asked = [], []
    for _ in range(repeats):
        asked.append(ours.ask(codes)[1])
        start = time.perf_counter()
        rival.predict(codes)
        rival_asked.append(time.perf_counter() - start)
    twin = _twin(split, options) if learner == TREE else None
    return Outcome(
        cost,
        rival_trained,
        asked,
        rival_asked,
        scores(truth, labels, ours.ask(codes, "probabilities")[0]),
        scores(truth, rival.predict(codes), rival.probabilities(codes)),
        None if twin is None else scores(truth, twin.predict(codes), twin.probabilities(codes)),
        0 if twin is None else int((labels != twin.predict(codes)).sum()),
        len(codes),
    )


def _twin(split: Prepared, options: Mapping[str, Any]) -> Rival:
    twin = TwinTree(split.schema, classifier(TREE)(split.schema, **options).options)
    twin.fit(split.train)
    return twin


def _write(report: Report, settings: Settings, learner: str, title: str, outcomes: list[Outcome]) -> None:
    section, last = f"{title}: {learner}", outcomes[-1]

    def limit(what: str = "") -> Limit | None:
        return limit_of(settings, title, learner, what)

    rival = RIVALS[learner].name
    training = Timing(tuple(outcome.trained.seconds for outcome in outcomes))
    rival_training = Timing(tuple(outcome.rival_trained for outcome in outcomes))
    report.time(section, "train + refresh", training, "s", peer=(rival, rival_training), limit=limit(), keyless=True)
    traffic = last.trained.traffic
    report.add(section, "rounds to train", traffic.rounds, "rounds", limit=limit(", rounds"), keyless=True)
    fuller = last.trained.fuller_direction / 1e6
    report.add(section, "bytes to train, fuller direction", fuller, "MB", limit=limit(", bytes"), keyless=True)
    queries = Timing(tuple(cost.seconds / o.queries for o in outcomes for cost in o.asked))
    rivals = Timing(tuple(seconds / o.queries for o in outcomes for seconds in o.rival_asked))
    judged = LIMITS["tree, query in a batch"] if limit() and learner == TREE and last.queries >= QUERY_BATCH else None
    name = f"a query, {last.queries:,} in batches of {QUERY_BATCH}"
    report.time(section, name, queries, "ms", peer=(rival, rivals), limit=judged, keyless=True)
    for what in ("accuracy", "AUC"):
        ours = _mean(what, (outcome.ours for outcome in outcomes))
        beside = Peer(rival, plain) if (plain := _mean(what, (o.rival for o in outcomes))) is not None else None
        twins = _mean(what, (outcome.twin for outcome in outcomes))
        if ours is not None:
            report.add(section, what, ours, "", peer=beside, limit=limit(f", {what}"), keyless=True)
        if ours is not None and twins is not None:
            peer = Peer(TwinTree.name, twins)
            report.add(section, f"{what}, beside the {TwinTree.name}", ours, "", peer=peer, keyless=True)
    if last.twin is not None:
        differing = sum(outcome.differing for outcome in outcomes)
        against = limit(", differing predictions")
        name = f"predictions that differ from the {TwinTree.name}'s"
        report.add(section, name, differing, "records", limit=against, keyless=True)
    report.step(section, "training", training.median, traffic, keyless=True)
    report.step(section, "all queries", last.asked[-1].seconds, last.asked[-1].traffic, keyless=True)


def _mean(what: str, found: Iterable[Scores | None]) -> float | None:
    """Mean of a score over the trainings that have it."""
    values = [each.auc if what == "AUC" else each.accuracy for each in found if each is not None]
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def scores(truth: NDArray[np.int64], predicted: NDArray[np.int64], probabilities: NDArray[np.float64]) -> Scores:
    """Accuracy, and the area under the curve: of several classes each against all others, weighted by its records."""
    columns = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    counts = {column: int((truth == column).sum()) for column in columns}
    known = [column for column, count in counts.items() if 0 < count < len(truth)]
    areas = [float(roc_auc_score(truth == column, probabilities[:, column])) for column in known]
    auc = float(np.average(areas, weights=[counts[column] for column in known])) if known else None
    return Scores(float((truth == predicted).mean()), auc)
