import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder

from privml.data.encoding import EncodedTable, counts, encode, one_hot, one_hot_labels
from privml.data.readers import from_columns
from privml.data.schema import Categorical, Numeric, Ordinal, Schema
from privml.errors import ColumnError, MissingValueError, SettingError, UnknownCategoryError, ValueTypeError

SCHEMA = Schema(
    (
        Categorical("workclass", ("Federal-gov", "Local-gov", "Private")),
        Numeric("age", (25, 40)),
        Ordinal("education", ("HS-grad", "Bachelors", "Masters")),
    ),
    "income",
    ("<=50K", ">50K"),
)
PEOPLE: dict[str, list[Any]] = {
    "age": [25, 26, 40, 41],
    "workclass": ["Private", "Local-gov", "Private", "Federal-gov"],
    "education": ["Masters", "HS-grad", "Bachelors", "HS-grad"],
    "income": [">50K", "<=50K", "<=50K", ">50K"],
}

Codes = NDArray[np.int64]


@st.composite
def encoded_tables(draw: st.DrawFn) -> tuple[Schema, EncodedTable]:
    cardinalities = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    class_count = draw(st.integers(2, 3))
    features = [Categorical(f"f{index}", tuple(map(str, range(size)))) for index, size in enumerate(cardinalities)]
    schema = Schema(tuple(features), "y", tuple(map(str, range(class_count))))
    row = st.tuples(*[st.integers(-1, size - 1) for size in cardinalities])
    rows = draw(st.lists(st.tuples(row, st.integers(0, class_count - 1)), max_size=20))
    codes = np.array([codes for codes, _ in rows], dtype=np.int64).reshape(-1, len(features))
    labels = np.array([label for _, label in rows], dtype=np.int64)
    return schema, EncodedTable(codes, labels, int((codes < 0).sum()))


def _slow_one_hot(schema: Schema, codes: Codes) -> list[list[int]]:
    return [
        [int(code == value) for code, size in zip(row, schema.cardinalities, strict=True) for value in range(size)]
        for row in codes.tolist()
    ]


@given(encoded_tables())
def test_one_hot_is_what_a_loop_says(example: tuple[Schema, EncodedTable]) -> None:
    schema, encoded = example
    hot = one_hot(schema, encoded.codes)
    assert hot.dtype == np.uint64
    assert hot.shape == (len(encoded), schema.width)
    assert hot.tolist() == _slow_one_hot(schema, encoded.codes)
    for index, name in enumerate(schema.names):
        np.testing.assert_array_equal(hot[:, schema.slices[name]].sum(axis=1), encoded.codes[:, index] >= 0)


@given(encoded_tables())
def test_counts_are_what_a_loop_says(example: tuple[Schema, EncodedTable]) -> None:
    schema, encoded = example
    assert encoded.labels is not None
    classes = [0] * schema.class_count
    values = [[0] * schema.class_count for _ in range(schema.width)]
    for row, label in zip(_slow_one_hot(schema, encoded.codes), encoded.labels.tolist(), strict=True):
        classes[label] += 1
        for column, bit in enumerate(row):
            values[column][label] += bit
    found = counts(schema, encoded)
    assert found.classes.dtype == found.values.dtype == np.int64
    assert found.classes.tolist() == classes
    assert found.values.tolist() == values
    assert found.values.shape == (schema.width, schema.class_count)


@given(encoded_tables())
def test_counts_are_the_product_of_the_one_hot_matrices(example: tuple[Schema, EncodedTable]) -> None:
    schema, encoded = example
    assert encoded.labels is not None
    labels = one_hot_labels(schema, encoded.labels)
    assert labels.dtype == np.uint64
    assert labels.shape == (len(encoded), schema.class_count)
    found = counts(schema, encoded)
    np.testing.assert_array_equal(found.values, one_hot(schema, encoded.codes).T @ labels)
    np.testing.assert_array_equal(found.classes, labels.sum(axis=0))


@given(encoded_tables(), st.integers(0, 20))
def test_counts_of_chunks_add_up(example: tuple[Schema, EncodedTable], cut: int) -> None:
    schema, encoded = example
    assert encoded.labels is not None
    parts = [
        counts(schema, EncodedTable(encoded.codes[part], encoded.labels[part], 0))
        for part in (slice(cut), slice(cut, None))
    ]
    whole = counts(schema, encoded)
    np.testing.assert_array_equal(parts[0].classes + parts[1].classes, whole.classes)
    np.testing.assert_array_equal(parts[0].values + parts[1].values, whole.values)


