import csv
import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.data.csv_format import CsvFormat
from privml.data.encoding import encode
from privml.data.readers import read_csv
from privml.data.schema import Categorical, Numeric, Schema
from privml.errors import ColumnError, DataError, SettingError, UnknownCategoryError, ValueTypeError

CENSUS = """|1x3 Cross validator
25, Private, 226802, <=50K.
38, Local-gov, 89814, <=50K.

| in between
28, ?, 336951, >50K.
"""
COLUMNS = ("age", "workclass", "fnlwgt", "income")
CENSUS_SCHEMA = Schema(
    (Numeric("age", (25, 30)), Categorical("workclass", ("Local-gov", "Private")), Numeric("fnlwgt", (1e5,))),
    "income",
    ("<=50K", ">50K"),
)
CENSUS_FORMAT = CsvFormat(
    header=COLUMNS, comment="|", missing_values=("?",), converters={"income": lambda text: text.removesuffix(".")}
)


def _file(tmp_path: Path, text: str | bytes, name: str = "t.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _rows(path: Path, **options: Any) -> list[tuple[object, ...]]:
    table = read_csv(path, **options)
    return list(zip(*table.columns, strict=True))


def test_a_file_like_the_census_test_set(tmp_path: Path) -> None:
    table = CENSUS_FORMAT.read(_file(tmp_path, CENSUS))
    assert table.names == COLUMNS
    assert table.lines is not None
    assert table.lines.tolist() == [2, 3, 6]
    encoded = encode(CENSUS_SCHEMA, table, unknown="ignore")
    assert encoded.codes.tolist() == [[0, 1, 1], [2, 0, 0], [1, -1, 1]]
    assert encoded.labels is not None
    assert encoded.labels.tolist() == [0, 0, 1]


def test_read_csv_takes_the_same_options(tmp_path: Path) -> None:
    table = read_csv(
        _file(tmp_path, CENSUS),
        header=list(COLUMNS),
        comment="|",
        missing_values=("?",),
        converters={"income": lambda text: text.removesuffix(".")},
    )
    assert encode(CENSUS_SCHEMA, table, unknown="ignore").ignored == 1


def test_gzip_quotes_delimiter_and_byte_order_mark(tmp_path: Path) -> None:
    text = '\ufeff"age";"job"\r\n58;"blue ""collar"""\r\n44 ; "a;b" \r\n'
    path = tmp_path / "bank.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        file.write(text.replace('"a;b" ', '"a;b"'))
    table = read_csv(path, delimiter=";")
    assert table.names == ("age", "job")
    assert list(zip(*table.columns, strict=True)) == [("58", 'blue "collar"'), ("44", "a;b")]


def test_lines_are_counted_through_quotes_comments_and_blanks(tmp_path: Path) -> None:
    text = '# first\n\nx,y\n# second\n1,"two\n# lines\n\nand more"\n\n2,b\n   \n3,c'
    table = read_csv(_file(tmp_path, text), comment="#")
    assert table.lines is not None
    assert table.lines.tolist() == [5, 10, 12]
    assert table.column("y").tolist() == ["two\n# lines\n\nand more", "b", "c"]


cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)


@given(st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(cells, min_size=width, max_size=width), min_size=1)))
def test_what_the_csv_module_writes_comes_back_stripped(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]
) -> None:
    path = tmp_path_factory.mktemp("csv") / "t.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    header = [f"c{index}" for index in range(len(rows[0]))]
    assert _rows(path, header=header) == [tuple(cell.strip() for cell in row) for row in rows]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_stream_is_read_in_pieces(tmp_path: Path, size: int) -> None:
    path = _file(tmp_path, "x,y\n" + "".join(f"{row},{row % 3}\n" for row in range(7)))
    whole, parts = read_csv(path), list(CsvFormat().stream(path, size))
    assert [len(part) for part in parts] == [len(chunk) for chunk in whole.chunks(size)]
    for part, chunk in zip(parts, whole.chunks(size), strict=True):
        assert part.names == chunk.names
        assert part.first_row == chunk.first_row
        assert part.locate(0) == chunk.locate(0)
        np.testing.assert_array_equal(part.columns, chunk.columns)


def test_a_stream_reads_no_further_than_asked(tmp_path: Path) -> None:
    path = _file(tmp_path, "x,y\n" + "1,2\n" * 5 + "1\n")
    stream = CsvFormat().stream(path, 5)
    assert len(next(stream)) == 5
    with pytest.raises(ColumnError, match=r"line 7 of t.csv has 1 cells, the header has 2"):
        next(stream)


