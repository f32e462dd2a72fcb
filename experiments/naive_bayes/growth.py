"""How training grows with the number of records."""

from __future__ import annotations

import time

import numpy as np

from experiments.naive_bayes.scene import Scene, chunks, rows, seal
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from experiments.timing import Timing, exponent, line
from privml.roles.data_owner import SEALED_CHUNK

CHUNK = 1000
DECADE = 10


def measure_growth(report: Report, settings: Settings, scene: Scene) -> None:
    """Fit an exponent to the time from the first sealed chunk to the refreshed model, for chunks of a thousand."""
    section = f"{scene.data.title}: growth"
    sizes = [size for size in settings.growth if size <= len(scene.train)]
    if len(sizes) < 2:
        sizes = sorted({max(len(scene.train) // part, 1) for part in (1, 2, 4, 8)})
    samples: dict[int, list[float]] = {size: [] for size in sizes}
    for size in sizes:
        _train(scene, size, CHUNK)  # a warm-up
    for _ in range(settings.repeats):
        for size in sizes:
            samples[size].append(_train(scene, size, CHUNK))
    timings = {size: Timing(tuple(found)) for size, found in samples.items()}
    for size, timing in timings.items():
        report.time(section, f"train + refresh, {size:,} records", timing, "s")
    limit = LIMITS["growth"] if sizes[-1] >= DECADE * sizes[0] and sizes[0] >= CHUNK else None
    fitted = exponent(sizes, [timings[size].median for size in sizes])
    report.add(section, f"exponent over {sizes[0]:,} to {sizes[-1]:,} records", fitted, "", limit=limit)
    _one_chunk(report, settings, scene, section)
    report.note(section, f"sealed chunks of at most {CHUNK} records, one after another: opening the seed is part of it")


def _one_chunk(report: Report, settings: Settings, scene: Scene, section: str) -> None:
    """Fit what a chunk costs whatever its size (opening its seed, the refresh), and what a record adds."""
    most = min(SEALED_CHUNK, len(scene.train))
    sizes = [max(most // 8, 1), most]
    samples = [[_train(scene, size, size) for size in sizes] for _ in range(settings.repeats)]
    constant, slope = line(sizes, np.median(samples, axis=0).tolist())
    report.add(section, "one chunk, train + refresh: constant", constant * 1e3, "ms")
    report.add(section, "one chunk, train + refresh: per record", slope * 1e6, "us")


def _train(scene: Scene, records: int, chunk: int) -> float:
    card = scene.new_model()
    owner = scene.owners[0]
    messages = seal(card, [(owner, part) for part in chunks(rows(scene.train, 0, records), chunk)])
    start = time.perf_counter()
    for message in messages:
        scene.provider.upload(message)
    scene.provider.refresh(card.model)
    return time.perf_counter() - start
