"""An unambiguous encoding of fields, and the SHA-256 transcript that proofs draw their challenges from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TypeAlias

from privml.crypto.arithmetic import Integer
from privml.errors import SettingError

Field: TypeAlias = "bytes | bytearray | memoryview | str | int | Integer | tuple[Field, ...] | None"

CHALLENGE_BITS = 128  # soundness error 2^-128
HIDING_BITS = 80  # a response over the integers hides what it answers for with statistical distance 2^-80

_VERSION = 1
_LENGTH_BYTES = 8


def encode(*fields: Field) -> bytes:
    """Encode fields injectively: two different sequences of fields never give the same bytes.

    Each field becomes one byte of type (``b`` bytes, ``s`` text, ``i`` integer, ``t`` tuple, ``n`` nothing), its length
    as 8 big-endian bytes, and its content. Integers are minimal big-endian bytes (zero is empty), text is UTF-8, a
    tuple is the encoding of its items.

    Raises
    ------
    SettingError
        For a negative integer, text that is not Unicode, or a field of another type.
    """
    return b"".join(map(_encode_field, fields))


def _encode_field(field: Field) -> bytes:
    content: bytes | bytearray | memoryview
    if isinstance(field, int | Integer):
        if field < 0:
            raise SettingError("only integers >= 0 have an encoding")
        kind, content = b"i", field.to_bytes((field.bit_length() + 7) // 8, "big")
    elif isinstance(field, str):
        try:
            kind, content = b"s", field.encode()
        except UnicodeEncodeError:
            raise SettingError("text with lone surrogates has no encoding") from None
    elif isinstance(field, bytes | bytearray):
        kind, content = b"b", field
    elif isinstance(field, memoryview):
        kind, content = b"b", field.tobytes()
    elif isinstance(field, tuple):
        kind, content = b"t", encode(*field)
    elif field is None:
        kind, content = b"n", b""
    else:
        raise SettingError(f"a field of type {type(field).__name__} has no encoding")
    return b"".join((kind, len(content).to_bytes(_LENGTH_BYTES, "big"), content))


class Transcript:
    """What a Fiat-Shamir challenge is a function of: everything that both sides saw, in order.

    SHA-256 over `encode` of a label, a version, and every absorbed field. The label separates protocols, so that a
    proof of one is never a proof of another.

    Parameters
    ----------
    label
        Name of the protocol, e.g. ``"dtpkc-key"``.
    version
        Version of the protocol; another version gives unrelated challenges.
    """

    def __init__(self, label: str, version: int = _VERSION) -> None:
        self._hash = hashlib.sha256(encode("privml", label, version))

    def absorb(self, *fields: Field) -> None:
        """Append fields."""
        self._hash.update(encode(*fields))

    def absorb_all(self, values: Iterable[Field]) -> None:
        """Append a sequence as ONE field, so that neighbouring sequences cannot trade elements."""
        self._hash.update(encode(tuple(values)))

    def digest(self) -> bytes:
        """32 bytes that commit to everything absorbed so far."""
        return self._hash.digest()

    def challenges(self, count: int, bits: int = CHALLENGE_BITS) -> list[int]:
        """Independent challenges e_i = SHA-256(digest || i) cut to `bits`, i as 8 big-endian bytes from 0.

        Parameters
        ----------
        count
            How many, >= 0.
        bits
            Length of each, a multiple of 8 up to 256; e_i lies in [0, 2^bits).
        """
        if count < 0 or bits % 8 or not 0 < bits <= 256:
            raise SettingError(f"challenges need a count >= 0 and 8 to 256 whole bytes of bits, not {count} and {bits}")
        digest, size = self.digest(), bits // 8
        return [
            int.from_bytes(hashlib.sha256(digest + index.to_bytes(8, "big")).digest()[:size], "big")
            for index in range(count)
        ]
