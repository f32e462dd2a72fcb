import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.data.readers import from_columns
from privml.data.table import Table, listed
from privml.errors import ColumnError, SettingError


def _column(*cells: object) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.fromiter(cells, object, len(cells))


@given(st.integers(0, 40), st.integers(1, 45))
def test_chunks_are_the_table(rows: int, size: int) -> None:
    table = from_columns({"x": list(range(rows)), "y": np.arange(rows) / 2})
    chunks = list(table.chunks(size))
    assert [cell for chunk in chunks for cell in chunk.column("x")] == list(range(rows))
    assert [cell for chunk in chunks for cell in chunk.column("y")] == [row / 2 for row in range(rows)]
    assert all(len(chunk) == size for chunk in chunks[:-1])
    assert all(0 < len(chunk) <= size for chunk in chunks)


def test_rows_of_chunks_are_counted_from_the_start() -> None:
    table = Table(("x",), (_column(*"abcdef"),), "a.csv", np.array([2, 3, 5, 8, 9, 10]), missing_values=("?",))
    _, chunk = table.chunks(4)
    assert chunk.locate(1) == "row 5 (line 10 of a.csv)"
    assert chunk.rows(1, 9).locate(0) == "row 5 (line 10 of a.csv)"
    assert chunk.missing_texts == {"?"}
    assert from_columns({"x": [1, 2]}, origin="mine").locate(1) == "row 1 of mine"


def test_chunks_share_memory_with_the_table() -> None:
    table = from_columns({"x": np.arange(10)})
    assert np.shares_memory(next(table.chunks(3)).column("x"), table.column("x"))


@pytest.mark.parametrize("size", [0, -1])
def test_chunks_have_rows(size: int) -> None:
    with pytest.raises(SettingError, match="size"):
        from_columns({"x": [1]}).chunks(size)


@pytest.mark.parametrize(
    ("names", "columns", "message"),
    [
        ((), (), "0 names"),
        (("x",), (), "1 names for 0 columns"),
        (("x", " x"), (_column(1), _column(2)), "two columns are named 'x'"),
        (("x", "y"), (_column(1), _column(1, 2)), "column 'y' has 2 cells, column 'x' has 1"),
    ],
)
def test_refused(names: tuple[str, ...], columns: tuple[np.ndarray, ...], message: str) -> None:
    with pytest.raises(ColumnError, match=message):
        Table(names, columns)


def test_column_that_is_not_there() -> None:
    with pytest.raises(ColumnError, match="no column 'z'; it has 'x', 'y'"):
        from_columns({"x": [], "y": []}).column("z")
    with pytest.raises(ColumnError, match="did you mean 'colour'"):
        from_columns({"colour": [], "y": []}).column("color")
    with pytest.raises(ColumnError, match="only 'x;y': is there another delimiter"):
        from_columns({"x;y": []}).column("x")


def test_listed() -> None:
    assert listed(["a", "b"]) == "'a', 'b'"
    assert listed(list("abcd"), limit=2) == "'a', 'b' and 2 more"
