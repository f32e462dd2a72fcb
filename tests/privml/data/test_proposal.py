from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import KBinsDiscretizer

from privml.data.csv_format import CsvFormat
from privml.data.encoding import encode
from privml.data.proposal import propose_schema
from privml.data.readers import from_columns
from privml.data.schema import Categorical, Numeric, Ordinal, Schema
from privml.errors import ColumnError, DataError, MissingValueError, SchemaError, SettingError, ValueTypeError

TABLE: dict[str, Any] = {
    "capital": [0] * 70 + list(range(1, 31)),
    "colour": ["red", "green", "blue", "green"] * 25,
    "rooms": [3, 10, 2, 1] * 25,
    "urban": ["1", "0"] * 50,
    "popular": [0.0, 0.5, 1.0, 0.5] * 25,
    "class": [2, 10] * 50,
}
CLASSES = ["no", "yes"] * 50


def _edges(schema: Schema, name: str) -> tuple[float, ...]:
    feature = schema.feature(name)
    assert isinstance(feature, Numeric)
    return feature.edges


def test_columns_become_features() -> None:
    proposal = propose_schema(TABLE, "class", bins=4)
    assert proposal.schema == Schema(
        (
            # three quarters of the column are at most 5, half and a quarter are 0
            Numeric("capital", (0, 5)),
            Categorical("colour", ("blue", "green", "red")),
            Ordinal("rooms", ("1", "2", "3", "10")),
            Categorical("urban", ("0", "1")),
            Ordinal("popular", ("0", "0.5", "1")),
        ),
        "class",
        ("2", "10"),
    )
    assert encode(proposal.schema, TABLE).ignored == 0


def test_notes_say_what_becomes_public() -> None:
    notes = propose_schema(TABLE | {"gap": [None, "x"] * 50}, "class", bins=4).notes
    assert "PUBLIC" in notes[0]
    assert "capital: numbers in 3 bins; public edges: 0, 5." in notes
    assert "colour: 3 categories, all public." in notes
    assert "rooms: 4 values in numerical order, all public." in notes
    assert "gap: 50 empty cells; encode with unknown='ignore' (--unknown ignore), or fill them." in notes


def test_the_same_table_as_text_or_dataframe_has_the_same_schema(tmp_path: Path) -> None:
    expected = propose_schema(TABLE, "class").schema
    frame = pd.DataFrame(TABLE)
    path = tmp_path / "t.csv"
    frame.to_csv(path, index=False)
    for table in (frame, frame.astype(str), CsvFormat().read(path), pd.read_csv(path), frame.to_dict("records")):
        assert propose_schema(table, "class").schema == expected


def test_order_of_rows_does_not_show() -> None:
    turned = {name: cells[::-1] for name, cells in TABLE.items()}
    assert propose_schema(turned, "class").schema.digest == propose_schema(TABLE, "class").schema.digest


@given(
    st.lists(st.integers(-40, 40) | st.just(0), min_size=5, max_size=120).filter(lambda numbers: len(set(numbers)) > 1),
    st.integers(2, 9),
    st.sampled_from([None, 1, 2]),
)
def test_no_bin_is_empty_when_edges_are_kept_and_the_outer_ones_never(
    numbers: list[int], bins: int, digits: int | None
) -> None:
    table = from_columns({"x": numbers, "y": [0, 1, *[0] * (len(numbers) - 2)]})
    try:
        schema = propose_schema(table, "y", bins=bins, max_values=1, digits=digits).schema
    except DataError as error:
        assert "digits" in str(error)  # noqa: PT017
        assert digits is not None
        return
    filled = np.bincount(encode(schema, table).codes[:, 0], minlength=schema.width)
    assert filled[0] > 0
    assert filled[-1] > 0
    assert len(filled) <= bins
    if digits is None:
        assert (filled > 0).all()


@given(
    st.sets(st.integers(-(10**6), 10**6).map(lambda n: n / 8), min_size=17, max_size=200),
    st.sampled_from([2, 4, 8]),  # percentages that scikit-learn has no rounding error in
)
def test_quantiles_are_those_of_scikit_learn(numbers: set[float], bins: int) -> None:
    column = np.array(list(numbers))
    oracle = KBinsDiscretizer(
        bins, encode="ordinal", strategy="quantile", quantile_method="inverted_cdf", subsample=None
    ).fit(column[:, None])
    schema = propose_schema({"x": column, "y": np.arange(len(column)) % 2}, "y", bins=bins).schema
    np.testing.assert_array_equal(_edges(schema, "x"), oracle.bin_edges_[0][1:-1])


@pytest.mark.parametrize("bins", [3, 5, 6, 7, 10])
def test_quantiles_are_exact(bins: int) -> None:
    # 0.7 * 100 is more than 70 in floats
    values = list(range(1, 101))
    schema = propose_schema({"x": values, "y": CLASSES}, "y", bins=bins).schema
    assert _edges(schema, "x") == tuple(
        next(value for value in values if value * bins >= 100 * index) for index in range(1, bins)
    )


