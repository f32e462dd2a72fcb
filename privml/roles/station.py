"""One unit's half of the provider: what it keeps, what it checks, and what it does in step with the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.envelope import (
    Envelope,
    Purpose,
    SealContext,
    SealedArray,
    pad,
    seed_from_plaintext,
    verify_envelope,
)
from privml.crypto.randomness import random_bytes
from privml.crypto.registry import KeyRegistration, KeyRegistry
from privml.crypto.secret import Secret
from privml.crypto.transcript import encode
from privml.crypto.wire import dumps, loads
from privml.errors import (
    AuthorisationError,
    ClassifierError,
    CounterError,
    CryptoError,
    DuplicateUploadError,
    NotFittedError,
    PrivMLError,
    SessionError,
    SettingError,
    UnknownUploadError,
    UploadError,
)
from privml.roles.card import ModelCard
from privml.roles.hosted import Hosted, Journal
from privml.roles.messages import Answer, HomomorphicUpload, Query, Withdrawal, chunk_name, session_digest
from privml.units.channel import exchange_exactly
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit

T = TypeVar("T")
EPOCH_BYTES = 32
Words = NDArray[np.uint64]


@dataclass
class Session(Secret):
    """A client's open session. The Secondary holds the seed of its pads; both count. It dies with the process."""

    card: ModelCard
    context: SealContext
    seed: bytes | None = field(repr=False)
    counter: int = 0
    last: tuple[bytes, bytes] | None = field(default=None, repr=False)
    """In the Master: the last query as it came and its answer, for a client that lost the answer and asks again."""


