"""Logistic regression beside systems that compute on hidden data too: few steps on few records, and large batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Final

import numpy as np

from classifiers.regression.schedule import Schedule
from experiments.both_units import BothUnits
from experiments.learners.comparison import scores
from experiments.learners.data import Prepared, Source
from experiments.learners.options import REGRESSION, standardisation
from experiments.learners.pair import LearnerPair
from experiments.learners.rivals import Codes, SklearnRegression
from experiments.peers.system import PeerError, RunningSystem, System
from experiments.peers.turns import Inputs
from experiments.record import Peer
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS, Limit
from experiments.timing import Timing

FEW_STEPS: Final = f"455 x 30, 25 steps: {REGRESSION}"
EPOCHS: Final = 5
BATCH: Final = 91
BATCHES: Final = 5
"""Of 455 records: 25 steps."""

RATE: Final = 2.0
"""Of 1/20, 1/10, 1/4, 1/2, 1, 2 and 4 the one with the lowest log loss in five-fold cross-validation on the training
rows."""

QUERIES: Final = 4096
SPU: Final = System("SPU semi2k", "spu==0.9.5", "experiments.peers.spu_semi2k")
TENSEAL: Final = System("TenSEAL CKKS", "tenseal==0.3.18", "experiments.peers.tenseal_ckks")
QUOTED_TRAINING: Final = Peer(f"{SPU.name} with compilation, quoted", 1.49)
"""Seconds, on another machine of the kind."""

QUOTED_QUERY: Final = (Peer(f"{TENSEAL.name}, quoted", 0.053), Peer(f"{TENSEAL.name}, quoted", 2500.0))
"""Milliseconds and bytes of a query in batches of 4096, on another machine of the kind."""


@dataclass(frozen=True)
class Scene:
    """The data, the same learner in the clear, and where figures go."""

    report: Report
    settings: Settings
    split: Prepared
    plain: SklearnRegression

    def beside(self, stack: ExitStack, system: System, inputs: Inputs) -> RunningSystem | None:
        """Start a peer; None if nobody asked for it, or it cannot be had here, which a note then says."""
        folder = self.settings.peers
        if folder is None:
            why = "--peers DIR installs it and measures it in the same run"
        else:
            try:
                return stack.enter_context(system.running(folder, inputs))
            except PeerError as error:
                why = f"it cannot be measured here: {error}"
        self.report.note(FEW_STEPS, f"{system.name} is quoted from another machine; {why}")
        return None

    def add(self, name: str, value: float, unit: str, peer: Peer, limit: Limit | None = None) -> None:
        """Write down a number beside a peer's."""
        self.report.add(FEW_STEPS, name, value, unit, peer=peer, limit=limit, keyless=True)

    def time(
        self, name: str, ours: Timing, unit: str, peer: tuple[str, Timing] | None = None, limit: Limit | None = None
    ) -> None:
        """Write down a time."""
        self.report.time(FEW_STEPS, name, ours, unit, peer=peer, limit=limit, keyless=True)


def measure_regression(report: Report, settings: Settings, both: BothUnits, source: Source) -> None:
    """Train in 25 steps, again and again in turns with SPU; then ask in batches of 4096, in turns with TenSEAL."""
    (split,) = source.prepared(REGRESSION, None)
    options = {
        "epochs": EPOCHS, "batch": BATCH, "learning_rate": RATE, "schedule": "linear", "average": True,
        "standardisation": standardisation(split.schema, split.train),
    }  # fmt: skip
    generator = np.random.default_rng(settings.seed)
    plain = SklearnRegression(split.schema, options)
    plain.fit(split.train)
    scene = Scene(report, settings, split, plain)
    ours = _train(scene, lambda: LearnerPair(both, REGRESSION, split.schema, options, generator))
    codes = split.test.codes
    _ask(scene, ours, codes[generator.integers(0, len(codes), QUERIES)])


