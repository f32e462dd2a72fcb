"""The scene: whose records are whose, and which rows the client asks about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from privml.cli.demo.extras import load
from privml.data.proposal import propose_schema
from privml.data.readers import from_rows, read_csv
from privml.data.schema import Schema
from privml.data.table import Table
from privml.errors import SettingError
from privml.learner import classifier as learner
from privml.roles.data_owner import Path as UploadPath

CHUNKS: Final = 4
"""Chunks of each owner."""
_NAMES: Final = ("alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy")
_TRAINING: Final = (3, 4)  # three quarters


@dataclass(frozen=True)
class Labelled:
    """A table with the name of its class column."""

    title: str
    table: Table
    target: str


@dataclass(frozen=True)
class Part:
    """An owner's own records, and how they travel."""

    owner: str
    table: Table
    path: UploadPath

    @property
    def chunk_rows(self) -> int:
        """Records to a chunk, for `CHUNKS` chunks or fewer."""
        return -(-len(self.table) // CHUNKS)


@dataclass(frozen=True)
class Scene:
    """What is there before anything is encrypted.

    Attributes
    ----------
    early, late
        The owners from the start, the first on the homomorphic path if the classifier learns from it, and the one that
        joins later.
    test
        Rows that the client asks about; their classes are known here alone.
    classifier, options
        What learns.
    """

    title: str
    schema: Schema
    early: tuple[Part, ...]
    late: Part
    test: Table
    classifier: str = "naive_bayes"
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All owners."""
        return (*self.early, self.late)

    @property
    def new_records(self) -> int:
        """Records that must come together before the model changes its answers: what the smallest owner brings."""
        return min(len(part.table) for part in self.parts)


def phishing() -> Labelled:
    """The Phishing data set of river: 1250 web pages with 9 features (Abdelhamid et al., UCI repository, 2014)."""
    pages = load("river.datasets").Phishing()
    rows = [{**features, "is_phishing": "yes" if label else "no"} for features, label in pages]
    return Labelled("Phishing, from river", from_rows(rows, origin="Phishing"), "is_phishing")


def from_csv(
    file: Path, target: str, *, delimiter: str = ",", missing: Sequence[str] = (), leave_out: Sequence[str] = ()
) -> Labelled:
    """A table of the user's own, without the columns to leave out.

    Raises
    ------
    DataError
        The file cannot be read, or a column to leave out is not there.
    """
    table = read_csv(file, delimiter=delimiter, missing_values=missing)
    for name in (target, *leave_out):
        table.column(name)  # names the column that is not there
    kept = [name for name in table.names if name not in leave_out]
    columns = tuple(table.column(name) for name in kept)
    return Labelled(file.name, replace(table, names=tuple(kept), columns=columns), target)


def prepare(
    data: Labelled,
    *,
    owners: int,
    seed: int,
    classifier: str = "naive_bayes",
    options: Mapping[str, Any] | None = None,
) -> Scene:
    """Shuffle the rows, keep a quarter for the client, divide the rest among the owners, and propose a schema from it.

    Raises
    ------
    SettingError
        There are too few rows, or the classifier does not take these options.
    DataError
        A column fits no schema.
    """
    rows = _shuffled(data.table, seed)
    training = len(rows) * _TRAINING[0] // _TRAINING[1]
    if training < owners * CHUNKS or training == len(rows):
        least = -(-owners * CHUNKS * _TRAINING[1] // _TRAINING[0])
        raise SettingError(f"{owners} owners need at least {least} rows; {data.table.origin} has {len(rows)}")
    schema = propose_schema(rows.rows(0, training), data.target).schema
    edges = [training * owner // owners for owner in range(owners + 1)]
    names = [*_NAMES, *(f"owner-{number}" for number in range(len(_NAMES) + 1, owners + 1))][:owners]
    half = learner(classifier)(schema, **(options or {}))  # it checks them
    first: UploadPath = "homomorphic" if half.takes_statistics and half.statistics_suffice else "sealed"
    parts = [
        Part(name, rows.rows(start, stop), first if start == 0 else "sealed")
        for name, start, stop in zip(names, edges[:-1], edges[1:], strict=True)
    ]
    questions = rows.rows(training, len(rows))
    return Scene(data.title, schema, tuple(parts[:-1]), parts[-1], questions, classifier, options or {})


def _shuffled(table: Table, seed: int) -> Table:
    order = np.random.default_rng(seed).permutation(len(table))
    lines = None if table.lines is None else table.lines[order]
    return replace(table, columns=tuple(column[order] for column in table.columns), lines=lines)
