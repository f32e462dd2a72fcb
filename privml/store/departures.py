"""What left the models of a unit for good: a file that only grows, beside the state, and outlives an older state.

The file is text, one line for each chunk that was withdrawn or evicted: 16 hexadecimal digits of SHA-256, and what they
are of, as JSON. A line that a crash cut off was never confirmed to anybody and is dropped. It names owners, models and
uploads, which are public, and no content.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

from privml.errors import InsecureKeyFileError, KeyFileError

_DIGITS: Final = 16


class Departure(NamedTuple):
    """A chunk that left a model: at its owner's request, or because the operators evicted it."""

    model: str
    chunk: str
    evicted: bool


class DepartureLog:
    """The file, and what is in it.

    Parameters
    ----------
    path
        The file; made if there is none.

    Raises
    ------
    InsecureKeyFileError
        If group or others have any access to it.
    KeyFileError
        If it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with os.fdopen(_opened(path, os.O_RDWR | os.O_CREAT), "r+b") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise InsecureKeyFileError(f"{path} can be accessed by others: chmod it to 0600")
            content = file.read()
            whole = content.rfind(b"\n") + 1
            file.truncate(whole)  # else the next line would go on where a crash cut one off
            os.fsync(file.fileno())
        _sync_folder(path.parent)
        self._kept = dict.fromkeys(self._read(line) for line in content[:whole].splitlines())

    @property
    def departures(self) -> tuple[Departure, ...]:
        """All that are in the file, in their order."""
        return tuple(self._kept)

    def add(self, departures: Iterable[Departure]) -> None:
        """Append those that are not there yet; when this returns they are on the disk."""
        fresh = [departure for departure in departures if departure not in self._kept]
        if not fresh:
            return
        # never made anew: if the file is gone, so is what must not come back, or somebody moved both
        with os.fdopen(_opened(self.path, os.O_WRONLY | os.O_APPEND), "ab") as file:
            file.write(b"".join(_line(departure) for departure in fresh))
            file.flush()
            os.fsync(file.fileno())
        self._kept.update(dict.fromkeys(fresh))

    def _read(self, line: bytes) -> Departure:
        digest, _, text = line.partition(b" ")
        if digest != _digest(text):
            raise KeyFileError(f"{self.path} is damaged, and with it the record of what was withdrawn")
        model, chunk, evicted = json.loads(text)
        return Departure(model, chunk, evicted)


def _opened(path: Path, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_CLOEXEC", 0), 0o600)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _line(departure: Departure) -> bytes:
    text = json.dumps(departure).encode()
    return _digest(text) + b" " + text + b"\n"


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).hexdigest()[:_DIGITS].encode()
