"""Naive Bayes from upload to answer."""

from __future__ import annotations

from experiments.datasets import found
from experiments.naive_bayes.comparison import measure_accuracy
from experiments.naive_bayes.growth import measure_growth
from experiments.naive_bayes.homomorphic import measure_homomorphic
from experiments.naive_bayes.scene import Scene
from experiments.naive_bayes.sealed import measure_sealed
from experiments.naive_bayes.units import measure_memory
from experiments.record import Scribe
from experiments.report import Report, progress
from experiments.settings import Settings

NAME = "naive_bayes"


def run(settings: Settings) -> Report:
    """Run the experiment: the first data set in every detail, of the others the accuracy.

    Raises
    ------
    FileNotFoundError
        There is no data set in the folder.
    SettingError
        The key size is none that a key may have.
    """
    report = Report(Scribe(NAME, settings.key_bits, settings.seed))
    with progress(5) as stages:
        stages.begin("reading data, making keys")
        first, *others = found(settings.data, settings.seed)
        with Scene.make(settings, first) as scene:
            for name, stage in (
                (f"{first.title}: sealed path", measure_sealed),
                (f"{first.title}: homomorphic path", measure_homomorphic),
                (f"{first.title}: growth", measure_growth),
            ):
                stages.begin(name)
                stage(report, settings, scene)
        stages.begin(f"{first.title}: units in processes of their own")
        measure_memory(report, settings, scene)
    for other in others:
        with progress(1) as stages, Scene.make(settings, other) as scene:
            stages.begin(other.title)
            measure_accuracy(report, settings, scene)
    return report
