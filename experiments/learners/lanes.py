"""A learner that divides its work among lanes, beside itself without: the same answers, and what the time is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.both_units import BothUnits
from experiments.learners.data import Prepared, Source
from experiments.learners.options import REGRESSION, options_for
from experiments.learners.pair import Cost, LearnerPair
from experiments.report import Report
from experiments.settings import Settings
from experiments.timing import Timing
from privml.units.channel import ChannelStatistics
from privml.units.lanes import Lanes, thread_lanes
from privml.units.lanes.cluster import ClusterLanes
from privml.units.pair import Pair

COUNT: Final = 2
ALONE: Final = "no lanes"
THREADS: Final = f"{COUNT} lanes of threads"
CLUSTERS: Final = f"{COUNT} lanes on two Dask clusters"
LARGE_BATCHES: Final[Mapping[str, Mapping[str, Any]]] = {REGRESSION: {"batch": 4096}}
"""What is worth dividing: other batches than usual, which make other models."""


@dataclass
class Way:
    """What was seen of one way to work."""

    trained: list[float] = field(default_factory=list)
    asked: list[float] = field(default_factory=list)
    traffic: list[ChannelStatistics] = field(default_factory=list)
    classes: NDArray[np.int64] | None = None


def measure_lanes(report: Report, settings: Settings, both: BothUnits, learner: str, source: Source) -> None:
    """Train and ask about all test records in one batch, by each way in turn."""
    (split, *_) = source.prepared(learner, settings.records)
    options = {**options_for(learner, split.schema, split.train), **LARGE_BATCHES.get(learner, {})}
    section = f"{source.title}, lanes: {learner}"
    ways: dict[str, Way] = {}
    with ExitStack() as stack:
        units = {ALONE: both, THREADS: stack.enter_context(BothUnits(lanes=thread_lanes(COUNT)))}
        try:
            units[CLUSTERS] = stack.enter_context(BothUnits(lanes=stack.enter_context(_dask())))
        except ImportError:
            report.note(section, "Dask is not installed: pip install '.[dask]' measures clusters as well")
        for turn in range(1 + max(1, settings.repeats // 2)):
            for name, pair in units.items():
                way = ways.setdefault(name, Way())
                trained, asked = _try(pair, learner, split, options, settings.seed, way)
                if turn:  # the first one opens the lanes
                    way.trained.append(trained.seconds)
                    way.asked.append(asked.seconds)
                    way.traffic = [trained.traffic, asked.traffic]
    alone = ways[ALONE]
    for name, way in ways.items():
        peers = None if way is alone else (Timing(tuple(alone.trained)), Timing(tuple(alone.asked)))
        for place, (what, seconds) in enumerate((("train + refresh", way.trained), ("ask", way.asked))):
            peer = None if peers is None else (ALONE, peers[place])
            report.time(section, f"{what}, {name}", Timing(tuple(seconds)), "s", peer=peer, keyless=True)
            report.step(section, f"{what}, {name}", Timing(tuple(seconds)).median, way.traffic[place], keyless=True)
        if way is not alone:
            differing = float(np.count_nonzero(way.classes != alone.classes))
            report.add(section, f"predictions that differ, {name}", differing, "", keyless=True)
    report.note(
        section,
        f"{len(split.train):,} training records; {len(split.test):,} test records in one batch; rounds are those of "
        "the units' own link and of the lane with most",
    )


def _try(
    both: BothUnits, learner: str, split: Prepared, options: Mapping[str, Any], seed: int, way: Way
) -> tuple[Cost, Cost]:
    pair = LearnerPair(both, learner, split.schema, options, np.random.default_rng(seed))
    trained = pair.learn(split.train)
    labels, asked = pair.ask(split.test.codes, batch=len(split.test))
    places = {label: code for code, label in enumerate(split.schema.classes)}
    way.classes = np.array([places[label] for label in labels], dtype=np.int64)
    return trained, asked


@contextmanager
def _dask() -> Iterator[Pair[Lanes]]:
    """Lanes on a Dask cluster for each unit, in processes of this machine."""
    from distributed import Client, LocalCluster  # noqa: PLC0415 - an extra

    with ExitStack() as stack:
        lanes = []
        for _ in range(2):
            cluster = stack.enter_context(
                LocalCluster(n_workers=COUNT, threads_per_worker=1, dashboard_address=":0")  # type: ignore[no-untyped-call]
            )
            client = stack.enter_context(Client(cluster, set_as_default=False))  # type: ignore[no-untyped-call]
            lanes.append(ClusterLanes(COUNT, "dask", client=client))
        yield Pair(*lanes)
