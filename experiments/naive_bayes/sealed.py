"""The sealed path: records under pads, opened as shares, counted, refreshed; then every query."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from experiments.naive_bayes.comparison import ADULT, compare
from experiments.naive_bayes.scene import OWNERS, QUERY_BATCH, TWIN, Scene, ask, queries, seal
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from experiments.timing import Timing, Work, measure
from privml.data.encoding import encode
from privml.roles.card import ModelCard
from privml.units.channel import ChannelStatistics


@dataclass(frozen=True)
class Training:
    """One model trained, with the seconds of each step."""

    card: ModelCard
    sealing: float
    taking: float
    refreshing: float
    plain: float
    sent: int
    taken: ChannelStatistics
    refreshed: ChannelStatistics


def measure_sealed(report: Report, settings: Settings, scene: Scene) -> None:
    """Train again and again, in turns with the plaintext twin; then ask."""
    section = f"{scene.data.title}: sealed path"
    _train(scene)  # a warm-up
    runs = [_train(scene) for _ in range(settings.repeats)]
    last = runs[-1]
    sealing, taking, refreshing, plain = (
        Timing(tuple(getattr(run, name) for run in runs)) for name in ("sealing", "taking", "refreshing", "plain")
    )
    whole = Timing(tuple(run.taking + run.refreshing for run in runs))
    judged = scene.data.title == ADULT and len(scene.train) == len(scene.data.train)
    count = len(scene.train)
    report.time(section, f"{OWNERS} owners seal {count:,} records", sealing, "s")
    report.time(section, "both units open the seeds and train", taking, "s")
    report.time(section, "refresh", refreshing, "s")
    limit = LIMITS["naive Bayes, training"] if judged else None
    report.time(section, "train + refresh, after the upload", whole, "s", peer=(TWIN, plain), limit=limit)
    report.add(section, "owners to the Master", last.sent, "bytes")
    report.step(section, "open and train", taking.median, last.taken)
    report.step(section, "refresh", refreshing.median, last.refreshed)
    _queries(report, settings, scene, last.card, section)


def _train(scene: Scene) -> Training:
    provider, card, parts = scene.provider, scene.new_model(), scene.parts()
    start = time.perf_counter()
    messages = seal(card, parts)
    sealed, before = time.perf_counter(), provider.statistics
    for message in messages:
        provider.upload(message)
    taken, between = time.perf_counter(), provider.statistics
    provider.refresh(card.model)
    refreshed, after = time.perf_counter(), provider.statistics
    scene.twin()
    plain = time.perf_counter() - refreshed
    steps = sealed - start, taken - sealed, refreshed - taken, plain
    return Training(card, *steps, sum(map(len, messages)), between - before, after - between)


def _queries(report: Report, settings: Settings, scene: Scene, card: ModelCard, section: str) -> None:
    provider, hot, twin = scene.provider, queries(scene), scene.twin()
    count = len(hot)
    with scene.client.open_session(card) as session:
        before = provider.statistics
        labels = ask(session, provider, hot, QUERY_BATCH)
        between = provider.statistics
        ask(session, provider, hot[:1], 1)
        after = provider.statistics
        one = scene.data.test.rows(0, 1)
        timings = measure(
            {
                "batch": Work(lambda: ask(session, provider, hot, QUERY_BATCH), count),
                "twin": Work(twin.predict, count),
                "one": Work(lambda: ask(session, provider, hot[:1], 1)),
                "twin one": Work(lambda: twin.predict(1)),
                "one from a table": Work(lambda: session.predict(one)),
                "encoding": Work(lambda: encode(scene.data.schema, scene.data.test, labelled=False), count),
            },
            settings.repeats,
        )
        opening = measure({"open": Work(lambda: scene.client.open_session(card))}, settings.repeats)["open"]
    judged = scene.data.title == ADULT
    in_batch = LIMITS["naive Bayes, query in a batch"] if judged and count >= QUERY_BATCH else None
    alone = LIMITS["naive Bayes, query alone"] if judged else None
    name = f"a query, {count:,} in batches of {QUERY_BATCH}"
    report.time(section, name, timings["batch"], "ms", peer=(TWIN, timings["twin"]), limit=in_batch)
    report.time(
        section,
        "a query alone, in an open session",
        timings["one"],
        "ms",
        peer=(TWIN, timings["twin one"]),
        limit=alone,
    )
    report.time(section, "the same from a table with one row", timings["one from a table"], "ms")
    report.time(section, "reading a test record into codes, at the client", timings["encoding"], "ms")
    report.time(section, "opening a session", opening, "ms")
    report.step(section, "all queries in batches", timings["batch"].median * count, between - before)
    report.step(section, "one query", timings["one"].median, after - between)
    compare(report, scene, section, np.asarray(labels))
    report.note(
        section,
        "a step's first message counts with the last one of the step before if both go the same way; time over a link "
        "= seconds here + rounds x round trip + the fuller direction at that rate",
    )
