"""The records of a schema in a CSV file of any size, piece by piece."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from privml.data.csv_format import CsvFormat
from privml.data.encoding import EncodedTable, encode
from privml.data.schema import Schema
from privml.data.table import Table
from privml.errors import DataError
from privml.roles.data_owner import Progress as Advance

Unknown = Literal["error", "ignore"]
_PIECE: Final = 8192


@dataclass(frozen=True)
class CsvRecords:
    """A CSV file as a schema sees it: columns that the schema does not name are not looked at.

    Parameters
    ----------
    path, delimiter, missing
        As `CsvFormat` and its `CsvFormat.stream` have them.
    schema
        Features and classes.
    unknown
        What to do with unknown categories and empty cells; see `encode`.
    """

    path: Path
    schema: Schema
    delimiter: str = ","
    missing: tuple[str, ...] = ()
    unknown: Unknown = "error"

    def tables(self, size: int = _PIECE) -> Iterator[Table]:
        """All records in tables of `size` rows, the last possibly shorter."""
        form = CsvFormat(delimiter=self.delimiter, missing_values=self.missing)
        wanted = {*self.schema.names, self.schema.target}
        for table in form.stream(self.path, size):
            names = tuple(name for name in table.names if name in wanted)
            if names:  # without any, encoding says better what is missing
                yield replace(table, names=names, columns=tuple(map(table.column, names)))
            else:
                yield table

    def unused(self) -> tuple[str, ...]:
        """Names of the columns that are not looked at."""
        form = CsvFormat(delimiter=self.delimiter, missing_values=self.missing)
        table = next(iter(form.stream(self.path, 1)))
        return tuple(name for name in table.names if name not in {*self.schema.names, self.schema.target})

    def encoded(self, table: Table, *, labelled: bool = True) -> EncodedTable:
        """A piece in codes; raises `DataError` if it does not fit the schema."""
        return encode(self.schema, table, unknown=self.unknown, labelled=labelled)

    def count(self, advance: Advance, *, labelled: bool = True) -> int:
        """Read everything once, so that nothing is sent of a file that does not fit, and count the records.

        Raises
        ------
        DataError
            A record does not fit the schema, or there is none.
        """
        rows = 0
        for table in self.tables():
            rows += len(self.encoded(table, labelled=labelled))
            advance(len(table))
        if rows == 0:
            raise DataError(f"{self.path.name} has no record")
        return rows

    def sha256(self) -> str:
        """SHA-256 of the file as it is on the disk, in hexadecimal."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
