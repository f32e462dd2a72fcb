"""A first schema, taken from a table: a start for people to edit and agree on."""

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privml.data.cell import is_missing, map_cells, number_of, shortened, text_of
from privml.data.readers import Tabular, as_table
from privml.data.schema import Categorical, Feature, Numeric, Ordinal, Schema
from privml.data.table import Table
from privml.errors import DataError, MissingValueError, SettingError, ValueTypeError

# leading zeros: a postal code, not a quantity
_IDENTIFIER = re.compile(r"[+-]?0[0-9]")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed schema and what to know before it is shown to anybody.

    Parameters
    ----------
    schema
        The proposal.
    notes
        Sentences about what the schema reveals and how each column was read. They describe the data: keep them private.
    """

    schema: Schema
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Summary:
    """What there is in a column."""

    counts: Counter[str]
    numbers: NDArray[np.float64]  # of all cells that hold one
    texts_only: tuple[str, ...]  # the distinct values that are no numbers
    missing: int


@dataclass(frozen=True, slots=True)
class _Settings:
    """The settings of `propose_schema`, which describes them."""

    bins: int
    max_values: int
    max_categories: int
    min_count: int
    digits: int | None

    def __post_init__(self) -> None:
        least = {"bins": 2, "max_values": 1, "max_categories": 2, "min_count": 1, "digits": 1}
        for name, bound in least.items():
            value = getattr(self, name)
            if value is not None and value < bound:
                raise SettingError(f"{name}: at least {bound}, not {value}")


def propose_schema(
    table: Tabular,
    target: str,
    *,
    bins: int = 8,
    max_values: int = 16,
    max_categories: int = 64,
    min_count: int = 1,
    digits: int | None = None,
    leave_out: Collection[str] = (),
) -> Proposal:
    """Return a schema that fits a table, with its features in the order of the columns.

    Everything in a schema is PUBLIC: categories and bin edges taken from private data become known to all owners,
    clients and units. The notes say so again, and `min_count` and `digits` limit it; better still, take edges and
    categories from public knowledge.

    - Numbers with more than `max_values` distinct values become a `Numeric` feature with quantile bins: edges are the
      values at 1/bins, 2/bins, ... of the sorted column, duplicates dropped, so there may be fewer bins.
    - Numbers with fewer distinct values become an `Ordinal` feature (two values: `Categorical`) in numerical order.
    - Everything else becomes a `Categorical` feature in alphabetical order.

    Parameters
    ----------
    table
        A `Table`, or whatever `as_table` takes. Empty cells are passed over.
    target
        Name of the class column. All its values become classes.
    bins
        Number of quantile bins, at least 2.
    max_values
        Most distinct values that a column of numbers may have without being binned.
    max_categories
        Most categories of a feature, and most classes; a column with more is refused, as it may identify people.
    min_count
        Categories of a feature in fewer rows than this are left out of the schema; then encode with
        ``unknown="ignore"``.
    digits
        Round edges to so many significant digits, at least 1; None keeps the values of the data.
    leave_out
        Columns that become no feature, for example identifiers; encode with ``extra="ignore"`` then.

    Raises
    ------
    ColumnError
        If there is no column of that name.
    DataError
        If a column cannot become a feature: it is empty, has too many categories, or all of them are too rare.
    MissingValueError
        If a class is missing.
    ValueTypeError
        If a cell is neither text nor a number nor a truth value.
    SchemaError
        If no feature or only one class is left.
    SettingError
        If a setting is out of range.
    """
    settings = _Settings(bins, max_values, max_categories, min_count, digits)
    table = as_table(table)
    for name in (target, *leave_out):
        table.column(name)  # names the column that is not there
    notes = [
        "Categories, classes and bin edges are taken from this table and become PUBLIC with the schema: remove those "
        "that reveal something about a person, or replace them by values from public knowledge."
    ]
    features: list[Feature] = []
    for name in table.names:
        if name == target:
            continue
        if name in leave_out:
            notes.append(f"{name}: left out; encode with extra='ignore'.")
            continue
        summary = _summary(table, name)
        if not summary.texts_only and len(summary.counts) > max_values:
            binned = Numeric(name, _edges(name, summary.numbers, settings))
            features.append(binned)
            shown = ", ".join(str(text_of(edge)) for edge in binned.edges)
            notes.append(f"{name}: numbers in {binned.cardinality} bins; public edges: {shown}.")
        else:
            features.append(_listed_feature(table, name, summary, settings, notes))
        if summary.missing:
            remedy = "encode with unknown='ignore' (--unknown ignore), or fill them."
            notes.append(f"{name}: {summary.missing} empty cells; {remedy}")
    return Proposal(Schema(tuple(features), target, _classes(table, target, settings)), tuple(notes))


def _summary(table: Table, name: str) -> _Summary:
    column, missing_texts = table.column(name), table.missing_texts
    distinct: list[object] = []

    def code_of(cell: object) -> int:
        distinct.append(cell)
        return len(distinct) - 1

    codes = map_cells(column, code_of)
    texts: Counter[str] = Counter()
    texts_only, numbers, repeats, missing = [], [], [], 0
    for code, (cell, count) in enumerate(zip(distinct, np.bincount(codes).tolist(), strict=True)):
        if is_missing(cell, missing_texts):
            missing += count
            continue
        text = text_of(cell)
        if text is None:
            row = int(np.argmax(codes == code))
            raise ValueTypeError(
                f"column {shortened(name)}, {table.locate(row)}: {shortened(column[row])} "
                "is neither text nor a finite number"
            )
        texts[text] += count
        number = None if isinstance(cell, str) and _IDENTIFIER.match(cell.strip()) else number_of(cell)
        if number is None:
            texts_only.append(text)
        else:
            numbers.append(number)
            repeats.append(count)
    if not texts:
        raise DataError(f"column {shortened(name)} of {table.origin} has no values; leave it out")
    return _Summary(texts, np.repeat(numbers, repeats), tuple(texts_only), missing)


def _edges(name: str, numbers: NDArray[np.float64], settings: _Settings) -> tuple[float, ...]:
    """Return edges that are values of the data, such that no outer bin is empty."""
    # the smallest value that at least i/bins of the cells do not exceed; in integers, so that rounding never decides
    ranks = -(-np.arange(1, settings.bins) * numbers.size // settings.bins)
    quantiles = np.sort(numbers)[ranks - 1]
    highest = numbers.max()
    # a bin ends at its edge, so an edge at the highest value would leave the last bin empty
    edges = quantiles[quantiles < highest]
    if not edges.size:
        # most cells hold the highest value: one edge tells it from all others
        edges = numbers[numbers < highest].max(keepdims=True)
    if settings.digits is not None:
        edges = np.array([float(f"{edge:.{settings.digits - 1}e}") for edge in edges.tolist()])
        edges = edges[(edges >= numbers.min()) & (edges < highest)]
        if not edges.size:
            raise DataError(
                f"column {shortened(name)}: digits={settings.digits} rounds all edges out of its range; allow more"
            )
    return tuple(np.unique(edges).tolist())


def _listed_feature(table: Table, name: str, summary: _Summary, settings: _Settings, notes: list[str]) -> Feature:
    kept = [text for text, count in summary.counts.items() if count >= settings.min_count]
    rare = len(summary.counts) - len(kept)
    if not kept:
        raise DataError(
            f"column {shortened(name)}: every value is in fewer than {settings.min_count} rows; leave it out"
        )
    if len(kept) > settings.max_categories:
        reason = "leave it out if it identifies people or records"
        if summary.numbers.size > len(summary.texts_only):
            reason = (
                f"some are no numbers, for example {shortened(summary.texts_only[0])}: declare them in missing_values "
                "(--missing)"
            )
        raise DataError(
            f"column {shortened(name)} of {table.origin} has {len(kept)} categories, more than "
            f"max_categories={settings.max_categories}; {reason}, or raise max_categories"
        )
    if rare:
        notes.append(
            f"{name}: {rare} values in fewer than {settings.min_count} rows left out; encode with unknown='ignore' "
            "(--unknown ignore)."
        )
    ordered = not summary.texts_only and len(kept) > 2
    categories = _sorted(kept, numerical=not summary.texts_only)
    notes.append(f"{name}: {len(kept)} {'values in numerical order' if ordered else 'categories'}, all public.")
    return Ordinal(name, categories) if ordered else Categorical(name, categories)


def _classes(table: Table, target: str, settings: _Settings) -> tuple[str, ...]:
    summary = _summary(table, target)
    if summary.missing:
        raise MissingValueError(
            f"class column {shortened(target)} of {table.origin}: {summary.missing} empty cells; "
            "every row needs a class"
        )
    if len(summary.counts) > settings.max_categories:
        raise DataError(
            f"class column {shortened(target)} of {table.origin} has {len(summary.counts)} different values, more than "
            f"max_categories={settings.max_categories}; is it the class?"
        )
    return _sorted(list(summary.counts), numerical=not summary.texts_only)


def _sorted(texts: list[str], *, numerical: bool) -> tuple[str, ...]:
    # never in the order of appearance, which would tell about the first rows
    return tuple(sorted(texts, key=lambda text: (float(text) if numerical else 0.0, text)))
