"""Times that can be compared: rivals take turns in the same run, so that a machine that drifts slows them alike."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

SHORTEST = 0.01
"""Seconds that a sample takes at least: shorter work is repeated within a sample."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that one piece of work takes.

    Attributes
    ----------
    samples
        Of every run, in order, each divided by how much work there was in it.
    """

    samples: tuple[float, ...]

    @property
    def median(self) -> float:
        """The figure to report."""
        return statistics.median(self.samples)

    @property
    def spread(self) -> float:
        """Half of the range between the quartiles, as a part of the median: 0.05 is plus or minus 5 %."""
        low, high = np.quantile(self.samples, [0.25, 0.75])
        return float(high - low) / 2 / self.median if self.median else 0.0

    def ratio(self, peer: Timing) -> float:
        """Median of the quotients of each turn, ours divided by the peer's: a drift slows both sides of each alike."""
        return statistics.median(ours / theirs for ours, theirs in zip(self.samples, peer.samples, strict=True))

    def __mul__(self, factor: float) -> Timing:
        """Give the time of `factor` pieces of work."""
        return Timing(tuple(sample * factor for sample in self.samples))


@dataclass(frozen=True, slots=True)
class Work:
    """What is measured.

    Parameters
    ----------
    run
        The work.
    pieces
        How many pieces `run` does: times are given for one.
    prepare
        Called before each sample, not measured; None if there is nothing to prepare. Such work is not repeated within a
        sample, since it is prepared for one run.
    """

    run: Callable[[], object]
    pieces: float = 1
    prepare: Callable[[], object] | None = None


def measure(work: Mapping[str, Work], repeats: int) -> dict[str, Timing]:
    """Time all works in turns, A B C A B C ..., after one warm-up of each.

    Parameters
    ----------
    work
        By name.
    repeats
        How many samples of each, at least 1.
    """
    often = {name: _repetitions(each) for name, each in work.items()}
    samples: dict[str, list[float]] = {name: [] for name in work}
    gc.collect()  # what others left behind is not ours to clear away
    for _ in range(repeats):
        for name, each in work.items():
            samples[name].append(_sample(each, often[name]))
    return {name: Timing(tuple(found)) for name, found in samples.items()}


def line(sizes: Sequence[float], seconds: Sequence[float]) -> tuple[float, float]:
    """Fit seconds = constant + slope * size by least squares, and return both."""
    slope, constant = np.polyfit(sizes, seconds, 1)
    return float(constant), float(slope)


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Fit seconds = constant * size^e by least squares on logarithms, and return e."""
    return line(np.log(sizes).tolist(), np.log(seconds).tolist())[1]


def _repetitions(work: Work) -> int:
    """Warm up, and find how often to repeat within a sample."""
    _sample(work, 1)
    if work.prepare is not None:
        return 1
    # the first run built tables and filled caches: only the second one says something
    seconds = _sample(work, 1) * work.pieces
    return max(1, round(SHORTEST / max(seconds, 1e-7)))


def _sample(work: Work, times: int) -> float:
    if work.prepare is not None:
        work.prepare()
    start = time.perf_counter()
    for _ in range(times):
        work.run()
    return (time.perf_counter() - start) / times / work.pieces
