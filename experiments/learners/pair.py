"""A learner between both units of this process, which share records that everybody knows: for measuring only."""

from __future__ import annotations

import gc
import time
import tracemalloc
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from experiments.both_units import BothUnits, split
from experiments.memory import MIB
from privml.data.encoding import EncodedTable, one_hot, one_hot_labels
from privml.data.schema import Schema
from privml.learner import Learner, classifier
from privml.units.channel import ChannelStatistics
from privml.units.pair import Pair
from privml.units.unit import Unit

T = TypeVar("T")
QUERY_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of both units with their dealer, and what the units said to each other."""

    seconds: float
    traffic: ChannelStatistics

    @property
    def fuller_direction(self) -> int:
        """Bytes in the direction that has more of them."""
        return max(self.traffic.bytes_sent, self.traffic.bytes_received)


class LearnerPair:
    """Both halves of an untrained learner.

    Parameters
    ----------
    both
        The units.
    name, schema, options
        What the learner is made from.
    generator
        Shares the records; they are no secret here.
    """

    def __init__(
        self, both: BothUnits, name: str, schema: Schema, options: Mapping[str, Any], generator: np.random.Generator
    ) -> None:
        self.schema = schema
        self._both, self._class, self._generator = both, classifier(name), generator
        self._halves: tuple[Learner, Learner] = (self._class(schema, **options), self._class(schema, **options))
        self._chunks = 0

    def learn(self, table: EncodedTable, chunk: int | None = None) -> Cost:
        """Take records in chunks of at most so many, one after another, and bring the model up to date."""
        rows = hot_rows(self.schema, table)
        size = chunk or len(rows)
        shares = [self._share(rows[start : start + size]) for start in range(0, len(rows), size)]
        names = [f"chunk {self._chunks + index}" for index in range(len(shares))]
        self._chunks += len(shares)

        def train(unit: Unit, half: Learner) -> None:
            for chunk_name, share in zip(names, shares, strict=True):
                half.partial_fit(unit, chunk_name, share[0 if unit.is_master else 1])
            half.refresh(unit)

        return self._timed(lambda: self._both.run(train, self._halves))[1]

    def ask(self, codes: NDArray[np.int64], answer: str = "label", batch: int = QUERY_BATCH) -> tuple[Any, Cost]:
        """Ask about records in batches, and read the answers as a client does."""
        rows = one_hot(self.schema, codes)
        shares = [self._share(rows[start : start + batch]) for start in range(0, len(rows), batch)]

        def answers(unit: Unit, half: Learner) -> list[NDArray[np.uint64]]:
            return [half.predict(unit, share[0 if unit.is_master else 1], answer) for share in shares]

        found, cost = self._timed(lambda: self._both.run(answers, self._halves))
        words = np.concatenate([one + other for one, other in zip(*found, strict=True)])
        return self._class.read_answer(self.schema, words, answer), cost

    def classes(self, codes: NDArray[np.int64]) -> NDArray[np.int64]:
        """Codes of the classes that answers name."""
        labels, _ = self.ask(codes)
        places = {label: code for code, label in enumerate(self.schema.classes)}
        return np.array([places[label] for label in labels], dtype=np.int64)

    def _timed(self, work: Callable[[], Pair[T]]) -> tuple[Pair[T], Cost]:
        before, start = self._both.traffic, time.perf_counter()
        found = work()
        return found, Cost(time.perf_counter() - start, self._both.traffic - before)

    def _share(self, rows: NDArray[np.uint64]) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
        one, other = split(rows, self._generator)
        return one.words, other.words


def hot_rows(schema: Schema, table: EncodedTable) -> NDArray[np.uint64]:
    """Records with their classes, as learners take them."""
    if table.labels is None:
        raise ValueError("records to learn from have classes")
    return np.concatenate([one_hot(schema, table.codes), one_hot_labels(schema, table.labels)], axis=1)


def memory_of(work: Callable[[], object]) -> float:
    """MiB that some work holds at its peak beyond what was there before, by Python and numpy's own count."""
    gc.collect()
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1] / MIB
    finally:
        tracemalloc.stop()
