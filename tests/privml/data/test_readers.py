import datetime as dt
import subprocess
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from privml.data.encoding import encode
from privml.data.readers import as_table, from_columns, from_dataframe, from_rows, read_csv
from privml.data.schema import Categorical, Numeric, Ordinal, Schema
from privml.data.table import Table
from privml.errors import ColumnError, MissingValueError, ValueTypeError

SCHEMA = Schema(
    (Ordinal("size", (0, 0.5, 1)), Numeric("age", (30,)), Categorical("member", (False, True))),  # type: ignore[arg-type]
    "class",
    ("0", "1"),
)
ROWS: list[dict[str, Any]] = [
    {"size": 0.0, "age": 30, "member": True, "class": 1},
    {"size": 0.5, "age": 31, "member": False, "class": 0},
    {"size": 1.0, "age": 29, "member": True, "class": 1},
]
CODES = [[0, 0, 1], [1, 1, 0], [2, 0, 1]]


def _csv(tmp_path: Path) -> Path:
    path = tmp_path / "rows.csv"
    pd.DataFrame(ROWS).to_csv(path, index=False)
    return path


@pytest.mark.parametrize(
    "convert",
    [
        pd.DataFrame,
        lambda rows: pd.DataFrame(rows).convert_dtypes(),
        lambda rows: pd.DataFrame(rows).astype(str),
        lambda rows: pd.DataFrame(rows).astype("category"),
        lambda rows: pd.DataFrame(rows).astype(object),
        lambda rows: pd.DataFrame(rows).astype({"size": np.float32, "age": np.int8}),
        lambda rows: pd.DataFrame(rows, index=["a", "b", "c"]),
        lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
        lambda rows: {name: tuple(str(row[name]) for row in rows) for name in rows[0]},
        lambda rows: {name: np.array([row[name] for row in rows]) for name in rows[0]},
        lambda rows: {name: np.array([str(row[name]) for row in rows]) for name in rows[0]},
        lambda rows: {name: pd.Series([row[name] for row in rows]) for name in rows[0]},
        lambda rows: rows,
        lambda rows: tuple(OrderedDict(row) for row in rows),
        lambda rows: [rows[0], dict(reversed(rows[1].items())), rows[2]],
    ],
)
def test_every_kind_of_table_gives_the_same_codes(convert: Any) -> None:
    encoded = encode(SCHEMA, convert(ROWS))
    assert encoded.codes.tolist() == CODES
    assert encoded.labels is not None
    assert encoded.labels.tolist() == [1, 0, 1]


def test_csv_gives_the_same_codes(tmp_path: Path) -> None:
    path = _csv(tmp_path)
    for table in (path, str(path), read_csv(path), pd.read_csv(path), pd.read_csv(path, dtype=str)):
        assert encode(SCHEMA, table).codes.tolist() == CODES


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([1, None], dtype="Int64"),
        pd.Series([1.0, None]),
        pd.Series(["1", None]),
        pd.Series(["1", None], dtype=object),
        pd.Series([1, None], dtype="category"),
        np.ma.MaskedArray([1, 7], mask=[False, True]),
        [1, float("nan")],
        [1, pd.NA],
        ["1", ""],
        ["1", " ? "],
    ],
)
@pytest.mark.parametrize("feature", [Numeric("x", (0,)), Categorical("x", (0, 1))])  # type: ignore[arg-type]
def test_every_kind_of_empty_cell_is_missing(cells: Any, feature: Numeric | Categorical) -> None:
    schema = Schema((feature,), "y", ("a", "b"))
    table = from_columns({"x": cells}, missing_values=("?",))
    assert encode(schema, table, labelled=False, unknown="ignore").codes.tolist() == [[1], [-1]]
    with pytest.raises(MissingValueError, match="row 1 of"):
        encode(schema, table, labelled=False)


def test_masked_cells_are_missing_also_without_declared_values() -> None:
    schema = Schema((Numeric("x", (0,)),), "y", ("a", "b"))
    masked = np.ma.MaskedArray([1, 7], mask=[False, True])
    assert encode(schema, {"x": masked}, labelled=False, unknown="ignore").codes.tolist() == [[1], [-1]]


