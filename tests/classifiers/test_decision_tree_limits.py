"""What a tree refuses, and the contract with options that make it grow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from classifiers import decision_tree
from classifiers.checks import Check, check_classifier
from classifiers.decision_tree import DecisionTree
from classifiers.tree.criterion import CRITERIA, split_margin
from classifiers.trial import Keys, Trial
from privml import Continuous, Schema
from privml.errors import CapacityError, DecryptionError, SettingError
from tests.classifiers.tree.scene import SCHEMA, schema_of, table


def check(options: dict[str, Any]) -> list[Any]:
    return [pytest.param(each, id=each.name) for each in check_classifier(DecisionTree, **options)]


SMALL: dict[str, Any] = {"depth": 2, "grace_period": 10, "delta": 0.4, "tau": 0.3, "batch": 16}


@pytest.mark.parametrize("article", check(SMALL | {"retain": True}))
def test_the_contract_with_splits_and_retained_records(article: Check) -> None:
    article()


@pytest.mark.parametrize("article", check(SMALL | {"leaf_prediction": "naive_bayes", "criterion": "gini"}))
def test_the_contract_with_other_options(article: Check) -> None:
    article()


class TestLimits:
    @pytest.mark.parametrize(
        ("option", "values"),
        [
            ("depth", [0, 11]),
            ("grace_period", [0, 2**21 + 1]),
            ("batch", [0, 8193]),
            ("delta", [0.0, 1.0, -1.0, float("nan")]),
            ("tau", [-0.1, float("inf"), float("nan")]),
            ("criterion", ["entropy"]),
            ("leaf_prediction", ["mean"]),
        ],
    )
    def test_options(self, option: str, values: list[Any]) -> None:
        for value in values:
            with pytest.raises(SettingError, match=option):
                DecisionTree(SCHEMA, **{option: value})

    def test_defaults(self) -> None:
        """Nothing is revealed, and a tie takes as many records whatever the number of classes."""
        for classes, criterion, tau in ((2, "information_gain", 0.3), (8, "information_gain", 0.9), (8, "gini", 0.3)):
            options = DecisionTree(schema_of([("categorical", 2)], classes), criterion=criterion).options
            assert options["reveal_structure"] is False
            assert options["tau"] == pytest.approx(tau)
            margin = split_margin(CRITERIA[criterion], classes, options["delta"], options["tau"])
            assert (margin.plain(np.array([89, 90])) < 0).tolist() == [False, True]

    def test_extreme_options(self) -> None:
        DecisionTree(SCHEMA, delta=5e-324, tau=5e-324)
        DecisionTree(SCHEMA, delta=1 - 1e-16, tau=1e300)

    def test_schemas(self) -> None:
        with pytest.raises(SettingError, match="Numeric"):
            DecisionTree(Schema((Continuous("x", 0, 1),), "y", ("p", "q")))
        with pytest.raises(SettingError, match="64 classes"):
            DecisionTree(schema_of([("categorical", 2)], 65))
        many = schema_of([("categorical", 2)] * 712, 2)
        DecisionTree(many)
        with pytest.raises(SettingError, match="too many features: 712"):
            DecisionTree(many, leaf_prediction="naive_bayes")

    def test_records(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(decision_tree, "MOST", 50)
        trial = Trial(DecisionTree, SCHEMA, {"grace_period": 5}, Keys())
        trial.learn("some", *table(SCHEMA, 40))
        with pytest.raises(CapacityError, match="fewer than 50"):
            trial.learn("more", *table(SCHEMA, 10))

    def test_answers_that_name_no_class(self) -> None:
        for word in (SCHEMA.class_count, 2**64 - 1):
            with pytest.raises(DecryptionError):
                DecisionTree.read_answer(SCHEMA, np.array([0, word], np.uint64), "label")
