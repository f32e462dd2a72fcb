"""How training grows with the number of records."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise

import numpy as np

from experiments.both_units import BothUnits
from experiments.learners.data import Source
from experiments.learners.options import TREE, options_for
from experiments.learners.pair import LearnerPair
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from experiments.timing import Timing, exponent
from privml.data.encoding import EncodedTable

CHUNK = 1000
DECADE = 10
GROWN = (8, 16, 32, 64, 80)
"""A decade of sizes, as multiples of the smallest one, on which a tree does not get any larger."""


def measure_growth(report: Report, settings: Settings, both: BothUnits, learner: str, source: Source) -> None:
    """Fit an exponent to the time of training on chunks of a thousand, and of the refresh after the last.

    What a tree takes for a record grows with it: a second exponent is about the decade after that.
    """
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
    note = f"chunks of {CHUNK} records, one after another"
    if learner == TREE:
        grown = [sizes[0] * factor for factor in GROWN]
        ours = (LearnerPair(both, learner, split.schema, options, generator) for _ in turns)
        passes = [_passed(each, _repeated(split.train, grown[-1]), grown) for each in ours]
        seconds = [float(np.median(samples)) for samples in zip(*passes, strict=True)]
        report.add(section, _over(grown), exponent(grown, seconds), "", keyless=True)
        note += f"; from {grown[0]:,} records on the tree has its full public size, and rows are repeated"
    report.note(section, note)


def _passed(ours: LearnerPair, table: EncodedTable, sizes: Sequence[int]) -> list[float]:
    """Seconds after which a learner that goes through a table once has come so far."""
    parts = (EncodedTable(table.codes[a:b], np.asarray(table.labels)[a:b], 0) for a, b in pairwise([0, *sizes]))
    return list(accumulate(ours.learn(part, CHUNK).seconds for part in parts))


def _repeated(table: EncodedTable, size: int) -> EncodedTable:
    rows = np.arange(size) % len(table)
    return EncodedTable(table.codes[rows], np.asarray(table.labels)[rows], 0)


def _over(sizes: Sequence[int]) -> str:
    return f"exponent over {sizes[0]:,} to {sizes[-1]:,} records"
