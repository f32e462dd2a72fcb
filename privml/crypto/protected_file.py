"""Files that only their owner can read, under a password or not: secret keys and a unit's state.

A file is a magic of 8 bytes, a version, whether it is encrypted, the scrypt cost, a salt and a nonce; then the content,
encrypted with AES-256-GCM under scrypt(password, salt), the header being authenticated. Without a password the
content is followed by SHA-256 of header and content, which finds damage but stops nobody.
"""

from __future__ import annotations

import hashlib
import os
import stat
import struct
from pathlib import Path
from typing import Final, NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from privml.crypto.randomness import random_bytes
from privml.errors import InsecureKeyFileError, KeyFileError, SettingError

_VERSION: Final = 1
_HEADER = struct.Struct(">8sHBB16s12s")
_CHECKSUM_BYTES: Final = 32
_PLAIN: Final = 0
_SCRYPT: Final = 1
_SCRYPT_COST: Final = 16  # log2 of n; 64 MB and a fifth of a second
_SCRYPT_COSTS: Final = range(15, 21)  # accepted from a file; more would let a foreign file exhaust memory


class FileKind(NamedTuple):
    """What a file holds: 8 magic bytes, a name for messages, and the longest content."""

    magic: bytes
    name: str
    max_bytes: int


def write_protected(
    path: Path, kind: FileKind, content: bytes, *, password: str | None = None, replace: bool = False
) -> None:
    """Write a file of mode 0600, durably, in one step.

    Parameters
    ----------
    path
        The file.
    kind, content
        What it is and holds.
    password
        If given, the content is encrypted under it.
    replace
        Whether a file that is there already is replaced; a crash leaves the old one or the new one.

    Raises
    ------
    FileExistsError
        If there is a file already, and it is not to be replaced.
    SettingError
        If the password is empty.
    """
    if password == "":
        raise SettingError("a password is not empty")
    how = (_PLAIN, 0) if password is None else (_SCRYPT, _SCRYPT_COST)
    header = _HEADER.pack(kind.magic, _VERSION, *how, random_bytes(16), random_bytes(12))
    protected = header + _protect(header, content, password)
    if not replace:
        _write_new(path, protected)
        return
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    _write_new(fresh, protected)
    fresh.replace(path)


def read_protected(path: Path, kind: FileKind, *, password: str | None = None) -> bytes:
    """Read the content of a file that `write_protected` wrote.

    Raises
    ------
    InsecureKeyFileError
        If group or others have any access to the file.
    KeyFileError
        If it is damaged, of another kind or version, or the password is wrong, missing or superfluous.
    OSError
        If it cannot be opened.
    """
    data = _read_private(path, kind)
    if len(data) < _HEADER.size:
        raise KeyFileError(f"{path} holds no {kind.name}: it is too short")
    magic, version, encrypted, cost, _, _ = _HEADER.unpack_from(data)
    if magic != kind.magic:
        raise KeyFileError(f"{path} holds no {kind.name}")
    if version != _VERSION:
        raise KeyFileError(f"{path} is of version {version}, expected {_VERSION}")
    if encrypted not in {_PLAIN, _SCRYPT} or (encrypted == _SCRYPT and cost not in _SCRYPT_COSTS):
        raise KeyFileError(f"{path} is protected in an unknown way")
    if (encrypted == _SCRYPT) != bool(password):
        state = "encrypted: give its password" if encrypted else "not encrypted: give no password"
        raise KeyFileError(f"{path} is {state} (PRIVML_PASSWORD or --password-prompt)")
    content = _unprotect(data[: _HEADER.size], data[_HEADER.size :], password)
    if content is None:
        raise KeyFileError(f"{path} is damaged" + (", or the password is wrong" if encrypted else ""))
    return content


def _cipher(header: bytes, password: str) -> tuple[AESGCM, bytes]:
    *_, cost, salt, nonce = _HEADER.unpack(header)
    kdf = Scrypt(salt=salt, length=32, n=1 << cost, r=8, p=1)
    return AESGCM(kdf.derive(password.encode("utf-8", "surrogatepass"))), nonce


def _protect(header: bytes, content: bytes, password: str | None) -> bytes:
    if password is None:
        return content + hashlib.sha256(header + content).digest()
    cipher, nonce = _cipher(header, password)
    return cipher.encrypt(nonce, content, header)


def _unprotect(header: bytes, data: bytes, password: str | None) -> bytes | None:
    if not password:
        content, checksum = data[:-_CHECKSUM_BYTES], data[-_CHECKSUM_BYTES:]
        return content if hashlib.sha256(header + content).digest() == checksum else None
    cipher, nonce = _cipher(header, password)
    try:
        return cipher.decrypt(nonce, data, header)
    except InvalidTag:
        return None


def _write_new(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0), 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink()  # half a key is worse than none
        raise


def _read_private(path: Path, kind: FileKind) -> bytes:
    with path.open("rb") as file:
        # Of the open file, not of the path: nobody can swap it in between.
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if os.name == "posix" and mode & 0o077:
            raise InsecureKeyFileError(f"{path} has mode {mode:04o}: others may not have access, chmod it to 0600")
        data = file.read(kind.max_bytes + 1)
    if len(data) > kind.max_bytes:
        raise KeyFileError(f"{path} holds no {kind.name}: it is too long")
    return data
