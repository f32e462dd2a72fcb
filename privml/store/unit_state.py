"""A unit's state as a file: readable by its owner only, encrypted under a password if one is given."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgpack
import numpy as np

from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.parameters import PublicParameters
from privml.crypto.protected_file import FileKind, read_protected, write_protected
from privml.crypto.wire import dumps, loads
from privml.errors import KeyFileError, PrivMLError

_KIND: Final = FileKind(b"PrMLunit", "state of a unit", max_bytes=1 << 34)
_ARRAY: Final = 1
_LAYOUT: Final = 2
_PACKED: Final = 3


def write_state(path: Path, state: Mapping[str, Any], *, password: str | None = None) -> None:
    """Write a state, replacing the file in one step, so that a crash leaves the old one or the new one.

    Parameters
    ----------
    path
        The file.
    state
        Numbers, texts, bytes, None, arrays of words, layouts, packed ciphertexts, and lists and mappings of these.
    password
        Encrypts the file.
    """
    body: bytes = msgpack.packb(state, default=_pack, use_bin_type=True)
    write_protected(path, _KIND, body, password=password, replace=True)


def read_state(path: Path, parameters: PublicParameters, *, password: str | None = None) -> dict[str, Any]:
    """Read a state back.

    Raises
    ------
    KeyFileError
        It is damaged, holds something else, is readable by others, or the password is wrong.
    FileNotFoundError
        There is none.
    """
    body = read_protected(path, _KIND, password=password)

    def unpack(code: int, data: bytes) -> Any:
        if code == _ARRAY:
            shape, words = msgpack.unpackb(data)
            return np.frombuffer(words, dtype="<u8").astype(np.uint64).reshape(shape)
        return loads(data, Layout) if code == _LAYOUT else loads(data, PackedCiphertext, parameters)

    try:
        state: dict[str, Any] = msgpack.unpackb(body, ext_hook=unpack, strict_map_key=False)
    except (ValueError, TypeError, PrivMLError, msgpack.UnpackException) as error:
        raise KeyFileError(f"{path} holds no state of a unit: {error}") from error
    return state


def _pack(value: object) -> msgpack.ExtType:
    if isinstance(value, np.ndarray):
        words = value.astype("<u8", copy=False)
        return msgpack.ExtType(_ARRAY, msgpack.packb([list(value.shape), words.tobytes()], use_bin_type=True))
    return msgpack.ExtType(_LAYOUT if isinstance(value, Layout) else _PACKED, dumps(value))