@pytest.mark.parametrize(
    "cells",
    [
        np.array(["2024-01-01"], dtype="datetime64[ns]"),
        np.array([1], dtype="timedelta64[ns]"),
        pd.Series([pd.Timestamp(2024, 1, 1)]),
        [dt.date(2024, 1, 1)],
        np.array([1j]),
        np.array([b"1"]),
        [[1]],
        [(1, 2)],
    ],
)
@pytest.mark.parametrize("feature", [Numeric("x", (0,)), Categorical("x", ("1",))])
def test_dates_and_the_like_are_refused_and_not_read_as_numbers(cells: Any, feature: Numeric | Categorical) -> None:
    schema = Schema((feature,), "y", ("a", "b"))
    with pytest.raises(ValueTypeError, match="column 'x', row 0"):
        encode(schema, {"x": cells}, labelled=False, unknown="ignore")


def test_as_table_keeps_a_table_or_declares_missing_values() -> None:
    table = from_columns({"x": ["?"]})
    assert as_table(table) is table
    assert as_table(table, missing_values=("?",)).missing_texts == {"?"}
    assert as_table([{"x": 1}], missing_values=("?",)).missing_texts == {"?"}


@pytest.mark.parametrize("data", [None, 5, {1, 2}, np.zeros((2, 2)), object()])
def test_as_table_refuses_what_is_no_table(data: Any) -> None:
    with pytest.raises(ValueTypeError, match="a table is"):
        as_table(data)


def test_numbered_columns_of_a_dataframe_become_text() -> None:
    assert from_dataframe(pd.DataFrame(np.zeros((2, 2)))).names == ("0", "1")


@pytest.mark.parametrize(
    ("build", "error", "message"),
    [
        (lambda: from_dataframe(pd.DataFrame()), ColumnError, "no columns"),
        (lambda: from_dataframe(pd.DataFrame([[1, 2]], columns=["a", "a"])), ColumnError, "two columns .* 'a'"),
        (lambda: from_dataframe(pd.DataFrame({("a", "b"): [1]})), ColumnError, "text or an integer"),
        (lambda: from_dataframe(pd.DataFrame([[1, 2]], columns=[1, "1"])), ColumnError, "two columns .* '1'"),
        (lambda: from_columns({}), ColumnError, "no columns"),
        (lambda: from_columns({1: [1]}), ColumnError, "is text, not 1"),  # type: ignore[dict-item]
        (lambda: from_columns({"a": "text"}), ColumnError, "column 'a' is a sequence"),
        (lambda: from_columns({"a": 5}), ColumnError, "column 'a' is a sequence"),
        (lambda: from_columns({"a": {1, 2}}), ColumnError, "column 'a' is a sequence"),
        (lambda: from_columns({"a": np.zeros((2, 2))}), ColumnError, "column 'a' has 2 dimensions"),
        (lambda: from_columns({"a": [1], "b": [1, 2]}), ColumnError, "column 'b' has 2 cells, column 'a' has 1"),
        (lambda: from_rows([]), ColumnError, "no rows"),
        (lambda: from_rows([{"a": 1}, 5]), ValueTypeError, "row 1 is a mapping"),  # type: ignore[list-item]
        (lambda: from_rows([{"a": 1, "b": 2}, {"a": 1}]), ColumnError, "row 1 .* 'b' in one only"),
        (lambda: from_rows([{"a": 1}, {"a": 1, "b": 2}]), ColumnError, "row 1 .* 'b' in one only"),
    ],
)
def test_refused(build: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        build()


def test_columns_keep_what_is_in_them() -> None:
    table = from_columns({"mixed": [1, "1", None, 0.5], "numbers": np.arange(4)})
    assert isinstance(table, Table)
    assert table.column("mixed").tolist() == [1, "1", None, 0.5]
    assert table.column("numbers").dtype == np.int64


def test_pandas_is_not_imported_by_the_package() -> None:
    code = "import sys, privml.data; sys.exit('pandas' in sys.modules)"
    # a process of its own, as this one has pandas; what runs is the constant above
    done = subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parents[3])  # noqa: S603
    assert done.returncode == 0
