"""Logistic regression in floating point, batch by batch as on shares: without fixed point, without secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privml import Schema
from privml.data.encoding import one_hot

Codes = NDArray[np.int64]
Real = NDArray[np.float64]


class Twin:
    """The same descent, in plain numbers.

    Continuous features are (v - mean) / scale of the feature's own values, with `scales` for those that differ from the
    default: the centre of the limits, and half their distance.
    """

    def __init__(
        self,
        schema: Schema,
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
        class_weight: Mapping[str, float] | None = None,
        standardisation: Mapping[str, Sequence[float]] | None = None,
    ) -> None:
        self.schema = schema
        self.rate, self.schedule, self.decay = learning_rate, schedule, decay
        self.epochs, self.batch, self.average = epochs, batch, average
        self.l2, self.momentum, self.nesterov = l2, momentum, nesterov
        self.multiclass = multiclass
        self.class_weight = np.array([(class_weight or {}).get(name, 1.0) for name in schema.classes])
        self.standardisation = standardisation or {}
        outputs = 1 if schema.class_count == 2 else schema.class_count
        self.coef: Real = np.zeros((outputs, schema.width))
        self.intercept: Real = np.zeros(outputs)
        self.steps = 0

    def columns(self, codes: Codes) -> Real:
        x = one_hot(self.schema, codes).astype(np.float64)
        for feature, block in zip(self.schema.features, self.schema.slices.values(), strict=True):
            if not feature.one_hot:
                low, high = feature.low, feature.high  # type: ignore[attr-defined]
                values = low + x[:, block] / 2**16 * (high - low)
                mean, scale = self.standardisation.get(feature.name, ((low + high) / 2, (high - low) / 2))
                x[:, block] = (values - mean) / scale
        return x

    def learn(self, codes: Codes, labels: Codes) -> None:
        x, count = self.columns(codes), -(-len(codes) // self.batch)
        targets = np.eye(self.schema.class_count)[labels]
        targets = targets[:, 1:] if self.schema.class_count == 2 else targets
        velocity = [np.zeros_like(self.coef), np.zeros_like(self.intercept)]
        means = [np.zeros_like(self.coef), np.zeros_like(self.intercept)]
        steps = self.epochs * count
        for step in range(steps):
            rows = slice(step % count, None, count)
            rate = self._rate(step, steps)
            errors = (self._links(x[rows]) - targets[rows]) * self.class_weight[labels[rows], None]
            gradients = [errors.T @ x[rows] / len(errors), errors.mean(axis=0)]
            velocity = [self.momentum * v - rate * g for v, g in zip(velocity, gradients, strict=True)]
            moves = velocity
            if self.nesterov:
                moves = [self.momentum * v - rate * g for v, g in zip(velocity, gradients, strict=True)]
            self.coef = self.coef * (1 - rate * self.l2) + moves[0]
            self.intercept = self.intercept + moves[1]
            if step >= steps - count:
                means = [means[0] + self.coef / count, means[1] + self.intercept / count]
        if self.average:
            self.coef, self.intercept = means
        self.steps += steps

    def scores(self, codes: Codes) -> Real:
        return np.asarray(self.columns(codes) @ self.coef.T + self.intercept)

    def probabilities(self, codes: Codes) -> Real:
        found = self._links(self.columns(codes))
        if found.shape[1] == 1:
            return np.concatenate([1 - found, found], axis=1)
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def labels(self, codes: Codes) -> NDArray[Any]:
        scores = self.scores(codes)
        best = scores.argmax(axis=1) if scores.shape[1] > 1 else (scores[:, 0] > 0).astype(int)
        return np.asarray(np.array(self.schema.classes, dtype=object)[best])

    def own_units(self) -> tuple[Real, Real]:
        """Coefficients and intercepts for values as they are, not standardised."""
        coef, intercept = self.coef.copy(), self.intercept.copy()
        for feature, block in zip(self.schema.features, self.schema.slices.values(), strict=True):
            if not feature.one_hot:
                low, high = feature.low, feature.high  # type: ignore[attr-defined]
                mean, scale = self.standardisation.get(feature.name, ((low + high) / 2, (high - low) / 2))
                coef[:, block] /= scale
                intercept -= coef[:, block.start] * mean
        return coef, intercept

    def _rate(self, step: int, steps: int) -> float:
        factors = {"constant": 1.0, "linear": 1 - step / steps, "inverse": 1 / (1 + self.decay * (self.steps + step))}
        return self.rate * factors[self.schedule]

    def _links(self, x: Real) -> Real:
        scores = x @ self.coef.T + self.intercept
        if self.multiclass == "multinomial" and scores.shape[1] > 1:
            powers = np.exp(scores - scores.max(axis=1, keepdims=True))
            return np.asarray(powers / powers.sum(axis=1, keepdims=True))
        return np.asarray(1 / (1 + np.exp(-scores)))
