"""A stream: every batch is predicted before it is learned from."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from experiments.both_units import BothUnits
from experiments.learners.data import read_stream, stream_title
from experiments.learners.options import BAYES, TREE, options_for
from experiments.learners.pair import LearnerPair
from experiments.learners.rivals import Codes, Rival, RiverBayes, RiverTree
from experiments.record import Peer
from experiments.report import Report
from experiments.settings import Settings
from privml.data.encoding import EncodedTable

STREAMED: Final = (BAYES, TREE)
BATCH: Final = 500
SMALLEST: Final = 20
"""Batches that a short stream is divided into."""

SMOOTHING: Final = 10
"""Batches that a point of the picture is the mean of."""

Curve = NDArray[np.float64]


def measure_stream(report: Report, settings: Settings, both: BothUnits, learners: Sequence[str]) -> None:
    """Predict, then learn, batch after batch, ours and river's in turns; draw how accuracy goes on."""
    title, (schema, table) = stream_title(settings.data), read_stream(settings.data, settings.seed)
    count = len(table) if settings.records is None else min(settings.records, len(table))
    batch = min(BATCH, max(1, count // SMALLEST))
    codes, labels = table.codes[:count], np.asarray(table.labels)[:count]
    curves: dict[str, Curve] = {}
    for learner in learners:
        options = options_for(learner, schema, table)
        ours = LearnerPair(both, learner, schema, options, np.random.default_rng(settings.seed))
        rival: Rival = RiverBayes(schema, options) if learner == BAYES else RiverTree(schema, options)
        before = both.traffic
        found, seconds = _run(ours, rival, codes, labels, batch)
        traffic = both.traffic - before
        curves |= zip((f"{learner}, ours", f"{learner}, {rival.name}"), found, strict=True)
        section = f"{title}: {learner}"
        (mine, theirs), (my_time, their_time) = (curve.mean() for curve in found), seconds
        report.add(section, "prequential accuracy", mine, "", peer=Peer(rival.name, theirs), keyless=True)
        name = "a record, predicted and learned"
        tested = len(found[0]) * batch
        peer = Peer(rival.name, their_time / tested * 1e3)
        report.add(section, name, my_time / tested * 1e3, "ms", peer=peer, keyless=True)
        report.add(section, "records predicted", tested, "records", keyless=True)
        report.step(section, "whole stream", my_time, traffic, keyless=True)
        report.note(section, f"batches of {batch}; the first one is only learned from, and an incomplete one left out")
    if settings.plots is not None:
        _draw(settings.plots / f"{title.lower().replace(' ', '-')}.png", title, curves, batch)


def _run(
    ours: LearnerPair, rival: Rival, codes: Codes, labels: Codes, batch: int
) -> tuple[tuple[Curve, Curve], tuple[float, float]]:
    """Accuracy on every batch, and seconds, of ours and of the rival's."""
    curves: tuple[list[float], list[float]] = ([], [])
    seconds = [0.0, 0.0]
    for start in range(0, len(codes) - batch + 1, batch):
        block, truth = codes[start : start + batch], labels[start : start + batch]
        if start:
            answer, cost = ours.ask(block, batch=batch)
            curves[0].append(float((answer == np.array(ours.schema.classes, dtype=object)[truth]).mean()))
            seconds[0] += cost.seconds
        seconds[0] += ours.learn(EncodedTable(block, truth, 0)).seconds
        began = time.perf_counter()
        if start:
            curves[1].append(float((rival.predict(block) == truth).mean()))
        rival.fit(EncodedTable(block, truth, 0))
        seconds[1] += time.perf_counter() - began
    return (np.array(curves[0]), np.array(curves[1])), (seconds[0], seconds[1])


def _draw(path: Path, title: str, curves: dict[str, Curve], batch: int) -> None:
    figure = Figure(figsize=(9, 4.5), layout="constrained")
    axes = figure.add_subplot()
    for name, curve in curves.items():
        window = min(SMOOTHING, len(curve))
        smooth = np.convolve(curve, np.ones(window) / window, mode="valid")
        seen = (np.arange(len(smooth)) + window + 1) * batch
        axes.plot(
            seen, smooth, "-" if name.endswith("ours") else "--", linewidth=1.2, label=f"{name}: {curve.mean():.3f}"
        )
    axes.set(
        title=f"{title}: every batch of {batch} records is predicted, then learned",
        xlabel="records",
        ylabel=f"accuracy, mean of {SMOOTHING} batches",
    )
    axes.legend(loc="best", title="mean of all batches")
    figure.savefig(path, dpi=120)
