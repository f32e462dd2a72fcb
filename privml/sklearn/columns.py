"""The columns of what scikit-learn calls X: their features, and their codes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from privml.data.cell import MISSING, WRONG_TYPE, Column, shortened, text_of
from privml.data.continuous import Continuous
from privml.data.feature import Categorical, Feature, Numeric, Ordinal
from privml.data.schema import Schema
from privml.errors import MissingValueError, SettingError, ValueTypeError

Numbers = NDArray[np.float64]
NumberFeature = Callable[[int, str, Numbers], Feature]
"""Makes the feature of a column of numbers from its place, its name and its cells."""

_NUMERIC_KINDS: Final = "biuf"
LEAST_SCALE: Final = 1 / 16
"""Standard deviations that are a smaller part of the range count as this: finer scales leave descent too few bits."""

_LEAST_RANGE: Final = 1e-300
"""What lies closer together is one value: a float cannot hold how many times it goes into 2^16."""

_REFUSED: Final = (
    (MISSING, MissingValueError, "an empty cell (missing value); fill it in, or leave the row out first:"),
    (WRONG_TYPE, ValueTypeError, "the argument must be a string or a finite number"),
)


def features_of(
    given: Any, checked: NDArray[Any], names: Sequence[str], number_feature: NumberFeature
) -> tuple[Feature, ...]:
    """Describe columns: those of numbers by `number_feature`, others by their categories in alphabetical order.

    Parameters
    ----------
    given
        X as the caller gave it. A column of a DataFrame that is categorical by its type has all categories of that
        type, ordered ones in their order.
    checked
        The same as an array, shape (n, F).
    names
        A name for each column.
    """
    types = getattr(given, "dtypes", None)
    types = list(types) if hasattr(given, "columns") and types is not None else [None] * len(names)
    return tuple(
        _feature(index, name, checked[:, index], kind, number_feature)
        for index, (name, kind) in enumerate(zip(names, types, strict=True))
    )


def _feature(index: int, name: str, column: Column, kind: Any, number_feature: NumberFeature) -> Feature:
    if hasattr(kind, "categories"):  # a categorical column of pandas, which is optional and never imported here
        return (Ordinal if kind.ordered else Categorical)(name, tuple(kind.categories))
    if _holds_numbers(column):
        return number_feature(index, name, column.astype(np.float64))
    # what has no text is refused when the column is encoded
    return Categorical(name, tuple(sorted(set(filter(None, map(text_of, column.tolist()))))))


def binned(name: str, numbers: Numbers, bins: int) -> Numeric:
    """Return bins of about equal counts; with at most so many distinct values, one for each.

    Edges are values of the data: those at 1/bins, 2/bins, ... of the sorted column. A column of one value gets that
    value as its only edge.

    Raises
    ------
    SettingError
        There are fewer than two bins.
    """
    if bins < 2:
        raise SettingError(f"n_bins is at least 2; got {bins}")
    distinct = np.unique(numbers)
    if len(distinct) > bins:
        edges = np.unique(np.quantile(numbers, np.arange(1, bins) / bins, method="inverted_cdf"))
        edges = edges[edges < distinct[-1]]
        # most cells may hold the highest value: one edge tells it from all others
        return Numeric(name, tuple(edges) or (distinct[-2],))
    return Numeric(name, tuple(distinct[:-1]) or tuple(distinct))


def ranged(name: str, numbers: Numbers) -> Continuous:
    """Return a number between the limits that the data have; where these are one value, there is some room around."""
    low, high = float(numbers.min()), float(numbers.max())
    room = 0.0 if high - low > _LEAST_RANGE else max(1.0, abs(low) / 2)
    return Continuous(name, low - room, high + room)


def standardisation_of(schema: Schema, checked: NDArray[Any]) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation of the continuous features, by name; the latter at least 1/16 of the range."""
    found = {}
    for index, feature in enumerate(schema.features):
        if isinstance(feature, Continuous):
            reach = feature.high - feature.low
            places = (np.clip(checked[:, index].astype(np.float64), feature.low, feature.high) - feature.low) / reach
            mean = min(feature.low + float(places.mean()) * reach, feature.high)
            found[feature.name] = (mean, max(float(places.std()), LEAST_SCALE) * reach)
    return found


def codes_of(schema: Schema, checked: NDArray[Any]) -> NDArray[np.int64]:
    """Return the codes of an array's cells, shape (n, F).

    Numbers outside the limits of a continuous feature are held to them; categories that the schema does not list are
    left out (-1).

    Raises
    ------
    MissingValueError, ValueTypeError
        A cell is empty, or no number where one is needed. The message names row and column.
    """
    codes = np.empty(checked.shape, dtype=np.int64)
    for index, feature in enumerate(schema.features):
        column = checked[:, index]
        if isinstance(feature, Numeric | Continuous) and _holds_numbers(column):
            column = column.astype(np.float64)
        if isinstance(feature, Continuous) and column.dtype.kind == "f":
            column = np.where(np.isfinite(column), np.clip(column, feature.low, feature.high), column)
        found = feature.codes(column)
        for code, error, what in _REFUSED:
            if (found == code).any():
                row = int(np.argmax(found == code))
                raise error(f"column {feature.name!r}, row {row}: {what}, not {shortened(column[row])}")
        codes[:, index] = np.maximum(found, -1)
    return codes


def _holds_numbers(column: Column) -> bool:
    return column.dtype.kind in _NUMERIC_KINDS or all(isinstance(cell, Real) for cell in column)
