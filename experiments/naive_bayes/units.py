"""What each unit takes where it runs alone: memory, and time over a real TLS connection."""

from __future__ import annotations

import time

import numpy as np

from experiments.apart import PROVIDER, ApartProvider
from experiments.memory import peak
from experiments.naive_bayes.comparison import ADULT
from experiments.naive_bayes.scene import QUERY_BATCH, TWIN, Scene, ask, make_authority, queries, seal
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from privml.roles.card import ModelCard
from privml.roles.client import Client
from privml.roles.data_owner import DataOwner


def measure_memory(report: Report, settings: Settings, scene: Scene) -> None:
    """Upload, refresh and all queries once more, with each unit in a process of its own."""
    section = f"{scene.data.title}: each unit in a process of its own"
    judged = scene.data.title == ADULT and len(scene.train) == len(scene.data.train)
    with ApartProvider(make_authority(settings)) as provider:
        idle = provider.peaks()
        card = ModelCard(provider.parameters, PROVIDER, "model", "naive_bayes", scene.data.schema)
        provider.host(card)
        parts = [(DataOwner.join(provider, owner.identity), part) for owner, part in scene.parts()]
        messages = seal(card, parts)
        start = time.perf_counter()
        for message in messages:
            provider.upload(message)
        provider.refresh(card.model)
        trained = time.perf_counter()
        hot = queries(scene)
        with Client.join(provider, "client").open_session(card) as session:
            asked = time.perf_counter()
            labels = ask(session, provider, hot, QUERY_BATCH)
            answered = time.perf_counter()
        peaks = provider.peaks()
    expected = np.array(scene.data.schema.classes, dtype=object)[scene.twin().predict()]
    report.add(section, "train + refresh, over TLS here", trained - start, "s")
    report.add(section, f"a query, {len(hot):,} in batches of {QUERY_BATCH}", (answered - asked) / len(hot) * 1e3, "ms")
    differing = float((labels != expected).sum())
    report.add(section, f"predictions that differ from {TWIN}", differing, "records")
    limit = LIMITS["memory"] if judged else None
    for role, before, after in zip(("Master", "Secondary with dealer"), idle, peaks, strict=True):
        if before is not None and after is not None:
            report.add(section, f"{role}: peak memory of the process", after, "MiB", limit=limit)
            report.add(section, f"{role}: of it, before the first upload", before, "MiB")
    mine = peak()
    if mine is not None:
        report.add(section, "peak memory of the experiment's own process, everybody in it", mine, "MiB")
    report.note(
        section, "peak resident memory of a fresh process with nothing else in it, Python and libraries included"
    )
