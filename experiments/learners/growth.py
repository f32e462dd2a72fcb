"""How training grows with the number of records."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from experiments.both_units import BothUnits
from experiments.learners.data import Source
from experiments.learners.options import options_for
from experiments.learners.pair import LearnerPair
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from experiments.timing import Timing, exponent
from privml.data.encoding import EncodedTable

CHUNK = 1000
DECADE = 10


def measure_growth(report: Report, settings: Settings, both: BothUnits, learner: str, source: Source) -> None:
    """Fit an exponent to the time of training on chunks of a thousand, and of the refresh after the last."""
    section = f"{source.title}, growth: {learner}"
    split = source.prepared(learner, settings.records)[0]
    options = options_for(learner, split.schema, split.train)
    generator = np.random.default_rng(settings.seed)
    sizes = [size for size in settings.growth if size <= len(split.train)]
    if len(sizes) < 2:
        sizes = sorted({max(len(split.train) // part, 1) for part in (1, 2, 4, 8)})

    def train(size: int) -> float:
        table = EncodedTable(split.train.codes[:size], np.asarray(split.train.labels)[:size], 0)
        return LearnerPair(both, learner, split.schema, options, generator).learn(table, CHUNK).seconds

    train(sizes[0])  # a warm-up
    turns = [[train(size) for size in sizes] for _ in range(max(1, settings.repeats // 2))]
    timings = [Timing(samples) for samples in zip(*turns, strict=True)]
    for size, timing in zip(sizes, timings, strict=True):
        report.time(section, f"train + refresh, {size:,} records", timing, "s", keyless=True)
    medians = [timing.median for timing in timings]
    complete = sizes[-1] >= DECADE * sizes[0] and sizes[0] >= CHUNK
    limit = LIMITS["growth"] if complete else None
    report.add(section, _over(sizes), exponent(sizes, medians), "", limit=limit, keyless=True)
    half = len(sizes) // 2
    if half > 1:
        # a tree that has few nodes takes less
        report.add(section, _over(sizes[half:]), exponent(sizes[half:], medians[half:]), "", keyless=True)
    report.note(section, f"chunks of {CHUNK} records, one after another")


def _over(sizes: Sequence[int]) -> str:
    return f"exponent over {sizes[0]:,} to {sizes[-1]:,} records"
