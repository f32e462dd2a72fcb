"""One unit's half of the provider: what it does in step with the other."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from privml.crypto.envelope import DIGEST_BYTES, Envelope, Purpose, SealedArray, pad, payload_digest
from privml.crypto.prg import KEY_BYTES
from privml.crypto.randomness import random_bytes
from privml.crypto.registry import KeyRegistration
from privml.crypto.transcript import encode
from privml.crypto.wire import dumps
from privml.errors import AuthorisationError, ProofError, SessionError, UnknownUploadError, UploadError
from privml.learner import Learner
from privml.roles.agreement import Agreement
from privml.roles.books import chunk_of
from privml.roles.hosted import Chunk, Hosted
from privml.roles.journal import Journal
from privml.roles.messages import HomomorphicUpload, Withdrawal
from privml.roles.queries import Answer, Closing, Query, answer_key, words_digest
from privml.roles.sessions import Session
from privml.store.departures import Departure, DepartureLog
from privml.units.channel import exchange_exactly
from privml.units.unit import Unit

EPOCH_BYTES: Final = 32
Words = NDArray[np.uint64]


class Station(Agreement):
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
        super().__init__(unit, provider)
        self._journal = Journal()
        self._logs: dict[Path, DepartureLog] = {}

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
            hosted.invalidate()

    def register(self, message: bytes | None) -> None:
        """Take an owner's or client's public key, if it comes with a proof of its private one. Two rounds."""
        registration = self._admit(message, KeyRegistration, lambda registration: registration, self.registry.check)
        self.registry.keep(registration)  # by both, once neither refused

    def take_sealed(self, message: bytes | None) -> None:
        """Take a sealed chunk of records and learn from it.

        The Master checks everything; the Secondary gets the envelope, without the payload, checks it for itself and
        opens the seed. Then (payload, pad) are shares of the records. Four rounds beside the classifier's own.
        """
        payload: list[Words] = []

        def read(sealed: SealedArray) -> Envelope:
            self.screen_sealed(sealed.envelope)
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
        with self._journal.change(hosted, chunk_of(context)):
            hosted.learner.partial_fit(self.unit, chunk_of(context), rows)
            hosted.take(chunk_of(context), Chunk(context.owner, shape[0]))

    def take_homomorphic(self, message: bytes | None) -> None:
        """Take a chunk's packed statistics and learn from them. Two rounds beside the classifier's own.

        The Secondary checks the proof for itself and keeps no ciphertext.
        """
        upload = self._admit(message, HomomorphicUpload, lambda upload: upload, self.check_homomorphic)
        hosted, chunk = self.hosted(upload.context.model), chunk_of(upload.context)
        packed = upload.packed if self.unit.is_master else None
        with self._journal.change(hosted, chunk):
            hosted.learner.partial_fit_statistics(self.unit, chunk, packed, hosted.card.layout, upload.rows)
            hosted.take(chunk, Chunk(upload.context.owner, upload.rows, hosted.learner.statistics_suffice))

    def withdraw(self, message: bytes | None) -> None:
        """Forget a chunk at its owner's signed request. Three rounds beside the classifier's own."""
        request = self._admit(message, Withdrawal, lambda request: request, self.check_withdrawal)
        self._part_with(Departure(request.model, request.chunk, evicted=False))

    def evict(self, model: str, chunk: str) -> None:
        """Forget a chunk that both operators name, each at its own unit. Three rounds beside the classifier's own."""
        said = hashlib.sha256(encode("privml-eviction", 1, model, chunk)).digest()
        heard = bytes(exchange_exactly(self.unit.channel, said, DIGEST_BYTES))

        def check() -> Hosted:
            if heard != said:
                raise AuthorisationError("the operators of the two units want to evict different chunks")
            if not self.hosted(model).learner.has(chunk):
                raise UnknownUploadError(f"there is no chunk {chunk!r} in {model!r}")
            return self.hosted(model)

        self._agreed(check)
        self._part_with(Departure(model, chunk, evicted=True))

    def _part_with(self, departure: Departure) -> None:
        """Take a chunk out of its model for good: when this returns, both units have it on disk that it left."""
        hosted = self.hosted(departure.model)

        def part() -> Hosted:
            hosted.forget(self.unit, departure.chunk)
            self._write_down(departure)
            return hosted

        with self._journal.change(hosted, departure.chunk):
            self._agreed(part)
        self.departed[departure.model, departure.chunk] = departure

    def _write_down(self, departure: Departure) -> None:
        """Record it wherever this unit was saved; a folder that was deleted brings nothing back, unless it is the last.

        The last one is what the provider will be loaded from: if it is gone, nothing is confirmed any more.
        """
        logs = list(self._logs.values())
        for log in logs:
            if log is logs[-1] or log.path.parent.exists():
                log.add([departure])
            else:
                del self._logs[log.path]

    def keep_log(self, log: DepartureLog) -> None:
        """Write to one more file what leaves the models, and what left them until now."""
        log.add(self.departed.values())
        self._logs.pop(log.path, None)
        self._logs[log.path] = log

    def catch_up(self, log: DepartureLog) -> None:
        """Forget what the unit's own log or the other unit's says has left, after a start from a state. One round.

        The state may be older than the log; and of two logs, one may come from a backup too.
        """
        known = {(each.model, each.chunk): each for each in log.departures} | self.departed
        theirs = bytes(self.unit.channel.exchange(json.dumps([list(each) for each in known.values()]).encode()))
        known |= {(each.model, each.chunk): each for each in (Departure(*fields) for fields in json.loads(theirs))}
        for (model, chunk), departure in sorted(known.items()):
            self.departed[model, chunk] = departure
            if model in self.models and self.models[model].learner.has(chunk):
                with self._journal.change(self.models[model], chunk):
                    self.models[model].forget(self.unit, chunk)
        self.keep_log(log)

    def refresh(self, model: str) -> None:
        """Bring a model up to date with everything taken, as far as its card lets it change its answers."""
        hosted = self._agreed(lambda: self.answering(model))
        self._released(hosted).refresh(self.unit)

    def _released(self, hosted: Hosted) -> Learner:
        """Release what waits, if it is enough, and return what answers."""
        if hosted.due:
            with self._journal.change(hosted):
                hosted.release(self.unit)
        return hosted.answering()

    def open_session(self, message: bytes | None) -> None:
        """Open a client's session: the seed of its pads goes to the Secondary. Four rounds."""
        envelope = self._admit(message, Envelope, lambda envelope: envelope, self.check_opening)
        self.sessions.take(envelope.context.identifier)
        seed = self._open_seed(envelope)
        self.sessions.open(Session(self.hosted(envelope.context.model).card, envelope.context, seed))

    def close_session(self, message: bytes | None) -> None:
        """Forget a session at its client's request. Two rounds."""
        closing = self._admit(message, Closing, lambda closing: closing, self.check_closing)
        self.sessions.close(closing.session_id)

    def answer(self, message: bytes | None) -> bytes | None:
        """Answer a query: the Master gets the answer's message for the client, the Secondary None.

        The Secondary adds the session's answer pad to its share and sends the sum, with the key of the answer's tag;
        the Master adds its own share and sends the client the one word. Three rounds beside the classifier's own. A
        query sent again gets the same bytes.
        """
        payload: list[Words] = []

        def read(query: Query) -> Query:
            shape = (query.rows, self.sessions[query.session_id].card.schema.width)
            if query.payload is None or query.payload.shape != shape:
                raise SessionError(f"the query needs a payload of shape {shape}")
            if words_digest(query.payload) != query.digest:
                raise SessionError("the query is for another payload")
            payload.append(query.payload)
            return query.statement()

        query = self._admit(message, Query, read, self.check_query)
        session = self.sessions[query.session_id]
        hosted = self.hosted(session.card.model)
        session.counter = query.counter
        hosted.asked[session.context.owner] += query.rows
        rows = self._query_rows(session, query, payload)
        mine = self._released(hosted).predict(self.unit, rows, query.answer)
        if session.seed is not None:
            mine = mine + pad(session.seed, Purpose.ANSWER, session.context, query.counter, mine.shape)
            self.unit.send(mine, np.frombuffer(answer_key(session.seed, session.context, query.counter), np.uint8))
            return None
        theirs, key = self.unit.receive([mine, np.empty(KEY_BYTES, np.uint8)])
        result = dumps(Answer.tagged(key.tobytes(), query.session_id, query.counter, mine + theirs))
        session.last = query, len(message or b""), result
        return result

    def reveal(self, model: str, recipient: str) -> bytes | None:
        """Encrypt the model itself under a recipient's key, if this unit's own card names the recipient.

        Returns
        -------
        bytes, or None
            In the Master, the message for the recipient; None in the Secondary.
        """

        def check() -> Hosted:
            hosted = self.answering(model)
            if self.registry.key_of(recipient).digest not in hosted.card.recipients:
                raise AuthorisationError(f"the model {model!r} may not be revealed to the key of {recipient!r}")
            return hosted

        hosted = self._agreed(check)
        packed = self._released(hosted).reveal(self.unit, self.registry.key_of(recipient))
        return None if packed is None else dumps(packed)

    def _query_rows(self, session: Session, query: Query, payload: list[Words]) -> Words:
        if session.seed is None:
            return payload[0]
        shape = (query.rows, session.card.schema.width)
        return pad(session.seed, Purpose.QUERY, session.context, query.counter, shape)
