"""Nothing of logistic regression leaves 62 bits: what could is refused."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from building_blocks.shares import signed
from classifiers.logistic_regression import LogisticRegression
from classifiers.trial import Keys
from privml.data.encoding import one_hot, one_hot_labels
from privml.errors import (
    CapacityError,
    DecryptionError,
    NotFittedError,
    SettingError,
    ValidationError,
)
from tests.classifiers.regression.scene import (
    half,
    schema_of,
    table,
    trial,
)


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


class TestRanges:
    @pytest.mark.parametrize("momentum", [0.0, 0.5])
    def test_weights_and_scores_stay_within_what_is_declared(self, momentum: float, keys: Keys) -> None:
        """Records of one kind and one class drive them as far as they go; another class then would drive them back."""
        schema = schema_of(2)
        both = trial(schema, keys, learning_rate=100.0, schedule="constant", average=False, batch=4, momentum=momentum)
        codes = np.array([[0, 2**16 - 1, 0, 0]] * 16)
        both.learn("a", codes, np.zeros(16, dtype=np.int64))
        position = half(both)._position
        words = [each.state()["learned"]["weights"] for each in both.halves]
        weights = signed(words[0] + words[1]) / 2**20
        reach, length = position.extent.single.weights, position.extent.length.weights
        assert reach / 50 < abs(weights).max() <= reach
        assert length / 50 < np.linalg.norm(weights) <= length
        ranges = half(both)._descent.ranges
        assert abs(both.ask(codes[:1], "score"))[0] <= ranges.score_bound(position.extent) / 2**36
        assert both.ask(codes[:1]) == ["c0"]
        np.testing.assert_allclose(both.ask(codes[:1], "probabilities"), [[1, 0]], atol=1e-4)

    def test_a_chunk_that_could_lead_too_far_is_refused_before_anything_is_sent(self, keys: Keys) -> None:
        schema = schema_of(2)
        both = trial(schema, keys, learning_rate=1000.0, schedule="constant", fraction_bits=29)
        bound, chunk = 0, 0
        # a chunk adds the same to the square of the bound
        while bound * math.sqrt((chunk + 1) / max(chunk, 1)) < 2**60:
            both.learn(str(chunk), *table(schema, 20, chunk))
            bound = half(both)._descent.ranges.score_bound(half(both)._position.extent)
            chunk += 1
        before = both.trace
        with pytest.raises(CapacityError, match=r"after \d+ steps weights could be .* take a smaller learning_rate"):
            both.learn("one more", *table(schema, 20))
        assert chunk > 1
        assert both.trace == before
        assert not half(both).has("one more")

    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"learning_rate": 0}, "learning_rate"),
            ({"schedule": "cosine"}, "schedule"),
            ({"epochs": 0}, "epochs"),
            ({"batch": 0}, "batch"),
            ({"batch": 2.5}, "batch is an integer"),
            ({"batch": 2**21}, "batch"),
            ({"batch": 2**20, "standardisation": {"u": (0, 3)}}, "of 62 bits for the learning rate"),
            ({"l2": -1}, "l2"),
            ({"l2": 3.0}, "learning_rate times l2"),
            ({"momentum": 1.0}, "momentum"),
            ({"momentum": 0.999, "batch": 2**18}, "of 62 bits for the learning rate"),
            ({"nesterov": True}, "nesterov"),
            ({"multiclass": "ovo"}, "multiclass"),
            ({"class_weight": {"c9": 1}}, "'c9' is no class"),
            ({"class_weight": {"c0": 0}}, "class_weight"),
            ({"class_weight": {"c0": 65}}, "class_weight"),
            ({"standardisation": {"f": (0, 1)}}, "no continuous feature"),
            ({"fraction_bits": 15}, "fraction_bits"),
            ({"fraction_bits": 31}, "fraction_bits"),
            ({"fraction_bits": 30, "learning_rate": 1000.0, "epochs": 40}, "fewer fraction_bits"),
        ],
    )
    def test_refused(self, options: dict[str, Any], named: str) -> None:
        with pytest.raises(SettingError, match=named):
            LogisticRegression(schema_of(2), **options)

    def test_out_of_range_numbers_are_refused(self, keys: Keys) -> None:
        schema = schema_of(2)
        both = trial(schema, keys)
        both.learn("a", *table(schema, 10))
        for wrong in (2**16, 2**64 - 1):
            rows = one_hot(schema, table(schema, 4)[0])
            rows[1, 3] = wrong
            with pytest.raises(ValidationError):
                both.ask_rows(rows)
            with pytest.raises(ValidationError):
                both.learn_rows("b", np.concatenate([rows, one_hot_labels(schema, np.zeros(4, np.int64))], axis=1))

    def test_untrained(self, keys: Keys) -> None:
        with pytest.raises(NotFittedError):
            trial(schema_of(2), keys).ask(table(schema_of(2), 1)[0])

    def test_answers_and_releases_that_are_none(self) -> None:
        schema = schema_of(3)
        with pytest.raises(DecryptionError):
            LogisticRegression.read_answer(schema, np.array([3], np.uint64), "label")
        good = np.zeros(2 + (schema.width + 1) * 3, np.uint64)
        LogisticRegression.read_model(schema, good)
        for place, wrong in ((0, 2), (1, 62)):
            bad = good.copy()
            bad[place] = wrong
            with pytest.raises(DecryptionError):
                LogisticRegression.read_model(schema, bad)
        with pytest.raises(DecryptionError):
            LogisticRegression.read_model(schema, good[:-1])
