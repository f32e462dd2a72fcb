"""Encryption randomness made ahead of time, each entry used once and then gone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from privml.crypto.lineage import lineage
from privml.crypto.secret import Secret
from privml.errors import SettingError

Entry = TypeVar("Entry")


class RandomnessPool(Secret, Generic[Entry]):
    """Entries made ahead and handed out once each.

    Two ciphertexts under the same randomness show the difference of their plaintexts, so an entry is never given
    twice: not to two threads, and not to a process and its fork (a child starts with an empty pool).

    Parameters
    ----------
    make
        Makes that many fresh entries.

    Attributes
    ----------
    misses
        How often an entry had to be made on demand because the pool was empty.
    """

    def __init__(self, make: Callable[[int], Iterable[Entry]]) -> None:
        self._make = make
        self._lineage = lineage()
        self._entries: deque[Entry] = deque()
        self.misses = 0

    def __repr__(self) -> str:
        return f"RandomnessPool({len(self)} entries)"

    def __len__(self) -> int:
        return len(self._own_entries())

    def fill(self, count: int) -> None:
        """Add `count` >= 0 entries, otherwise SettingError."""
        if count < 0:
            raise SettingError(f"a pool is filled with a count >= 0, not {count}")
        made = list(self._make(count))
        self._own_entries().extend(made)

    def take(self) -> Entry:
        """Remove one entry and give it; a fresh one if the pool is empty."""
        # deque.pop is atomic, so two threads never get the same entry.
        try:
            return self._own_entries().pop()
        except IndexError:
            self.misses += 1
            (entry,) = self._make(1)
            return entry

    def take_many(self, count: int) -> list[Entry]:
        """Remove `count` entries and give them, making those that are missing in one batch."""
        taken: list[Entry] = []
        entries = self._own_entries()
        while entries and len(taken) < count:
            try:
                taken.append(entries.pop())
            except IndexError:  # another thread was faster
                break
        missing = count - len(taken)
        if missing > 0:
            self.misses += missing
            taken.extend(self._make(missing))
        return taken

    def _own_entries(self) -> deque[Entry]:
        now = lineage()
        if now != self._lineage:
            # In a child: forget the parent's entries. Should two of its threads do this at once, entries made in
            # between are lost, never given twice.
            self._entries = deque()
            self._lineage = now
        return self._entries
