"""From tables to codes, one-hot rows and counts. All of it happens at the owner or client, in the clear."""

import difflib
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from privml.data.cell import MISSING, UNKNOWN, shortened
from privml.data.feature import Feature, Numeric
from privml.data.readers import Tabular, as_table
from privml.data.schema import Schema
from privml.data.table import Table, listed
from privml.errors import ColumnError, MissingValueError, SettingError, UnknownCategoryError, ValueTypeError


@dataclass(frozen=True, slots=True, eq=False)
class EncodedTable:
    """A table in codes.

    Parameters
    ----------
    codes
        Shape (n, F): code of each row's value of each feature in [0, levels), or -1 where it was ignored.
    labels
        Shape (n,): code of each row's class in [0, C), or None if the table was encoded without labels.
    ignored
        How many cells were ignored: the number of -1 in `codes`.
    """

    codes: NDArray[np.int64]
    labels: NDArray[np.int64] | None
    ignored: int

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.codes)


class Counts(NamedTuple):
    """What naive Bayes learns from."""

    classes: NDArray[np.int64]
    """Shape (C,): rows of each class."""
    values: NDArray[np.int64]
    """Shape (width, C): rows with each value of each feature, of each class; rows in one-hot order."""


def encode(
    schema: Schema,
    table: Tabular,
    *,
    unknown: Literal["error", "ignore"] = "error",
    labelled: bool = True,
    extra: Literal["error", "ignore"] = "error",
) -> EncodedTable:
    """Return a table in the codes of a schema.

    Parameters
    ----------
    schema
        What the columns are.
    table
        A `Table`, or whatever `as_table` takes.
    unknown
        What to do with empty cells and with categories that the schema does not list. "error" refuses the table;
        "ignore" gives them code -1, an all-zero one-hot block, which says nothing in favour of any class. Labels and
        continuous features must always be known, and a cell of the wrong type (text where a number is needed) is always
        an error.
    labelled
        Whether to read the class column. If not, it may be there and is not looked at.
    extra
        What to do with columns that the schema does not know: refuse the table, or ignore them.

    Raises
    ------
    ColumnError
        If a column is missing, or one is extra and not ignored.
    UnknownCategoryError, MissingValueError, ValueTypeError
        If a cell does not fit. The message names row, line if there is one, column, value, and what to do about it.
    SettingError
        If `unknown` or `extra` is neither "error" nor "ignore".
    """
    for name, value in (("unknown", unknown), ("extra", extra)):
        if value not in ("error", "ignore"):
            raise SettingError(f'{name}: "error" or "ignore", not {shortened(value)}')
    table = as_table(table)
    _check_columns(schema, table, labelled=labelled, extra=extra)
    codes = np.empty((len(table), len(schema.features)), dtype=np.int64)
    for index, feature in enumerate(schema.features):
        if feature.one_hot:
            remedy = "encode with unknown='ignore' (--unknown ignore) to leave such cells out"
        else:
            remedy = "fill in, clip or leave out such rows first, or declare wider limits"
        found = _codes(feature, table, remedy, ignore=feature.one_hot and unknown == "ignore")
        codes[:, index] = np.maximum(found, -1)
    labels = None
    if labelled:
        labels = _codes(schema.class_feature, table, "every row needs a known class", ignore=False)
    return EncodedTable(codes, labels, int(np.count_nonzero(codes < 0)))


