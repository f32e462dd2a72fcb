"""Tables from what people have: a pandas DataFrame, a dict of columns, a list of rows, a CSV file."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from os import PathLike
from typing import Any, Protocol, runtime_checkable

import numpy as np

from privml.data.cell import Column, shortened
from privml.data.csv_format import CsvFormat
from privml.data.table import Table, listed
from privml.errors import ColumnError, ValueTypeError


@runtime_checkable
class DataFrameLike(Protocol):
    """What a pandas DataFrame and its like have: named columns that turn into numpy arrays by ``to_numpy()``."""

    @property
    def columns(self) -> Any:
        """Names of the columns."""

    def __getitem__(self, name: Any, /) -> Any:
        """Return a column."""


Tabular = Table | DataFrameLike | Mapping[Any, Any] | Sequence[Mapping[Any, Any]] | str | PathLike[str]
"""Whatever `as_table` takes."""


def as_table(data: Tabular, *, missing_values: Collection[object] = ()) -> Table:
    """Return anything tabular as a table: a DataFrame, a dict of columns, a list of dict rows, the path of a CSV file.

    Parameters
    ----------
    data
        The table. A path is read by `read_csv` with its defaults; call that for a file that needs more.
    missing_values
        Values that stand for an empty cell, besides None, NaN, pandas' NA and blank text. Any given here replace those
        that a `Table` already has.

    Raises
    ------
    ValueTypeError
        If it is none of these.
    DataError
        As the reader of its kind says.
    """
    if isinstance(data, Table):
        return replace(data, missing_values=missing_values) if missing_values else data
    if isinstance(data, (str, PathLike)):
        return read_csv(data, missing_values=missing_values)
    if isinstance(data, Mapping):
        return from_columns(data, missing_values=missing_values)
    if isinstance(data, DataFrameLike):
        return from_dataframe(data, missing_values=missing_values)
    if isinstance(data, Sequence) and not isinstance(data, str):
        return from_rows(data, missing_values=missing_values)
    raise ValueTypeError(
        f"a table is a DataFrame, a dict of columns, a list of dicts or a CSV path, not {type(data).__name__}"
    )


def from_dataframe(
    frame: DataFrameLike, *, missing_values: Collection[object] = (), origin: str = "DataFrame"
) -> Table:
    """Return a pandas DataFrame, or one of another library with the same protocol, as a table.

    The index is not a column: call ``reset_index()`` for it to become one. Rows are counted by position.

    Raises
    ------
    ColumnError
        If a column's name is neither text nor an integer, or two columns share one.
    """
    keys = list(frame.columns)
    for key in keys:
        if not isinstance(key, (str, int, np.integer)):
            raise ColumnError(f"{origin}: the name of a column is text or an integer, not {shortened(key)}")
        if keys.count(key) > 1:
            raise ColumnError(f"{origin}: two columns are named {shortened(key)}")
    if not keys:
        raise ColumnError(f"{origin} has no columns")
    columns = tuple(_column(frame[key], f"{origin}: column {shortened(key)}") for key in keys)
    return Table(tuple(map(str, keys)), columns, origin, missing_values=missing_values)


def from_columns(
    columns: Mapping[str, Any], *, missing_values: Collection[object] = (), origin: str = "dict of columns"
) -> Table:
    """Return a mapping of names to columns (lists, arrays, Series) as a table.

    Raises
    ------
    ColumnError
        If there is no column, a name is not text, a column is no sequence, or lengths differ.
    """
    if not columns:
        raise ColumnError(f"{origin} has no columns")
    for name in columns:
        if not isinstance(name, str):
            raise ColumnError(f"{origin}: the name of a column is text, not {shortened(name)}")
    arrays = tuple(_column(cells, f"{origin}: column {shortened(name)}") for name, cells in columns.items())
    return Table(tuple(columns), arrays, origin, missing_values=missing_values)


def from_rows(
    rows: Iterable[Mapping[Any, Any]], *, missing_values: Collection[object] = (), origin: str = "list of rows"
) -> Table:
    """Return rows that map names to cells as a table; its columns are in the order of the first row.

    Raises
    ------
    ColumnError
        If there is no row, or a row has other names than the first one.
    ValueTypeError
        If a row is not a mapping.
    """
    records = list(rows)
    for row, record in enumerate(records):
        if not isinstance(record, Mapping):
            raise ValueTypeError(f"{origin}: row {row} is a mapping of names to cells, not {shortened(record)}")
        if record.keys() != records[0].keys():
            differing = listed(sorted(map(str, record.keys() ^ records[0].keys())))
            raise ColumnError(
                f"{origin}: row {row} and row 0 have different columns: {differing} in one only; "
                "give None for an empty cell"
            )
    if not records:
        raise ColumnError(f"{origin} has no rows, so its columns are unknown")
    return from_columns(
        {name: [record[name] for record in records] for name in records[0]},
        missing_values=missing_values,
        origin=origin,
    )


def read_csv(
    path: str | PathLike[str],
    *,
    header: Sequence[str] | None = None,
    delimiter: str = ",",
    comment: str | None = None,
    missing_values: Collection[object] = (),
    converters: Mapping[str, Callable[[str], str]] | None = None,
    encoding: str = "utf-8-sig",
) -> Table:
    """Return a CSV file, also one compressed by gzip (``.gz``), as a table of stripped texts.

    Parameters and errors are those of `CsvFormat` and its `CsvFormat.read`. Its `CsvFormat.stream` reads a file too
    large for memory in chunks.
    """
    form = CsvFormat(
        header=None if header is None else tuple(header),
        delimiter=delimiter,
        comment=comment,
        missing_values=missing_values,
        converters=converters or {},
        encoding=encoding,
    )
    return form.read(path)


def _column(given: Any, what: str) -> Column:
    """Return cells as an array of a number type, a truth type, or objects."""
    cells: Any = given
    if isinstance(given, np.ma.MaskedArray):
        cells = given.data.astype(object)
        cells[np.ma.getmaskarray(given)] = None
    elif hasattr(cells, "to_numpy"):
        cells = cells.to_numpy()
    if isinstance(cells, np.ndarray):
        if cells.ndim != 1:
            raise ColumnError(f"{what} has {cells.ndim} dimensions instead of one")
        if cells.dtype.kind in "biufO":
            return cells
        # one by one, as numpy's scalars: a whole array of dates would turn into integers
        cells = cells.tolist() if cells.dtype.kind == "U" else list(cells)
    elif isinstance(cells, (str, bytes)) or not isinstance(cells, Sequence):
        raise ColumnError(f"{what} is a sequence of cells, not {shortened(cells)}")
    return np.fromiter(cells, dtype=object, count=len(cells))
