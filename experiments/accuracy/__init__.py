"""The worst error of every block over a dense sweep of its inputs, beside the bound that it states."""

from __future__ import annotations

import numpy as np

from building_blocks.catalogue import BLOCKS
from experiments.accuracy.figures import write_errors
from experiments.accuracy.search import search
from experiments.both_units import BothUnits
from experiments.record import Scribe
from experiments.report import Report, progress
from experiments.settings import Settings
from experiments.trial import chosen
from privml.errors import SettingError

NAME = "accuracy"


def run(settings: Settings) -> Report:
    """Run the experiment over the catalogue.

    Raises
    ------
    SettingError
        No block has the name that was asked for.
    RuntimeError
        A block's result has another form than its reference.
    """
    report = Report(Scribe(NAME, settings.key_bits, settings.seed))
    generator = np.random.default_rng(settings.seed)
    blocks = chosen(BLOCKS, settings.only)
    if not blocks:
        raise SettingError(f"no block is called {' or '.join(settings.only)}")
    found = []
    with BothUnits() as both, progress(len(blocks)) as stages:
        for block in blocks:
            stages.begin(block.name)
            found.append(search(both, settings, block, generator))
    write_errors(report, found)
    return report
