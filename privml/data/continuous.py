"""A number that enters with its value, not with its bin."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from privml.data.cell import MISSING, UNKNOWN, WRONG_TYPE, Column, is_missing, map_cells, number_of, shortened, text_of
from privml.data.feature import clean_name
from privml.errors import SchemaError

UNIT_BITS: Final = 16
"""A continuous feature is its place between its limits, in units of 2^-16 of their distance."""


@dataclass(frozen=True, slots=True)
class Continuous:
    """A number by its place between two limits: ``Continuous("weight", 30, 200)``.

    A value v becomes the code round(2^16 (v - low) / (high - low)), and fills one column of a record with it: within
    half a unit. Codes have 16 bits, so that the upper limit itself is 65535, a unit less than its place. The limits are
    public, and every record is held to them. Learners that count (naive Bayes, trees) need `Numeric` with bins in its
    place.

    Parameters
    ----------
    name
        Name of the column.
    low, high
        Finite numbers, low < high. A cell outside is refused: clip the data, or widen the limits.

    Raises
    ------
    SchemaError
        If the name is empty, or the limits are not finite numbers in this order.
    """

    kind: ClassVar[str] = "continuous"
    ordered: ClassVar[bool] = True
    one_hot: ClassVar[bool] = False

    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name, "the name of a feature"))
        for limit in ("low", "high"):
            given = getattr(self, limit)
            number = None if isinstance(given, str) else number_of(given)
            if number is None:
                raise SchemaError(f"feature {self.name!r}: the limit {shortened(given)} is not a finite number")
            object.__setattr__(self, limit, number + 0.0)
        span = self.high - self.low
        if not (self.low < self.high and np.isfinite(span) and span >= np.finfo(np.float64).tiny * self.levels):
            raise SchemaError(f"feature {self.name!r}: the limits {self.low!r} and {self.high!r} have no range")

    @property
    def cardinality(self) -> int:
        """One column."""
        return 1

    @property
    def levels(self) -> int:
        """How many codes there are."""
        return 1 << UNIT_BITS

    @property
    def labels(self) -> tuple[str, ...]:
        """The range, for its one column."""
        return (f"{text_of(self.low)}..{text_of(self.high)}",)

    @property
    def expectation(self) -> str:
        """What a cell should be, for messages."""
        return f"a number from {text_of(self.low)} to {text_of(self.high)}"

    def codes(self, column: Column, missing_values: Collection[str] = ()) -> NDArray[np.int64]:
        """Return each cell's place between the limits; see `Feature.codes`. Numbers outside are `UNKNOWN`."""
        if (column.dtype.kind in "iu" or column.dtype == np.float64) and not missing_values:
            numbers = column.astype(np.float64)
            codes = np.full(len(numbers), UNKNOWN, dtype=np.int64)
            inside = (numbers >= self.low) & (numbers <= self.high)
            codes[inside] = self._places(numbers[inside])
            codes[np.isinf(numbers)] = WRONG_TYPE
            codes[np.isnan(numbers)] = MISSING
            return codes

        def code_of(cell: object) -> int:
            if is_missing(cell, missing_values):
                return MISSING
            number = number_of(cell)
            if number is None:
                return WRONG_TYPE
            inside = self.low <= number <= self.high
            return int(self._places(np.float64(number))) if inside else UNKNOWN

        return map_cells(column, code_of)

    def to_dict(self) -> dict[str, object]:
        """Return the feature as JSON values."""
        return {"kind": self.kind, "name": self.name, "low": self.low, "high": self.high}

    def _places(self, numbers: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
        scale = float(1 << UNIT_BITS) / (self.high - self.low)
        return np.minimum(np.rint((numbers - self.low) * scale), self.levels - 1)