@given(encoded_tables())
def test_one_hot_agrees_with_scikit_learn(example: tuple[Schema, EncodedTable]) -> None:
    schema, encoded = example
    if not len(encoded):
        return
    encoder = OneHotEncoder(
        categories=[list(range(size)) for size in schema.cardinalities], handle_unknown="ignore", sparse_output=False
    )
    np.testing.assert_array_equal(one_hot(schema, encoded.codes), encoder.fit_transform(encoded.codes))


@given(st.lists(st.integers(-50, 50).map(lambda n: n / 4), min_size=20, max_size=60, unique=True), st.integers(2, 6))
def test_bins_agree_with_scikit_learn_between_the_edges(values: list[float], bins: int) -> None:
    column = np.array(values)
    oracle = KBinsDiscretizer(bins, encode="ordinal", strategy="uniform", subsample=None).fit(column[:, None])
    edges = oracle.bin_edges_[0][1:-1]
    # scikit-learn puts a value at an edge into the upper bin, ours into the lower
    inside = column[~np.isin(column, edges)]
    schema = Schema((Numeric("x", tuple(edges)),), "y", ("a", "b"))
    ours = encode(schema, {"x": inside}, labelled=False).codes
    np.testing.assert_array_equal(ours, oracle.transform(inside[:, None]))


def test_encode() -> None:
    encoded = encode(SCHEMA, PEOPLE)
    assert encoded.codes.tolist() == [[2, 0, 2], [1, 1, 0], [2, 1, 1], [0, 2, 0]]
    assert encoded.codes.dtype == np.int64
    assert encoded.codes.flags.c_contiguous
    assert encoded.labels is not None
    assert encoded.labels.tolist() == [1, 0, 0, 1]
    assert encoded.labels.dtype == np.int64
    assert encoded.ignored == 0
    assert len(encoded) == 4


def test_encode_without_labels_does_not_look_at_the_class_column() -> None:
    queries = {name: cells for name, cells in PEOPLE.items() if name != "income"}
    assert encode(SCHEMA, queries, labelled=False).labels is None
    assert encode(SCHEMA, PEOPLE | {"income": [None] * 4}, labelled=False).labels is None
    with pytest.raises(ColumnError, match="no column 'income'"):
        encode(SCHEMA, queries)


def test_encode_no_rows() -> None:
    encoded = encode(SCHEMA, {name: [] for name in PEOPLE})
    assert encoded.codes.shape == (0, 3)
    assert one_hot(SCHEMA, encoded.codes).shape == (0, 9)
    assert counts(SCHEMA, encoded).values.sum() == 0


def test_a_chunk_encodes_as_its_part_of_the_table() -> None:
    table = from_columns(PEOPLE)
    parts = [encode(SCHEMA, chunk).codes for chunk in table.chunks(3)]
    np.testing.assert_array_equal(np.concatenate(parts), encode(SCHEMA, table).codes)


def _with(column: str, *cells: object) -> dict[str, list[Any]]:
    return PEOPLE | {column: [*cells, *PEOPLE[column][len(cells) :]]}


@pytest.mark.parametrize("cell", [None, math.nan, "", " ", pd.NA, "Never-worked", "private", 7, True])
def test_ignored_cells_are_counted_and_all_zero(cell: object) -> None:
    table = _with("workclass", "Private", cell, cell)
    encoded = encode(SCHEMA, table, unknown="ignore")
    assert encoded.ignored == 2
    assert encoded.codes.tolist() == [[2, 0, 2], [-1, 1, 0], [-1, 1, 1], [0, 2, 0]]
    assert one_hot(SCHEMA, encoded.codes)[1].tolist() == [0, 0, 0, 0, 1, 0, 1, 0, 0]
    with pytest.raises((UnknownCategoryError, MissingValueError), match=r"'workclass', row 1 .*1 more in this column"):
        encode(SCHEMA, table)


