"""The sessions that clients have open at a unit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from privml.crypto.envelope import SealContext
from privml.crypto.secret import Secret
from privml.crypto.wire import loads
from privml.errors import PrivMLError, SessionError
from privml.roles.card import ModelCard
from privml.roles.queries import Query, client_key, words_digest

MAX_SESSIONS: Final = 128
"""How many sessions a client may have open at once, with all models of a provider."""


@dataclass
class Session(Secret):
    """A client's open session. The Secondary holds the seed of its pads and tags; both count. It dies with the process.

    Attributes
    ----------
    last
        In the Master: the last query, without its payload, the length of its message, and the answer, for a client that
        lost the answer and asks again.
    """

    card: ModelCard
    context: SealContext
    seed: bytes | None = field(repr=False)
    counter: int = 0
    last: tuple[Query, int, bytes] | None = field(default=None, repr=False)

    @cached_property
    def key(self) -> bytes | None:
        """What the client's messages are tagged with; None in the Master."""
        return None if self.seed is None else client_key(self.seed, self.context)


class Sessions:
    """Open sessions by their identifiers, and the identifiers of all that ever were, in memory only."""

    def __init__(self) -> None:
        self._open: dict[bytes, Session] = {}
        self._of_client: Counter[str] = Counter()
        self._taken: set[bytes] = set()

    def __iter__(self) -> Iterator[Session]:
        return iter(list(self._open.values()))  # another thread may open one meanwhile

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, session_id: object) -> bool:
        return session_id in self._open

    def __getitem__(self, session_id: bytes) -> Session:
        """Find an open session; SessionError if there is none."""
        session = self._open.get(session_id)
        if session is None:
            raise SessionError(
                f"there is no session {session_id.hex()}; open one (sessions end by being closed, and with a restart)"
            )
        return session

    def check(self, context: SealContext) -> None:
        """Check that a client may open a session under a new identifier; SessionError says why not."""
        if context.identifier in self._taken:
            raise SessionError(f"there was a session {context.identifier.hex()} already")
        if self._of_client[context.owner] >= MAX_SESSIONS:
            raise SessionError(f"{context.owner!r} has {MAX_SESSIONS} sessions open; close one before opening another")

    def take(self, identifier: bytes) -> None:
        """Note an identifier: no session will be opened under it again."""
        self._taken.add(identifier)

    def open(self, session: Session) -> None:
        """Keep a session whose identifier was taken."""
        self._open[session.context.identifier] = session
        self._of_client[session.context.owner] += 1

    def close(self, session_id: bytes) -> None:
        """Forget a session, its seed and its last answer; nothing happens if there is none."""
        session = self._open.pop(session_id, None)
        if session is not None:
            self._of_client[session.context.owner] -= 1

    def repeated(self, message: bytes) -> bytes | None:
        """In the Master: the answer to the last query of some session, if this is that query again."""
        for session in self:
            if session.last is not None:
                query, length, answer = session.last
                # a message ends with its tag: only where that is the same it is worth reading
                if len(message) == length and message.endswith(query.tag) and _says(message, query):
                    return answer
        return None


def _says(message: bytes, query: Query) -> bool:
    """Whether a message is this query, payload included; what cannot be read is refused elsewhere, by both units."""
    try:
        sent = loads(message, Query)
    except PrivMLError:
        return False
    return sent.payload is not None and sent.statement() == query and words_digest(sent.payload) == query.digest
