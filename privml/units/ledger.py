"""Numbers that are given out once and never again, across restarts and forks too."""

from __future__ import annotations

import fcntl
import os
import threading
from pathlib import Path
from typing import Protocol

from privml.crypto.lineage import lineage
from privml.errors import DrawReusedError, MalformedError


class Ledger(Protocol):
    """Gives out the numbers of draws, in order, each once; a fork goes on with none of its parent's."""

    @property
    def position(self) -> int:
        """The next number."""

    def reserve(self) -> int:
        """Return the next number, which is then gone; raises `DrawReusedError` in a fork."""

    def jump(self, position: int) -> None:
        """Skip to a later number; raises `DrawReusedError` for an earlier one."""


class MemoryLedger:
    """For a deal that dies with the process, as its seeds do."""

    def __init__(self, position: int = 0) -> None:
        self._position = position
        self._lock = threading.Lock()
        self._lineage = lineage()

    @property
    def position(self) -> int:
        """The next number."""
        return self._position

    def reserve(self) -> int:
        """Return the next number, which is then gone; raises `DrawReusedError` in a fork."""
        self._refuse_in_fork()
        with self._lock:
            number = self._position
            self._position += 1
        return number

    def jump(self, position: int) -> None:
        """Skip to a later number; raises `DrawReusedError` for an earlier one."""
        with self._lock:
            if position < self._position:
                raise DrawReusedError(f"draw {position} lies before the next one, {self._position}")
            self._position = position

    def _refuse_in_fork(self) -> None:
        if lineage() != self._lineage:
            raise DrawReusedError(
                "a fork shares its parent's correlated randomness; a child process needs a source of its own"
            )


class FileLedger(MemoryLedger):
    """For a deal that outlives the process: what a file says is reserved is never given out again.

    Numbers are reserved in blocks: the file, synced to disk before the first number of a block is used, holds the end
    of the block. After a crash the rest of the block is skipped, never reused.

    Parameters
    ----------
    path
        The file; made if it does not exist.
    block
        Numbers a write reserves. A larger block costs fewer writes and wastes more numbers in a crash.
    """

    def __init__(self, path: Path, block: int = 4096) -> None:
        self._path = path
        self._block = block
        self._on_disk = self._read()
        super().__init__(self._on_disk)
        self._reserved = self.position

    def reserve(self) -> int:
        """Return the next number, which is then gone; durable before it is returned.

        Raises
        ------
        DrawReusedError
            Another ledger reserved numbers in the same file meanwhile, or this process is a fork of the one that made
            this ledger.
        """
        self._refuse_in_fork()
        with self._lock:
            number = self._position
            if number >= self._reserved:
                self._write(number + self._block)
            self._position += 1
        return number

    def jump(self, position: int) -> None:
        """Skip to a later number, durably; raises `DrawReusedError` for an earlier one."""
        super().jump(position)
        with self._lock:
            self._write(max(position, self._reserved))

    def _read(self) -> int:
        if not self._path.exists():
            return 0
        text = self._path.read_text(encoding="ascii", errors="replace").strip()
        if not (text.isascii() and text.isdigit()):
            raise MalformedError(f"{self._path} should hold the number of the next draw, but holds {text[:20]!r}")
        return int(text)

    def _write(self, reserved: int) -> None:
        with self._path.with_name(f".{self._path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # until it is closed: nobody comes between reading and replacing
            if self._read() != self._on_disk:
                raise DrawReusedError(f"{self._path} is in use by somebody else, who reserved draws in it")
            self._replace(reserved)
        self._reserved = reserved

    def _replace(self, reserved: int) -> None:
        fresh = self._path.with_name(f".{self._path.name}.new")  # of this ledger only, whatever else is in the folder
        with fresh.open("w", encoding="ascii") as file:
            file.write(f"{reserved}\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        self._on_disk = reserved
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
