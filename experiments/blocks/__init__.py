"""What every building block costs: on shares with both sources of correlations, and on ciphertexts."""

from __future__ import annotations

from building_blocks.catalogue import BLOCKS
from experiments.blocks.ciphertexts import Scene, ciphertext_blocks, measure_ciphertexts
from experiments.blocks.correlations import KINDS, measure_correlations
from experiments.blocks.figures import write_shares
from experiments.blocks.shares import measure_shares
from experiments.record import Scribe
from experiments.report import Report, progress
from experiments.settings import Settings
from experiments.trial import chosen
from privml.errors import SettingError

NAME = "blocks"


def run(settings: Settings) -> Report:
    """Run the experiment over the catalogue.

    Raises
    ------
    SettingError
        No block has the name that was asked for, or a key size is none that a key may have.
    RuntimeError
        A block computed something else than its reference.
    """
    report = Report(Scribe(NAME, settings.key_bits, settings.seed))
    blocks, encrypted = chosen(BLOCKS, settings.only), chosen(ciphertext_blocks(), settings.only)
    if not blocks and not encrypted:
        raise SettingError(f"no block is called {' or '.join(settings.only)}")
    sizes = settings.key_sizes if encrypted else ()
    with progress(1 + 2 * len(blocks) + len(KINDS) + len(sizes) * len(encrypted)) as stages:
        stages.begin("making keys")
        scenes = [Scene.make(settings, bits) for bits in sizes]
        if blocks:
            write_shares(report, settings, measure_shares(settings, stages, blocks))
        measure_correlations(report, settings, stages)
        measure_ciphertexts(report, settings, stages, scenes, encrypted)
    return report
