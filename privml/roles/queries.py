"""What a client says in a session and what it hears, each message under a tag that needs the session's seed.

Tags are HMAC-SHA256 under keys that HKDF derives from the seed. The client and the Secondary have the seed, the Master
has not: it compares a query's payload with the digest that the tag is over, and the Secondary checks the tag. For an
answer the Secondary gives the Master a key that is good for this one answer.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Final, Self

import numpy as np

from privml.crypto.envelope import DIGEST_BYTES, IDENTIFIER_BYTES, SealContext
from privml.crypto.prg import derive_key
from privml.crypto.transcript import encode
from privml.crypto.wire_fields import FieldReader, Fields, array_fields
from privml.errors import SessionError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privml.roles.card import ModelCard

TAG_BYTES: Final = 32
_MAX_ROWS = 1 << 24
_MAX_COUNTER = (1 << 63) - 1


def session_digest(card: ModelCard, epoch: bytes) -> bytes:
    """What a session's envelope is bound to: the model's card and this run of the provider."""
    return hashlib.sha256(encode("privml-session", 1, card.digest, epoch)).digest()


def client_key(seed: bytes, context: SealContext) -> bytes:
    """Derive the key of all that a client says in a session."""
    return derive_key(seed, "privml-client-tag", 1, *_names(context))


def answer_key(seed: bytes, context: SealContext, counter: int) -> bytes:
    """Derive the key of one answer."""
    return derive_key(seed, "privml-answer-tag", 1, *_names(context), counter)


def words_digest(words: NDArray[np.uint64]) -> bytes:
    """BLAKE2b of words in C order, little-endian: of a large batch it is what takes the time. The shape goes beside."""
    return hashlib.blake2b(np.ascontiguousarray(words, dtype="<u8").reshape(-1).data, digest_size=DIGEST_BYTES).digest()


def _names(context: SealContext) -> tuple[str | bytes, ...]:
    return context.provider, context.model, context.owner, context.key_digest, context.identifier


def _tag(key: bytes, statement: bytes) -> bytes:
    return hmac.digest(key, statement, "sha256")


def _check(key: bytes, statement: bytes, tag: bytes, what: str) -> None:
    if not hmac.compare_digest(_tag(key, statement), tag):
        raise SessionError(f"{what} was changed on its way, or does not come from this session")


@dataclass(frozen=True)
class Query:
    """A batch of one-hot rows under the session's pad of this counter.

    The Master gets all of it; `statement`, without the payload, is what goes on to the Secondary.
    """

    wire_tag: ClassVar[int] = 131

    session_id: bytes
    counter: int
    answer: str
    rows: int
    digest: bytes = field(repr=False)
    payload: NDArray[np.uint64] | None = field(repr=False, compare=False)
    tag: bytes = field(repr=False)

    @classmethod
    def tagged(cls, key: bytes, session_id: bytes, counter: int, answer: str, payload: NDArray[np.uint64]) -> Self:
        """Make a query, with its tag."""
        query = cls(session_id, counter, answer, len(payload), words_digest(payload), payload, bytes(TAG_BYTES))
        return replace(query, tag=_tag(key, query._stated()))

    def verify(self, key: bytes) -> None:
        """Check the tag; SessionError if it does not fit."""
        _check(key, self._stated(), self.tag, "the query")

    def statement(self) -> Query:
        """Everything but the payload."""
        return replace(self, payload=None)

    def _stated(self) -> bytes:
        return encode("privml-query", 1, self.session_id, self.counter, self.answer, self.rows, self.digest)

    def to_fields(self) -> Fields:
        """Session, counter, what is asked, records, digest, payload, and last the tag."""
        payload = None if self.payload is None else array_fields(self.payload)
        return [self.session_id, self.counter, self.answer, self.rows, self.digest, payload, self.tag]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> Query:
        """Read; the units check it against the session."""
        return cls(
            fields.raw("session_id", IDENTIFIER_BYTES),
            fields.integer("counter", 1, _MAX_COUNTER),
            fields.text("answer", 64),
            fields.integer("rows", 1, _MAX_ROWS),
            fields.raw("digest", DIGEST_BYTES),
            None if fields.absent("payload") else fields.array("payload"),
            fields.raw("tag", TAG_BYTES),
        )

    def wire_parameters(self) -> None:
        """None: no ciphertext is in it."""
        return


@dataclass(frozen=True)
class Answer:
    """The words of an answer under the session's pad of the query's counter."""

    wire_tag: ClassVar[int] = 132

    session_id: bytes
    counter: int
    words: NDArray[np.uint64] = field(repr=False, compare=False)
    tag: bytes = field(repr=False)

    @classmethod
    def tagged(cls, key: bytes, session_id: bytes, counter: int, words: NDArray[np.uint64]) -> Self:
        """Make an answer, with its tag."""
        answer = cls(session_id, counter, words, bytes(TAG_BYTES))
        return replace(answer, tag=_tag(key, answer._stated()))

    def verify(self, key: bytes) -> None:
        """Check the tag; SessionError if it does not fit."""
        _check(key, self._stated(), self.tag, "the answer")

    def _stated(self) -> bytes:
        return encode("privml-answer", 1, self.session_id, self.counter, self.words.shape, words_digest(self.words))

    def to_fields(self) -> Fields:
        """Session, counter, words and tag."""
        return [self.session_id, self.counter, array_fields(self.words), self.tag]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> Answer:
        """Read; the client checks it against its query."""
        return cls(
            fields.raw("session_id", IDENTIFIER_BYTES),
            fields.integer("counter", 1, _MAX_COUNTER),
            fields.array("words"),
            fields.raw("tag", TAG_BYTES),
        )

    def wire_parameters(self) -> None:
        """None: no ciphertext is in it."""
        return


@dataclass(frozen=True)
class Closing:
    """A client will ask no more in a session: both units forget it."""

    wire_tag: ClassVar[int] = 133

    session_id: bytes
    tag: bytes = field(repr=False)

    @classmethod
    def tagged(cls, key: bytes, session_id: bytes) -> Self:
        """Make it, with its tag."""
        return cls(session_id, _tag(key, encode("privml-closing", 1, session_id)))

    def verify(self, key: bytes) -> None:
        """Check the tag; SessionError if it does not fit."""
        _check(key, encode("privml-closing", 1, self.session_id), self.tag, "the closing of a session")

    def to_fields(self) -> Fields:
        """Session and tag."""
        return [self.session_id, self.tag]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> Closing:
        """Read; the units check it against the session."""
        return cls(fields.raw("session_id", IDENTIFIER_BYTES), fields.raw("tag", TAG_BYTES))

    def wire_parameters(self) -> None:
        """None: no ciphertext is in it."""
        return