def one_hot(schema: Schema, codes: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return codes as records, shape (n, width): 1 at the value of each feature, all zeros for code -1.

    The one column of a continuous feature holds its code.

    Parameters
    ----------
    schema
        What the codes mean.
    codes
        Shape (n, F), each in [-1, levels), and not -1 for a continuous feature.

    Raises
    ------
    SettingError
        If the codes have another shape or type or are out of range.
    """
    _check_codes(schema, codes)
    places = [index for index, feature in enumerate(schema.features) if feature.one_hot]
    numbers = [index for index, feature in enumerate(schema.features) if not feature.one_hot]
    starts = _starts(schema)
    records = np.zeros((len(codes), schema.width), dtype=np.uint64)
    rows, chosen = np.nonzero(codes[:, places] >= 0)
    records[rows, starts[places][chosen] + codes[:, places][rows, chosen]] = 1
    records[:, starts[numbers]] = codes[:, numbers]
    return records


def one_hot_labels(schema: Schema, labels: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return class codes as one-hot rows, shape (n, C).

    Raises
    ------
    SettingError
        If the labels are not a one-dimensional integer array in [0, C).
    """
    _check_labels(schema, labels)
    hot = np.zeros((len(labels), schema.class_count), dtype=np.uint64)
    hot[np.arange(len(labels)), labels] = 1
    return hot


def counts(schema: Schema, encoded: EncodedTable) -> Counts:
    """Return how often each class and each (feature value, class) occurs: one_hot(codes)ᵀ one_hot_labels(labels).

    Ignored cells count for no value, so the values of a feature may sum to less than the class.

    Raises
    ------
    SettingError
        If the table was encoded without labels or with another schema, or the schema has a continuous feature.
    """
    if not schema.one_hot:
        raise SettingError("continuous features have no values to count; use Numeric with bins")
    codes, labels = encoded.codes, encoded.labels
    if labels is None:
        raise SettingError("counts need labels: encode the table with labelled=True")
    _check_codes(schema, codes)
    _check_labels(schema, labels)
    if len(labels) != len(codes):
        raise SettingError(f"labels: one per row, but there are {len(labels)} for {len(codes)} rows")
    values = np.empty((schema.width, schema.class_count), dtype=np.int64)
    for index, (block, cardinality) in enumerate(zip(schema.slices.values(), schema.cardinalities, strict=True)):
        known = codes[:, index] >= 0
        cells = codes[known, index] * schema.class_count + labels[known]
        values[block] = np.bincount(cells, minlength=cardinality * schema.class_count).reshape(cardinality, -1)
    return Counts(np.bincount(labels, minlength=schema.class_count).astype(np.int64), values)


def _starts(schema: Schema) -> NDArray[np.int64]:
    return np.array([block.start for block in schema.slices.values()], dtype=np.int64)


def _check_codes(schema: Schema, codes: NDArray[np.int64]) -> None:
    if codes.dtype.kind != "i" or codes.ndim != 2 or codes.shape[1] != len(schema.features):
        raise SettingError(
            f"codes: signed integers of shape (n, {len(schema.features)}), not {codes.dtype} of shape {codes.shape}"
        )
    lowest = [-1 if feature.one_hot else 0 for feature in schema.features]
    if (codes < lowest).any() or (codes >= [feature.levels for feature in schema.features]).any():
        raise SettingError("codes: a code is -1 or below the levels of its feature; were they made with this schema?")


def _check_labels(schema: Schema, labels: NDArray[np.int64]) -> None:
    if labels.dtype.kind != "i" or labels.ndim != 1:
        raise SettingError(f"labels: signed integers of one dimension, not {labels.dtype} of shape {labels.shape}")
    if (labels < 0).any() or (labels >= schema.class_count).any():
        raise SettingError(f"labels: in [0, {schema.class_count}); were they made with this schema?")


def _check_columns(schema: Schema, table: Table, *, labelled: bool, extra: str) -> None:
    needed = (*schema.names, schema.target) if labelled else schema.names
    for name in needed:
        if name not in table.names:
            raise table.lacks(name)
    unexpected = [name for name in table.names if name not in schema.names and name != schema.target]
    if unexpected and extra == "error":
        raise ColumnError(
            f"{table.origin} has {listed(unexpected)}, unknown to the schema; drop it, or encode with extra='ignore'"
        )


def _codes(feature: Feature, table: Table, remedy: str, *, ignore: bool) -> NDArray[np.int64]:
    """Return the codes of a column; those of empty and unknown cells are negative, and refused if not to be ignored."""
    column = table.column(feature.name)
    codes = feature.codes(column, table.missing_texts)
    wrong = codes < (UNKNOWN if ignore else 0)
    if not wrong.any():
        return codes
    row = int(np.argmax(wrong))
    cell = shortened(column[row])
    others = int(np.count_nonzero(wrong)) - 1
    where = f"column {shortened(feature.name)}, {table.locate(row)}: "
    tail = f" ({others} more in this column)" if others else ""
    if codes[row] == MISSING:
        raise MissingValueError(f"{where}empty cell ({cell}); {feature.expectation} is needed; {remedy}{tail}")
    if codes[row] == UNKNOWN:
        near = difflib.get_close_matches(str(column[row])[:80], feature.labels, n=1)
        hint = f"; did you mean {shortened(near[0])}?" if near else ""
        raise UnknownCategoryError(f"{where}{cell} is not {feature.expectation}{hint}; {remedy}{tail}")
    if isinstance(feature, Numeric):
        remedy = "if it stands for an empty cell, declare it in missing_values (--missing)"
    raise ValueTypeError(f"{where}{cell} is not {feature.expectation}; {remedy}{tail}")
