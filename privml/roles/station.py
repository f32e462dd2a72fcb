"""One unit's half of the provider: what it does in step with the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.envelope import (
    Envelope,
    Purpose,
    SealedArray,
    pad,
    payload_digest,
    seed_from_plaintext,
)
from privml.crypto.randomness import random_bytes
from privml.crypto.registry import KeyRegistration
from privml.crypto.transcript import encode
from privml.crypto.wire import dumps, loads
from privml.errors import (
    AuthorisationError,
    CryptoError,
    PrivMLError,
    ProofError,
    SessionError,
    UploadError,
)
from privml.roles.books import Books, Session, chunk_of
from privml.roles.hosted import Hosted, Journal
from privml.roles.messages import Answer, HomomorphicUpload, Query, Withdrawal
from privml.units.channel import exchange_exactly
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit

T = TypeVar("T")
EPOCH_BYTES = 32
Words = NDArray[np.uint64]


class Station(Books):
    """One unit's half of the provider.

    Both units have one and call the same methods in step; `message` is what came from outside, in the Master, and None
    in the Secondary, to which the Master forwards what it may see. Each unit checks everything against its own books.
    A refusal is agreed between the units and leaves both as they were.

    Parameters
    ----------
    unit
        This unit, with its share of the strong key.
    provider
        Name of the provider, to which everything sent is bound.
    """

    def __init__(self, unit: Unit, provider: str) -> None:
        super().__init__(unit.role, unit.strong_key().parameters, provider)
        self.unit = unit
        self._journal = Journal()

    def start(self) -> None:
        """Agree with the other unit on the epoch of this run, which every session is bound to. One round.

        An envelope recorded in another run opens no session in this one: its pads would be used again.
        """
        mine = random_bytes(EPOCH_BYTES)
        theirs = exchange_exactly(self.unit.channel, mine, EPOCH_BYTES)
        first, second = (mine, bytes(theirs)) if self.unit.is_master else (bytes(theirs), mine)
        self.epoch = hashlib.sha256(encode("privml-run", 1, first, second)).digest()

    def resume(self) -> None:
        """Go on over a new link after a failure: no draw is used again, and no change stays half made. Two rounds.

        A refresh may have been half made too: what follows from the records is computed anew when it is needed.
        """
        self.unit.align()
        self._journal.settle(self.unit.channel)
        for hosted in self.models.values():
            hosted.learner.invalidate()

    def register(self, message: bytes | None) -> None:
        """Take an owner's or client's public key, if it comes with a proof of its private one. Two rounds."""
        registration = self._admit(message, KeyRegistration, lambda registration: registration, self.registry.check)
        self.registry.register(registration)  # by both, once neither refused

    def take_sealed(self, message: bytes | None) -> None:
        """Take a sealed chunk of records and learn from it.

        The Master checks everything; the Secondary gets the envelope, without the payload, checks it for itself and
        opens the seed. Then (payload, pad) are shares of the records. Four rounds beside the classifier's own.
        """
        payload: list[Words] = []

        def read(sealed: SealedArray) -> Envelope:
            if sealed.payload.shape != sealed.envelope.shape:
                raise UploadError(f"the payload has shape {sealed.payload.shape}, not {sealed.envelope.shape}")
            if payload_digest(sealed.payload) != sealed.envelope.payload_digest:
                raise ProofError("the envelope is for another payload")
            payload.append(sealed.payload)
            return sealed.envelope

        envelope = self._admit(message, SealedArray, read, self.check_sealed, forwarded=Envelope)
        hosted, context, shape = self.hosted(envelope.context.model), envelope.context, envelope.shape or ()
        seed = self._open_seed(envelope)
        rows = payload[0] if seed is None else pad(seed, Purpose.DATA, context, 0, shape)
        with self._journal.change(hosted):
            hosted.learner.partial_fit(self.unit, chunk_of(context), rows)
            hosted.uploads[chunk_of(context)] = context.owner

    def take_homomorphic(self, message: bytes | None) -> None:
        """Take a chunk's packed statistics and learn from them. Two rounds beside the classifier's own.

        The Secondary checks the proof for itself and keeps no ciphertext.
        """
        upload = self._admit(message, HomomorphicUpload, lambda upload: upload, self.check_homomorphic)
        hosted, chunk = self.hosted(upload.context.model), chunk_of(upload.context)
        packed = upload.packed if self.unit.is_master else None
        with self._journal.change(hosted):
            hosted.learner.partial_fit_statistics(self.unit, chunk, packed, hosted.card.layout, upload.rows)
            hosted.uploads[chunk] = upload.context.owner

    def withdraw(self, message: bytes | None) -> None:
        """Forget a chunk at its owner's signed request. Two rounds."""
        request = self._admit(message, Withdrawal, lambda request: request, self.check_withdrawal)
        hosted = self.hosted(request.model)
        with self._journal.change(hosted):
            hosted.learner.withdraw(self.unit, request.chunk)

    def refresh(self, model: str) -> None:
        """Bring a model up to date with everything taken."""
        hosted = self._agreed(lambda: self.fitted(model))
        with self._journal.change(hosted):
            hosted.learner.refresh(self.unit)

    def open_session(self, message: bytes | None) -> None:
        """Open a client's session: the seed of its pads goes to the Secondary. Four rounds."""
        envelope = self._admit(message, Envelope, lambda envelope: envelope, self.check_opening)
        self._opened.add(envelope.context.identifier)
        seed = self._open_seed(envelope)
        card = self.hosted(envelope.context.model).card
        self.sessions[envelope.context.identifier] = Session(card, envelope.context, seed)

    def answer(self, message: bytes | None) -> bytes | None:
        """Answer a query: the Master gets the answer's message for the client, the Secondary None.

        The Secondary adds the session's answer pad to its share and sends the sum; the Master adds its own share and
        sends the client the one word. Three rounds beside the classifier's own. A query sent again, byte for byte, gets
        the same bytes.
        """
        payload: list[Words] = []

        def read(query: Query) -> Query:
            card = self.session(query).card
            if query.payload is None or query.payload.shape != (query.rows, card.schema.width):
                raise SessionError(f"the query needs a payload of shape {(query.rows, card.schema.width)}")
            payload.append(query.payload)
            return query.statement()

        query = self._admit(message, Query, read, self.check_query)
        session = self.sessions[query.session_id]
        session.counter = query.counter
        hosted = self.hosted(session.card.model)
        rows = self._query_rows(session, query, payload)
        with self._journal.change(hosted):  # it may bring the model up to date
            mine = hosted.learner.predict(self.unit, rows, query.answer)
        if session.seed is not None:
            mine = mine + pad(session.seed, Purpose.ANSWER, session.context, query.counter, mine.shape)
            self.unit.send(mine)
            return None
        (theirs,) = self.unit.receive([mine])
        result = dumps(Answer(query.session_id, query.counter, mine + theirs))
        session.last = (message or b"", result)
        return result

    def reveal(self, model: str, recipient: str) -> bytes | None:
        """Encrypt the model itself under a recipient's key, if this unit's own card names the recipient.

        Returns
        -------
        bytes, or None
            In the Master, the message for the recipient; None in the Secondary.
        """

        def check() -> Hosted:
            hosted = self.fitted(model)
            if recipient not in hosted.card.recipients:
                raise AuthorisationError(f"the model {model!r} may not be revealed to {recipient!r}")
            self.registry.key_of(recipient)
            return hosted

        hosted = self._agreed(check)
        with self._journal.change(hosted):
            packed = hosted.learner.reveal(self.unit, self.registry.key_of(recipient))
        return None if packed is None else dumps(packed)

    def _admit(
        self,
        message: bytes | None,
        kind: type[Any],
        read: Callable[[Any], T],
        check: Callable[[T], object],
        forwarded: type[T] | None = None,
    ) -> T:
        """Read a message in the Master, forward what `read` makes of it, check it in both, and agree. Two rounds."""
        problem: PrivMLError | None = None
        admitted: T | None = None
        statement = b""
        if not self.unit.is_master:
            statement = bytes(self.unit.channel.receive())
        try:
            if self.unit.is_master:
                admitted = read(loads(message or b"", kind, _parameters_of(kind, self)))
            elif statement:
                admitted = loads(statement, forwarded or kind, _parameters_of(forwarded or kind, self))
            if admitted is not None:
                check(admitted)
        except PrivMLError as error:
            problem = error
        if self.unit.is_master:
            self.unit.channel.send(b"" if problem is not None else dumps(admitted))
        self.unit.agree(problem)
        if admitted is None:
            raise SessionError("the other unit forwarded nothing and found nothing wrong")
        return admitted

    def _agreed(self, check: Callable[[], T]) -> T:
        """Check something in both units, and agree. One round."""
        problem: PrivMLError | None = None
        result: T | None = None
        try:
            result = check()
        except PrivMLError as error:
            problem = error
        self.unit.agree(problem)
        if result is None:
            raise SessionError("a check that found nothing wrong gave nothing")
        return result

    def _open_seed(self, envelope: Envelope) -> bytes | None:
        """Open an envelope's seed to the Secondary; a plaintext that is no seed is refused by both. Two rounds."""
        if self.unit.is_master:
            open_to_secondary(self.unit, CiphertextVector(self.parameters, (envelope.seed.t1,)), 1)
            self.unit.agree(None)
            return None
        problem: PrivMLError | None = None
        seed = b""
        try:
            (plaintext,) = open_to_secondary(self.unit, None, 1) or [-1]
            seed = seed_from_plaintext(plaintext)
        except CryptoError as error:
            problem = error
        self.unit.agree(problem)
        return seed

    def _query_rows(self, session: Session, query: Query, payload: list[Words]) -> Words:
        if session.seed is None:
            return payload[0]
        shape = (query.rows, session.card.schema.width)
        return pad(session.seed, Purpose.QUERY, session.context, query.counter, shape)


def _parameters_of(kind: type[Any], station: Station) -> Any:
    """Queries belong to no public parameters, everything else to the provider's."""
    return None if kind is Query else station.parameters
