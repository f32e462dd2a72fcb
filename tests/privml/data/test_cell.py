import datetime as dt
import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from privml.data.cell import is_missing, map_cells, missing_texts, number_of, shortened, text_of
from privml.errors import SettingError

floats = st.floats(allow_nan=False, allow_infinity=False)


@pytest.mark.parametrize(
    ("cells", "text"),
    [
        ([0, 0.0, -0.0, "0", " 0 ", "0.0", "-0", "-0.00", np.int8(0), np.float32(0), Decimal("0.00")], "0"),
        ([1, 1.0, "1", "1.000", np.uint64(1), Decimal(1), Fraction(2, 2)], "1"),
        ([0.5, "0.5", "0.50", np.float32(0.5), np.float16(0.5), Decimal("0.5"), Fraction(1, 2)], "0.5"),
        ([0.1, "0.1", np.float32(0.1), np.float16(0.1)], "0.1"),
        ([-3, -3.0, "-3.0"], "-3"),
        ([1e-05, "1e-05", "0.00001"], "1e-05"),
        ([10**20, 1e20, "1e+20", "100000000000000000000"], "100000000000000000000"),
        ([True, "True", np.True_], "True"),
        (["caf\u00e9", " cafe\u0301\t"], "caf\u00e9"),
    ],
)
def test_different_spellings_of_one_value_have_one_text(cells: list[object], text: str) -> None:
    assert [text_of(cell) for cell in cells] == [text] * len(cells)


@pytest.mark.parametrize(
    "text", ["007", "+1", "1e5", "1,5", "1.", ".5", "1_000", "0x10", "nan", "inf", "1.1.0", "١.٥", "A"]
)
def test_text_that_is_not_written_like_a_float_stays(text: str) -> None:
    assert text_of(text) == text


@pytest.mark.parametrize(
    "cell",
    [
        *(b"1", [1], object(), dt.date(2024, 1, 1), np.datetime64("2024-01-01"), np.timedelta64(1), 1j),
        *(
            None,
            math.nan,
            math.inf,
            pytest.param(10**400, id="huge"),
            Decimal("Infinity"),
            pd.NA,
            pd.NaT,
            pd.Timestamp(0),
        ),
    ],
)
def test_other_cells_have_no_text_and_no_number(cell: object) -> None:
    assert text_of(cell) is None
    assert number_of(cell) is None


@given(floats)
@example(5e-324)
@example(1.7976931348623157e308)
@example(123456789012345680.0)
def test_a_float_and_what_python_writes_for_it_have_one_text(number: float) -> None:
    text = text_of(number)
    assert text is not None
    assert text_of(repr(number)) == text_of(str(np.float64(number))) == text_of(Decimal(repr(number))) == text
    assert float(text) == number


@given(st.one_of(st.text(), floats.map(repr), st.decimals(allow_nan=False, allow_infinity=False).map(str)))
def test_canonical_text_is_its_own_canonical_text(text: str) -> None:
    once = text_of(text)
    assert once is not None
    assert text_of(once) == once


@given(st.integers(-(2**63), 2**63 - 1))
def test_integers_are_written_in_decimal(number: int) -> None:
    assert text_of(number) == text_of(np.int64(number)) == text_of(str(number)) == str(number)


@pytest.mark.parametrize(
    ("cell", "number"), [("1.5", 1.5), (" +3 ", 3.0), (".5e1", 5.0), ("1.", 1.0), ("1E-2", 0.01), (Decimal("0.1"), 0.1)]
)
def test_number_of_text(cell: object, number: float) -> None:
    assert number_of(cell) == number


@pytest.mark.parametrize(
    "cell", ["", "abc", "1,5", "1_000", "nan", "inf", "1e999", "0x10", "١", "1 2", True, np.True_, "True"]
)
def test_not_a_number(cell: object) -> None:
    assert number_of(cell) is None


def test_single_precision_counts_as_what_a_file_would_say() -> None:
    assert number_of(np.float32(0.1)) == 0.1


@pytest.mark.parametrize(
    "cell", [None, math.nan, np.float32("nan"), pd.NA, pd.NaT, Decimal("NaN"), "", "  ", "?", " ? ", -1.0]
)
def test_missing(cell: object) -> None:
    assert is_missing(cell, missing_texts(["?", -1]))


@pytest.mark.parametrize("cell", ["?", -1, 0, False, "nan", "None", b""])
def test_not_missing_unless_declared(cell: object) -> None:
    assert not is_missing(cell)


@pytest.mark.parametrize("values", ["?", [["?"]], [b"?"]])
def test_missing_values_are_a_collection_of_cells(values: list[object]) -> None:
    with pytest.raises(SettingError, match="missing_values"):
        missing_texts(values)


def _calls(column: list[object]) -> tuple[list[int], list[object]]:
    seen: list[object] = []

    def function(cell: object) -> int:
        seen.append(cell)
        return len(seen) - 1

    return map_cells(np.fromiter(column, object, len(column)), function).tolist(), seen


def test_map_cells_asks_once_per_value_but_keeps_truth_from_one() -> None:
    codes, seen = _calls(["a", "b", "a", 1, 1.0, True, np.True_, [0], {}])
    assert codes == [0, 1, 0, 2, 2, 3, 3, 4, 4]
    assert seen[:4] == ["a", "b", 1, "True"]


def test_map_cells_sees_single_precision() -> None:
    assert map_cells(np.array([0.1], np.float32), lambda cell: text_of(cell) == "0.1").tolist() == [1]


def test_shortened() -> None:
    assert shortened("short") == "'short'"
    assert len(shortened("x" * 1000)) == 40
    assert len(shortened([["x" * 1000] * 1000])) < 300
    assert shortened(np.float64(0.5)) == "0.5"
    assert shortened(10**5000) == "an integer of 16610 bits"
