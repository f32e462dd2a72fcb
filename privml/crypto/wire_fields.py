"""Fields of a message: how numbers, group elements and arrays become msgpack values, and the strict way back.

Writers are plain functions; the reader hands out one field after the other, each checked for type and range, so that an
object is only ever built from values that may be its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from privml.crypto.arithmetic import Integer, are_units
from privml.crypto.dtpkc import PublicParameters
from privml.errors import MalformedError, ParameterMismatchError

FieldValue: TypeAlias = "bool | int | float | str | bytes | memoryview | list[FieldValue] | None"
Fields: TypeAlias = "list[FieldValue]"

MAX_TEXT_BYTES = 1 << 16
MAX_DIMENSIONS = 8
_MAX_WORDS = 1 << 48

_Kind = TypeVar("_Kind")


def element_width(parameters: PublicParameters) -> int:
    """Bytes of an integer modulo N²."""
    return 2 * residue_width(parameters)


def residue_width(parameters: PublicParameters) -> int:
    """Bytes of an integer modulo N."""
    return (parameters.bits + 7) // 8


def fixed_width(values: Iterable[Integer | int], width: int) -> bytes:
    """Concatenate integers in [0, 256^width) as `width` big-endian bytes each."""
    return b"".join([value.to_bytes(width, "big") for value in values])


def array_fields(array: NDArray[np.uint64]) -> FieldValue:
    """Shape, and the words in C order as little-endian bytes."""
    return [list(array.shape), np.ascontiguousarray(array, dtype="<u8").reshape(-1).view(np.uint8).data]


class FieldReader:
    """Hands out the fields of one object in order; every departure from the expected raises `MalformedError`.

    Parameters
    ----------
    kind
        Name of the type being read, for messages.
    values
        Its fields, as msgpack gave them.
    parameters
        The public parameters that the frame names, or None if it names none.
    """

    def __init__(self, kind: str, values: object, parameters: PublicParameters | None = None) -> None:
        if not isinstance(values, list):
            raise MalformedError(f"{kind}: expected a list of fields, found {type(values).__name__}")
        self._kind = kind
        self._values: list[object] = values
        self._next = 0
        self._parameters = parameters

    @property
    def parameters(self) -> PublicParameters:
        """The parameters that everything read here belongs to.

        Raises
        ------
        ParameterMismatchError
            If the frame names none.
        """
        if self._parameters is None:
            raise ParameterMismatchError(f"{self._kind} belongs to public parameters, but its frame names none")
        return self._parameters

    def error(self, name: str, expected: str, found: object) -> MalformedError:
        """The error for a field that is not what it should be; `found` is public data."""
        return MalformedError(f"{self._kind}.{name}: expected {expected}, found {found}")

    def _take(self, name: str, kind: type[_Kind], description: str) -> _Kind:
        if self._next == len(self._values):
            raise MalformedError(f"{self._kind}.{name}: missing, the message has only {self._next} fields")
        value = self._values[self._next]
        if not isinstance(value, kind) or type(value) is not kind:  # True is no integer here
            raise self.error(name, description, type(value).__name__)
        self._next += 1
        return value

    def integer(self, name: str, low: int, high: int) -> int:
        """A small integer in [low, high]."""
        value = self._take(name, int, "an integer")
        if not low <= value <= high:
            raise self.error(name, f"an integer in [{low}, {high}]", value)
        return value

    def boolean(self, name: str) -> bool:
        """True or False."""
        return self._take(name, bool, "a boolean")

    def number(self, name: str, low: float = -math.inf, high: float = math.inf) -> float:
        """A float in [low, high], never NaN."""
        value = self._take(name, float, "a float")
        if not low <= value <= high:
            raise self.error(name, f"a float in [{low}, {high}]", value)
        return value

    def text(self, name: str, max_bytes: int = MAX_TEXT_BYTES) -> str:
        """Text of at most `max_bytes` bytes in UTF-8."""
        value = self._take(name, str, "text")
        if len(value.encode()) > max_bytes:
            raise self.error(name, f"text of at most {max_bytes} bytes", "more")
        return value

    def raw(self, name: str, length: int | None = None) -> bytes:
        """Bytes, of exactly `length` if it is given."""
        value = self._take(name, bytes, "bytes")
        if length is not None and len(value) != length:
            raise self.error(name, f"{length} bytes", len(value))
        return value

    def absent(self, name: str) -> bool:
        """Whether the next field is None; if so it is consumed."""
        if self._next < len(self._values) and self._values[self._next] is None:
            self._take(name, type(None), "nothing")
            return True
        return False

    def nested(self, name: str) -> FieldReader:
        """A reader of a field that is itself a list of fields."""
        return FieldReader(f"{self._kind}.{name}", self._take(name, list, "a list of fields"), self._parameters)

    def read(self, name: str, build: Callable[[FieldReader], _Kind]) -> _Kind:
        """An object inside this one, built from all the fields of a nested list."""
        fields = self.nested(name)
        value = build(fields)
        fields.end()
        return value

    def natural(self, name: str, width: int, bound: Integer | int) -> Integer:
        """A big integer in [0, bound), sent as exactly `width` bytes."""
        value = Integer(int.from_bytes(self.raw(name, width), "big"))
        if value >= bound:
            raise self.error(name, "an integer below its bound", "one beyond it")
        return value

    def residue(self, name: str) -> Integer:
        """An integer modulo N."""
        return self.natural(name, residue_width(self.parameters), self.parameters.modulus)

    def element(self, name: str) -> Integer:
        """One unit modulo N²."""
        return self.elements(name, 1)[0]

    def elements(self, name: str, count: int | None = None) -> tuple[Integer, ...]:
        """Units modulo N²: `count` of them, or as many as there are."""
        width = element_width(self.parameters)
        data = self.raw(name, None if count is None else count * width)
        if len(data) % width:
            raise self.error(name, f"a multiple of {width} bytes", len(data))
        values = tuple(
            Integer(int.from_bytes(data[start : start + width], "big")) for start in range(0, len(data), width)
        )
        if not all(0 < value < self.parameters.modulus_squared for value in values):
            raise self.error(name, "integers in [1, N²)", "one outside")
        if values and not are_units(values, self.parameters.modulus):
            raise self.error(name, "units modulo N²", "a common factor with N")
        return values

    def shape(self, name: str) -> tuple[int, ...]:
        """Dimensions of an array: at most 8, each and their product at most 2^48."""
        values = self._take(name, list, "a list of dimensions")
        reader, count = FieldReader(f"{self._kind}.{name}", values), len(values)
        if count > MAX_DIMENSIONS:
            raise self.error(name, f"at most {MAX_DIMENSIONS} dimensions", count)
        shape = tuple(reader.integer(f"dimension {axis}", 0, _MAX_WORDS) for axis in range(count))
        if math.prod(max(size, 1) for size in shape) > _MAX_WORDS:  # numpy refuses (0, 2^60) as well
            raise self.error(name, "at most 2^48 values", shape)
        return shape

    def array(self, name: str) -> NDArray[np.uint64]:
        """An array of 64-bit words; it is a read-only view of the message."""
        reader = self.nested(name)
        shape = reader.shape("shape")
        data = reader.raw("words", 8 * math.prod(shape))
        reader.end()
        return np.frombuffer(data, dtype="<u8").astype(np.uint64, copy=False).reshape(shape)

    def end(self) -> None:
        """Make sure that no field is left."""
        if self._next != len(self._values):
            raise MalformedError(f"{self._kind}: {len(self._values)} fields, of which only {self._next} are expected")
