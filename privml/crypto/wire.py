"""Versioned bytes of every object that leaves a process; never pickle.

A frame is::

    magic "PrML" | version u16 | tag u16 | length of body u64 | digest of the public parameters, 32 bytes | body

with big-endian numbers; the digest is zero for objects that belong to no parameters. The body is a msgpack list of the
object's fields in its one canonical form: big integers have a fixed width given by N, so that lengths depend on public
shapes only, and arrays are little-endian words beside their shape.

A type of another module joins by three members (`WireObject`): a tag of its own, `to_fields` and `from_fields`. Tags of
privml.crypto lie in 1..63, of privml.units in 64..127, of everything above in 128..65535; a reader always says which
type it expects, so there is no table of types to fill.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import ClassVar, Final, Protocol, Self, TypeAlias, TypeVar, cast

import msgpack

from privml.crypto.dtpkc import PublicParameters
from privml.crypto.wire_cryptosystem import CRYPTOSYSTEM, Codec
from privml.crypto.wire_fields import FieldReader, Fields
from privml.errors import (
    CryptoError,
    MalformedError,
    OversizedError,
    ParameterMismatchError,
    SettingError,
    TruncatedError,
    UploadError,
    VersionError,
)

MAGIC: Final = b"PrML"
VERSION: Final = 1
DEFAULT_MAX_SIZE: Final = 1 << 30  # a caller that knows better gives less

_HEADER = struct.Struct(">4sHHQ32s")
HEADER_SIZE: Final = _HEADER.size
_NO_PARAMETERS = bytes(32)
_MAX_LIST = 1 << 16  # vectors and arrays are one field each, so lists stay short

Bytes: TypeAlias = "bytes | bytearray | memoryview"
T = TypeVar("T")


class WireObject(Protocol):
    """What a type of any module gives in order to travel."""

    wire_tag: ClassVar[int]

    def to_fields(self) -> Fields:
        """The object's fields in a fixed order, see `privml.crypto.wire_fields`."""
        ...

    @classmethod
    def from_fields(cls, fields: FieldReader) -> Self:
        """Rebuild the object, reading every field; `fields.parameters` are those that the frame names."""
        ...

    def wire_parameters(self) -> PublicParameters | None:
        """The public parameters the object belongs to, if any."""
        ...


@dataclass(frozen=True)
class Header:
    """The fixed first `HEADER_SIZE` bytes of a frame."""

    tag: int
    body_length: int
    parameters_digest: bytes

    @classmethod
    def parse(cls, data: Bytes, max_size: int = DEFAULT_MAX_SIZE) -> Header:
        """Read a header; enough to know how many bytes follow and of which type they are.

        Raises
        ------
        TruncatedError
            With fewer than `HEADER_SIZE` bytes.
        MalformedError
            If they do not start with the magic bytes.
        VersionError
            If they are of another version.
        OversizedError
            If header and body together would exceed `max_size`.
        """
        if len(data) < HEADER_SIZE:
            raise TruncatedError(f"a frame starts with {HEADER_SIZE} bytes of header, found {len(data)} bytes")
        magic, version, tag, length, digest = _HEADER.unpack_from(data)
        if magic != MAGIC:
            raise MalformedError(f"expected a frame that starts with {MAGIC!r}, found {magic!r}")
        if version != VERSION:
            raise VersionError(f"expected format version {VERSION}, found {version}")
        if HEADER_SIZE + length > max_size:
            raise OversizedError(f"expected at most {max_size} bytes, found a frame of {HEADER_SIZE + length}")
        return cls(tag, length, digest)


def dumps(obj: object) -> bytes:
    """Encode an object of a known type or one that is a `WireObject`.

    Raises
    ------
    SettingError
        If its type has no format.
    """
    codec = _codec(type(obj))
    parameters = codec.parameters(obj)
    packer = msgpack.Packer(use_bin_type=True, autoreset=False)
    packer.pack(codec.write(obj))
    body = packer.getbuffer()  # joined without a copy in between: payloads are large
    digest = _NO_PARAMETERS if parameters is None else parameters.digest
    return b"".join((_HEADER.pack(MAGIC, VERSION, codec.tag, len(body), digest), body))


def loads(
    data: Bytes, kind: type[T], parameters: PublicParameters | None = None, *, max_size: int = DEFAULT_MAX_SIZE
) -> T:
    """Decode a frame that must hold an object of type `kind`.

    Parameters
    ----------
    data
        Exactly one frame.
    kind
        The type expected.
    parameters
        The public parameters it must belong to; None for types that belong to none.
    max_size
        The longest frame accepted, in bytes.

    Raises
    ------
    TruncatedError, OversizedError, VersionError, MalformedError
        If the bytes are not one frame of that type; the message says what was expected and what was found.
    ParameterMismatchError
        If the object belongs to other public parameters.
    """
    codec, header = _codec(kind), Header.parse(data, max_size)
    if header.tag != codec.tag:
        raise MalformedError(f"expected a {kind.__name__} (tag {codec.tag}), found tag {header.tag}")
    body = memoryview(data)[HEADER_SIZE:]
    if len(body) < header.body_length:
        raise TruncatedError(f"expected a body of {header.body_length} bytes, found {len(body)}")
    if len(body) > header.body_length:
        raise OversizedError(f"expected a body of {header.body_length} bytes, found {len(body)}")
    named = _named_parameters(kind.__name__, header.parameters_digest, parameters)
    reader = FieldReader(kind.__name__, _unpack(kind.__name__, body), named)
    try:
        obj = codec.read(reader)
    except ParameterMismatchError:
        raise
    except (SettingError, CryptoError, UploadError) as error:
        raise MalformedError(f"{kind.__name__}: {error}") from error
    reader.end()
    if named is not None and codec.parameters(obj) is None:
        raise ParameterMismatchError(f"a {kind.__name__} belongs to no public parameters, but its frame names some")
    return obj


def _named_parameters(kind: str, digest: bytes, parameters: PublicParameters | None) -> PublicParameters | None:
    if digest == _NO_PARAMETERS:
        return None
    if parameters is None or parameters.digest != digest:
        expected = "none" if parameters is None else parameters.digest.hex()[:16]
        raise ParameterMismatchError(f"{kind}: expected public parameters {expected}, found {digest.hex()[:16]}")
    return parameters


def _unpack(kind: str, body: memoryview) -> object:
    try:
        values: object = msgpack.unpackb(
            body,
            raw=False,
            max_array_len=_MAX_LIST,
            max_map_len=0,
            max_ext_len=0,
            max_str_len=len(body),
            max_bin_len=len(body),
        )
        canonical = msgpack.packb(values, use_bin_type=True) == body
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException) as error:
        raise MalformedError(f"{kind}: the body is not msgpack within its limits ({type(error).__name__})") from None
    if not canonical:
        raise MalformedError(f"{kind}: the body is not in its canonical form")
    return values


def _codec(kind: type[T]) -> Codec[T]:
    known = CRYPTOSYSTEM.get(kind)
    if known is not None:
        return cast("Codec[T]", known)
    if not all(hasattr(kind, member) for member in ("wire_tag", "to_fields", "from_fields", "wire_parameters")):
        raise SettingError(f"{kind.__name__} has no wire format")
    wired = cast("type[WireObject]", kind)
    return cast("Codec[T]", Codec(wired.wire_tag, wired.to_fields, wired.from_fields, wired.wire_parameters))
