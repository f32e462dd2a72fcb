"""Schemas, and records in which a tree has something to find."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from privml import Categorical, Numeric, Ordinal, Schema
from privml.data.feature import Feature

Codes = NDArray[np.int64]

EAGER: dict[str, Any] = {"depth": 3, "grace_period": 12, "delta": 0.4, "tau": 0.3, "batch": 25}
"""Splits early and often."""

KINDS = st.sampled_from(["categorical", "ordinal", "numeric"])


def feature_of(kind: str, name: str, size: int) -> Feature:
    if kind == "numeric" and size > 1:
        return Numeric(name, tuple(range(size - 1)))
    return (Categorical if kind == "categorical" else Ordinal)(name, tuple(f"v{code}" for code in range(size)))


def schema_of(kinds: Sequence[tuple[str, int]], classes: int) -> Schema:
    features = tuple(feature_of(kind, f"f{index}", size) for index, (kind, size) in enumerate(kinds))
    return Schema(features, "y", tuple(f"c{code}" for code in range(classes)))


SCHEMA = schema_of([("categorical", 3), ("numeric", 5), ("categorical", 2), ("ordinal", 4), ("categorical", 1)], 3)


def table(schema: Schema, rows: int, seed: int = 0, unknown: float = 0.0) -> tuple[Codes, Codes]:
    """Records whose class follows from two features, and from chance."""
    rng = np.random.default_rng(seed)
    columns = [rng.integers(0, size, rows) for size in schema.cardinalities]
    weights = [size - 1 for size in schema.cardinalities]
    labels = (columns[int(np.argmax(weights))] + (columns[0] > 0)) % schema.class_count
    labels = np.where(rng.random(rows) < 0.8, labels, rng.integers(0, schema.class_count, rows))
    codes = np.stack(columns, axis=1)
    return np.where(rng.random(codes.shape) < unknown, -1, codes), labels
