"""What one unit knows of owners, clients and models, and checks everything against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from privml.crypto.dtpkc import PublicKey, PublicParameters
from privml.crypto.envelope import Envelope, SealContext, verify_envelope
from privml.crypto.registry import KeyRegistration, KeyRegistry
from privml.crypto.wire import dumps, loads
from privml.errors import (
    AuthorisationError,
    ClassifierError,
    CounterError,
    DuplicateUploadError,
    ProofError,
    SessionError,
    SettingError,
    UnknownUploadError,
    UploadError,
)
from privml.roles.card import ModelCard
from privml.roles.hosted import Hosted
from privml.roles.limits import longest
from privml.roles.messages import HomomorphicUpload, Withdrawal, chunk_name
from privml.roles.queries import Closing, Query, session_digest
from privml.roles.sessions import Sessions
from privml.store.departures import Departure
from privml.units.role import Role


class Books:
    """A unit's own keys, cards, uploads taken, sessions and counters. Nothing here says a word to the other unit.

    Checks compare what is cheap to compare first, and compute with proofs and signatures last.

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
        self.sessions = Sessions()
        self.departed: dict[tuple[str, str], Departure] = {}
        """Chunks withdrawn or evicted, by model and name, also of models that are not here (any more)."""
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
        self.models[card.model] = Hosted(card)

    def hosted(self, model: str) -> Hosted:
        """A model by its name; ClassifierError if there is none."""
        if model not in self.models:
            raise ClassifierError(f"there is no model {model!r} here; there are: {', '.join(self.models) or 'none'}")
        return self.models[model]

    def answering(self, model: str) -> Hosted:
        """A model with enough records to answer from; ClassifierError if there is none, NotFittedError if too few."""
        hosted = self.hosted(model)
        hosted.check_answers()
        return hosted

    def longest(self, kind: type[Any]) -> int:
        """Bytes of the longest message of a kind that this unit takes."""
        return longest(kind, self.parameters, (hosted.card for hosted in self.models.values()))

    def key_of(self, context: SealContext) -> PublicKey:
        """The key registered for whoever a context names."""
        return self.registry.key_of(context.owner)

    def expected(self, context: SealContext) -> SealContext:
        """The context as this unit knows it; only owner and identifier are the sender's to say."""
        card, key = self.hosted(context.model).card, self.key_of(context)
        return SealContext(card.provider, card.model, context.owner, key.digest, card.digest, context.identifier)

    def screen_sealed(self, envelope: Envelope) -> None:
        """Check what is cheap to check of a sealed chunk: names, keys, books, shape; raises what is wrong."""
        hosted = self._screened(envelope.context)
        card, shape = hosted.card, envelope.shape or ()
        if len(shape) != 2 or shape[1] != card.row_width or shape[0] > card.sealed_rows:
            raise UploadError(
                f"a chunk of {card.model!r} has shape (records, {card.row_width}) with at most {card.sealed_rows} "
                f"records, not {shape}"
            )
        hosted.learner.admit(chunk_of(envelope.context), shape[0], None)

    def check_sealed(self, envelope: Envelope) -> None:
        """Check a sealed chunk by its envelope: the proof after everything else; raises what is wrong."""
        self.screen_sealed(envelope)
        context = envelope.context
        verify_envelope(self.key_of(context), envelope, envelope.payload_digest, self.expected(context))

    def check_homomorphic(self, upload: HomomorphicUpload) -> None:
        """Check a chunk of encrypted statistics: names, keys, books, size, layout, proof; raises what is wrong."""
        context, hosted = upload.context, self._screened(upload.context)
        card, layout = hosted.card, hosted.card.layout
        if upload.rows > card.chunk_rows:
            raise UploadError(f"a homomorphic chunk has at most {card.chunk_rows} records, not {upload.rows}")
        hosted.learner.admit(chunk_of(context), upload.rows, layout)
        upload.verify(self.key_of(context), self.expected(context), layout)

    def _screened(self, context: SealContext) -> Hosted:
        """Find the model of an upload that is for it, from somebody who is registered, and new."""
        hosted = self.hosted(context.model)
        if context != self.expected(context):
            raise ProofError("the upload is for another owner, key, provider, model or schema")
        self._check_new(hosted, context)
        return hosted

    def _check_new(self, hosted: Hosted, context: SealContext) -> None:
        if chunk_of(context) in hosted.chunks or (context.model, chunk_of(context)) in self.departed:
            raise DuplicateUploadError(f"{context.owner!r} already sent an upload {context.identifier.hex()}")

    def check_withdrawal(self, request: Withdrawal) -> None:
        """Check that an owner asks for one of its own chunks, which is still there; raises what is wrong."""
        hosted, key = self.hosted(request.model), self.registry.key_of(request.owner)
        chunk, departure = hosted.chunks.get(request.chunk), self.departed.get((request.model, request.chunk))
        if chunk is None or chunk.owner != request.owner or not hosted.learner.has(request.chunk):
            gone = "the provider evicted it" if departure is not None and departure.evicted else "it was withdrawn"
            raise UnknownUploadError(
                f"{request.owner!r} has no upload {request.upload_id.hex()} in {request.model!r}, or {gone} already"
            )
        if not hosted.learner.withdraws:
            raise ClassifierError(
                f"nothing can be withdrawn from {request.model!r}, which keeps no records to learn from"
            )
        request.verify(key, hosted.card)

    def check_opening(self, envelope: Envelope) -> None:
        """Check the envelope of a session: key, this run, a new identifier, room, proof; raises what is wrong."""
        context = envelope.context
        digest = session_digest(self.hosted(context.model).card, self.epoch)
        in_this_run = replace(self.expected(context), schema_digest=digest)
        if context != in_this_run:
            raise ProofError("the envelope is for another client, key, provider, model, card or run")
        self.sessions.check(context)
        verify_envelope(self.key_of(context), envelope, None, in_this_run)

    def check_query(self, query: Query) -> None:
        """Check a query: counter, what the card allows, quota, and in the Secondary the tag; raises what is wrong."""
        session = self.sessions[query.session_id]
        card, client = session.card, session.context.owner
        if query.counter <= session.counter:
            raise CounterError(f"the session's counter is at {session.counter}; a query of {query.counter} is refused")
        if query.answer not in card.answers:
            raise AuthorisationError(f"this model answers {' or '.join(card.answers)}, not {query.answer!r}")
        if query.rows > card.query_rows:
            raise SessionError(f"a query has at most {card.query_rows} records, not {query.rows}")
        if session.key is not None:
            query.verify(session.key)
        asked = self.answering(card.model).asked[client]
        if asked + query.rows > card.rows_per_client:
            raise AuthorisationError(
                f"{client!r} asked about {asked} records, and may ask about {card.rows_per_client} in all; these are "
                f"{query.rows} more"
            )

    def check_closing(self, closing: Closing) -> None:
        """Check that a session's own client closes it, which the Secondary can; closing none changes nothing."""
        if closing.session_id in self.sessions:
            key = self.sessions[closing.session_id].key
            if key is not None:
                closing.verify(key)

    def state(self) -> Mapping[str, Any]:
        """Everything to save; sessions die with the process and correlated randomness is dealt anew."""
        return {
            "provider": self.provider,
            "role": self.role.label,
            "registrations": [dumps(registration) for registration in self.registry.registrations()],
            "models": [{"card": dumps(hosted.card), **hosted.state()} for hosted in self.models.values()],
            "departed": [list(departure) for departure in self.departed.values()],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state; every registration is verified anew."""
        for message in state["registrations"]:
            self.registry.register(loads(message, KeyRegistration, self.parameters))
        for saved in state["models"]:
            card = loads(saved["card"], ModelCard, self.parameters)
            self.host(card)
            self.models[card.model].restore(saved)
        for fields in state["departed"]:
            departure = Departure(*fields)
            self.departed[departure.model, departure.chunk] = departure


def chunk_of(context: SealContext) -> str:
    """Name the chunk that a context is of."""
    return chunk_name(context.owner, context.identifier)