def test_quantile_bins_are_equally_full() -> None:
    table = {"x": np.random.default_rng(1).normal(size=800), "y": [0, 1] * 400}
    schema = propose_schema(table, "y").schema
    assert np.bincount(encode(schema, table).codes[:, 0]).tolist() == [100] * 8


def test_a_column_mostly_at_its_highest_value_has_one_edge_below() -> None:
    schema = propose_schema({"x": [*range(20), *[50] * 980], "y": CLASSES * 10}, "y").schema
    assert _edges(schema, "x") == (19,)


def test_digits_round_the_edges() -> None:
    table = {"x": [1234.5 + 10 * row for row in range(100)], "y": CLASSES}
    assert _edges(propose_schema(table, "y", bins=4, digits=2).schema, "x") == (1500, 1700, 2000)
    with pytest.raises(DataError, match="digits=1 rounds all edges"):
        propose_schema({"x": [101 + row / 100 for row in range(100)], "y": CLASSES}, "y", digits=1)


def test_rare_categories_can_be_left_out() -> None:
    table = {"job": ["miner"] * 3 + ["nurse"] * 50 + ["clerk"] * 47, "y": CLASSES}
    proposal = propose_schema(table, "y", min_count=4)
    assert proposal.schema.features == (Categorical("job", ("clerk", "nurse")),)
    note = "job: 1 values in fewer than 4 rows left out; encode with unknown='ignore' (--unknown ignore)."
    assert note in proposal.notes
    assert encode(proposal.schema, table, unknown="ignore").ignored == 3
    assert propose_schema(table | {"y": ["a"] * 99 + ["b"]}, "y", min_count=4).schema.classes == ("a", "b")


def test_columns_can_be_left_out() -> None:
    table = {"id": [f"p{row}" for row in range(100)]} | TABLE
    proposal = propose_schema(table, "class", leave_out=["id"])
    assert "id" not in proposal.schema.names
    assert any(note.startswith("id: left out") for note in proposal.notes)
    encode(proposal.schema, table, extra="ignore")


def test_declared_missing_values_are_no_category() -> None:
    table = from_columns(
        {"x": ["1", "2", "?"] * 20, "n": [*range(59), "?"], "y": ["a", "b", "a"] * 20}, missing_values=["?"]
    )
    proposal = propose_schema(table, "y")
    assert proposal.schema.feature("x").labels == ("1", "2")
    assert isinstance(proposal.schema.feature("n"), Numeric)
    assert encode(proposal.schema, table, unknown="ignore").ignored == 21


def test_leading_zeros_are_no_numbers() -> None:
    postal = [f"0{2000 + row % 20}" for row in range(100)]
    feature = propose_schema({"postal": postal, "y": CLASSES}, "y").schema.feature("postal")
    assert isinstance(feature, Categorical)
    assert feature.labels[0] == "02000"


def test_a_constant_column_is_a_category() -> None:
    assert propose_schema({"x": [7] * 100, "y": CLASSES}, "y").schema.features == (Categorical("x", ("7",)),)


@pytest.mark.parametrize(
    ("table", "settings", "error", "message"),
    [
        ({"x": [1, 2]}, {}, ColumnError, "no column 'y'"),
        ({"x": [1, 2], "y": [0, 1]}, {"leave_out": ["z"]}, ColumnError, "no column 'z'"),
        ({"y": [0, 1]}, {}, SchemaError, "at least one feature"),
        ({"x": [1, 2], "y": [1, 1]}, {}, SchemaError, "only one class"),
        ({"x": [1, 2], "y": [1, None]}, {}, MissingValueError, "'y' .* 1 empty cells"),
        ({"x": [1, 2], "y": [1, [2]]}, {}, ValueTypeError, r"'y', row 1 .*\[2\] is neither"),
        ({"x": [1, float("inf")], "y": [0, 1]}, {}, ValueTypeError, "'x', row 1 .*inf is neither"),
        ({"x": [None, ""], "y": [0, 1]}, {}, DataError, "'x' .* has no values"),
        ({"x": [], "y": []}, {}, DataError, "'x' .* has no values"),
        ({"x": ["a", "b"], "y": [0, 1]}, {"min_count": 2}, DataError, "'x': every value is in fewer than 2 rows"),
        ({"x": list("abc"), "y": [0, 1, 0]}, {"max_categories": 2}, DataError, "'x' .* has 3 categories.*identifies"),
        ({"x": ["n/a", *range(99)], "y": CLASSES}, {}, DataError, "for example 'n/a'.*missing_values .--missing"),
        ({"x": [1] * 100, "y": range(100)}, {}, DataError, "'y' .* has 100 different values.* is it the class"),
        ({"x": [1], "y": [0]}, {"bins": 1}, SettingError, "bins: at least 2, not 1"),
        ({"x": [1], "y": [0]}, {"max_values": 0}, SettingError, "max_values"),
        ({"x": [1], "y": [0]}, {"max_categories": 1}, SettingError, "max_categories"),
        ({"x": [1], "y": [0]}, {"min_count": 0}, SettingError, "min_count"),
        ({"x": [1], "y": [0]}, {"digits": 0}, SettingError, "digits"),
    ],
)
def test_refused(table: dict[str, Any], settings: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        propose_schema(table, "y", **settings)