class Station:
    """One unit's half of the provider.

    Both units have one and call the same methods in step; `message` is what came from outside, in the Master, and None
    in the Secondary, to which the Master forwards what it may see. Each unit checks everything against its own books:
    keys, cards, uploads taken, counters, recipients. A refusal is agreed between the units and leaves both as they
    were.

    Parameters
    ----------
    unit
        This unit, with its share of the strong key.
    provider
        Name of the provider, to which everything sent is bound.
    """

    def __init__(self, unit: Unit, provider: str) -> None:
        self.unit = unit
        self.provider = provider
        self.parameters = unit.strong_key().parameters
        self.registry = KeyRegistry(self.parameters)
        self.models: dict[str, Hosted] = {}
        self.sessions: dict[bytes, Session] = {}
        self._opened: set[bytes] = set()
        self._journal = Journal()
        self.epoch = b""

    def start(self) -> None:
        """Agree with the other unit on the epoch of this run, which every session is bound to. One round.

        An envelope recorded in another run opens no session in this one: its pads would be used again.
        """
        mine = random_bytes(EPOCH_BYTES)
        theirs = exchange_exactly(self.unit.channel, mine, EPOCH_BYTES)
        first, second = (mine, bytes(theirs)) if self.unit.is_master else (bytes(theirs), mine)
        self.epoch = hashlib.sha256(encode("privml-run", 1, first, second)).digest()

    def resume(self) -> None:
        """Go on over a new link after a failure: no draw is used again, and no change stays half made. Two rounds."""
        self.unit.align()
        self._journal.settle(self.unit.channel)

    def host(self, card: ModelCard) -> None:
        """Take on a model. Each operator says so for its own unit.

        Raises
        ------
        SettingError
            There is a model of this name already, or the card is another provider's.
        """
        if card.provider != self.provider or card.parameters != self.parameters:
            raise SettingError(f"the card is for {card.provider!r} and its parameters, this is {self.provider!r}")
        if card.model in self.models:
            raise SettingError(f"there is a model {card.model!r} already")
        self.models[card.model] = Hosted(card, card.learner())

    def register(self, message: bytes | None) -> None:
        """Take an owner's or client's public key, if it comes with a proof of its private one. Two rounds."""
        self._admit(message, KeyRegistration, lambda registration: registration, self.registry.register)

    def take_sealed(self, message: bytes | None) -> None:
        """Take a sealed chunk of records and learn from it.

        The Master checks everything; the Secondary gets the envelope, without the payload, checks it for itself and
        opens the seed. Then (payload, pad) are shares of the records. Four rounds beside the classifier's own.
        """
        payload: list[Words] = []

        def read(sealed: SealedArray) -> Envelope:
            if sealed.payload.shape != sealed.envelope.shape:
                raise UploadError(f"the payload has shape {sealed.payload.shape}, not {sealed.envelope.shape}")
            sealed.verify(self._key_of(sealed.envelope.context), self._expected(sealed.envelope.context))
            payload.append(sealed.payload)
            return sealed.envelope

        envelope = self._admit(message, SealedArray, read, self._check_sealed, forwarded=Envelope)
        hosted, context, shape = self.hosted(envelope.context.model), envelope.context, envelope.shape or ()
        seed = self._open_seed(envelope)
        rows = payload[0] if seed is None else pad(seed, Purpose.DATA, context, 0, shape)
        with self._journal.change(hosted):
            hosted.learner.partial_fit(self.unit, _chunk(context), rows)
            hosted.uploads[_chunk(context)] = context.owner

    def take_homomorphic(self, message: bytes | None) -> None:
        """Take a chunk's packed statistics and learn from them: the Master multiplies ciphertexts. Two rounds.

        The Secondary checks the proof for itself and keeps no ciphertext.
        """
        upload = self._admit(message, HomomorphicUpload, lambda upload: upload, self._check_homomorphic)
        hosted, chunk = self.hosted(upload.context.model), _chunk(upload.context)
        packed = upload.packed if self.unit.is_master else None
        with self._journal.change(hosted):
            hosted.learner.partial_fit_statistics(self.unit, chunk, packed, hosted.card.layout, upload.rows)
            hosted.uploads[chunk] = upload.context.owner

    def withdraw(self, message: bytes | None) -> None:
        """Forget a chunk at its owner's signed request. Two rounds."""
        request = self._admit(message, Withdrawal, lambda request: request, self._check_withdrawal)
        hosted = self.hosted(request.model)
        with self._journal.change(hosted):
            hosted.learner.withdraw(self.unit, request.chunk)

    def refresh(self, model: str) -> None:
        """Bring a model up to date with everything taken."""
        hosted = self._agreed(lambda: self._fitted(model))
        with self._journal.change(hosted):
            hosted.learner.refresh(self.unit)

    def open_session(self, message: bytes | None) -> None:
        """Open a client's session: the seed of its pads goes to the Secondary. Four rounds."""
        envelope = self._admit(message, Envelope, lambda envelope: envelope, self._check_opening)
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
            card = self._session(query).card
            if query.payload is None or query.payload.shape != (query.rows, card.schema.width):
                raise SessionError(f"the query needs a payload of shape {(query.rows, card.schema.width)}")
            payload.append(query.payload)
            return query.statement()

        query = self._admit(message, Query, read, self._check_query)
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

    def repeated(self, message: bytes) -> bytes | None:
        """In the Master: the answer to a query that was answered just before, if this is the same again."""
        for session in list(self.sessions.values()):  # another thread may open one meanwhile
            if session.last is not None and session.last[0] == message:
                return session.last[1]
        return None

    def close_session(self, session_id: bytes) -> None:
        """Forget a session and its seed."""
        self.sessions.pop(session_id, None)

    def reveal(self, model: str, recipient: str) -> bytes | None:
        """Encrypt the model itself under a recipient's key, if this unit's own card names the recipient.

        Returns
        -------
        bytes, or None
            In the Master, the message for the recipient; None in the Secondary.
        """

        def check() -> Hosted:
            hosted = self._fitted(model)
            if recipient not in hosted.card.recipients:
                raise AuthorisationError(f"the model {model!r} may not be revealed to {recipient!r}")
            self.registry.key_of(recipient)
            return hosted

        hosted = self._agreed(check)
        with self._journal.change(hosted):
            packed = hosted.learner.reveal(self.unit, self.registry.key_of(recipient))
        return None if packed is None else dumps(packed)

    def state(self) -> Mapping[str, Any]:
        """Everything to save; sessions die with the process and correlated randomness is dealt anew."""
        return {
            "provider": self.provider,
            "role": self.unit.role.label,
            "registrations": [dumps(registration) for registration in self.registry.registrations()],
            "models": [{"card": dumps(hosted.card), **hosted.state()} for hosted in self.models.values()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state; every registration is verified anew."""
        for message in state["registrations"]:
            self.registry.register(loads(message, KeyRegistration, self.parameters))
        for saved in state["models"]:
            card = loads(saved["card"], ModelCard, self.parameters)
            self.host(card)
            self.models[card.model].restore(saved)

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

    def hosted(self, model: str) -> Hosted:
        """A model by its name; ClassifierError if there is none."""
        if model not in self.models:
            raise ClassifierError(f"there is no model {model!r} here; there are: {', '.join(self.models) or 'none'}")
        return self.models[model]

    def _fitted(self, model: str) -> Hosted:
        hosted = self.hosted(model)
        if not hosted.learner.fitted:
            raise NotFittedError(f"the model {model!r} has not learned from any record; upload data first")
        return hosted

    def _key_of(self, context: SealContext) -> Any:
        return self.registry.key_of(context.owner)

    def _expected(self, context: SealContext) -> SealContext:
        """The context as this unit knows it; only owner and identifier are the sender's to say."""
        card, key = self.hosted(context.model).card, self._key_of(context)
        return SealContext(card.provider, card.model, context.owner, key.digest, card.digest, context.identifier)

    def _check_new(self, hosted: Hosted, context: SealContext) -> None:
        if _chunk(context) in hosted.uploads:
            raise DuplicateUploadError(f"{context.owner!r} already sent an upload {context.identifier.hex()}")

    def _check_sealed(self, envelope: Envelope) -> None:
        hosted = self.hosted(envelope.context.model)
        verify_envelope(
            self._key_of(envelope.context), envelope, envelope.payload_digest, self._expected(envelope.context)
        )
        self._check_new(hosted, envelope.context)
        shape = envelope.shape or ()
        if len(shape) != 2 or shape[1] != hosted.card.row_width:
            raise UploadError(
                f"a chunk of {hosted.card.model!r} has shape (records, {hosted.card.row_width}), not {shape}"
            )
        hosted.learner.admit(_chunk(envelope.context), shape[0], None)

    def _check_homomorphic(self, upload: HomomorphicUpload) -> None:
        hosted = self.hosted(upload.context.model)
        layout = hosted.card.layout
        upload.verify(self._key_of(upload.context), self._expected(upload.context), layout)
        self._check_new(hosted, upload.context)
        if upload.rows > hosted.card.chunk_rows:
            raise UploadError(f"a homomorphic chunk has at most {hosted.card.chunk_rows} records, not {upload.rows}")
        hosted.learner.admit(_chunk(upload.context), upload.rows, layout)

    def _check_withdrawal(self, request: Withdrawal) -> None:
        hosted = self.hosted(request.model)
        request.verify(self.registry.key_of(request.owner), hosted.card)
        owner = hosted.uploads.get(request.chunk)
        if owner != request.owner or not hosted.learner.has(request.chunk):
            raise UnknownUploadError(
                f"{request.owner!r} has no upload {request.upload_id.hex()} in {request.model!r}, "
                "or withdrew it already"
            )

    def _check_opening(self, envelope: Envelope) -> None:
        context = envelope.context
        expected = self._expected(context)
        in_this_run = replace(expected, schema_digest=session_digest(self.hosted(context.model).card, self.epoch))
        verify_envelope(self._key_of(context), envelope, None, in_this_run)
        if context.identifier in self._opened:
            raise SessionError(f"there was a session {context.identifier.hex()} already")

    def _session(self, query: Query) -> Session:
        if query.session_id not in self.sessions:
            raise SessionError(f"there is no session {query.session_id.hex()}; open one (sessions end with a restart)")
        return self.sessions[query.session_id]

    def _check_query(self, query: Query) -> None:
        session = self._session(query)
        if query.counter <= session.counter:
            raise CounterError(f"the session's counter is at {session.counter}; a query of {query.counter} is refused")
        if query.answer not in session.card.answers:
            raise AuthorisationError(f"this model answers {' or '.join(session.card.answers)}, not {query.answer!r}")
        self._fitted(session.card.model)

    def _query_rows(self, session: Session, query: Query, payload: list[Words]) -> Words:
        if session.seed is None:
            return payload[0]
        shape = (query.rows, session.card.schema.width)
        return pad(session.seed, Purpose.QUERY, session.context, query.counter, shape)


def _chunk(context: SealContext) -> str:
    return chunk_name(context.owner, context.identifier)


def _parameters_of(kind: type[Any], station: Station) -> Any:
    """Queries belong to no public parameters, everything else to the provider's."""
    return None if kind is Query else station.parameters
