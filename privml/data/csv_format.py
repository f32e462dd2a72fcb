"""CSV files: how one is written, and reading it whole or in chunks."""

import csv
import gzip
import zlib
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import TextIO, cast

import numpy as np

from privml.data.cell import missing_texts, shortened
from privml.data.table import Table, listed
from privml.errors import ColumnError, DataError, SettingError

_Record = tuple[int, list[str]]  # line at which it starts, cells


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvFormat:
    """How a CSV file is written.

    Cells may be enclosed in double quotes and are stripped of white space; blank lines are skipped. A file whose name
    ends in ``.gz`` is decompressed.

    Parameters
    ----------
    header
        Names of the columns if the file does not have them; None takes them from its first record.
    delimiter
        The one character between cells.
    comment
        Lines that start with this are skipped, except inside quotes; None skips nothing.
    missing_values
        Values that stand for an empty cell, besides blank text; for example ``("?", "NA")``.
    converters
        Functions of a cell's stripped text, by column: ``{"income": lambda text: text.removesuffix(".")}``. They are
        called once per distinct text.
    encoding
        Of the text. The default is UTF-8 with or without a byte order mark.

    Raises
    ------
    SettingError
        If `delimiter` is not one character, `comment` is blank, `encoding` is unknown, or `missing_values` is no
        collection of cell values.
    """

    header: tuple[str, ...] | None = None
    delimiter: str = ","
    comment: str | None = None
    missing_values: Collection[object] = ()
    converters: Mapping[str, Callable[[str], str]] = field(default_factory=dict)
    encoding: str = "utf-8-sig"

    def __post_init__(self) -> None:
        if len(self.delimiter) != 1 or self.delimiter in '"\r\n':
            raise SettingError(
                f"delimiter: one character other than a quote or line end, not {shortened(self.delimiter)}"
            )
        if self.comment is not None and not self.comment.strip():
            raise SettingError("comment: a text that is not blank, or None")
        try:
            "".encode(self.encoding)
        except LookupError as error:
            raise SettingError(f"encoding: Python knows none named {shortened(self.encoding)}") from error
        missing_texts(self.missing_values)

    def read(self, path: str | PathLike[str]) -> Table:
        """Return the whole file as a table of texts, which become numbers where a schema needs them.

        Raises
        ------
        ColumnError
            If there is no header, two columns share a name, a record has more or fewer cells than the header, or
            `converters` names a column that is not there. The message names the line.
        DataError
            If the file cannot be decoded, decompressed or parsed. The message names the line.
        OSError
            If the file cannot be opened.
        """
        with closing(self._tables(Path(path), None)) as tables:
            return next(tables)

    def stream(self, path: str | PathLike[str], size: int) -> Iterator[Table]:
        """Return an iterator over the file in tables of `size` rows, for files that do not fit into memory.

        The last table may be shorter. A file without rows gives one table without rows. Errors of the file are those of
        `read`, raised when the rows in question are reached.

        Raises
        ------
        SettingError
            If `size` is not positive.
        """
        if size < 1:
            raise SettingError(f"size: a chunk has at least one row, not {size}")
        return self._tables(Path(path), size)

    def _tables(self, path: Path, size: int | None) -> Generator[Table, None, None]:
        with _opened(path, self.encoding) as file:
            records = self._records(file, path.name)
            names = self.header or tuple(next(records, (0, []))[1])
            if not names:
                raise ColumnError(f"{path.name} is empty: not even a header")
            # as a table it refuses duplicate names before any row is read
            empty = Table(names, tuple(np.empty(0, dtype=object) for _ in names), path.name)
            if unknown := sorted(self.converters.keys() - set(empty.names)):
                raise ColumnError(
                    f"{path.name} has no column {listed(unknown)} to convert; it has {listed(empty.names)}"
                )
            cleaners = [_Cleaner(self.converters.get(name)) for name in empty.names]
            first_row = 0
            while (batch := list(islice(records, size))) or first_row == 0:
                columns = zip(*_checked(batch, len(names), path.name), strict=True) if batch else ((),) * len(names)
                yield Table(
                    names,
                    tuple(
                        np.fromiter(map(cleaner.__getitem__, cells), dtype=object, count=len(batch))
                        for cleaner, cells in zip(cleaners, columns, strict=True)
                    ),
                    path.name,
                    lines=np.fromiter((line for line, _ in batch), np.int64, len(batch)),
                    first_row=first_row,
                    missing_values=self.missing_values,
                )
                first_row += len(batch)
                if size is None or not batch:
                    return

    def _records(self, file: TextIO, name: str) -> Iterator[_Record]:
        lines = _Lines(file, self.comment)
        reader = csv.reader(lines, delimiter=self.delimiter, skipinitialspace=True, strict=True)
        try:
            for cells in reader:
                lines.end_record()
                if cells:
                    yield lines.start, cells
        except csv.Error as error:
            message = f"line {lines.start} of {name} is not well-formed CSV: {error}{self._hint(lines)}"
            raise DataError(message) from error
        except UnicodeError as error:
            message = (
                f"after line {lines.number} of {name}: not {self.encoding} text; save it as UTF-8, or name its encoding"
            )
            raise DataError(message) from error
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DataError(f"after line {lines.number} of {name}: damaged gzip file: {error}") from error

    def _hint(self, lines: "_Lines") -> str:
        if lines.number > lines.start:
            return f"; a quoted cell goes on from there to line {lines.number}"
        if lines.start == 1:
            return f"; are its cells separated by {self.delimiter!r}? (delimiter=, or --delimiter)"
        return ""


class _Lines:
    """The lines of a file without comments and blank lines between records, counting them all.

    Attributes
    ----------
    start
        The line at which the record that was read last starts.
    number
        The line that was read last.
    """

    def __init__(self, file: TextIO, comment: str | None) -> None:
        self._file = file
        self._comment = comment
        self._between = True
        self.start = 0
        self.number = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        for line in self._file:
            self.number += 1
            if not self._between:
                return line
            if not line.strip() or (self._comment and line.lstrip().startswith(self._comment)):
                continue
            self._between = False
            self.start = self.number
            return line
        raise StopIteration

    def end_record(self) -> None:
        """What comes next is another record."""
        self._between = True


class _Cleaner(dict[str, str]):
    """A function from raw to clean text that remembers: equal cells become one object, which saves memory and time."""

    def __init__(self, converter: Callable[[str], str] | None) -> None:
        super().__init__()
        self._converter = converter

    def __missing__(self, raw: str) -> str:
        text = raw.strip()
        self[raw] = text = self._converter(text) if self._converter else text
        return text


def _opened(path: Path, encoding: str) -> TextIO:
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding=encoding, newline=""))
    return path.open(encoding=encoding, newline="")


def _checked(batch: list[_Record], width: int, name: str) -> Iterator[list[str]]:
    for line, cells in batch:
        if len(cells) != width:
            raise ColumnError(f"line {line} of {name} has {len(cells)} cells, the header has {width}")
        yield cells
