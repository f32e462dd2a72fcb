"""scikit-learn's own checks of an estimator."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import estimator_checks

from privml.sklearn import PrivateDecisionTree, PrivateLogisticRegression, PrivateNaiveBayes

SMALL = [
    PrivateNaiveBayes(),
    PrivateLogisticRegression(),
    PrivateDecisionTree(depth=2, batch=25, grace_period=25, delta=0.1, tau=0.5),
]

ROUNDING = "probabilities are rounded at random to a multiple of 2^-16, and the check allows 1e-7"

EXPECTED_FAILURES: Mapping[str, Mapping[str, str]] = {
    "PrivateNaiveBayes": {},
    "PrivateDecisionTree": {"check_estimators_pickle": ROUNDING, "check_fit_idempotent": ROUNDING},
    "PrivateLogisticRegression": {
        "check_estimators_pickle": ROUNDING,
        "check_fit_idempotent": ROUNDING,
        "check_class_weight_classifiers": "a class weighs between 1/64 and 64, and the check wants 1000 and 0.0001",
    },
}

ROUNDED = 2.0**-13
"""By how much two fits' probabilities may differ."""


def expected_failures(estimator: Any) -> Mapping[str, str]:
    return EXPECTED_FAILURES[type(estimator).__name__]


# not strict: all digits may be equal by chance
every_check: Callable[[Any], Any] = estimator_checks.parametrize_with_checks(
    SMALL, expected_failed_checks=expected_failures, xfail_strict=False
)


@every_check
def test_estimator_check(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("estimator", SMALL, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize(
    "check",
    [
        "check_estimators_pickle",
        "check_fit_idempotent",
        "check_methods_sample_order_invariance",
        "check_methods_subset_invariance",
    ],
)
def test_what_fails_there_fails_by_rounding_only(check: str, estimator: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def close(one: Any, other: Any, *args: Any, **options: Any) -> None:
        if np.asarray(one).dtype.kind == "f":
            np.testing.assert_allclose(one, other, rtol=0, atol=ROUNDED)
        else:
            np.testing.assert_array_equal(one, other)

    for name in ("assert_allclose_dense_sparse", "assert_allclose"):
        monkeypatch.setattr(estimator_checks, name, close)
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))
