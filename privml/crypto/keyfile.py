"""Secret keys at rest: files that only their owner can read, under a password or not.

A file is magic, version, kind, whether it is encrypted, the scrypt cost, a salt and a nonce; then the msgpack list of
the key's numbers, encrypted with AES-256-GCM under scrypt(password, salt), the header being authenticated. Without a
password the list is followed by SHA-256 of header and list, which finds damage but stops nobody.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from pathlib import Path
from typing import Any, Final, TypeVar

import msgpack
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.keygen import StrongKey
from privml.crypto.randomness import random_bytes
from privml.errors import CryptoError, InsecureKeyFileError, KeyFileError, SettingError

_Key = TypeVar("_Key", WeakPrivateKey, KeyShare, StrongKey)

_MAGIC: Final = b"PrMLkey\0"
_VERSION: Final = 1
_HEADER = struct.Struct(">8sHBBB16s12s")
_CHECKSUM_BYTES: Final = 32
_MAX_BYTES: Final = 1 << 14  # a key of 3072 bits takes less than 2 kB
_PLAIN: Final = 0
_SCRYPT: Final = 1
_SCRYPT_COST: Final = 16  # log2 of n; 64 MB and a fifth of a second
_SCRYPT_COSTS: Final = range(15, 21)  # accepted from a file; more would let a foreign file exhaust memory

_KINDS: Final[dict[type[Any], int]] = {WeakPrivateKey: 1, KeyShare: 2, StrongKey: 3}


def save_key(path: Path, key: WeakPrivateKey | KeyShare | StrongKey, *, password: str | None = None) -> None:
    """Write a secret key to a new file of mode 0600.

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
    if password == "":
        raise SettingError("a password is not empty")
    cost = _PLAIN if password is None else _SCRYPT_COST
    encrypted = _PLAIN if password is None else _SCRYPT
    header = _HEADER.pack(_MAGIC, _VERSION, _KINDS[type(key)], encrypted, cost, random_bytes(16), random_bytes(12))
    parameters = key.parameters
    numbers = [parameters.modulus, parameters.generator, *_secrets(key)]
    body: bytes = msgpack.packb([number.to_bytes((number.bit_length() + 7) // 8, "big") for number in numbers])
    _write_new(path, header + _protect(header, body, password))


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
    content = _read_private(path)
    if len(content) < _HEADER.size:
        raise KeyFileError(f"{path} is no key file: it is too short")
    magic, version, found, encrypted, cost, _, _ = _HEADER.unpack_from(content)
    if magic != _MAGIC:
        raise KeyFileError(f"{path} is no key file")
    if version != _VERSION:
        raise KeyFileError(f"{path} is of version {version}, expected {_VERSION}")
    if found != _KINDS[kind]:
        raise KeyFileError(f"{path} holds no {kind.__name__}")
    if encrypted not in {_PLAIN, _SCRYPT} or (encrypted == _SCRYPT and cost not in _SCRYPT_COSTS):
        raise KeyFileError(f"{path} is protected in an unknown way")
    if (encrypted == _SCRYPT) != bool(password):
        raise KeyFileError(f"{path} is {'' if encrypted else 'not '}encrypted under a password")
    header, body = content[: _HEADER.size], content[_HEADER.size :]
    plain = _unprotect(header, body, password)
    if plain is None:
        raise KeyFileError(f"{path} is damaged" + (", or the password is wrong" if encrypted else ""))
    try:
        modulus, generator, *secrets = [_number(value) for value in msgpack.unpackb(plain, max_map_len=0)]
        key: _Key = kind(PublicParameters(modulus, generator), *secrets)
    except (ValueError, TypeError, CryptoError, msgpack.UnpackException):
        raise KeyFileError(f"{path} holds numbers that are no {kind.__name__}") from None
    return key


def _secrets(key: WeakPrivateKey | KeyShare | StrongKey) -> tuple[Integer, ...]:
    if isinstance(key, WeakPrivateKey):
        return (key.theta,)
    return (key.exponent,) if isinstance(key, KeyShare) else key.factors


def _number(value: object) -> Integer:
    if not isinstance(value, bytes):
        raise TypeError("a number of a key is sent as bytes")
    return Integer(int.from_bytes(value, "big"))


def _encryption_key(header: bytes, password: str) -> tuple[AESGCM, bytes]:
    _, _, _, _, cost, salt, nonce = _HEADER.unpack(header)
    kdf = Scrypt(salt=salt, length=32, n=1 << cost, r=8, p=1)
    return AESGCM(kdf.derive(password.encode("utf-8", "surrogatepass"))), nonce


def _protect(header: bytes, body: bytes, password: str | None) -> bytes:
    if password is None:
        return body + hashlib.sha256(header + body).digest()
    cipher, nonce = _encryption_key(header, password)
    return cipher.encrypt(nonce, body, header)


def _unprotect(header: bytes, body: bytes, password: str | None) -> bytes | None:
    if not password:
        plain, checksum = body[:-_CHECKSUM_BYTES], body[-_CHECKSUM_BYTES:]
        return plain if hashlib.sha256(header + plain).digest() == checksum else None
    cipher, nonce = _encryption_key(header, password)
    try:
        return cipher.decrypt(nonce, body, header)
    except InvalidTag:
        return None


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()  # half a key is worse than none
        raise


def _read_private(path: Path) -> bytes:
    with path.open("rb") as file:
        # Of the open file, not of the path: nobody can swap it in between.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if os.name == "posix" and mode & 0o077:
            raise InsecureKeyFileError(f"{path} has mode {mode:04o}: others may not have access, chmod it to 0600")
        content = file.read(_MAX_BYTES + 1)
    if len(content) > _MAX_BYTES:
        raise KeyFileError(f"{path} is no key file: it is too long")
    return content