def _train(scene: Scene, make: Callable[[], LearnerPair]) -> LearnerPair:
    train = scene.split.train
    columns = scene.plain.columns(train.codes)
    inputs = {
        "x": np.column_stack([columns, np.ones(len(columns))]),
        "y": np.asarray(train.labels),
        "rates": np.array(Schedule("linear", RATE, 1.0).rates(0, EPOCHS * BATCHES)),
        "batches": np.array(BATCHES),
    }
    costs, theirs = [], []
    with ExitStack() as stack:
        spu = scene.beside(stack, SPU, inputs)
        for _ in range(1 + scene.settings.repeats):
            ours = make()
            costs.append(ours.learn(train))
            theirs += [spu.turn()["seconds"]] if spu else []
    traffic, training = costs[-1].traffic, _timing(cost.seconds for cost in costs)
    scene.time("train + refresh", training, "s", limit=LIMITS["logistic regression, 455 x 30"])
    name = f"train + refresh, beside {SPU.name}"
    if spu:
        limit = LIMITS["logistic regression, 455 x 30, ratio"]
        scene.time(name, training, "s", (SPU.name, _timing(theirs)), limit)
        scene.add("messages of a unit to train", traffic.messages_sent, "", Peer(SPU.name, spu.facts["messages"]))
        fuller = costs[-1].fuller_direction / 1e6
        scene.add("bytes to train, fuller direction", fuller, "MB", Peer(SPU.name, spu.facts["bytes"] / 1e6))
        scene.report.note(
            FEW_STEPS,
            f"{SPU.requirement}: both parties in one process, as ours, without the {spu.facts['compilation']:.2f} s "
            "of compilation; one of its parties knows what the dealer knows of ours",
        )
    else:
        scene.add(name, training.median, "s", QUOTED_TRAINING)
    _compare_quality(scene, ours, spu)
    scene.report.step(FEW_STEPS, "training", training.median, traffic, keyless=True)
    return ours


def _compare_quality(scene: Scene, ours: LearnerPair, spu: RunningSystem | None) -> None:
    codes, truth = scene.split.test.codes, np.asarray(scene.split.test.labels)
    found = scores(truth, ours.classes(codes), ours.ask(codes, "probabilities")[0])
    rivals = {scene.plain.name: scores(truth, scene.plain.predict(codes), scene.plain.probabilities(codes))}
    if spu:
        *weights, intercept = spu.facts["weights"]
        score = scene.plain.columns(codes) @ np.array(weights) + intercept
        rivals[SPU.name] = scores(truth, (score > 0).astype(np.int64), np.column_stack([-score, score]))
    for name, theirs in rivals.items():
        beside = "" if name == scene.plain.name else f", beside {name}"
        scene.add(f"accuracy{beside}", found.accuracy, "", Peer(name, theirs.accuracy))
        if found.auc is not None and theirs.auc is not None:
            scene.add(f"AUC{beside}", found.auc, "", Peer(name, theirs.auc))


def _ask(scene: Scene, ours: LearnerPair, codes: Codes) -> None:
    model = scene.plain.learner
    inputs = {"queries": scene.plain.columns(codes), "weights": model.coef_[0], "intercept": model.intercept_[0]}
    costs, seconds, theirs = [], [], []
    with ExitStack() as stack:
        tenseal = scene.beside(stack, TENSEAL, inputs)
        for _ in range(1 + scene.settings.repeats):
            start = time.perf_counter()
            costs.append(ours.ask(codes, batch=QUERIES)[1])
            seconds.append(time.perf_counter() - start)
            theirs += [tenseal.turn()] if tenseal else []
    name, cost = f"a query, in batches of {QUERIES}", costs[-1]
    units, whole = _timing((each.seconds for each in costs), QUERIES), _timing(seconds, QUERIES)
    limit, (by_time, by_bytes) = LIMITS["logistic regression, inference"], QUOTED_QUERY
    with_client = f"{name}, with its client"
    if tenseal:
        server, both_sides = (_timing((turn[part] for turn in theirs), QUERIES) for part in ("server", "seconds"))
        scene.time(name, units, "ms", (f"{TENSEAL.name}, server", server), limit)
        scene.time(with_client, whole, "ms", (TENSEAL.name, both_sides))
        by_bytes = Peer(TENSEAL.name, theirs[-1]["bytes"] / QUERIES)
        scene.report.note(
            FEW_STEPS,
            f"{TENSEAL.requirement}: its server knows the model, its client gets scores that err by "
            f"{theirs[-1]['error']:.0e}; where ours answers, the model is hidden and clients get labels. Its bytes are "
            f"between client and server, ours between the units, where a client sends {8 * scene.split.schema.width}",
        )
    else:
        scene.time(name, units, "ms", limit=limit)
        scene.add(with_client, whole.median * 1e3, "ms", by_time)
    size, limit = cost.fuller_direction / QUERIES, LIMITS["logistic regression, inference, bytes"]
    scene.add(f"{name}: bytes, fuller direction", size, "bytes", by_bytes, limit)
    scene.report.step(FEW_STEPS, f"{QUERIES} queries", cost.seconds, cost.traffic, keyless=True)


def _timing(seconds: Iterable[float], pieces: int = 1) -> Timing:
    """All turns but the first, which is a warm-up; a turn does so many pieces of work."""
    return Timing(tuple(each / pieces for each in seconds)[1:])
