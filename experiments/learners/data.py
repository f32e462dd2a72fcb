"""Data sets for learners that take numbers as they are, and for those that take bins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import product
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import StratifiedKFold, train_test_split

from experiments.datasets import BINS, READERS, DataSet, file_in, phishing
from experiments.learners.options import REGRESSION
from privml.data.continuous import Continuous
from privml.data.csv_format import CsvFormat
from privml.data.encoding import EncodedTable, encode
from privml.data.feature import Categorical, Feature
from privml.data.proposal import propose_schema
from privml.data.schema import Schema
from privml.data.table import Table

TARGET: Final = "class"
BREAST_CANCER: Final = "Breast cancer"
CAR_SIZED: Final = "car-sized"
FOLDS: Final = 5
MEDICAL: Final = ("edin", "lbw", "nhanes3", "pcs", "uis")
TITLES: Final = MappingProxyType({"adult": "Adult", "nursery": "Nursery", "bank": "Bank", "bcw": "BCW"})
CAR: Final = (4, 4, 4, 3, 3, 3)
"""Values of each feature of UCI Car Evaluation, which has every combination once: 1728 records."""


@dataclass(frozen=True)
class Prepared:
    """Training and test rows in the codes of a schema."""

    schema: Schema
    train: EncodedTable
    test: EncodedTable


@dataclass(frozen=True)
class Source:
    """A data set with one split or several.

    Parameters
    ----------
    title
        Of the data set.
    read
        Reads its splits.
    as_numbers
        Whether logistic regression takes numbers by their value, and not by their bin.
    """

    title: str
    read: Callable[[], Sequence[DataSet]]
    as_numbers: bool = False

    @cached_property
    def splits(self) -> Sequence[DataSet]:
        """All splits, read once."""
        return self.read()

    def load(self) -> None:
        """Read the splits now."""
        _ = self.splits

    def prepared(self, learner: str, records: int | None) -> list[Prepared]:
        """All splits as a learner takes them, with at most so many training and test records."""
        return [self._prepare(split, learner, records) for split in self.splits]

    def _prepare(self, split: DataSet, learner: str, records: int | None) -> Prepared:
        schema = with_numbers(split) if self.as_numbers and learner == REGRESSION else split.schema
        most = max(len(split.train), len(split.test)) if records is None else records
        train, test = (encode(schema, table.rows(0, most)) for table in (split.train, split.test))
        return Prepared(schema, train, test)


def sources(folder: Path | None, seed: int) -> list[Source]:
    """Data sets with training and test rows: those in a folder, and those that need none.

    Raises
    ------
    FileNotFoundError
        There is no data set in the folder.
    """
    always = [
        Source(BREAST_CANCER, partial(breast_cancer, seed), as_numbers=True),
        Source(CAR_SIZED, partial(car_sized, seed)),
    ]
    if folder is None:
        return [Source("Phishing", lambda: [phishing(seed)]), *always]
    tables = [
        Source(title, partial(_one, name, folder, seed)) for name, title in TITLES.items() if (folder / name).is_dir()
    ]
    medical = [Source(name, partial(folds, folder, name, seed), as_numbers=True) for name in MEDICAL]
    if not (folder / "helr").is_dir():
        medical = []
    if not tables and not medical and not (folder / "elec2").is_dir():
        raise FileNotFoundError(f"{folder} has none of the folders {', '.join((*TITLES, 'helr', 'elec2'))}")
    return [*tables, *always, *medical]


def absent(folder: Path | None) -> list[str]:
    """Folders of data sets that are not there."""
    return [name for name in (*TITLES, "helr", "elec2") if folder is None or not (folder / name).is_dir()]


def _one(name: str, folder: Path, seed: int) -> list[DataSet]:
    return [READERS[name](folder, seed)]


def with_numbers(data: DataSet) -> Schema:
    """The schema of a data set with its numbers by their value; limits are those of the whole data set."""

    def of(feature: Feature) -> Feature:
        if isinstance(feature, Categorical):
            return feature
        column = np.concatenate([data.train.column(feature.name), data.test.column(feature.name)]).astype(np.float64)
        return Continuous(feature.name, float(column.min()), float(column.max()))

    return Schema(tuple(of(feature) for feature in data.schema.features), data.target, data.schema.classes)


def breast_cancer(seed: int) -> list[DataSet]:
    """UCI Breast Cancer Wisconsin (diagnostic), which ships with scikit-learn: 455 training records, 30 features."""
    numbers, labels = load_breast_cancer(return_X_y=True)
    train, test = train_test_split(np.arange(len(labels)), test_size=0.2, random_state=seed, stratify=labels)
    return [_data_set(BREAST_CANCER, numbers, labels, (train, test), f"80% of the rows, drawn by seed {seed}")]


def folds(folder: Path, name: str, seed: int) -> list[DataSet]:
    """One of the medical data sets of Kim et al. (JMIR Med Inform 6(2):e19, 2018), in five stratified folds."""
    table = np.loadtxt(file_in(folder / "helr", f"{name}.txt"))
    numbers, labels = table[:, :-1], table[:, -1].astype(np.int64)
    parts = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(numbers, labels)
    # the order of a file may follow its classes, and steps go through records in their order
    generator = np.random.default_rng(seed)
    shuffled = [(generator.permutation(train), test) for train, test in parts]
    return [_data_set(name, numbers, labels, part, f"{FOLDS} stratified folds, seed {seed}") for part in shuffled]


def car_sized(seed: int) -> list[DataSet]:
    """As many records, features and classes as UCI Car Evaluation has, with classes by a rule that is made up."""
    codes = np.random.default_rng(seed).permutation(np.array(list(product(*map(range, CAR)))))
    graded = codes / (np.array(CAR) - 1) @ np.array([1.0, 1.0, 0.5, 1.5, 0.5, 2.0])
    # acceptable at all only if two features are above their least, as in the original
    labels = np.where((codes[:, 3] > 0) & (codes[:, 5] > 0), np.digitize(graded, [3.5, 4.5, 5.5]), 0)
    data = _data_set(
        CAR_SIZED,
        codes,
        labels,
        (np.arange(len(codes)), np.arange(len(codes))),
        "classes by a rule that is made up, all rows to train and to ask about",
    )
    return [data]


def has_stream(folder: Path | None) -> bool:
    """Whether there is a stream."""
    return folder is None or (folder / "elec2").is_dir()


def stream_title(folder: Path | None) -> str:
    """What the stream is called."""
    return "Phishing stream" if folder is None else "Elec2 stream"


def read_stream(folder: Path | None, seed: int) -> tuple[Schema, EncodedTable]:
    """Return a stream and its schema: Elec2 (Harries 1999), or without a folder Website Phishing.

    Edges of bins are those of all numbers, as a public description would have them; no class enters.

    Raises
    ------
    FileNotFoundError
        Its file is not there.
    """
    if folder is None:
        data = phishing(seed)
        return data.schema, encode(data.schema, data.train)
    table = CsvFormat().read(file_in(folder / "elec2", "elec.csv"))
    schema = propose_schema(table, "class", bins=BINS, max_values=BINS).schema
    return schema, encode(schema, table)


def _data_set(
    title: str,
    numbers: NDArray[np.float64],
    labels: NDArray[np.int64],
    rows: tuple[NDArray[np.int64], NDArray[np.int64]],
    split: str,
) -> DataSet:
    names = (*(f"x{index}" for index in range(numbers.shape[1])), TARGET)
    columns = (*numbers.T, labels)
    train, test = (Table(names, tuple(np.ascontiguousarray(c[part]) for c in columns), title) for part in rows)
    return DataSet(title, split, train, test, TARGET)
