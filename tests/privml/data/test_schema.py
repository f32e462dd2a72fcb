import copy
import hashlib
import json
import math
import pickle
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.data.cell import MISSING, UNKNOWN, WRONG_TYPE
from privml.data.schema import Categorical, Feature, Numeric, Ordinal, Schema
from privml.errors import DataError, SchemaError

WEATHER = Schema(
    features=(
        Categorical("outlook", ("overcast", "rainy", "sunny")),
        Ordinal("wind", ("calm", "breeze", "storm")),
        Numeric("temperature", (10, 20.5)),
    ),
    target="play",
    classes=("no", "yes"),
)

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda text: text.strip() != "")
some_names = st.lists(names, min_size=1, max_size=5)
numbers = st.floats(allow_nan=False, allow_infinity=False)


def _feature(kind: str, name: str, categories: list[str], edges: set[float]) -> Feature:
    if kind == "numeric":
        return Numeric(name, tuple(sorted(edges)))
    return (Ordinal if kind == "ordinal" else Categorical)(name, tuple(categories))


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    kinds = st.sampled_from(["numeric", "ordinal", "categorical"])
    edges = st.sets(numbers, min_size=1, max_size=4)
    columns = draw(st.lists(st.tuples(kinds, names, some_names, edges), min_size=1, max_size=4))
    try:
        features = tuple(_feature(kind, name, values, cuts) for kind, name, values, cuts in columns)
        return Schema(features, draw(names), tuple(draw(st.lists(names, min_size=2, max_size=4))))
    except SchemaError:  # names or categories that are the same in canonical form
        return WEATHER


def test_layout() -> None:
    assert WEATHER.names == ("outlook", "wind", "temperature")
    assert WEATHER.cardinalities == (3, 3, 3)
    assert WEATHER.width == 9
    assert dict(WEATHER.slices) == {"outlook": slice(0, 3), "wind": slice(3, 6), "temperature": slice(6, 9)}
    assert WEATHER.class_count == 2
    assert WEATHER.feature("wind") is WEATHER.features[1]
    assert [feature.ordered for feature in WEATHER.features] == [False, True, True]
    assert WEATHER.feature("temperature").labels == ("<= 10", "(10, 20.5]", "> 20.5")


@given(schemas())
def test_slices_partition_the_one_hot_columns(schema: Schema) -> None:
    columns = [column for block in schema.slices.values() for column in range(block.start, block.stop)]
    assert columns == list(range(schema.width))
    assert [len(feature.labels) for feature in schema.features] == list(schema.cardinalities)


@given(st.sets(numbers, min_size=1, max_size=6), st.lists(numbers | st.integers(-5, 5).map(float), max_size=20))
def test_bin_is_the_number_of_edges_below(edges: set[float], values: list[float]) -> None:
    feature = Numeric("x", tuple(sorted(edges)))
    expected = [sum(edge < value for edge in edges) for value in [*values, *edges]]
    column = np.array([*values, *edges])
    assert feature.codes(column).tolist() == expected
    assert feature.codes(column.astype(object)).tolist() == expected
    texts = np.array([repr(value) for value in column.tolist()], dtype=object)
    assert feature.codes(texts, frozenset({"?"})).tolist() == expected


def test_numeric_codes_of_what_is_no_number() -> None:
    feature = Numeric("x", (0.0,))
    assert feature.codes(np.array([math.nan, math.inf, -math.inf, 1.0])).tolist() == [
        MISSING,
        WRONG_TYPE,
        WRONG_TYPE,
        1,
    ]
    cells = np.array([None, "", "abc", True, "nan", "1", 2, -999], dtype=object)
    codes = [MISSING, MISSING, WRONG_TYPE, WRONG_TYPE, WRONG_TYPE, 1, 1, MISSING]
    assert feature.codes(cells, frozenset({"-999"})).tolist() == codes
    assert feature.codes(np.array([5, -999]), frozenset({"-999"})).tolist() == [1, MISSING]
    assert feature.codes(np.array([True])).tolist() == [WRONG_TYPE]


