"""The kinds of a feature: what values a column may take and how they become codes 0, 1, 2, ..."""

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from privml.data.cell import (
    MISSING,
    UNKNOWN,
    WRONG_TYPE,
    Column,
    clean_text,
    is_missing,
    map_cells,
    number_of,
    shortened,
    text_of,
)
from privml.errors import SchemaError


class Feature(Protocol):
    """What every kind of feature offers. A feature is public: its name, its categories, its edges."""

    kind: ClassVar[str]
    """Name of the kind in a schema's JSON form."""
    ordered: ClassVar[bool]
    """Whether codes follow an order, so that ``code <= c`` is a meaningful test."""

    one_hot: ClassVar[bool]
    """Whether a code is the place of a 1 among the feature's columns; else it is what its one column holds."""

    @property
    def name(self) -> str:
        """Name of the column."""

    @property
    def cardinality(self) -> int:
        """How many values or bins there are, or 1 for a number: how many columns of a record it has."""

    @property
    def levels(self) -> int:
        """How many codes there are."""

    @property
    def labels(self) -> tuple[str, ...]:
        """A readable name of each value or bin, in the order of the codes."""

    @property
    def expectation(self) -> str:
        """What a cell should be, for messages."""

    def codes(self, column: Column, missing_values: Collection[str] = ()) -> NDArray[np.int64]:
        """Return the code of each cell, in [0, levels), or `MISSING`, `UNKNOWN` or `WRONG_TYPE`, all negative.

        Parameters
        ----------
        column
            One-dimensional array of cells.
        missing_values
            Canonical texts (see `privml.data.cell`) that stand for an empty cell.
        """

    def to_dict(self) -> dict[str, object]:
        """Return the feature as JSON values."""


@dataclass(frozen=True, slots=True)
class _Listed:
    """What `Categorical` and `Ordinal` have in common."""

    kind: ClassVar[str]
    ordered: ClassVar[bool]
    one_hot: ClassVar[bool] = True

    name: str
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name, "the name of a feature"))
        object.__setattr__(self, "categories", clean_categories(self.categories, f"feature {self.name!r}"))

    @property
    def cardinality(self) -> int:
        """How many values there are."""
        return len(self.categories)

    @property
    def levels(self) -> int:
        """How many codes there are: one for each value."""
        return self.cardinality

    @property
    def labels(self) -> tuple[str, ...]:
        """The categories themselves."""
        return self.categories

    @property
    def expectation(self) -> str:
        """What a cell should be, for messages."""
        shown = ", ".join(shortened(category) for category in self.categories[:5])
        return f"one of its {self.cardinality} categories ({shown}{', ...' if self.cardinality > 5 else ''})"

    def codes(self, column: Column, missing_values: Collection[str] = ()) -> NDArray[np.int64]:
        """Return the position of each cell's canonical text among the categories; see `Feature.codes`."""
        position = {category: code for code, category in enumerate(self.categories)}

        def code_of(cell: object) -> int:
            if is_missing(cell, missing_values):
                return MISSING
            text = text_of(cell)
            return WRONG_TYPE if text is None else position.get(text, UNKNOWN)

        return map_cells(column, code_of)

    def to_dict(self) -> dict[str, object]:
        """Return the feature as JSON values."""
        return {"kind": self.kind, "name": self.name, "categories": list(self.categories)}


