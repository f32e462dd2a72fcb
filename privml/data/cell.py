"""What one cell of a table means: a text, a number, or nothing at all.

The same record may come from a DataFrame (``0``, ``0.5``, ``True``), from a CSV file (``"0"``, ``" 0.50"``) or from a
program (``np.float32(0.5)``). For all of them to meet the same category of a schema, a cell is compared in its
**canonical text**:

- text is put into Unicode normal form C and stripped of surrounding white space;
- text that is written as a decimal fraction (``0.50``, ``-3.0``; no leading zeros, no plus sign) or as Python, numpy
  and pandas write a float with an exponent (``1e-05``, ``2.5e+20``) is read as that 64-bit float;
- a float without a fractional part is written as an integer (``1.0`` is ``"1"``), any other as the shortest text that
  reads back as the same float; minus zero is ``"0"``;
- any other text stays as it is: ``007``, ``+1``, ``1e5`` and ``1,5`` are texts, and case matters;
- truth values are ``"True"`` and ``"False"``, as pandas writes them; they are not ``"1"`` and ``"0"``.
"""

import math
import re
import reprlib
import unicodedata
from collections.abc import Callable, Collection
from decimal import Decimal
from numbers import Integral, Real
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from privml.errors import SettingError

Column = NDArray[Any]
"""One-dimensional array of cells: of a number or truth type of numpy, or of Python objects."""

MISSING: Final = -1
"""Code of an empty cell."""
UNKNOWN: Final = -2
"""Code of a cell whose value the schema does not list."""
WRONG_TYPE: Final = -3
"""Code of a cell that cannot be a value of this kind of feature."""

_FRACTION_OR_FLOAT = re.compile(r"-?(?:(?:0|[1-9][0-9]*)\.[0-9]+|[1-9](?:\.[0-9]+)?e[+-][0-9]{2,3})")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_OPAQUE: Final = object()

_short = reprlib.Repr()
_short.maxstring = _short.maxother = 40


def shortened(cell: object) -> str:
    """Return the cell as Python writes it, cut to about 40 characters, for messages."""
    if isinstance(cell, int) and cell.bit_length() > 1024:
        return f"an integer of {cell.bit_length()} bits"  # Python refuses to write very long ones
    # numpy's scalars would otherwise come with their type around them
    return _short.repr(cell.item() if isinstance(cell, np.generic) else cell)


def clean_text(text: str) -> str:
    """Return text in Unicode normal form C without surrounding white space; names of columns are kept like that."""
    return unicodedata.normalize("NFC", text).strip()


def text_of(cell: object) -> str | None:
    """Return the canonical text of a cell, or None if it cannot name a category: by its type, or beyond all floats."""
    if isinstance(cell, str):
        text = clean_text(cell)
        if _FRACTION_OR_FLOAT.fullmatch(text):
            return _text_of_float(float(text)) or text
        return "0" if text == "-0" else text
    if not _is_supported(type(cell)) or _is_nothing(cell):
        return None
    if isinstance(cell, (bool, np.bool_)):
        return str(bool(cell))
    if isinstance(cell, Integral) and math.isfinite(_as_float(cell)):
        return str(int(cell))
    return _text_of_float(_as_float(cell))


def number_of(cell: object) -> float | None:
    """Return the cell as a finite 64-bit float, or None if it is not a number, or not a finite one.

    Text counts as a number when it is written in ASCII digits with an optional sign, a dot before decimals and an
    optional exponent. Truth values are not numbers.
    """
    if isinstance(cell, str):
        text = cell.strip()
        if not _NUMBER.fullmatch(text):
            return None
        number = float(text)
    elif isinstance(cell, (bool, np.bool_)) or not _is_supported(type(cell)) or _is_nothing(cell):
        return None
    else:
        number = _as_float(cell)
    return number if math.isfinite(number) else None


def is_missing(cell: object, missing_values: Collection[str] = ()) -> bool:
    """Return whether a cell is empty: None, not a number, pandas' NA or NaT, blank text, or declared to mean that.

    Parameters
    ----------
    cell
        Any cell.
    missing_values
        Canonical texts that stand for an empty cell.
    """
    if _is_nothing(cell):
        return True
    text = text_of(cell)
    return text is not None and (text == "" or text in missing_values)


def missing_texts(missing_values: Collection[object]) -> frozenset[str]:
    """Return the canonical texts of the values that a caller declares to mean an empty cell.

    Raises
    ------
    SettingError
        If it is one text instead of a collection of them, or holds something that is not a cell value.
    """
    if isinstance(missing_values, str):
        raise SettingError(f"missing_values is a collection of texts, for example ({missing_values!r},)")
    texts = {text_of(value) for value in missing_values if not _is_nothing(value)}
    if None in texts:
        raise SettingError("missing_values holds something that is neither text nor a number")
    return frozenset(text for text in texts if text is not None)


def map_cells(column: Column, code_of: Callable[[object], int]) -> NDArray[np.int64]:
    """Return ``code_of(cell)`` for every cell of a column, computed once per distinct value."""
    # floats of other sizes as numpy's scalars, which know how few digits they have
    cells = list(column) if column.dtype.kind == "f" and column.dtype.itemsize != 8 else column.tolist()
    return np.fromiter(map(_Memo(code_of).__getitem__, _hashable(cells)), np.int64, len(cells))


class _Memo(dict[object, int]):
    """A function of a cell that remembers what it returned."""

    def __init__(self, function: Callable[[object], int]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, cell: object) -> int:
        code = self[cell] = self._function(cell)
        return code


def _hashable(cells: list[object]) -> list[object]:
    """Return the cells such that those with different meanings differ as keys of a dictionary."""
    types = set(map(type, cells))
    if not all(map(_is_supported, types)):
        cells = [cell if _is_supported(type(cell)) else _OPAQUE for cell in cells]
    if types & {bool, np.bool_} and len(types) > 1:
        # True == 1 and both have one hash, but they are different categories
        cells = [text_of(cell) if isinstance(cell, (bool, np.bool_)) else cell for cell in cells]
    return cells


def _is_supported(kind: type) -> bool:
    return (
        issubclass(kind, (str, Real, Decimal, np.bool_, type(None))) and not issubclass(kind, np.timedelta64)
    ) or _is_pandas_nothing(kind)


def _is_pandas_nothing(kind: type) -> bool:
    # known by name, as pandas is an optional input and never imported here
    return kind.__name__ in {"NAType", "NaTType"} and kind.__module__.startswith("pandas.")


def _is_nothing(cell: object) -> bool:
    if cell is None or _is_pandas_nothing(type(cell)):
        return True
    if isinstance(cell, Decimal):
        return cell.is_nan()
    return isinstance(cell, (float, np.floating)) and bool(np.isnan(cell))


def _as_float(cell: object) -> float:
    try:
        # numpy's by way of their shortest text: float32's 0.1 is 0.1, as it is in a file written from it
        return float(str(cell) if isinstance(cell, np.floating) else cell)  # type: ignore[arg-type]  # a real number
    except OverflowError:
        return math.inf


def _text_of_float(number: float) -> str | None:
    if not math.isfinite(number):
        return None
    return str(int(number)) if number.is_integer() else repr(number)