def test_category_codes_meet_across_types() -> None:
    feature = Ordinal("x", (0, 0.5, 1))  # type: ignore[arg-type]
    assert feature.labels == ("0", "0.5", "1")
    for column in (
        np.array([0.0, 0.5, 1.0, 2.0]),
        np.array(["0.0", "0.50", " 1", "2"], dtype=object),
        np.array([0, 0.5, np.float32(1), "2"], dtype=object),
        np.array([0.0, 0.5, 1.0, 2.0], dtype=np.float16),
    ):
        assert feature.codes(column).tolist() == [0, 1, 2, UNKNOWN]
    assert feature.codes(np.array([0, 1], dtype=np.int8)).tolist() == [0, 2]
    assert feature.codes(np.array([True, 1, None, [1], math.inf], object)).tolist() == [UNKNOWN, 2, MISSING, -3, -3]


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: Categorical("", ("a",)), "empty"),
        (lambda: Categorical("  ", ("a",)), "empty"),
        (lambda: Categorical(7, ("a",)), "text, not 7"),  # type: ignore[arg-type]
        (lambda: Categorical("x\ud800", ("a",)), "surrogate"),
        (lambda: Categorical("x", ()), "'x': no categories"),
        (lambda: Categorical("x", "abc"), "sequence"),  # type: ignore[arg-type]
        (lambda: Categorical("x", {"a", "b"}), "sequence"),  # type: ignore[arg-type]
        (lambda: Categorical("x", 5), "sequence"),  # type: ignore[arg-type]
        (lambda: Categorical("x", ("a", " ")), "blank"),
        (lambda: Categorical("x", ("a", None)), "None cannot"),  # type: ignore[arg-type]
        (lambda: Categorical("x", ("a", "b", "a")), "'a' is a duplicate"),
        (lambda: Categorical("x", ("1.0", "1.00")), "'1.00' is a duplicate of '1.0', both are read as '1'"),
        (lambda: Ordinal("x", (1, 1.0)), "duplicate"),  # type: ignore[arg-type]
        (lambda: Numeric("x", ()), "no edges"),
        (lambda: Numeric("x", (1, 1)), "does not exceed"),
        (lambda: Numeric("x", (-0.0, 0.0)), "does not exceed"),
        (lambda: Numeric("x", (2, 1)), "1.0 does not exceed the one before, 2.0"),
        (lambda: Numeric("x", (0, math.inf)), "inf is not a finite"),
        (lambda: Numeric("x", (math.nan,)), "nan is not a finite"),
        (lambda: Numeric("x", (True,)), "True is not a finite"),
        (lambda: Numeric("x", ("1",)), "'1' is not a finite"),  # type: ignore[arg-type]
        (lambda: Numeric("x", "12"), "sequence"),  # type: ignore[arg-type]
        (lambda: Schema((), "y", ("a", "b")), "at least one feature"),
        (lambda: Schema(("x",), "y", ("a", "b")), "'x' is no feature"),  # type: ignore[arg-type]
        (lambda: Schema((Numeric("x", (1,)), Numeric(" x ", (2,))), "y", ("a", "b")), "'x' occurs twice"),
        (lambda: Schema((Numeric("y", (1,)),), "y", ("a", "b")), "'y' is also among"),
        (lambda: Schema((Numeric("x", (1,)),), "", ("a", "b")), "class column is empty"),
        (lambda: Schema((Numeric("x", (1,)),), "y", ("a",)), "only one class"),
        (lambda: Schema((Numeric("x", (1,)),), "y", ("a", "a")), "'a' is a duplicate"),
        (lambda: WEATHER.feature("humidity"), "'humidity'; there are outlook"),
    ],
)
def test_contradictions_are_named(build: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message) as caught:
        build()
    assert isinstance(caught.value, DataError)


def test_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        WEATHER.target = "other"  # type: ignore[misc]
    with pytest.raises(TypeError):
        WEATHER.slices["outlook"] = slice(0)  # type: ignore[index]


@given(schemas(), st.sampled_from([None, 1, 2]))
def test_json_round_trip(schema: Schema, indent: int | None) -> None:
    again = Schema.from_json(schema.to_json(indent=indent))
    assert again == schema
    assert hash(again) == hash(schema)
    assert again.digest == schema.digest
    assert again.to_json() == schema.to_json()


@given(schemas(), schemas())
def test_digests_are_equal_exactly_for_equal_schemas(one: Schema, other: Schema) -> None:
    assert (one.digest == other.digest) == (one == other)
    assert len(one.digest) == 32


def test_pickles_and_copies_are_equal_whatever_was_looked_at() -> None:
    for schema in (WEATHER, Schema.from_json(WEATHER.to_json())):
        assert schema.slices["wind"] == slice(3, 6)
        for again in (pickle.loads(pickle.dumps(schema)), copy.deepcopy(schema), copy.copy(schema)):  # noqa: S301
            assert again == schema
            assert again.digest == schema.digest


