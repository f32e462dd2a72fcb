"""Public data sets with what naive Bayes needs of them: a schema, training rows and test rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from river.datasets import Phishing

from privml.data.csv_format import CsvFormat
from privml.data.encoding import EncodedTable, encode
from privml.data.feature import Feature, Numeric
from privml.data.proposal import propose_schema
from privml.data.readers import from_rows
from privml.data.schema import Schema
from privml.data.table import Table

BINS = 8
TRAINING_SHARE = 0.7


@dataclass(frozen=True)
class DataSet:
    """A data set, split.

    Edges of bins come from the training rows alone. Categories and classes are those of the whole data set, as its
    public description lists them. A cell that says "?" or "unknown" has that as its value, one category like any other.

    Parameters
    ----------
    title
        Of the data set.
    split
        How training and test rows were told apart.
    train, test
        The rows.
    target
        Name of the class column.
    """

    title: str
    split: str
    train: Table
    test: Table
    target: str

    @cached_property
    def schema(self) -> Schema:
        """Numbers of more than eight values in eight quantile bins, fewer where edges coincide; the rest as listed."""
        from_training = propose_schema(self.train, self.target, bins=BINS, max_values=BINS).schema
        whole = propose_schema(_joined(self.train, self.test), self.target, bins=BINS, max_values=BINS).schema
        features: list[Feature] = [
            binned if isinstance(binned, Numeric) else listed
            for binned, listed in zip(from_training.features, whole.features, strict=True)
        ]
        return Schema(tuple(features), self.target, whole.classes)

    def encoded(self, records: int | None = None) -> tuple[EncodedTable, EncodedTable]:
        """Training rows, at most so many of them, and test rows in codes."""
        train = self.train if records is None else self.train.rows(0, records)
        return encode(self.schema, train), encode(self.schema, self.test)


def _joined(first: Table, second: Table) -> Table:
    columns = (np.concatenate([first.column(name), second.column(name)]) for name in first.names)
    return Table(first.names, tuple(columns), first.origin)


def _shuffled(title: str, table: Table, target: str, seed: int) -> DataSet:
    order = np.random.default_rng(seed).permutation(len(table))
    rows = replace(table, columns=tuple(column[order] for column in table.columns), lines=None)
    training = round(TRAINING_SHARE * len(rows))
    split = f"{TRAINING_SHARE:.0%} of the rows, drawn by seed {seed}, for training"
    return DataSet(title, split, rows.rows(0, training), rows.rows(training, len(rows)), target)


def adult(folder: Path, seed: int) -> DataSet:
    """UCI Adult, with its own split."""
    names = (
        "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation", "relationship",
        "race", "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
    )  # fmt: skip
    # the test file begins with a comment and ends its classes with a dot
    form = CsvFormat(header=names, comment="|", converters={"income": lambda text: text.removesuffix(".")})
    train, test = (form.read(file_in(folder / "adult", f"adult.{part}")) for part in ("data", "test"))
    del seed  # nothing is drawn
    return DataSet("Adult", "its own split", train, test, "income")


def nursery(folder: Path, seed: int) -> DataSet:
    """UCI Nursery."""
    names = ("parents", "has_nurs", "form", "children", "housing", "finance", "social", "health", "class")
    table = CsvFormat(header=names).read(file_in(folder / "nursery", "nursery.data"))
    return _shuffled("Nursery", table, "class", seed)


def bank(folder: Path, seed: int) -> DataSet:
    """UCI Bank Marketing."""
    return _shuffled("Bank", CsvFormat(delimiter=";").read(file_in(folder / "bank", "bank-full.csv")), "y", seed)


def bcw(folder: Path, seed: int) -> DataSet:
    """UCI Breast Cancer Wisconsin (original), without the sample number."""
    names = (
        "sample", "thickness", "size", "shape", "adhesion", "epithelial", "nuclei", "chromatin", "nucleoli", "mitoses",
        "class",
    )  # fmt: skip
    table = CsvFormat(header=names).read(file_in(folder / "bcw", "breast-cancer-wisconsin.data"))
    table = replace(table, names=table.names[1:], columns=table.columns[1:])
    return _shuffled("BCW", table, "class", seed)


def phishing(seed: int) -> DataSet:
    """UCI Website Phishing, which ships with river."""
    rows = [{**features, "is_phishing": label} for features, label in Phishing()]
    return _shuffled("Phishing", from_rows(rows, origin="Phishing"), "is_phishing", seed)


READERS: Final[Mapping[str, Callable[[Path, int], DataSet]]] = MappingProxyType(
    {"adult": adult, "nursery": nursery, "bank": bank, "bcw": bcw}
)
"""By folder."""


def found(folder: Path | None, seed: int) -> list[DataSet]:
    """Read the data sets that lie in a folder, Adult first; the one that ships with a dependency without a folder.

    Raises
    ------
    FileNotFoundError
        The folder has none of them, or a data set's folder lacks a file.
    """
    if folder is None:
        return [phishing(seed)]
    sets = [read(folder, seed) for name, read in READERS.items() if (folder / name).is_dir()]
    if not sets:
        raise FileNotFoundError(f"{folder} has none of the folders {', '.join(READERS)}")
    return sets


def file_in(folder: Path, name: str) -> Path:
    """Find a file of a data set, gzipped or not.

    Raises
    ------
    FileNotFoundError
        It is not there.
    """
    for candidate in (folder / name, folder / f"{name}.gz"):
        if candidate.exists():
            return candidate
    raise FileNotFoundError(f"{folder} has neither {name} nor {name}.gz")
