"""Going over a block's inputs for its worst error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from building_blocks.catalogue import Block
from experiments.accuracy.sweep import sweep
from experiments.accuracy.worst import Worst
from experiments.both_units import BothUnits
from experiments.settings import Settings
from experiments.trial import deviations, read

if TYPE_CHECKING:
    from experiments.accuracy.plot import ErrorPlot

BATCH_WORDS: Final = 1 << 18
"""Of inputs or results of a batch."""

MOST_WORDS: Final = 1 << 24
"""Of inputs or results of a block; where a value has many words, fewer values are tried."""


def search(both: BothUnits, settings: Settings, block: Block, generator: np.random.Generator) -> Worst:
    """Try a block on a dense sweep of its inputs, and draw its errors if plots are wanted.

    Raises
    ------
    RuntimeError
        The result has another form than the reference.
    """
    words = _words(both, block, generator)
    points, rows = min(settings.points, MOST_WORDS // words), max(BATCH_WORDS // words, 1)
    worst, plot = Worst(block), _plot(settings, block)
    for inputs in sweep(block.inputs, points, rows, generator):
        shared = [operand.split(values) for operand, values in zip(block.inputs, inputs, strict=True)]
        parts = deviations(block, inputs, both.run(block.run, *shared))
        count = next(len(values) for values, operand in zip(inputs, block.inputs, strict=True) if operand.batched)
        worst.take(inputs, parts, count)
        if plot is not None:
            plot.take(inputs, parts)
    if plot is not None and settings.plots is not None:
        plot.save(settings.plots)
    return worst


def _words(both: BothUnits, block: Block, generator: np.random.Generator) -> int:
    """Words of an input or a result for one value, whichever has more."""
    few = [operand.sample(2, generator) for operand in block.inputs]
    shared = [operand.split(values) for operand, values in zip(block.inputs, few, strict=True)]
    results = [part.size // 2 for part in read(both.run(block.run, *shared))]
    return max(1, *results, *(math.prod(operand.shape) for operand in block.inputs if operand.batched))


def _plot(settings: Settings, block: Block) -> ErrorPlot | None:
    if settings.plots is None or Worst(block).is_exact or block.inputs[0].shape or not block.inputs[0].batched:
        return None
    # takes half a second to load, which the other experiments need not wait for
    from experiments.accuracy.plot import ErrorPlot  # noqa: PLC0415

    return ErrorPlot(block)