def test_canonical_json_is_fixed() -> None:
    # a change here breaks every upload made under the old digest: raise the version of the format with it
    text = (
        '{"classes":["no","yes"],"features":['
        '{"categories":["overcast","rainy","sunny"],"kind":"categorical","name":"outlook"},'
        '{"categories":["calm","breeze","storm"],"kind":"ordinal","name":"wind"},'
        '{"edges":[10.0,20.5],"kind":"numeric","name":"temperature"}],'
        '"format":"privml-schema","target":"play","version":1}'
    )
    assert WEATHER.to_json() == text
    assert WEATHER.digest == hashlib.sha256(text.encode("ascii")).digest()


def test_any_change_changes_the_digest() -> None:
    outlook, wind, temperature = WEATHER.features
    variants = [
        Schema((wind, outlook, temperature), "play", ("no", "yes")),
        Schema((outlook, wind), "play", ("no", "yes")),
        Schema((outlook, Categorical("wind", wind.labels), temperature), "play", ("no", "yes")),
        Schema((outlook, Ordinal("wind", wind.labels[::-1]), temperature), "play", ("no", "yes")),
        Schema((outlook, wind, Numeric("temperature", (10, math.nextafter(20.5, 21)))), "play", ("no", "yes")),
        Schema(WEATHER.features, "plays", ("no", "yes")),
        Schema(WEATHER.features, "play", ("yes", "no")),
        Schema(WEATHER.features, "play", ("no", "yes", "maybe")),
    ]
    assert len({schema.digest for schema in [WEATHER, *variants]}) == 1 + len(variants)


def test_equal_spellings_have_equal_digests() -> None:
    one = Schema((Numeric("x", (-0.0, 1)), Categorical("caf\u00e9", ("1.0",))), "y", ("0", "1"))
    other = Schema((Numeric(" x", (0.0, np.float64(1))), Categorical("cafe\u0301", (1,))), "y", (0, 1))  # type: ignore[arg-type]
    assert one == other
    assert one.digest == other.digest


def _changed(**changes: Any) -> str:
    form = json.loads(WEATHER.to_json()) | changes
    return json.dumps({key: value for key, value in form.items() if value is not ...})


def _with_feature(**changes: Any) -> str:
    numeric = {"kind": "numeric", "name": "x", "edges": [1]} | changes
    return _changed(features=[{key: value for key, value in numeric.items() if value is not ...}])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is JSON text"),
        ("{", "is JSON text"),
        (b"\xff\xfe\xfd", "is JSON text"),
        ("[" * 100_000, "is JSON text"),
        ("[]", "object"),
        ("null", "object"),
        (_changed(colour="red"), "unknown 'colour'"),
        (_changed(target=...), "lacks 'target'"),
        (_changed(format="other"), "format is"),
        (_changed(version=2), "version 1, not 2"),
        (_changed(version=True), "version 1, not True"),
        (_changed(features={}), "features: a list"),
        (_changed(features=[3]), "feature 0 .* found 3"),
        (_changed(features=[{"kind": "real"}]), "categorical, ordinal, numeric"),
        (_changed(features=[{"kind": ["numeric"]}]), "categorical, ordinal, numeric"),
        (_changed(classes="ab"), "classes: a list"),
        (_changed(classes=["a"]), "only one class"),
        (_changed(classes=["a", None]), "cannot be a category"),
        (_changed(target=3), "text, not 3"),
        (_with_feature(edges="12"), "edges: a list"),
        (_with_feature(edges=["1"]), "'1' is not a finite"),
        (_with_feature(edges=[False]), "False is not a finite"),
        (_with_feature(edges=[10**400]), "is not a finite"),
        (_with_feature(name=...), "feature 0 lacks 'name'"),
        (_with_feature(bins=3), "feature 0 has the unknown 'bins'"),
        (WEATHER.to_json().replace("20.5", "NaN"), "NaN is not a finite"),
        (WEATHER.to_json().replace("20.5", "1e999"), "inf is not a finite"),
        (WEATHER.to_json()[:-1] + ',"version":1}', "'version' occurs twice"),
    ],
)
def test_json_that_is_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        Schema.from_json(text)


def test_json_by_hand_may_spell_categories_as_numbers() -> None:
    assert Schema.from_json(_changed(classes=[0, 1.0, "02"])).classes == ("0", "1", "02")
