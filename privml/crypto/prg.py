"""Pseudorandom streams: AES-256-CTR as arrays of unsigned integers, keyed through HKDF-SHA256.

A stream is the key stream of AES-256-CTR. Its initial counter block is the nonce (8 big-endian bytes) followed by a
block counter that starts at 0 (8 big-endian bytes); its bytes are read as little-endian integers. Streams of different
keys or nonces are independent as long as none is longer than 2^64 blocks.
"""

from __future__ import annotations

import math
from typing import Self, TypeAlias, TypeVar

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from numpy.typing import NDArray

from privml.crypto.secret import Secret
from privml.crypto.transcript import Field, encode
from privml.errors import SettingError

KEY_BYTES = 32

_Unsigned = TypeVar("_Unsigned", bound=np.unsignedinteger)
Shape: TypeAlias = "int | tuple[int, ...]"

# Encrypting zeros gives the key stream. One immutable block serves all threads, and stays in the second-level cache.
_ZEROS = memoryview(bytes(1 << 18))
# Some versions of cryptography ask for room for one cipher block beyond what they write.
_SLACK = 16


def derive_key(master: bytes, *info: Field, length: int = KEY_BYTES) -> bytes:
    """HKDF-SHA256 (RFC 5869) of `master` without salt, under the unambiguous encoding of `info`.

    Parameters
    ----------
    master
        Secret of at least 16 bytes with full entropy.
    info
        What the key is for; different sequences give independent keys.
    length
        Bytes wanted, 1 to 8160.

    Raises
    ------
    SettingError
        If `master` is shorter than 16 bytes, or `length` is out of range.
    """
    if len(master) < 16:
        raise SettingError(f"a master secret has at least 16 bytes, not {len(master)}")
    if not 1 <= length <= 255 * 32:
        raise SettingError(f"HKDF-SHA256 gives 1 to 8160 bytes, not {length}")
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=encode(*info)).derive(master)


class Stream(Secret):
    """Successive arrays from one stream; the cheap way to many small arrays.

    Every draw consumes exactly the bytes of its array, so two holders of (key, nonce) who make the same draws get the
    same arrays. Not thread-safe: one thread, one stream.

    Parameters
    ----------
    key
        32 secret bytes.
    nonce
        Number of the stream under this key, in [0, 2^64). A pair (key, nonce) is used for one purpose, once.
    """

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes, nonce: int) -> None:
        if len(key) != KEY_BYTES:
            raise SettingError(f"a stream key has {KEY_BYTES} bytes, not {len(key)}")
        self._cipher = Cipher(algorithms.AES(key), modes.CTR(_first_block(nonce))).encryptor()

    def restart(self, nonce: int) -> Self:
        """Go to the beginning of another stream of this key: a tenth of the cost of one more `Stream`."""
        self._cipher.reset_nonce(_first_block(nonce))
        return self

    def words(self, shape: Shape) -> NDArray[np.uint64]:
        """The next array of uniform 64-bit words."""
        return self.draw(shape, np.uint64)

    def draw(self, shape: Shape, dtype: type[_Unsigned]) -> NDArray[_Unsigned]:
        """The next array of uniform unsigned integers of `dtype` (uint8 to uint64), of `shape`."""
        kind = np.dtype(dtype).newbyteorder("<")
        if kind.kind != "u":
            raise SettingError(f"a stream gives unsigned integers, not {kind}")
        count = shape if isinstance(shape, int) else math.prod(shape)
        return self.octets(count * kind.itemsize).view(kind).astype(dtype, copy=False).reshape(shape)

    def octets(self, size: int) -> NDArray[np.uint8]:
        """The next so many bytes."""
        buffer = np.empty(size + _SLACK, dtype=np.uint8)
        view = buffer.data
        for start in range(0, size, len(_ZEROS)):
            self._cipher.update_into(_ZEROS[: min(size - start, len(_ZEROS))], view[start:])
        return buffer[:size]

    def __repr__(self) -> str:
        return "Stream(...)"


def _first_block(nonce: int) -> bytes:
    if not 0 <= nonce < 1 << 64:
        raise SettingError("a stream's nonce lies in [0, 2^64)")
    return nonce.to_bytes(8, "big") + bytes(8)


def expand(key: bytes, nonce: int, words: Shape) -> NDArray[np.uint64]:
    """The first `words` 64-bit words (a number or a shape) of the stream (key, nonce)."""
    return Stream(key, nonce).words(words)
