"""The estimators: each learner's options as parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from privml.data.cell import text_of
from privml.data.continuous import Continuous
from privml.data.feature import Feature
from privml.data.schema import Schema
from privml.errors import SettingError
from privml.sklearn.base import PrivateClassifier
from privml.sklearn.columns import Numbers, binned, ranged, standardisation_of


class RoundingClassifier(PrivateClassifier):
    """A classifier whose probabilities are rounded at random to a multiple of 2^-16."""

    def __sklearn_tags__(self) -> Any:
        """Say that the same question may have answers that differ by rounding."""
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        return tags


class CountingClassifier(PrivateClassifier):
    """A classifier that knows a number by its bin; a subclass takes `n_bins`."""

    _about_data: ClassVar[frozenset[str]] = frozenset({"schema", "n_bins"})

    n_bins: int

    def _number_feature(self, index: int, name: str, numbers: Numbers) -> Feature:
        return binned(name, numbers, self.n_bins)


class PrivateNaiveBayes(CountingClassifier):
    """Categorical naive Bayes on shared counts.

    On the same bins and categories it is scikit-learn's `CategoricalNB`, up to rounding: classes whose scores are equal
    within (F + 1) 1.5e-7, in powers of two and for F features, go to the first of them.

    Parameters
    ----------
    alpha
        Smoothing added to every count, in [2^-24, 2^16].
    n_bins
        Bins of a column of numbers, at least 2: quantiles, or one for each value if there are not more of them.
    schema
        Features, and the classes that may occur; None takes them from the first call's data.

    Examples
    --------
    >>> from privml.sklearn import PrivateNaiveBayes
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = PrivateNaiveBayes(n_bins=4).fit(X[::2], y[::2])
    >>> model.predict([[5.0, 3.4, 1.5, 0.2], [6.9, 3.1, 5.4, 2.1]])
    array([0, 2])
    >>> print(f"{model.score(X[1::2], y[1::2]):.2f}")
    0.92
    """

    _learner = "naive_bayes"

    def __init__(self, *, alpha: float = 1.0, n_bins: int = 8, schema: Schema | None = None) -> None:
        self.alpha = alpha
        self.n_bins = n_bins
        self.schema = schema


class PrivateDecisionTree(CountingClassifier, RoundingClassifier):
    """Hoeffding tree on shares, of a given depth.

    Probabilities are rounded at random to a multiple of 2^-16.

    Parameters
    ----------
    depth
        Tests on the way to a leaf, at most, in 1..10.
    grace_period
        Records that a leaf must see before a split of it is looked for.
    delta, tau
        Chance of a split that is not the best; the Hoeffding bound below which the best is taken as it is, None for
        0.3 of the largest gain.
    criterion
        "information_gain" or "gini".
    leaf_prediction
        "majority" or "naive_bayes".
    batch
        Records that go down the tree together, at most.
    n_bins
        Bins of a column of numbers, at least 2: quantiles, or one for each value if there are not more of them.
    schema
        Features, and the classes that may occur; None takes them from the first call's data.

    Examples
    --------
    >>> from privml.sklearn import PrivateDecisionTree
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> model = PrivateDecisionTree(depth=2, batch=25, grace_period=25, delta=0.05, tau=0.4).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2]) > 0.6
    True
    """

    _learner = "decision_tree"

    def __init__(
        self,
        *,
        depth: int = 6,
        grace_period: int = 200,
        delta: float = 1e-7,
        tau: float | None = None,
        criterion: str = "information_gain",
        leaf_prediction: str = "majority",
        batch: int = 1000,
        n_bins: int = 8,
        schema: Schema | None = None,
    ) -> None:
        self.depth = depth
        self.grace_period = grace_period
        self.delta = delta
        self.tau = tau
        self.criterion = criterion
        self.leaf_prediction = leaf_prediction
        self.batch = batch
        self.n_bins = n_bins
        self.schema = schema


class PrivateLogisticRegression(RoundingClassifier):
    """Logistic regression by mini-batch gradient descent on shares.

    Probabilities are rounded at random to a multiple of 2^-16, so a question that is asked twice gets two answers that
    differ by so much; a record for which two classes are equally probable may be told apart differently.

    Parameters
    ----------
    learning_rate, schedule, decay
        The first learning rate; "constant", "linear" (falls to zero over each call's steps) or "inverse"
        (rate / (1 + decay t)).
    epochs, batch, average
        How often a call's records are gone through; records of a step; whether the result is the mean of the last
        epoch's weights.
    l2, momentum, nesterov
        Penalty; what each step keeps of the one before, and whether it looks ahead.
    multiclass
        "ovr", each class against the rest, or "multinomial".
    class_weight
        How much a record of a class counts, by class, in [1/64, 64]; 1 unless given.
    standardisation
        "data" takes mean and standard deviation of the first call's numbers, the latter at least 1/16 of the range;
        else (mean, scale) by column name, or None for the centre and half the range.
    fraction_bits
        Of the weights, in 16..30.
    feature_ranges
        (low, high) for all columns of numbers, or one such pair for every column of X; None takes the limits of the
        first call's data. Numbers beyond are held to them (clipped).
    schema
        Features, and the classes that may occur; None takes them from the first call's data.

    Examples
    --------
    >>> from privml.sklearn import PrivateLogisticRegression
    >>> from sklearn.datasets import load_breast_cancer
    >>> X, y = load_breast_cancer(return_X_y=True)
    >>> model = PrivateLogisticRegression(epochs=8, batch=32).fit(X[::2], y[::2])
    >>> model.score(X[1::2], y[1::2]) > 0.95
    True
    """

    _learner = "logistic_regression"
    _about_data: ClassVar[frozenset[str]] = frozenset({"schema", "feature_ranges"})

    def __init__(
        self,
        *,
        learning_rate: float = 0.5,
        schedule: str = "linear",
        decay: float = 0.01,
        epochs: int = 5,
        batch: int = 128,
        average: bool = True,
        l2: float = 0.0,
        momentum: float = 0.0,
        nesterov: bool = False,
        multiclass: str = "ovr",
        class_weight: Mapping[Any, float] | None = None,
        standardisation: Mapping[str, Sequence[float]] | str | None = "data",
        fraction_bits: int = 20,
        feature_ranges: ArrayLike | None = None,
        schema: Schema | None = None,
    ) -> None:
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.decay = decay
        self.epochs = epochs
        self.batch = batch
        self.average = average
        self.l2 = l2
        self.momentum = momentum
        self.nesterov = nesterov
        self.multiclass = multiclass
        self.class_weight = class_weight
        self.standardisation = standardisation
        self.fraction_bits = fraction_bits
        self.feature_ranges = feature_ranges
        self.schema = schema

    def _number_feature(self, index: int, name: str, numbers: Numbers) -> Feature:
        if self.feature_ranges is None:
            return ranged(name, numbers)
        ranges = np.asarray(self.feature_ranges, dtype=np.float64)
        columns = self.n_features_in_
        if ranges.shape not in ((2,), (columns, 2)):
            raise SettingError(f"feature_ranges is (low, high), or such a pair for each of the {columns} columns")
        return Continuous(name, *np.broadcast_to(ranges, (columns, 2))[index].tolist())

    def _options(self, schema: Schema, table: NDArray[Any]) -> Mapping[str, Any]:
        options = dict(super()._options(schema, table))
        if isinstance(self.standardisation, str):
            if self.standardisation != "data":
                raise SettingError(f'standardisation is "data", None or by column; got {self.standardisation!r}')
            options["standardisation"] = standardisation_of(schema, table)
        if self.class_weight is not None:
            options["class_weight"] = {text_of(label): weight for label, weight in self.class_weight.items()}
        return options
