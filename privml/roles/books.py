"""What one unit knows of owners, clients and models, and checks everything against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from privml.crypto.dtpkc import PublicKey, PublicParameters
from privml.crypto.envelope import Envelope, SealContext, verify_envelope
from privml.crypto.registry import KeyRegistration, KeyRegistry
from privml.crypto.secret import Secret
from privml.crypto.wire import dumps, loads
from privml.errors import (
    AuthorisationError,
    ClassifierError,
    CounterError,
    DuplicateUploadError,
    NotFittedError,
    SessionError,
    SettingError,
    UnknownUploadError,
    UploadError,
)
from privml.roles.card import ModelCard
from privml.roles.hosted import Hosted
from privml.roles.messages import HomomorphicUpload, Query, Withdrawal, chunk_name, session_digest
from privml.units.role import Role


@dataclass
class Session(Secret):
    """A client's open session. The Secondary holds the seed of its pads; both count. It dies with the process."""

    card: ModelCard
    context: SealContext
    seed: bytes | None = field(repr=False)
    counter: int = 0
    last: tuple[bytes, bytes] | None = field(default=None, repr=False)
    """In the Master: the last query as it came and its answer, for a client that lost the answer and asks again."""


class Books:
    """A unit's own keys, cards, uploads taken, sessions and counters. Nothing here says a word to the other unit.

    Parameters
    ----------
    role
        Which unit's they are.
    parameters
        The public parameters.
    provider
        Name of the provider, to which everything sent is bound.
    """

    def __init__(self, role: Role, parameters: PublicParameters, provider: str) -> None:
        self.role = role
        self.parameters = parameters
        self.provider = provider
        self.registry = KeyRegistry(parameters)
        self.models: dict[str, Hosted] = {}
        self.sessions: dict[bytes, Session] = {}
        self._opened: set[bytes] = set()
        self.epoch = b""

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

    def hosted(self, model: str) -> Hosted:
        """A model by its name; ClassifierError if there is none."""
        if model not in self.models:
            raise ClassifierError(f"there is no model {model!r} here; there are: {', '.join(self.models) or 'none'}")
        return self.models[model]

    def fitted(self, model: str) -> Hosted:
        """A model that has learned from some record; ClassifierError if there is none, NotFittedError if it has not."""
        hosted = self.hosted(model)
        if not hosted.learner.fitted:
            raise NotFittedError(f"the model {model!r} has not learned from any record; upload data first")
        return hosted

    def key_of(self, context: SealContext) -> PublicKey:
        """The key registered for whoever a context names."""
        return self.registry.key_of(context.owner)

    def expected(self, context: SealContext) -> SealContext:
        """The context as this unit knows it; only owner and identifier are the sender's to say."""
        card, key = self.hosted(context.model).card, self.key_of(context)
        return SealContext(card.provider, card.model, context.owner, key.digest, card.digest, context.identifier)

    def _check_new(self, hosted: Hosted, context: SealContext) -> None:
        if chunk_of(context) in hosted.uploads:
            raise DuplicateUploadError(f"{context.owner!r} already sent an upload {context.identifier.hex()}")

    def check_sealed(self, envelope: Envelope) -> None:
        """Check a sealed chunk by its envelope: card, key, proof, books, shape; raises what is wrong."""
        hosted = self.hosted(envelope.context.model)
        verify_envelope(
            self.key_of(envelope.context), envelope, envelope.payload_digest, self.expected(envelope.context)
        )
        self._check_new(hosted, envelope.context)
        shape = envelope.shape or ()
        if len(shape) != 2 or shape[1] != hosted.card.row_width:
            raise UploadError(
                f"a chunk of {hosted.card.model!r} has shape (records, {hosted.card.row_width}), not {shape}"
            )
        hosted.learner.admit(chunk_of(envelope.context), shape[0], None)

    def check_homomorphic(self, upload: HomomorphicUpload) -> None:
        """Check a chunk of encrypted statistics: card, key, layout, proof, books, size; raises what is wrong."""
        hosted = self.hosted(upload.context.model)
        layout = hosted.card.layout
        upload.verify(self.key_of(upload.context), self.expected(upload.context), layout)
        self._check_new(hosted, upload.context)
        if upload.rows > hosted.card.chunk_rows:
            raise UploadError(f"a homomorphic chunk has at most {hosted.card.chunk_rows} records, not {upload.rows}")
        hosted.learner.admit(chunk_of(upload.context), upload.rows, layout)

    def check_withdrawal(self, request: Withdrawal) -> None:
        """Check that an owner asks for one of its own chunks, which is still there; raises what is wrong."""
        hosted = self.hosted(request.model)
        request.verify(self.registry.key_of(request.owner), hosted.card)
        owner = hosted.uploads.get(request.chunk)
        if owner != request.owner or not hosted.learner.has(request.chunk):
            raise UnknownUploadError(
                f"{request.owner!r} has no upload {request.upload_id.hex()} in {request.model!r}, "
                "or withdrew it already"
            )

    def check_opening(self, envelope: Envelope) -> None:
        """Check the envelope of a session: key, proof, this run, a new identifier; raises what is wrong."""
        context = envelope.context
        expected = self.expected(context)
        in_this_run = replace(expected, schema_digest=session_digest(self.hosted(context.model).card, self.epoch))
        verify_envelope(self.key_of(context), envelope, None, in_this_run)
        if context.identifier in self._opened:
            raise SessionError(f"there was a session {context.identifier.hex()} already")

    def session(self, query: Query) -> Session:
        """The open session of a query; SessionError if there is none."""
        if query.session_id not in self.sessions:
            raise SessionError(f"there is no session {query.session_id.hex()}; open one (sessions end with a restart)")
        return self.sessions[query.session_id]

    def check_query(self, query: Query) -> None:
        """Check that a query's counter has grown, and that it asks for what the card allows; raises what is wrong."""
        session = self.session(query)
        if query.counter <= session.counter:
            raise CounterError(f"the session's counter is at {session.counter}; a query of {query.counter} is refused")
        if query.answer not in session.card.answers:
            raise AuthorisationError(f"this model answers {' or '.join(session.card.answers)}, not {query.answer!r}")
        self.fitted(session.card.model)

    def repeated(self, message: bytes) -> bytes | None:
        """In the Master: the answer to a query that was answered just before, if this is the same again."""
        for session in list(self.sessions.values()):  # another thread may open one meanwhile
            if session.last is not None and session.last[0] == message:
                return session.last[1]
        return None

    def close_session(self, session_id: bytes) -> None:
        """Forget a session and its seed."""
        self.sessions.pop(session_id, None)

    def state(self) -> Mapping[str, Any]:
        """Everything to save; sessions die with the process and correlated randomness is dealt anew."""
        return {
            "provider": self.provider,
            "role": self.role.label,
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


def chunk_of(context: SealContext) -> str:
    """Name the chunk that a context is of."""
    return chunk_name(context.owner, context.identifier)
