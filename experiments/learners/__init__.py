"""Every installed learner beside the same learner in the clear: how good it is, and what it takes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from experiments.both_units import BothUnits
from experiments.learners.comparison import measure_learner
from experiments.learners.data import (
    BREAST_CANCER,
    CAR_SIZED,
    Source,
    absent,
    has_stream,
    read_stream,
    sources,
    stream_title,
)
from experiments.learners.growth import measure_growth
from experiments.learners.lanes import measure_lanes
from experiments.learners.options import LEARNERS, NAIVE_BAYES_LEAVES, REGRESSION, TREE
from experiments.learners.regression import FEW_STEPS, measure_regression
from experiments.learners.scales import PRIVATE_SCALES, measure_scales
from experiments.learners.stream import STREAMED, measure_stream
from experiments.learners.units import measure_units
from experiments.record import Scribe
from experiments.report import Report, progress
from experiments.settings import Settings
from privml.errors import SettingError
from privml.learner import classifier_names

NAME = "learners"
IN_DETAIL = ("Adult", "Phishing")
"""Data sets on which growth, lanes and the memory of each unit are measured."""


@dataclass(frozen=True)
class Stage:
    """A part of the experiment that can be left out; `read` finds out whether its data are there."""

    name: str
    read: Callable[[], object]
    run: Callable[[Report, Settings, BothUnits], None]


def run(settings: Settings) -> Report:
    """Run the experiment.

    Raises
    ------
    FileNotFoundError
        There is no data set in the folder, or a data set's folder lacks a file.
    SettingError
        Nothing is called as asked for.
    """
    installed = [name for name in LEARNERS if name in classifier_names()]
    stages = [stage for stage in _stages(settings, installed) if _is_chosen(stage, settings)]
    if not stages:
        raise SettingError(f"nothing is called {' or '.join(settings.only)}; names are like 'Adult: decision_tree'")
    report = Report(Scribe(NAME, settings.key_bits, settings.seed))
    with progress(1 + len(stages)) as shown, BothUnits() as both:
        shown.begin("reading data")
        for stage in stages:
            stage.read()
        for stage in stages:
            shown.begin(stage.name)
            stage.run(report, settings, both)
    last = next(reversed(report.sections))
    missing = [name for name in LEARNERS if name not in installed]
    report.note(last, f"learners that are not installed: {', '.join(missing) or 'none'}")
    if settings.data is not None:
        report.note(last, f"data sets that are not there: {', '.join(absent(settings.data)) or 'none'}")
    return report


def _stages(settings: Settings, installed: Sequence[str]) -> list[Stage]:
    found: list[Stage] = []
    for source in sources(settings.data, settings.seed):
        for learner in installed:
            found += _of_learner(learner, source)
        if source.title == BREAST_CANCER and REGRESSION in installed:
            found.append(Stage(FEW_STEPS, source.load, partial(measure_regression, source=source)))
            found.append(Stage(PRIVATE_SCALES, source.load, partial(measure_scales, source=source)))
    streamed = [learner for learner in STREAMED if learner in installed]
    if streamed and has_stream(settings.data):
        name = f"{stream_title(settings.data)}: {', '.join(streamed)}"
        read = partial(read_stream, settings.data, settings.seed)
        found.append(Stage(name, read, partial(measure_stream, learners=streamed)))
    return found


def _of_learner(learner: str, source: Source) -> Iterator[Stage]:
    """What is measured of a learner on a data set."""
    measured: dict[str, Callable[..., None]] = {"": measure_learner}
    if learner == TREE:
        what = ", naive Bayes leaves"
        measured[what] = partial(measure_learner, what=what, changes=NAIVE_BAYES_LEAVES)
    if source.title in IN_DETAIL:
        measured |= {
            ", growth": measure_growth,
            ", lanes": measure_lanes,
            ", each unit in a process of its own": measure_units,
        }
    if source.title != CAR_SIZED or learner == TREE:
        for what, measure in measured.items():
            name = f"{source.title}{what}: {learner}"
            yield Stage(name, source.load, partial(measure, learner=learner, source=source))


def _is_chosen(stage: Stage, settings: Settings) -> bool:
    return not settings.only or any(text.lower() in stage.name.lower() for text in settings.only)
