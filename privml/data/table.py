"""A table as it came in: named columns of cells, and where each row was found."""

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from privml.data.cell import Column, clean_text, missing_texts, shortened
from privml.errors import ColumnError, SettingError

_SEPARATORS: Final = frozenset(",;|\t")
"""What a name of a column is not likely to have inside."""


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Named columns of equal length. Made by `privml.data.readers`; its arrays are not to be modified.

    Parameters
    ----------
    names
        Names of the columns, all different; kept in Unicode normal form C without surrounding white space.
    columns
        One-dimensional arrays: of numpy's numbers or truth values, or of Python objects.
    origin
        What messages call the table, for example the name of a file.
    lines
        Line of the file at which each row starts, counted from 1, or None if there is no file.
    first_row
        Number of the first row, counted from 0; not 0 in a chunk of a larger table.
    missing_values
        Values that stand for an empty cell, besides None, NaN, pandas' NA and blank text.

    Raises
    ------
    ColumnError
        If two columns share a name, or columns differ in length.
    SettingError
        If `missing_values` is not a collection of cell values.
    """

    names: tuple[str, ...]
    columns: tuple[Column, ...]
    origin: str = "table"
    lines: NDArray[np.int64] | None = None
    first_row: int = 0
    missing_values: Collection[object] = frozenset()

    def __post_init__(self) -> None:
        names = tuple(clean_text(name) for name in self.names)
        if len(names) != len(self.columns) or not names:
            raise ColumnError(f"{self.origin}: {len(names)} names for {len(self.columns)} columns")
        for index, (name, column) in enumerate(zip(names, self.columns, strict=True)):
            if name in names[:index]:
                raise ColumnError(f"{self.origin}: two columns are named {shortened(name)}")
            if len(column) != len(self.columns[0]):
                raise ColumnError(
                    f"{self.origin}: column {shortened(name)} has {len(column)} cells, "
                    f"column {shortened(names[0])} has {len(self.columns[0])}"
                )
        object.__setattr__(self, "names", names)
        object.__setattr__(self, "missing_values", missing_texts(self.missing_values))

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.columns[0])

    @property
    def missing_texts(self) -> frozenset[str]:
        """Canonical texts that stand for an empty cell."""
        return missing_texts(self.missing_values)

    def column(self, name: str) -> Column:
        """Return a column by its name.

        Raises
        ------
        ColumnError
            If there is no such column.
        """
        if name not in self.names:
            raise self.lacks(name)
        return self.columns[self.names.index(name)]

    def lacks(self, name: str) -> ColumnError:
        """Return the error that there is no such column, which says what there is instead."""
        near = difflib.get_close_matches(name, self.names, n=1)
        hint = f"did you mean {shortened(near[0])}?" if near else f"it has {listed(self.names)}"
        if len(self.names) == 1 and _SEPARATORS & set(self.names[0]):
            hint = f"only {shortened(self.names[0])}: is there another delimiter? (delimiter=, or --delimiter)"
        return ColumnError(f"{self.origin} has no column {shortened(name)}; {hint}")

    def locate(self, row: int) -> str:
        """Return where a row of this table is, for messages: ``row 17 (line 19 of adult.data)``."""
        number = f"row {self.first_row + row}"
        return (
            f"{number} of {self.origin}"
            if self.lines is None
            else f"{number} (line {self.lines[row]} of {self.origin})"
        )

    def rows(self, start: int, stop: int) -> "Table":
        """Return the rows from `start` to before `stop` as a table that knows where they come from; no copies."""
        start, stop, _ = slice(start, stop).indices(len(self))
        return replace(
            self,
            columns=tuple(column[start:stop] for column in self.columns),
            lines=None if self.lines is None else self.lines[start:stop],
            first_row=self.first_row + start,
        )

    def chunks(self, size: int) -> Iterator["Table"]:
        """Return an iterator over pieces of `size` rows, the last possibly shorter; none if there are no rows.

        Raises
        ------
        SettingError
            If `size` is not positive.
        """
        if size < 1:
            raise SettingError(f"size: a chunk has at least one row, not {size}")
        return (self.rows(start, start + size) for start in range(0, len(self), size))


def listed(names: Sequence[str], limit: int = 8) -> str:
    """Return names for a message, the first few of them if there are many."""
    shown = ", ".join(shortened(name) for name in names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown
