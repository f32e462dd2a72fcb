"""What the estimators have in common: everything but their options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from privml.data.cell import shortened
from privml.data.feature import Feature
from privml.data.schema import Schema
from privml.data.table import listed
from privml.errors import SchemaError, SettingError
from privml.sklearn.columns import Numbers, codes_of, features_of
from privml.sklearn.local import LocalLearner


class PrivateClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """A learner, found by its entry point, as a scikit-learn classifier with both units inside.

    The first call fixes the schema: it takes the columns and their categories, bins or limits from the data, unless
    `schema` gives them. What is kept afterwards is the schema and the units' states, no record in the clear. Answers
    are the protocols' own: scores that are equal up to their stated rounding may be told apart differently by another
    fit, as the randomness is the operating system's.

    A subclass names its learner, stores options in ``__init__``, and makes features of columns of numbers.

    Attributes
    ----------
    classes_
        The classes, sorted, shape (C,).
    schema_
        Features and classes, as a provider's model would publish them.
    n_features_in_
        Number of columns.
    feature_names_in_
        Their names, if X was a DataFrame whose names are texts.
    learner_
        Both units' states.
    """

    _learner: ClassVar[str]
    _about_data: ClassVar[frozenset[str]] = frozenset({"schema"})
    """Parameters that are no options of the learner."""

    schema: Schema | None

    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Learn from records alone; what was learned before is forgotten.

        Parameters
        ----------
        X
            Array or DataFrame of shape (n, F). Columns of numbers and, in a DataFrame or an array of objects, of
            categories.
        y
            Classes, at least two different ones, shape (n,).

        Raises
        ------
        ValueError
            Cells are empty or not finite, shapes do not fit, `y` is not of classes, or has only one.
        SettingError
            An option is out of range.
        """
        table, labels = self._checked(X, y, first=True)
        return self._begin(X, table, labels, np.unique(labels))

    def partial_fit(self, X: Any, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Learn from more records.

        Parameters
        ----------
        X, y
            See `fit`. The first call fixes the schema, as `fit` does: afterwards, and in queries, numbers beyond its
            limits or edges are held to them (clipped), and categories that it does not know are left out.
        classes
            All classes that will ever occur; needed in the first call.

        Raises
        ------
        ValueError
            As for `fit`, or classes are missing, unknown or not those of the first call.
        """
        first = not hasattr(self, "learner_")
        if first and classes is None:
            raise SettingError("the first call of partial_fit needs `classes`: all that will ever occur")
        table, labels = self._checked(X, y, first=first)
        if first:
            return self._begin(X, table, labels, np.unique(np.asarray(classes)))
        if classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise SettingError(f"classes are those of the first call, {self.classes_}; got {classes}")
        self._teach(self.learner_, self.schema_, table, labels)
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Return the most probable class of each record, shape (n,)."""
        texts = np.asarray(self._ask(X, "label"), dtype=object)
        return np.asarray(self.classes_[self.schema_.class_feature.codes(texts)])

    def predict_proba(self, X: Any) -> NDArray[np.float64]:
        """Return the probability of every class in the order of `classes_`, shape (n, C)."""
        return np.asarray(self._ask(X, "probabilities"), dtype=np.float64)

    def __sklearn_tags__(self) -> Any:
        """Say that columns of categories are welcome."""
        tags = super().__sklearn_tags__()
        tags.input_tags.categorical = True
        return tags

    def _number_feature(self, index: int, name: str, numbers: Numbers) -> Feature:
        raise NotImplementedError

    def _options(self, schema: Schema, table: NDArray[Any]) -> Mapping[str, Any]:
        """Return the learner's options for a first call's data."""
        parameters = self.get_params(deep=False)
        return {name: value for name, value in parameters.items() if name not in self._about_data}

    def _checked(self, X: Any, y: Any, *, first: bool) -> tuple[NDArray[Any], NDArray[Any]]:
        table, labels = validate_data(self, X, y, dtype=None, reset=first)
        check_classification_targets(labels)
        return table, labels

    def _begin(self, X: Any, table: NDArray[Any], labels: NDArray[Any], classes: NDArray[Any]) -> Self:
        """Learn from the first records; attributes are set once that went well."""
        if len(classes) < 2:
            raise SettingError(f"there is only 1 class, {classes[0]!r}; two are the least to tell apart")
        schema = self._schema_of(X, table, classes)
        learner = LocalLearner(self._learner, schema, self._options(schema, table))
        self._teach(learner, schema, table, labels)
        self.classes_, self.schema_, self.learner_ = classes, schema, learner
        return self

    @staticmethod
    def _teach(learner: LocalLearner, schema: Schema, table: NDArray[Any], labels: NDArray[Any]) -> None:
        codes = schema.class_feature.codes(labels)
        if (codes < 0).any():
            unknown = shortened(labels[np.argmax(codes < 0)])
            raise SettingError(f"y holds {unknown}; the classes are {', '.join(schema.classes)}")
        learner.learn(codes_of(schema, table), codes)

    def _ask(self, X: Any, answer: str) -> Any:
        check_is_fitted(self, "learner_")
        table = validate_data(self, X, dtype=None, reset=False)
        return self.learner_.ask(codes_of(self.schema_, table), answer)

    def _schema_of(self, X: Any, table: NDArray[Any], classes: NDArray[Any]) -> Schema:
        names = [str(name) for name in getattr(self, "feature_names_in_", ())]
        if self.schema is None:
            names = names or [f"x{index}" for index in range(table.shape[1])]
            target = "class"
            while target in names:
                target += "_"
            return Schema(features_of(X, table, names, self._number_feature), target, tuple(classes))
        if len(self.schema.features) != table.shape[1] or (names and names != list(self.schema.names)):
            found = listed(names) if names else f"{table.shape[1]} columns"
            raise SchemaError(f"X has {found}; the schema has {listed(self.schema.names)}, in this order")
        schema = Schema(self.schema.features, self.schema.target, tuple(classes))
        if unknown := set(schema.classes) - set(self.schema.classes):
            raise SchemaError(
                f"the schema has no class {listed(sorted(unknown))}; it has {listed(self.schema.classes)}"
            )
        return schema
