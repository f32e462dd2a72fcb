"""What the units see of logistic regression: uniform words, as many as shapes say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from building_blocks.operand import Operand, fix_operand
from building_blocks.shares import Shares, open_shares, public
from classifiers.logistic_regression import LogisticRegression
from classifiers.regression import columns as columns_module
from classifiers.regression.columns import Columns
from classifiers.trial import Keys
from privml import Categorical, Schema
from privml.data.encoding import one_hot, one_hot_labels
from privml.units.unit import Unit
from tests.classifiers.regression.scene import listed_schema, schema_of, table, trial
from tests.classifiers.regression.twin import Codes
from tests.two_units import Run, run, split, suspicious


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


def fit(schema: Schema, codes: Codes, labels: Codes, **options: Any) -> Run[LogisticRegression]:
    rows = np.concatenate([one_hot(schema, codes), one_hot_labels(schema, labels)], axis=1)

    def program(unit: Unit, shares: Shares) -> LogisticRegression:
        learner = LogisticRegression(schema, **options)
        learner.partial_fit(unit, "a", shares.words)
        for answer in learner.answers:
            learner.predict(unit, shares.words[:, : schema.width], answer)
        return learner

    return run(program, split(rows))


class TestWhatUnitsSee:
    @pytest.mark.parametrize(
        "options", [{}, {"multiclass": "multinomial"}, {"momentum": 0.5, "class_weight": {"c0": 2}}], ids=str
    )
    @pytest.mark.parametrize("classes", [2, 3])
    def test_only_uniform_words(self, classes: int, options: dict[str, Any]) -> None:
        schema = schema_of(classes)
        done = fit(schema, *table(schema, 40), batch=20, epochs=1, **options)
        for view in done.views:
            assert suspicious(view, lately=True) == []

    def test_errors_that_open_would_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        careful = Columns.correlate

        def careless(self: Columns, unit: Unit, records: Operand, errors: Shares) -> Shares:
            (opened,) = open_shares(unit, errors)
            return careful(self, unit, records, public(unit, opened))

        monkeypatch.setattr(Columns, "correlate", careless)
        done = fit(schema_of(2), *table(schema_of(2), 400), batch=200, epochs=1)
        assert all(suspicious(view, lately=True) for view in done.views)

    def test_a_mask_used_for_two_weights_would_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Weights of two steps under one mask would open their difference."""
        kept: dict[Any, Operand] = {}

        def saving(unit: Unit, matrix: Shares) -> Operand:
            operand = kept.setdefault((unit.role, matrix.shape), fix_operand(unit, matrix))
            (masked,) = open_shares(unit, matrix - operand.mask)
            return Operand(masked, operand.mask, operand.drawn)

        monkeypatch.setattr(columns_module, "fix_operand", saving)
        schema = Schema((Categorical("f", tuple(map(str, range(200)))),), "y", ("p", "q"))
        done = fit(schema, *table(schema, 40), batch=20, epochs=2)
        assert all(suspicious(view, lately=True) for view in done.views)

    @pytest.mark.parametrize("options", [{}, {"multiclass": "multinomial", "class_weight": {"c0": 2}}], ids=str)
    def test_messages_depend_on_shapes_only(self, options: dict[str, Any]) -> None:
        schema = schema_of(3)
        constant = np.zeros((40, 4), dtype=np.int64), np.zeros(40, dtype=np.int64)
        first, second = (fit(schema, *data, batch=16, epochs=1, **options) for data in (constant, table(schema, 40)))
        assert [view.trace for view in first.views] == [view.trace for view in second.views]

    @pytest.mark.parametrize(
        ("schema", "options", "rounds"),
        [
            (listed_schema(2), {"fraction_bits": 16}, 7),
            (listed_schema(2), {}, 7),
            (listed_schema(3), {"momentum": 0.5}, 7),
            (schema_of(2), {}, 8),
            (schema_of(3), {}, 8),
            (schema_of(3), {"class_weight": {"c0": 2}}, 9),
            (schema_of(2), {"momentum": 0.5, "nesterov": True}, 8),
            (schema_of(2), {"learning_rate": 1000.0}, 8),
            (schema_of(2), {"learning_rate": 1000.0, "class_weight": {"c0": 64}, "fraction_bits": 16}, 10),
            (schema_of(3), {"multiclass": "multinomial"}, 21),
        ],
    )
    def test_rounds_of_a_step(self, schema: Schema, options: dict[str, Any], rounds: int, keys: Keys) -> None:
        counts = []
        for epochs in (2, 5):
            both = trial(schema, keys, batch=64, epochs=epochs, schedule="constant", **options)
            both.learn("a", *table(schema, 20))
            counts.append(len(both.trace[0]) // 2)
        assert counts[1] - counts[0] == 3 * rounds