@pytest.mark.parametrize("text", ["x,y\n", "x,y"])
def test_no_rows(tmp_path: Path, text: str) -> None:
    path = _file(tmp_path, text)
    assert len(read_csv(path)) == 0
    assert [len(part) for part in CsvFormat().stream(path, 3)] == [0]


def test_equal_cells_are_one_object(tmp_path: Path) -> None:
    column = read_csv(_file(tmp_path, "x\nPrivate\n Private\nPrivate \n")).column("x")
    assert len({id(cell) for cell in column[[0]]} | {id(column[0])}) == 1
    assert column.tolist() == ["Private"] * 3


@pytest.mark.parametrize(
    ("text", "options", "error", "message"),
    [
        ("", {}, ColumnError, "t.csv is empty"),
        ("\n\n", {}, ColumnError, "t.csv is empty"),
        ("x,x\n1,2\n", {}, ColumnError, "two columns are named 'x'"),
        ("x,y\n1,2\n\n3\n", {}, ColumnError, "line 4 of t.csv has 1 cells, the header has 2"),
        ("x,y\n1,2,3\n", {}, ColumnError, "line 2 of t.csv has 3 cells, the header has 2"),
        ("x,y\n1,2\n", {"header": ("x",)}, ColumnError, "line 1 of t.csv has 2 cells, the header has 1"),
        ("x\n1\n", {"converters": {"y": str}}, ColumnError, "no column 'y' to convert; it has 'x'"),
        ('x\n1\n"a"b\n', {}, DataError, "line 3 of t.csv is not well-formed CSV"),
        ('x\n1\n"a\n\n', {}, DataError, "line 3 of t.csv is not .* a quoted cell goes on from there to line 4"),
        ('"x";"y"\n1;2\n', {}, DataError, r"line 1 of t.csv is not .* separated by ','\? .*--delimiter"),
        (b"x\n1\ncaf\xe9\n", {}, DataError, "not utf-8-sig text; save it as UTF-8, or name its encoding"),
        (b"x\n1\n", {"encoding": "utf-16"}, DataError, "not utf-16 text"),
    ],
)
def test_files_that_are_refused(
    tmp_path: Path, text: str | bytes, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_csv(_file(tmp_path, text), **options)


def test_another_encoding(tmp_path: Path) -> None:
    assert _rows(_file(tmp_path, b"x\ncaf\xe9\n"), encoding="latin-1") == [("café",)]


def test_damaged_gzip(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="damaged gzip"):
        read_csv(_file(tmp_path, "x\n1\n", "t.csv.gz"))
    whole = gzip.compress(b"x\n" + b"1\n" * 1000)
    with pytest.raises(DataError, match="damaged gzip"):
        read_csv(_file(tmp_path, whole[:-12], "t.csv.gz"))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delimiter": ""}, "delimiter"),
        ({"delimiter": ", "}, "delimiter"),
        ({"delimiter": '"'}, "delimiter"),
        ({"comment": " "}, "comment"),
        ({"encoding": "utf-42"}, "encoding"),
        ({"missing_values": "NA"}, "missing_values"),
    ],
)
def test_settings_out_of_range(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        CsvFormat(**options)


def test_stream_checks_its_size_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="size"):
        CsvFormat().stream(tmp_path / "none.csv", 0)


def test_errors_name_the_line_of_the_file(tmp_path: Path) -> None:
    schema = Schema((Numeric("age", (30,)), Categorical("job", ("blue", "white"))), "y", ("no", "yes"))
    wrong_number = _file(tmp_path, "age,job,y\n# note\n31,blue,no\n\n3o,white,yes\n", "a.csv")
    with pytest.raises(ValueTypeError, match=r"column 'age', row 1 \(line 5 of a.csv\): '3o' is not a finite number"):
        encode(schema, read_csv(wrong_number, comment="#"))
    wrong_category = _file(tmp_path, "age,job,y\n31,blue,no\n31,blew,no\n31,blue,no\n", "b.csv")
    for part in list(CsvFormat().stream(wrong_category, 1))[1:2]:
        with pytest.raises(UnknownCategoryError, match=r"row 1 \(line 3 of b.csv\): 'blew' .* did you mean 'blue'"):
            encode(schema, part)
