"""The same learners in the clear, on the same encoding and the same rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray
from river.naive_bayes import BernoulliNB
from river.tree import HoeffdingTreeClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import CategoricalNB

from experiments.learners.options import BAYES, REGRESSION, TREE, standardisation
from experiments.plaintext.hoeffding_tree import HoeffdingTree
from privml.data.continuous import UNIT_BITS, Continuous
from privml.data.encoding import EncodedTable, one_hot
from privml.data.schema import Schema
from privml.learner import classifier

Codes = NDArray[np.int64]
Probabilities = NDArray[np.float64]


class Rival(ABC):
    """A learner in the clear.

    Parameters
    ----------
    schema, options
        Those of ours.
    """

    name: ClassVar[str]

    def __init__(self, schema: Schema, options: Mapping[str, Any]) -> None:
        self.schema, self.options = schema, options

    @abstractmethod
    def fit(self, train: EncodedTable) -> None:
        """Learn; rivals that learn online go on from where they are."""

    @abstractmethod
    def probabilities(self, codes: Codes) -> Probabilities:
        """Probabilities of all classes for each record."""

    def predict(self, codes: Codes) -> Codes:
        """Codes of the most probable classes."""
        return np.asarray(self.probabilities(codes).argmax(axis=1))


class SklearnBayes(Rival):
    """scikit-learn's CategoricalNB."""

    name = "scikit-learn"

    def __init__(self, schema: Schema, options: Mapping[str, Any]) -> None:
        super().__init__(schema, options)
        self._learner = CategoricalNB(alpha=options["alpha"], min_categories=list(schema.cardinalities))

    def fit(self, train: EncodedTable) -> None:
        """Count."""
        self._learner.partial_fit(train.codes, train.labels, classes=range(self.schema.class_count))

    def probabilities(self, codes: Codes) -> Probabilities:
        """Probabilities of all classes for each record."""
        return np.asarray(self._learner.predict_proba(codes))


class SklearnRegression(Rival):
    """scikit-learn's LogisticRegression, run until it converges: what mini-batches come near to.

    Of several classes it takes the softmax, where ours by default sets each class against the rest.
    """

    name = "scikit-learn"

    def fit(self, train: EncodedTable) -> None:
        """Learn from these records alone."""
        self._scales = standardisation(self.schema, train)
        self.learner = LogisticRegression(max_iter=1000)
        self.learner.fit(self.columns(train.codes), train.labels)

    def probabilities(self, codes: Codes) -> Probabilities:
        """Probabilities of all classes for each record; 0 for those that no training record has."""
        found = np.zeros((len(codes), self.schema.class_count))
        found[:, self.learner.classes_] = self.learner.predict_proba(self.columns(codes))
        return found

    def columns(self, codes: Codes) -> NDArray[np.float64]:
        """What it learns from: one-hot columns, and numbers standardised."""
        columns = one_hot(self.schema, codes).astype(np.float64)
        for feature in self.schema.features:
            if isinstance(feature, Continuous):
                place, (mean, scale) = self.schema.slices[feature.name].start, self._scales[feature.name]
                numbers = feature.low + columns[:, place] / 2**UNIT_BITS * (feature.high - feature.low)
                columns[:, place] = (numbers - mean) / scale
        return columns


class RiverLearner(Rival):
    """A learner of river's, which takes one record after the other."""

    name = "river"

    def __init__(self, schema: Schema, options: Mapping[str, Any]) -> None:
        super().__init__(schema, options)
        self._learner: Any = self._make()  # river has no types

    @abstractmethod
    def _make(self) -> Any: ...

    @abstractmethod
    def _records(self, codes: Codes) -> list[dict[Any, int]]:
        """Records as the learner takes them."""

    def fit(self, train: EncodedTable) -> None:
        """Learn record by record."""
        for record, label in zip(self._records(train.codes), np.asarray(train.labels).tolist(), strict=True):
            self._learner.learn_one(record, label)

    def probabilities(self, codes: Codes) -> Probabilities:
        """Probabilities of all classes for each record."""
        found = np.zeros((len(codes), self.schema.class_count))
        for row, record in enumerate(self._records(codes)):
            for label, probability in self._learner.predict_proba_one(record).items():
                found[row, label] = probability
        return found


class RiverTree(RiverLearner):
    """river's HoeffdingTreeClassifier with binary splits, of the same depth, with the same bound; bins are numbers.

    Its leaves answer by majority if ours do, else by naive Bayes wherever that has been better: its own default.
    """

    def _make(self) -> Any:
        options = classifier(TREE)(self.schema, **self.options).options
        return HoeffdingTreeClassifier(
            max_depth=options["depth"],
            grace_period=options["grace_period"],
            delta=options["delta"],
            tau=options["tau"],
            leaf_prediction="mc" if options["leaf_prediction"] == "majority" else "nba",
            nominal_attributes=[feature.name for feature in self.schema.features if not feature.ordered],
            binary_split=True,
        )

    def _records(self, codes: Codes) -> list[dict[Any, int]]:
        return [dict(zip(self.schema.names, row, strict=True)) for row in codes.tolist()]


class RiverBayes(RiverLearner):
    """river's BernoulliNB on one-hot columns: of its naive Bayes classifiers the one for categories."""

    def _make(self) -> Any:
        make: Any = BernoulliNB
        return make()

    def _records(self, codes: Codes) -> list[dict[Any, int]]:
        return [dict(enumerate(row)) for row in one_hot(self.schema, codes).tolist()]


class TwinTree(Rival):
    """Our own tree in plaintext."""

    name = "plaintext twin"

    def __init__(self, schema: Schema, options: Mapping[str, Any]) -> None:
        super().__init__(schema, options)
        self._tree = HoeffdingTree(schema, options)

    def fit(self, train: EncodedTable) -> None:
        """Learn in the same batches."""
        self._tree.learn(train.codes, np.asarray(train.labels))

    def probabilities(self, codes: Codes) -> Probabilities:
        """Probabilities of all classes for each record."""
        return self._tree.proportions(codes)

    def predict(self, codes: Codes) -> Codes:
        """Codes of the most probable classes; of equally probable ones the first."""
        return self._tree.predict(codes)


RIVALS: Final[Mapping[str, type[Rival]]] = MappingProxyType(
    {BAYES: SklearnBayes, REGRESSION: SklearnRegression, TREE: RiverTree}
)
"""By the name of ours."""
