"""The homomorphic path: packed counts under the owners' keys, which the units open to shares and check."""

from __future__ import annotations

import time
from dataclasses import dataclass

from experiments.naive_bayes.comparison import compare, predict
from experiments.naive_bayes.scene import Scene, chunks
from experiments.report import Report
from experiments.settings import Settings
from experiments.timing import Timing
from privml.crypto.envelope import IDENTIFIER_BYTES
from privml.crypto.randomness import random_bytes
from privml.roles.card import ModelCard
from privml.units.channel import ChannelStatistics

CHUNK = 1000
"""Records to a chunk."""


@dataclass(frozen=True)
class Training:
    """One model trained, with the seconds of each step."""

    card: ModelCard
    encrypting: float
    taking: float
    refreshing: float
    uploads: int
    sent: int
    taken: ChannelStatistics
    refreshed: ChannelStatistics


def measure_homomorphic(report: Report, settings: Settings, scene: Scene) -> None:
    """Train on chunks of a thousand records."""
    section = f"{scene.data.title}: homomorphic path"
    # twice at least: the first one makes the owners' tables
    runs = [_train(scene) for _ in range(1 + max(1, settings.repeats // 2))][1:]
    last = runs[-1]
    encrypting, taking, refreshing = (
        Timing(tuple(getattr(run, name) for run in runs)) for name in ("encrypting", "taking", "refreshing")
    )
    ciphertexts = last.card.layout.ciphertexts(scene.provider.parameters)
    report.time(section, f"owners encrypt {last.uploads} chunks of at most {CHUNK}", encrypting, "s")
    report.time(
        section, "of it, a ciphertext with its part of the proof", encrypting * (1 / last.uploads / ciphertexts), "ms"
    )
    report.time(section, "both units verify, convert, check and add", taking, "s")
    report.time(section, "of it, a ciphertext", taking * (1 / last.uploads / ciphertexts), "ms")
    report.time(section, "refresh", refreshing, "s")
    report.add(section, "owners to the Master", last.sent, "bytes")
    report.add(section, "ciphertexts to a chunk", ciphertexts, "ciphertexts")
    report.step(section, "verify, convert, check and add", taking.median, last.taken)
    report.step(section, "refresh", refreshing.median, last.refreshed)
    compare(report, scene, section, predict(scene, last.card))


def _train(scene: Scene) -> Training:
    provider, card = scene.provider, scene.new_model(chunk_rows=CHUNK)
    parts = [(owner, chunk) for owner, part in scene.parts() for chunk in chunks(part, CHUNK)]
    start = time.perf_counter()
    messages = [owner.encrypt(card, chunk, random_bytes(IDENTIFIER_BYTES)) for owner, chunk in parts]
    encrypted, before = time.perf_counter(), provider.statistics
    for message in messages:
        provider.upload(message)
    taken, between = time.perf_counter(), provider.statistics
    provider.refresh(card.model)
    refreshed, after = time.perf_counter(), provider.statistics
    steps = encrypted - start, taken - encrypted, refreshed - taken
    return Training(card, *steps, len(messages), sum(map(len, messages)), between - before, after - between)
