"""Numbers that enter with their value."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.data.cell import MISSING, UNKNOWN, WRONG_TYPE
from privml.data.continuous import Continuous
from privml.data.encoding import counts, encode, one_hot
from privml.data.schema import Categorical, Schema
from privml.errors import MissingValueError, SchemaError, SettingError, UnknownCategoryError, ValueTypeError

WEIGHT = Continuous("weight", 30, 200)
SCHEMA = Schema((Categorical("colour", ("red", "green")), WEIGHT, Categorical("size", ("s", "l"))), "y", ("no", "yes"))
TABLE: dict[str, list[Any]] = {
    "colour": ["green", "red"],
    "weight": [30, 115.0],
    "size": ["s", "l"],
    "y": ["no", "yes"],
}
finite = st.floats(-1e6, 1e6)


@given(finite, st.floats(1e-3, 1e6), st.lists(st.floats(0, 1), max_size=10))
def test_a_code_is_the_place_between_the_limits(low: float, width: float, places: list[float]) -> None:
    feature = Continuous("x", low, low + width)
    values = np.clip(np.array([low, low + width, *(low + place * width for place in places)]), low, low + width)
    codes = feature.codes(values)
    assert codes[0] == 0
    assert codes[1] == feature.levels - 1 == 65535
    inside = (values - low) / (feature.high - low)
    np.testing.assert_allclose(codes / 65536, inside, atol=2**-16 + 1e-12)
    assert (np.abs(codes / 65536 - inside)[inside <= 1 - 2**-17] <= 2**-17 + 1e-12).all()
    assert feature.codes(values.astype(object)).tolist() == codes.tolist()


def test_codes_of_what_is_no_number_between_the_limits() -> None:
    cells = [29.9, 200.1, math.nan, math.inf, 30.0, 200.0]
    expected = [UNKNOWN, UNKNOWN, MISSING, WRONG_TYPE, 0, 65535]
    assert WEIGHT.codes(np.array(cells)).tolist() == expected
    mixed = np.array(["?", "heavy", "100", None, *cells[:2]], dtype=object)
    place = round(70 / 170 * 65536)
    assert WEIGHT.codes(mixed, {"?"}).tolist() == [MISSING, WRONG_TYPE, place, MISSING, UNKNOWN, UNKNOWN]


def test_its_column_holds_its_code() -> None:
    assert SCHEMA.cardinalities == (2, 1, 2)
    assert not SCHEMA.one_hot
    encoded = encode(SCHEMA, TABLE)
    np.testing.assert_array_equal(one_hot(SCHEMA, encoded.codes), [[0, 1, 0, 1, 0], [1, 0, 32768, 0, 1]])


@pytest.mark.parametrize(
    ("cell", "error"), [(201, UnknownCategoryError), (None, MissingValueError), ("heavy", ValueTypeError)]
)
@pytest.mark.parametrize("unknown", ["error", "ignore"])
def test_it_must_be_known_always(cell: Any, error: type[Exception], unknown: Any) -> None:
    with pytest.raises(error, match=r"'weight'.*a number from 30 to 200"):
        encode(SCHEMA, TABLE | {"weight": [30, cell]}, unknown=unknown)


@pytest.mark.parametrize("code", [-1, 65536])
def test_codes_out_of_range_are_refused(code: int) -> None:
    with pytest.raises(SettingError, match="levels"):
        one_hot(SCHEMA, np.array([[0, code, 0]]))


def test_it_is_not_counted() -> None:
    with pytest.raises(SettingError, match="Numeric"):
        counts(SCHEMA, encode(SCHEMA, TABLE))


def test_it_survives_json() -> None:
    again = Schema.from_json(SCHEMA.to_json())
    assert again == SCHEMA
    assert again.digest == SCHEMA.digest
    assert again.feature("weight").labels == ("30..200",)


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ((1, 1), "range"),
        ((2, 1), "range"),
        ((-1e308, 1e308), "range"),
        ((0, 1e-305), "range"),
        ((0, math.inf), "inf is not"),
        ((math.nan, 0), "nan is not"),
        (("0", 1), "'0' is not"),
        ((False, 1), "False is not"),
    ],
)
def test_limits_that_are_none(limits: tuple[Any, Any], message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Continuous("x", *limits)
