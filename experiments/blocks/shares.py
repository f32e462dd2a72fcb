"""Every block of the catalogue on shares, on dealt correlations and on transferred ones, in batches of all sizes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np

from building_blocks.catalogue import Block
from experiments.blocks.cost import Cost, affordable, observe, often, within
from experiments.both_units import BothUnits
from experiments.report import Stages
from experiments.settings import BLOCK_BATCH, Settings
from experiments.timing import Timing, Work, measure
from experiments.trial import Values, read, require_right

JUDGED: Final = {"multiply": "product", "less than, as integer": "comparison", "log2": "log2"}
"""Blocks that the targets are about, and what they call them."""

DEALER_FREE: Final = {"multiply": "dealer-free product", "less than, as integer": "dealer-free comparison"}
"""The same without a dealer: measured in the targets' batch however long it takes."""

MOST_WORDS: Final = 1 << 23
"""Of a result: larger ones are measured in smaller batches."""


@dataclass
class Measured:
    """What was measured of one block, in increasing batches.

    Attributes
    ----------
    dealt, transferred
        By the source of correlations.
    plain
        Time of the reference for one value, by batch.
    """

    block: Block
    dealt: list[Cost] = field(default_factory=list)
    transferred: list[Cost] = field(default_factory=list)
    plain: dict[int, Timing] = field(default_factory=dict)


def measure_shares(settings: Settings, stages: Stages, blocks: Sequence[Block]) -> list[Measured]:
    """Measure every block with both sources.

    Raises
    ------
    RuntimeError
        A block computed something else than its reference.
    """
    generator = np.random.default_rng(settings.seed)
    found = [Measured(block) for block in blocks]
    with BothUnits() as dealt, BothUnits(correlations="ot") as transferring:
        for each in found:
            stages.begin(f"{each.block.name}, dealt")
            _measure_dealt(dealt, settings, each, generator)
            stages.begin(f"{each.block.name}, by transfers")
            _measure_transferred(transferring, settings, each, generator)
    return found


def _measure_dealt(both: BothUnits, settings: Settings, measured: Measured, generator: np.random.Generator) -> None:
    block, most = measured.block, float("inf")
    for wanted in settings.batches:
        count = within(wanted, most)
        if measured.dealt and count <= measured.dealt[-1].count:
            break
        inputs, shared = _batch(block, count, generator)
        results = both.run(block.run, *shared)
        require_right(block, inputs, results)
        most = MOST_WORDS * count / sum(part.size for part in read(results))
        timings = measure(
            {
                "block": Work(partial(both.run, block.run, *shared), count),
                "numpy": Work(partial(block.reference, *inputs), count),
            },
            settings.repeats,
        )
        cost = observe(both, block.run, shared, count, settings.repeats)
        measured.dealt.append(replace(cost, timing=timings["block"]))
        measured.plain[count] = timings["numpy"]


def _measure_transferred(
    both: BothUnits, settings: Settings, measured: Measured, generator: np.random.Generator
) -> None:
    block, found = measured.block, measured.transferred
    counts = [cost.count for cost in measured.dealt]
    # rounds dominate the first batch: only from the second one on a batch foretells what a larger one takes
    for count in counts[:2]:
        inputs, shared = _batch(block, count, generator)
        # the first run sets the link up, the second one says for how many more there is time
        require_right(block, inputs, both.run(block.run, *shared))
        seconds = observe(both, block.run, shared, count, 1).timing.median * count
        found.append(observe(both, block.run, shared, count, often(settings, seconds)))
    for wanted in counts[2:]:
        must = block.name in DEALER_FREE and wanted == BLOCK_BATCH
        while found[-1].count < wanted:
            seconds = found[-1].timing.median
            count = wanted if must else affordable(wanted, seconds, settings.budget)
            if count <= found[-1].count:
                return
            _, shared = _batch(block, count, generator)
            found.append(observe(both, block.run, shared, count, often(settings, seconds * count)))


def _batch(block: Block, count: int, generator: np.random.Generator) -> tuple[list[Values], list[Any]]:
    inputs = [operand.sample(count, generator) for operand in block.inputs]
    return inputs, [operand.split(values) for operand, values in zip(block.inputs, inputs, strict=True)]
