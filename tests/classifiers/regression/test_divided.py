"""Training on batches that are divided among lanes."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from building_blocks.fixed_point.number import decode
from building_blocks.shares import Words
from classifiers.logistic_regression import LogisticRegression
from classifiers.regression import divided
from privml.data.continuous import Continuous
from privml.data.feature import Categorical
from privml.data.schema import Schema
from privml.errors import ValidationError
from privml.units.dealer import Dealer
from privml.units.lanes import thread_lanes
from privml.units.pair import Pair
from privml.units.unit import Unit
from tests.privml.units.lanes.service import Service, lanes_of
from tests.two_units import split

LANES = 2
SCHEMA = Schema(
    (Categorical("a", ("x", "y", "z")), Continuous("b", 0.0, 1.0), Continuous("c", -2.0, 2.0)),
    target="t",
    classes=("u", "v", "w"),
)
TWO = Schema(SCHEMA.features, target="t", classes=("u", "v"))


def rows_of(schema: Schema, count: int) -> NDArray[np.int64]:
    """Valid records whose class goes with their features."""
    rng = np.random.default_rng(7)
    kind = rng.integers(0, schema.class_count, count)
    places = np.clip((kind[:, None] + rng.random((count, 2))) / 4 * 2**16, 0, 2**16 - 1).astype(np.int64)
    values = np.where(rng.random(count) < 0.6, kind, rng.integers(0, 3, count))
    return np.concatenate([np.eye(3, dtype=np.int64)[values], places, np.eye(schema.class_count)[kind]], axis=1).astype(
        np.int64
    )


def trained(lanes: Pair[Any], schema: Schema, rows: NDArray[np.int64], options: dict[str, Any]) -> tuple[Any, Any]:
    """Weights that the units hold shares of, and both halves."""
    service = Service(lanes, dealer=Dealer())
    halves = tuple(LogisticRegression(schema, **options) for _ in range(2))
    shares = split(rows)

    def learn(unit: Unit) -> Words:
        side = 0 if unit.is_master else 1
        halves[side].partial_fit(unit, "chunk", shares[side].words)
        halves[side].refresh(unit)
        return halves[side]._position.weights.words

    both = service.run(learn)
    service.close()
    return decode(both.master + both.secondary, halves[0]._descent.fraction_bits), halves


NO_LANES: Pair[Any] = Pair(None, None)


@pytest.mark.parametrize(
    ("schema", "options"),
    [
        (TWO, {}),
        (SCHEMA, {"multiclass": "multinomial", "momentum": 0.5}),
        (SCHEMA, {"class_weight": {"u": 2.0}, "retain": True}),
        (TWO, {"standardisation": "private"}),
        (TWO, {"standardisation": {"b": (0.5, 0.2)}}),
    ],
    ids=["two classes", "multinomial", "weights of classes", "private scales", "public scales"],
)
def test_the_same_model_comes_out_to_within_rounding(schema: Schema, options: dict[str, Any]) -> None:
    rows = rows_of(schema, 400)
    options = {"batch": 200, "epochs": 3, **options}
    alone, _ = trained(NO_LANES, schema, rows, options)
    lanes = thread_lanes(LANES)
    together, _ = trained(lanes, schema, rows, options)
    assert np.abs(alone).max() > 0.1
    np.testing.assert_allclose(together, alone, atol=2e-3)
    # scales that follow from the records need them in one place; else they went to the lanes
    used = lanes.master.traffic.bytes_sent
    assert (used == 0) == (options.get("standardisation") == "private")


def test_no_record_stays_in_a_lane() -> None:
    lanes = thread_lanes(LANES)
    service = Service(lanes, dealer=Dealer())
    halves = [LogisticRegression(TWO, batch=200) for _ in range(2)]
    shares = split(rows_of(TWO, 200))

    def learn(unit: Unit) -> list[list[str]]:
        side = 0 if unit.is_master else 1
        halves[side].partial_fit(unit, "chunk", shares[side].words)
        return lanes_of(unit).map(unit, remembered, [()] * LANES)

    both = service.run(learn)
    assert both.master == both.secondary == [[]] * LANES
    service.close()


def remembered(lane: Any) -> list[str]:
    return list(lane.memory)


def test_records_that_are_none_are_refused_in_whichever_lane_they_are() -> None:
    rows = rows_of(TWO, 200)
    for place in (3, 196):
        wrong = rows.copy()
        wrong[place, 0] = 2
        with pytest.raises(ValidationError, match="chunk 'chunk' is refused"):
            trained(thread_lanes(LANES), TWO, wrong, {"batch": 200})


def test_a_recipe_travels_with_shares_of_scales_as_words() -> None:
    rows = rows_of(TWO, 200)
    _, (half, _) = trained(NO_LANES, TWO, rows, {"batch": 200, "standardisation": "private"})
    recipe = half._recipe
    arrived = pickle.loads(pickle.dumps(recipe.carried())).unpacked()  # noqa: S301
    np.testing.assert_array_equal(arrived.descent.columns.scales.words, recipe.descent.columns.scales.words)
    assert arrived.scales is None
    assert "uint64" not in repr(recipe.carried())


def test_a_smaller_part_of_a_batch_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the sum over lanes the model would be another one: the first test can fail."""
    rows = rows_of(TWO, 200)
    alone, _ = trained(NO_LANES, TWO, rows, {"batch": 200})
    monkeypatch.setattr(divided, "_together", lambda parts: parts[0])
    wrong, _ = trained(thread_lanes(LANES), TWO, rows, {"batch": 200})
    assert np.abs(wrong - alone).max() > 0.01
