"""The worst error of a block that was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from building_blocks.catalogue import Block
from experiments.trial import Deviation, Values


@dataclass
class Worst:
    """What was found of a block's errors so far.

    Attributes
    ----------
    tried
        Values of the batch.
    broken
        Of them, those that are off by more than the stated bound.
    error, bound, share
        Where most of the bound is used: the error, the bound there, and their quotient (0 where the bound is).
    place
        The inputs there, as integers; none where the result belongs to no single value of the batch.
    """

    block: Block
    tried: int = 0
    broken: int = 0
    error: float = 0.0
    bound: float = 0.0
    share: float = 0.0
    place: list[Values] = field(default_factory=list)
    _rank: float = -1.0

    @property
    def is_exact(self) -> bool:
        """Whether no error at all is allowed."""
        return not callable(self.block.tolerance) and not np.any(self.block.tolerance)

    def take(self, inputs: Sequence[Values], parts: Sequence[Deviation], count: int) -> None:
        """Look at a batch of `count` values."""
        broken = np.zeros(count, dtype=bool)
        for part in parts:
            rows = count if part.error.shape[:1] == (count,) else 1
            by_row = Deviation(*(each.reshape(rows, -1) for each in part))
            broken |= by_row.broken.any(axis=-1)
            self._compare(inputs, by_row, rows == count)
        self.tried += count
        self.broken += int(broken.sum())

    def _compare(self, inputs: Sequence[Values], deviation: Deviation, by_row: bool) -> None:
        if not deviation.error.size:
            return
        # what breaks its bound comes first, also an error that is no number, or where no error is allowed
        rank = np.where(deviation.broken, 1 + np.fmax(deviation.share, 0), deviation.share)
        largest = np.unravel_index(np.argmax(rank), rank.shape)
        if rank[largest] <= self._rank:
            return
        self._rank = float(rank[largest])
        self.error, self.bound, self.share = (
            float(each[largest]) for each in (deviation.error, deviation.bound, deviation.share)
        )
        row = int(largest[0])
        self.place = [
            np.asarray(values[row])
            for values, operand in zip(inputs, self.block.inputs, strict=True)
            if by_row and operand.batched
        ]
