"""Records on one scale: what the columns say of shares is what it is in plain numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks.operand import fix_operand
from building_blocks.shares import Shares, Words
from classifiers.regression.columns import Columns
from privml import Categorical, Continuous, Schema
from privml.data.encoding import one_hot
from privml.errors import SettingError
from privml.units.unit import Unit
from tests.two_units import join, run, split

SCHEMA = Schema(
    (Categorical("f", ("a", "b", "c")), Continuous("u", -5, 30), Categorical("g", ("a", "b")), Continuous("v", 0, 1)),
    "y",
    ("p", "q"),
)
LISTED = Schema((Categorical("f", ("a", "b", "c")), Categorical("g", ("a", "b"))), "y", ("p", "q"))


def plain(columns: Columns, records: Words) -> NDArray[np.float64]:
    x = (records.astype(np.int64) - columns.centres) * columns.factors
    return np.asarray(x / 2.0**columns.fraction_bits)


def test_listed_features_are_taken_as_they_are() -> None:
    columns = Columns.of(LISTED, {})
    assert columns.fraction_bits == 0
    assert (columns.factors == 1).all()
    assert not columns.centres.any()
    assert (columns.largest, columns.largest_score) == (1, 3)


def test_by_default_numbers_lie_between_minus_one_and_one() -> None:
    columns = Columns.of(SCHEMA, {})
    codes = np.array([[0, 0, 1, 2**16 - 2**12], [-1, 2**15, 0, 2**14]])
    x = plain(columns, one_hot(SCHEMA, codes))
    np.testing.assert_array_equal(x, [[1, 0, 0, -1, 0, 1, 0.875], [0, 0, 0, 0, 1, 0, -0.5]])
    assert columns.fraction_bits == 16
    assert columns.largest_score == 5


def test_given_means_and_scales() -> None:
    """Rounded to what is said: factors to sixteenths, means to places of records."""
    columns = Columns.of(SCHEMA, {"u": (2.0, 5.1)})
    values = np.array([-5.0, 2.0, 30.0])
    codes = np.zeros((3, 4), dtype=np.int64)
    codes[:, 1] = SCHEMA.features[1].codes(values)
    x = plain(columns, one_hot(SCHEMA, codes))[:, 3]
    np.testing.assert_allclose(x, (values - 2) / 5.1, atol=28 / 35 / 32 + 1e-4)
    assert columns.fraction_bits == 20
    assert columns.magnitudes[3] == pytest.approx(abs(x).max(), rel=2**-15)
    assert columns.magnitudes[3] >= abs(x).max()


@settings(max_examples=20)
@given(st.integers(0, 2**32), st.booleans())
def test_scores_and_gradients_are_exact(seed: int, given_scales: bool) -> None:
    columns = Columns.of(SCHEMA, {"u": (2.0, 5.1), "v": (0.3, 0.25)} if given_scales else {})
    rng = np.random.default_rng(seed)
    codes = np.stack([rng.integers(low, high, 6) for low, high in ((-1, 3), (0, 2**16), (-1, 2), (0, 2**16))], 1)
    records = one_hot(SCHEMA, codes)
    weights, errors = rng.integers(-(2**20), 2**20, (SCHEMA.width + 1, 2)), rng.integers(-(2**16), 2**16, (6, 2))

    def program(unit: Unit, z: Shares, w: Shares, e: Shares) -> tuple[Shares, Shares]:
        operand = fix_operand(unit, z)
        return columns.scores(unit, operand, w), columns.correlate(unit, operand, e)

    done = run(program, split(records), split(weights), split(errors))
    x = (records.astype(np.int64) - columns.centres) * columns.factors
    one = np.full((6, 1), 1 << columns.fraction_bits)
    with_intercept = np.concatenate([x, one], axis=1)
    for index, expected in enumerate((with_intercept @ weights, with_intercept.T @ errors)):
        found = done.master[index].words + done.secondary[index].words
        np.testing.assert_array_equal(found.view(np.int64), expected)
    largest = abs(weights).max() * columns.largest_score * 2.0**columns.fraction_bits
    assert abs(with_intercept @ weights).max() <= largest


def test_the_linear_form_is_for_records_as_they_come() -> None:
    columns = Columns.of(SCHEMA, {})
    weights = np.arange(SCHEMA.width + 1)[:, None]
    form = join(run(columns.linear_form, split(weights)))
    record = one_hot(SCHEMA, np.array([[2, 777, 0, 3]])).astype(np.int64)
    x = (record - columns.centres) * columns.factors
    np.testing.assert_array_equal(record @ form[:-1] + form[-1:], x @ weights[:-1] + (weights[-1:] << 16))


@pytest.mark.parametrize(
    ("standardisation", "named"),
    [
        ({"f": (0, 1)}, "'f' is no continuous feature"),
        ({"w": (0, 1)}, "'w' is no continuous feature"),
        ({"u": (31, 10)}, "mean"),
        ({"u": (float("nan"), 10)}, "mean"),
        ({"u": (0, 0.1)}, "scale"),
        ({"u": (0, 36)}, "scale"),
        ({"u": (0, float("inf"))}, "scale"),
        ({"u": (0,)}, "a mean and a scale"),
        ({"u": ("a", "b")}, "a mean and a scale"),
        ({"u": 3}, "a mean and a scale"),
    ],
)
def test_refused(standardisation: dict[str, tuple[float, float]], named: str) -> None:
    with pytest.raises(SettingError, match=named):
        Columns.of(SCHEMA, standardisation)
