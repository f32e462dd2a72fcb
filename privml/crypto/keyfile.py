"""Secret keys at rest, in files that only their owner can read, under a password or not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeVar

import msgpack

from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.keygen import StrongKey
from privml.crypto.protected_file import FileKind, read_protected, write_protected
from privml.errors import CryptoError, KeyFileError

_Key = TypeVar("_Key", WeakPrivateKey, KeyShare, StrongKey)

_MAX_BYTES: Final = 1 << 14  # a key of 3072 bits takes less than 2 kB
_KINDS: Final[dict[type[Any], FileKind]] = {
    WeakPrivateKey: FileKind(b"PrMLkey\x01", "private key of an owner or client", _MAX_BYTES),
    KeyShare: FileKind(b"PrMLkey\x02", "unit's share of the strong key", _MAX_BYTES),
    StrongKey: FileKind(b"PrMLkey\x03", "strong key of an authority", _MAX_BYTES),
}


def save_key(path: Path, key: WeakPrivateKey | KeyShare | StrongKey, *, password: str | None = None) -> None:
    """Write a secret key to a new file of mode 0600.

    The content is the msgpack list of N, g and the secret numbers (theta; d_X; p and q), big-endian.

    Parameters
    ----------
    path
        Must not exist: keys are never overwritten.
    key
        An owner's private key, a unit's key share, or the authority's strong key.
    password
        If given, the file is encrypted under it.

    Raises
    ------
    FileExistsError
        If there is a file already.
    SettingError
        If the password is empty, or the strong key was erased.
    """
    numbers = [key.parameters.modulus, key.parameters.generator, *_secrets(key)]
    content: bytes = msgpack.packb([number.to_bytes((number.bit_length() + 7) // 8, "big") for number in numbers])
    write_protected(path, _KINDS[type(key)], content, password=password)


def load_key(path: Path, kind: type[_Key], *, password: str | None = None) -> _Key:
    """Read a secret key.

    Parameters
    ----------
    path
        A file that `save_key` wrote.
    kind
        The type of key expected.
    password
        The password it was written with, if any.

    Raises
    ------
    InsecureKeyFileError
        If group or others have any access to the file.
    KeyFileError
        If it is damaged, of another kind or version, or the password is wrong, missing or superfluous.
    OSError
        If it cannot be opened.
    """
    content = read_protected(path, _KINDS[kind], password=password)
    try:
        modulus, generator, *secrets = [_number(value) for value in msgpack.unpackb(content, max_map_len=0)]
        key: _Key = kind(PublicParameters(modulus, generator), *secrets)
    except (ValueError, TypeError, CryptoError, msgpack.UnpackException):
        # Without the cause, whose message or frames may hold a number of the key.
        raise KeyFileError(f"{path} holds numbers that are no {_KINDS[kind].name}") from None
    return key


def _secrets(key: WeakPrivateKey | KeyShare | StrongKey) -> tuple[Integer, ...]:
    if isinstance(key, WeakPrivateKey):
        return (key.theta,)
    return (key.exponent,) if isinstance(key, KeyShare) else key.factors


def _number(value: object) -> Integer:
    if not isinstance(value, bytes):
        raise TypeError("a number of a key is stored as bytes")
    return Integer(int.from_bytes(value, "big"))