@pytest.mark.parametrize("unknown", ["error", "ignore"])
@pytest.mark.parametrize(
    ("column", "cell", "error", "message"),
    [
        ("age", "old", ValueTypeError, "column 'age', row 1 of dict of columns: 'old' is not a finite number"),
        ("age", "?", ValueTypeError, r"declare it in missing_values \(--missing\)"),
        ("age", "1,5", ValueTypeError, "'1,5' is not a finite number"),
        ("age", math.inf, ValueTypeError, "inf is not a finite number"),
        ("age", True, ValueTypeError, "True is not a finite number"),
        pytest.param("age", "x" * 10**6, ValueTypeError, r"'x+\.\.\.x+' is not a finite number", id="long"),
        pytest.param("age", 10**5000, ValueTypeError, "an integer of 16610 bits is not a finite number", id="huge"),
        ("workclass", ["Private"], ValueTypeError, r"\['Private'\] is not one of its 3 categories"),
        ("income", None, MissingValueError, "'income', row 1 .* every row needs a known class"),
        ("income", "", MissingValueError, "'income', row 1 .* every row needs a known class"),
        ("income", ">50K.", UnknownCategoryError, "'>50K.' is not .* did you mean '>50K'"),
        ("income", {}, ValueTypeError, "'income', row 1"),
    ],
)
def test_always_refused(unknown: Any, column: str, cell: object, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message) as caught:
        encode(SCHEMA, _with(column, PEOPLE[column][0], cell), unknown=unknown)
    assert len(str(caught.value)) < 400


def test_unknown_category_is_named_with_its_remedy() -> None:
    with pytest.raises(UnknownCategoryError) as caught:
        encode(SCHEMA, _with("workclass", "Privat"))
    assert str(caught.value) == (
        "column 'workclass', row 0 of dict of columns: 'Privat' is not one of its 3 categories "
        "('Federal-gov', 'Local-gov', 'Private'); did you mean 'Private'?; "
        "encode with unknown='ignore' (--unknown ignore) to leave such cells out"
    )


def test_missing_column_suggests_a_near_name() -> None:
    table = {("work-class" if name == "workclass" else name): cells for name, cells in PEOPLE.items()}
    with pytest.raises(ColumnError, match="no column 'workclass'; did you mean 'work-class'"):
        encode(SCHEMA, table)


def test_extra_columns_are_refused_or_ignored() -> None:
    table = PEOPLE | {"name": ["a", "b", "c", "d"]}
    with pytest.raises(ColumnError, match="'name', unknown to the schema"):
        encode(SCHEMA, table)
    np.testing.assert_array_equal(encode(SCHEMA, table, extra="ignore").codes, encode(SCHEMA, PEOPLE).codes)


@pytest.mark.parametrize("setting", ["unknown", "extra"])
def test_settings(setting: str) -> None:
    with pytest.raises(SettingError, match=f"{setting}: .*not 'skip'"):
        encode(SCHEMA, PEOPLE, **{setting: "skip"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("codes", "message"),
    [
        (np.zeros((2, 2), np.int64), r"shape \(n, 3\)"),
        (np.zeros(3, np.int64), r"shape \(n, 3\)"),
        (np.zeros((2, 3)), "signed integers"),
        (np.zeros((2, 3), np.uint64), "signed integers"),
        (np.array([[3, 0, 0]]), "below the levels"),
        (np.array([[0, 0, -2]]), "below the levels"),
    ],
)
def test_codes_of_another_schema_are_refused(codes: Any, message: str) -> None:
    with pytest.raises(SettingError, match=message):
        one_hot(SCHEMA, codes)
    with pytest.raises(SettingError, match=message):
        counts(SCHEMA, EncodedTable(codes, np.zeros(len(codes), np.int64), 0))


@pytest.mark.parametrize("labels", [np.array([2]), np.array([-1]), np.array([0.0]), np.array([[0]])])
def test_labels_of_another_schema_are_refused(labels: Any) -> None:
    with pytest.raises(SettingError, match="labels"):
        one_hot_labels(SCHEMA, labels)
    with pytest.raises(SettingError, match="labels"):
        counts(SCHEMA, EncodedTable(np.zeros((1, 3), np.int64), labels, 0))


def test_counts_need_labels_of_the_same_length() -> None:
    with pytest.raises(SettingError, match="labelled=True"):
        counts(SCHEMA, encode(SCHEMA, PEOPLE, labelled=False))
    with pytest.raises(SettingError, match="1 for 2 rows"):
        counts(SCHEMA, EncodedTable(np.zeros((2, 3), np.int64), np.zeros(1, np.int64), 0))
