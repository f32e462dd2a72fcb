"""The tests of a schema."""

from __future__ import annotations

import numpy as np

from classifiers.tree.binary_tests import BinaryTests
from privml import Categorical, Numeric, Ordinal, Schema
from privml.data.encoding import one_hot

SCHEMA = Schema(
    (
        Categorical("colour", ("red", "green", "blue")),
        Categorical("alone", ("x",)),
        Numeric("age", (25, 37.5)),
        Categorical("sex", ("f", "m")),
        Ordinal("size", ("S", "M", "L")),
    ),
    "y",
    ("p", "q"),
)
TESTS = BinaryTests(SCHEMA)


def test_one_for_each_value_or_edge() -> None:
    assert [str(test) for test in TESTS.listed] == [
        "colour = red", "colour = green", "colour = blue", "age <= 25", "age <= 37.5", "sex = f", "size <= S",
        "size <= M",
    ]  # fmt: skip
    assert TESTS.groups == (slice(0, 3), slice(3, 5), slice(5, 6), slice(6, 8))


def test_who_passes() -> None:
    """A cell that was left out passes no test."""
    codes = np.array([[1, 0, 0, 0, 0], [2, 0, 1, 1, 2], [-1, -1, -1, -1, -1], [0, 0, 2, 0, 1]])
    passed = one_hot(SCHEMA, codes) @ TESTS.passing
    assert passed.tolist() == [
        [0, 1, 0, 1, 1, 1, 1, 1],
        [0, 0, 1, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 1, 0, 1],
    ]


def test_counts_are_those_of_records_that_pass() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 50, (4, SCHEMA.width, 3), dtype=np.uint64)
    expected = np.einsum("pvc,vt->ptc", values, TESTS.passing)
    np.testing.assert_array_equal(TESTS.counts(values), expected)