@dataclass(frozen=True, slots=True)
class Categorical(_Listed):
    """A feature whose values are listed and have no order: ``Categorical("colour", ("red", "green"))``.

    Parameters and errors are those of any listed feature: see `Ordinal`, where the order of the categories also counts.
    """

    kind: ClassVar[str] = "categorical"
    ordered: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Ordinal(_Listed):
    """A feature whose values are listed from the least to the greatest: ``Ordinal("size", ("S", "M", "L"))``.

    Parameters
    ----------
    name
        Name of the column.
    categories
        The values in the order of their codes, at least one. Any cell values may be given (``0``, ``0.5``, ``"red"``);
        they are kept in canonical text (`privml.data.cell`).

    Raises
    ------
    SchemaError
        If the name is empty, there is no category, or two categories have the same canonical text.
    """

    kind: ClassVar[str] = "ordinal"
    ordered: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Numeric:
    """A number that is known by its bin.

    With edges e_0 < e_1 < ... < e_{k-1} there are k + 1 bins, and the code of a value v is the number of edges that are
    strictly less than v. So bin 0 is v <= e_0, bin i is e_{i-1} < v <= e_i, bin k is v > e_{k-1}, and the test
    "v <= e_i" is "code <= i". Comparisons are between 64-bit floats.

    Parameters
    ----------
    name
        Name of the column.
    edges
        At least one finite number, strictly increasing. They are public: do not take them from private data unawares.

    Raises
    ------
    SchemaError
        If the name is empty, or the edges are none, not numbers, not finite or not strictly increasing.
    """

    kind: ClassVar[str] = "numeric"
    ordered: ClassVar[bool] = True
    one_hot: ClassVar[bool] = True

    name: str
    edges: tuple[float, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name, "the name of a feature"))
        edges: list[float] = []
        for edge in sequence_of(self.edges, f"feature {self.name!r}: edges"):
            number = None if isinstance(edge, str) else number_of(edge)
            if number is None:
                raise SchemaError(f"feature {self.name!r}: edge {shortened(edge)} is not a finite number")
            if edges and number <= edges[-1]:
                raise SchemaError(
                    f"feature {self.name!r}: edge {number!r} does not exceed the one before, {edges[-1]!r}"
                )
            edges.append(number + 0.0)  # minus zero becomes zero: equal features have equal JSON
        if not edges:
            raise SchemaError(f"feature {self.name!r}: no edges, so only one bin")
        object.__setattr__(self, "edges", tuple(edges))

    @property
    def cardinality(self) -> int:
        """How many bins there are: one more than edges."""
        return len(self.edges) + 1

    @property
    def levels(self) -> int:
        """How many codes there are: one for each bin."""
        return self.cardinality

    @property
    def labels(self) -> tuple[str, ...]:
        """The bins as intervals: ``<= 25``, ``(25, 37]``, ``> 37``."""
        edges = [text_of(edge) for edge in self.edges]
        between = (f"({low}, {high}]" for low, high in pairwise(edges))
        return (f"<= {edges[0]}", *between, f"> {edges[-1]}")

    @property
    def expectation(self) -> str:
        """What a cell should be, for messages."""
        return "a finite number"

    def codes(self, column: Column, missing_values: Collection[str] = ()) -> NDArray[np.int64]:
        """Return for each cell the number of edges below its value; see `Feature.codes`."""
        if (column.dtype.kind in "iu" or column.dtype == np.float64) and not missing_values:
            numbers = column.astype(np.float64)
            bins = np.searchsorted(np.asarray(self.edges), numbers, side="left").astype(np.int64)
            bins[np.isinf(numbers)] = WRONG_TYPE
            bins[np.isnan(numbers)] = MISSING
            return bins

        def code_of(cell: object) -> int:
            if is_missing(cell, missing_values):
                return MISSING
            number = number_of(cell)
            return WRONG_TYPE if number is None else bisect_left(self.edges, number)

        return map_cells(column, code_of)

    def to_dict(self) -> dict[str, object]:
        """Return the feature as JSON values."""
        return {"kind": self.kind, "name": self.name, "edges": list(self.edges)}


def clean_name(name: object, what: str) -> str:
    """Return the name of a column in canonical form.

    Raises
    ------
    SchemaError
        If it is not text, is blank, or is not encodable as UTF-8.
    """
    if not isinstance(name, str):
        raise SchemaError(f"{what} is text, not {shortened(name)}")
    text = clean_text(name)
    if not text:
        raise SchemaError(f"{what} is empty")
    return _encodable(text, what)


def clean_categories(categories: object, what: str) -> tuple[str, ...]:
    """Return categories in canonical text.

    Raises
    ------
    SchemaError
        If they are no collection, none, blank or of no cell type, or if two have the same canonical text.
    """
    found: dict[str, object] = {}
    for category in sequence_of(categories, f"{what}: categories"):
        text = text_of(category)
        if not text:
            raise SchemaError(f"{what}: {shortened(category)} cannot be a category; give text or a number, not blank")
        if text in found:
            same = shortened(found[text])
            raise SchemaError(
                f"{what}: {shortened(category)} is a duplicate of {same}, both are read as {shortened(text)}"
            )
        found[_encodable(text, what)] = category
    if not found:
        raise SchemaError(f"{what}: no categories")
    return tuple(found)


def sequence_of(values: object, what: str) -> tuple[Any, ...]:
    """Return values in their order.

    Raises
    ------
    SchemaError
        If they are one text, or not iterable, or a set or mapping, whose order is not meant.
    """
    if isinstance(values, (str, bytes, Set, Mapping)) or not isinstance(values, Iterable):
        raise SchemaError(f"{what} come as a sequence, not as {shortened(values)}")
    return tuple(values)


def _encodable(text: str, what: str) -> str:
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise SchemaError(f"{what}: {shortened(text)} has a lone surrogate, which no text file can hold")
    return text
