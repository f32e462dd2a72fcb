"""How much a record counts, by its class; public for each class, and secret for each record as its class is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from privml.data.schema import Schema
from privml.errors import SettingError

IMPORTANCE_BITS: Final = 6
"""Fractional bits."""

MOST: Final = 64


def importance_of(schema: Schema, class_weight: Mapping[str, float] | None) -> NDArray[np.int64] | None:
    """Return weights of classes in units of 1/64, shape (C, 1), 1 for a class that is not named; None if all are 1.

    Raises
    ------
    SettingError
        A name is no class, or a weight out of range.
    """
    if class_weight is None:
        return None
    for name, weight in class_weight.items():
        if name not in schema.classes:
            raise SettingError(f"class_weight: {name!r} is no class of the schema")
        if not 2.0**-IMPORTANCE_BITS <= weight <= MOST:
            raise SettingError(f"class_weight of {name!r} lies in [1/{2**IMPORTANCE_BITS}, {MOST}]; got {weight}")
    weights = [class_weight.get(name, 1.0) for name in schema.classes]
    return np.array([[round(weight * 2**IMPORTANCE_BITS)] for weight in weights], dtype=np.int64)
