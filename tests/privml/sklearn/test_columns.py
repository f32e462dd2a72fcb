"""Columns become features, and cells become codes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml import Categorical, Continuous, Numeric, Ordinal, Schema
from privml.data.feature import Feature
from privml.errors import MissingValueError, SettingError, ValueTypeError
from privml.sklearn.columns import binned, codes_of, features_of, ranged, standardisation_of

finite = st.floats(-1e300, 1e300)


def features(frame: Any) -> tuple[Feature, ...]:
    names = [str(name) for name in frame.columns]
    return features_of(frame, frame.to_numpy(), names, lambda index, name, numbers: binned(name, numbers, 4))


@given(st.lists(finite, min_size=1, max_size=60), st.integers(2, 8))
def test_bins_are_not_too_many_and_none_is_empty(cells: list[float], bins: int) -> None:
    numbers = np.array(cells)
    feature = binned("x", numbers, bins)
    assert feature.cardinality <= bins
    used = len(np.unique(feature.codes(numbers)))
    assert used == (feature.cardinality if len(np.unique(numbers)) > 1 else 1)


@given(st.lists(st.integers(-5, 5), min_size=2, max_size=60))
def test_few_values_have_a_bin_each(cells: list[int]) -> None:
    numbers = np.array(cells, dtype=np.float64)
    codes = binned("x", numbers, 11).codes(numbers)
    assert len(np.unique(codes)) == len(np.unique(numbers))


def test_bins_hold_about_as_many() -> None:
    numbers = np.random.default_rng(0).normal(size=1000)
    assert set(np.bincount(binned("x", numbers, 8).codes(numbers))) <= {124, 125, 126}
    with pytest.raises(SettingError, match="n_bins is at least 2"):
        binned("x", numbers, 1)


@given(st.lists(finite, min_size=1, max_size=20))
def test_limits_hold_all_cells(cells: list[float]) -> None:
    numbers = np.array(cells)
    feature = ranged("x", numbers)
    codes = feature.codes(numbers)
    assert (codes >= 0).all()
    assert (codes == 2**15).all() or {0, 2**16 - 1} <= set(codes.tolist())
    mean, scale = standardisation_of(Schema((feature,), "y", ("p", "q")), numbers[:, None])["x"]
    assert feature.low <= mean <= feature.high
    assert (feature.high - feature.low) / 16 <= scale <= feature.high - feature.low


def test_columns_of_a_dataframe() -> None:
    frame = pd.DataFrame(
        {
            "number": [1.5, 2.0, 7.25],
            "count": [1, 2, 2],
            "switch": [True, False, True],
            "text": ["b", "a", "b"],
            "listed": pd.Categorical(["u", "u", "v"], categories=["v", "u", "unused"]),
            "ranked": pd.Categorical([3, 1, 3], categories=[1, 2, 3], ordered=True),
            "nullable": pd.array([1, 2, 1], dtype="Int64"),
        }
    )
    assert features(frame) == (
        Numeric("number", (1.5, 2.0)),
        Numeric("count", (1,)),
        Numeric("switch", (0,)),
        Categorical("text", ("a", "b")),
        Categorical("listed", ("v", "u", "unused")),
        Ordinal("ranked", ("1", "2", "3")),
        Numeric("nullable", (1,)),
    )
    codes = codes_of(Schema(features(frame), "y", ("p", "q")), frame.to_numpy())
    np.testing.assert_array_equal(
        codes.T, [[0, 1, 2], [0, 1, 1], [1, 0, 1], [1, 0, 1], [1, 1, 0], [2, 0, 2], [0, 1, 0]]
    )


SCHEMA = Schema((Numeric("n", (1, 2)), Continuous("c", 0, 1), Categorical("t", ("a", "b"))), "y", ("p", "q"))


def test_what_the_schema_does_not_know() -> None:
    cells = np.array([[9, 7.5, "a"], [-9, -7.5, "z"]], dtype=object)
    np.testing.assert_array_equal(codes_of(SCHEMA, cells), [[2, 2**16 - 1, 0], [0, 0, -1]])


@pytest.mark.parametrize(
    ("row", "error", "message"),
    [
        ([1, 0.5, None], MissingValueError, "column 't', row 1: an empty cell"),
        ([1, None, "a"], MissingValueError, "column 'c', row 1"),
        ([float("nan"), 0.5, "a"], MissingValueError, "column 'n', row 1"),
        ([1, 0.5, pd.NA], MissingValueError, "column 't', row 1"),
        ([float("inf"), 0.5, "a"], ValueTypeError, "column 'n', row 1.*finite number, not inf"),
        ([1, float("-inf"), "a"], ValueTypeError, "column 'c', row 1"),
        ([1, "much", "a"], ValueTypeError, "column 'c', row 1"),
        ([1, 0.5, {}], ValueTypeError, "column 't', row 1"),
    ],
)
def test_cells_that_cannot_be(row: list[object], error: type[Exception], message: str) -> None:
    cells = np.array([[1, 0.5, "a"], row], dtype=object)
    with pytest.raises(error, match=message):
        codes_of(SCHEMA, cells)
