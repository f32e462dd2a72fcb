"""Cryptosystem and uploads: the rows of the targets that are about neither blocks nor classifiers."""

from __future__ import annotations

from experiments.crypto.conversions import measure_conversions
from experiments.crypto.cryptosystem import measure_cryptosystem, measure_key_generation
from experiments.crypto.keys import Keys
from experiments.crypto.primitives import measure_primitives
from experiments.crypto.uploads import measure_registration, measure_uploads
from experiments.record import Scribe
from experiments.report import Report, progress
from experiments.settings import Settings

NAME = "crypto"


def run(settings: Settings) -> Report:
    """Run the experiment.

    Raises
    ------
    SettingError
        The key size is none that a key may have.
    RuntimeError
        A conversion changed a value.
    """
    report = Report(Scribe(NAME, settings.key_bits, settings.seed))
    with progress(7) as stages:
        stages.begin("making keys")
        keys = Keys.make(settings)
        for name, stage in (
            ("encryption and decryption", measure_cryptosystem),
            ("uploads", measure_uploads),
            ("registration", measure_registration),
            ("conversions", measure_conversions),
        ):
            stages.begin(name)
            stage(report, settings, keys)
        for name, alone in (
            ("streams and matrix products", measure_primitives),
            ("key generation", measure_key_generation),
        ):
            stages.begin(name)
            alone(report, settings)
    return report
