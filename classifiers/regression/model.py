"""A revealed logistic regression, as its recipient reads it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.number import decode
from building_blocks.shares import Words
from privml.data.continuous import UNIT_BITS, Continuous
from privml.data.schema import Schema
from privml.errors import ClassifierError, DecryptionError

MULTICLASS: Final = ("ovr", "multinomial")
"""How scores of more than two classes become probabilities; a model says which by its place here."""

HEADER: Final = 2
"""Words before the coefficients: that place, and the number of fractional bits."""


@dataclass(frozen=True)
class LogisticRegressionModel:
    """Coefficients in the features' own units, with one-hot columns for listed features and bins.

    Attributes
    ----------
    columns
        Names of the columns: "feature=value", or a continuous feature's name.
    classes
        Names of the classes.
    coef
        Shape (1, columns) for two classes, of the second; else (classes, columns).
    intercept
        Shape (1,) or (classes,).
    multiclass
        "ovr": every class against the rest, logistic probabilities, normalised; "multinomial": softmax.
    """

    columns: tuple[str, ...]
    classes: tuple[str, ...]
    coef: NDArray[np.float64]
    intercept: NDArray[np.float64]
    multiclass: str

    @classmethod
    def read(cls, schema: Schema, words: Words) -> LogisticRegressionModel:
        """Read an opened release.

        Raises
        ------
        DecryptionError
            It is no model of this schema.
        """
        outputs = 1 if schema.class_count == 2 else schema.class_count
        if words.shape != (HEADER + (schema.width + 1) * outputs,) or words[0] >= len(MULTICLASS) or words[1] > 61:
            raise DecryptionError("the release is no logistic regression of this schema, or was damaged")
        table = decode(words[HEADER:].reshape(-1, outputs), int(words[1]))
        coef, intercept, columns = table[:-1].T.copy(), table[-1].copy(), []
        for feature, block in zip(schema.features, schema.slices.values(), strict=True):
            if isinstance(feature, Continuous):
                # records hold 2^16 (v - low) / (high - low)
                coef[:, block] *= 2**UNIT_BITS / (feature.high - feature.low)
                intercept -= feature.low * coef[:, block.start]
                columns.append(feature.name)
            else:
                columns += [f"{feature.name}={label}" for label in feature.labels]
        return cls(tuple(columns), schema.classes, coef, intercept, MULTICLASS[int(words[0])])

    def to_sklearn(self) -> Any:
        """Return it as a scikit-learn classifier that has been fitted, for rows of `columns` and classes by name.

        A `LogisticRegression`; for "ovr" with more than two classes a `OneVsRestClassifier` of such.

        Raises
        ------
        ClassifierError
            scikit-learn is not installed.
        """
        try:
            from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - optional
            from sklearn.multiclass import OneVsRestClassifier  # noqa: PLC0415
            from sklearn.preprocessing import LabelBinarizer  # noqa: PLC0415
        except ImportError as error:
            raise ClassifierError("scikit-learn is not installed: pip install 'privml[sklearn]'") from error

        def fitted(rows: slice | list[int], classes: Any) -> Any:
            model = LogisticRegression()
            model.coef_, model.intercept_, model.classes_ = self.coef[rows], self.intercept[rows], np.array(classes)
            model.n_features_in_ = self.coef.shape[1]
            return model

        if len(self.coef) == 1 or self.multiclass == "multinomial":
            return fitted(slice(None), self.classes)
        model = OneVsRestClassifier(LogisticRegression())
        model.label_binarizer_ = LabelBinarizer(sparse_output=True).fit(self.classes)
        model.classes_ = model.label_binarizer_.classes_  # sorted
        model.estimators_ = [fitted([self.classes.index(name)], [0, 1]) for name in model.classes_]
        model.n_features_in_ = self.coef.shape[1]
        return model
