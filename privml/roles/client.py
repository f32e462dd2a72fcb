"""Those who ask, and alone read the answers."""

from __future__ import annotations

import threading
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from privml.crypto.envelope import Purpose, SealContext, pad
from privml.crypto.lineage import lineage
from privml.crypto.sealer import Sealer
from privml.crypto.secret import Secret
from privml.crypto.wire import dumps, loads
from privml.data.encoding import encode, one_hot
from privml.data.readers import Tabular, as_table
from privml.errors import PrivMLError, SessionError, SettingError
from privml.roles.card import ModelCard
from privml.roles.data_owner import Progress
from privml.roles.endpoint import Endpoint
from privml.roles.participant import Participant
from privml.roles.queries import Answer, Closing, Query, answer_key, client_key, session_digest

BATCH = 1024


class Client(Participant):
    """Asks a model in sessions; each session costs one envelope, and its queries no public-key operation."""

    def open_session(self, card: ModelCard) -> ClientSession:
        """Open a session with a model.

        Raises
        ------
        ClassifierError
            The provider has no such model.
        SessionError
            This client has too many sessions open.
        """
        digest = session_digest(card, self.provider.epoch)
        sealer = Sealer(self._encryptor, card.provider, card.model, self.identity, digest)
        envelope, seed = sealer.open_session()
        self.provider.open_session(dumps(envelope))
        return ClientSession(card, self.provider, envelope.context, seed)

    def predict(self, card: ModelCard, table: Tabular, **options: Any) -> NDArray[Any]:
        """Open a session, ask for the labels of a table, and close it; options are those of `ClientSession.predict`."""
        with self.open_session(card) as session:
            return session.predict(table, **options)


class ClientSession(Secret):
    """An open session: a seed from which every pad derives, and a counter. Lives in this process only.

    Made by `Client.open_session`; a context manager that closes itself.
    """

    def __init__(self, card: ModelCard, provider: Endpoint, context: SealContext, seed: bytes) -> None:
        self.card = card
        self._provider = provider
        self._context = context
        self._seed: bytes | None = seed
        self._counter = 0
        self._turn = threading.RLock()
        self._lineage = lineage()

    def __repr__(self) -> str:
        return f"ClientSession({self.card.model!r}, {self._counter} queries)"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.close()
        except PrivMLError:
            if kind is None:  # else what went wrong inside says more
                raise

    def close(self) -> None:
        """Forget the seed, and have the provider forget it: nothing can be asked any more. May be called twice."""
        with self._turn:
            seed, self._seed = self._seed, None
        if seed is not None and lineage() == self._lineage:
            key = client_key(seed, self._context)
            self._provider.close_session(dumps(Closing.tagged(key, self._context.identifier)))

    def predict(
        self,
        table: Tabular,
        *,
        unknown: Literal["error", "ignore"] = "error",
        batch: int | None = None,
        progress: Progress | None = None,
    ) -> NDArray[Any]:
        """Classify a table: the labels as the schema writes them, shape (n,).

        Parameters
        ----------
        table
            A DataFrame, a dict of columns, a list of dict rows, or the path of a CSV file; a class column is not
            looked at.
        unknown
            "error" refuses unknown categories and missing values, "ignore" leaves them out of the decision.
        batch
            Records to a query, as many as the card allows or fewer; 1024 unless given, if it allows as many.
        progress
            Called with the number of records just answered.

        Raises
        ------
        DataError
            The table does not fit the schema.
        NotFittedError
            The model has not learned from any record.
        SessionError
            The session is closed, or the provider does not know it, or somebody changed a query or an answer.
        AuthorisationError
            This client asked about as many records as the card allows.
        """
        return self.ask(table, "label", unknown=unknown, batch=batch, progress=progress)

    def predict_proba(
        self,
        table: Tabular,
        *,
        unknown: Literal["error", "ignore"] = "error",
        batch: int | None = None,
        progress: Progress | None = None,
    ) -> NDArray[np.float64]:
        """Probability of every class, shape (n, C), in the order of the schema's classes; see `predict`.

        Raises
        ------
        AuthorisationError
            The model answers labels only.
        """
        return self.ask(table, "probabilities", unknown=unknown, batch=batch, progress=progress)

    def ask(
        self,
        table: Tabular,
        answer: str,
        *,
        unknown: Literal["error", "ignore"] = "error",
        batch: int | None = None,
        progress: Progress | None = None,
    ) -> NDArray[Any]:
        """Ask for any answer that the card allows, such as logistic regression's "score"; see `predict`.

        Raises
        ------
        AuthorisationError
            The model does not give this answer.
        """
        most = self.card.query_rows
        batch = min(BATCH, most) if batch is None else batch
        if not 1 <= batch <= most:
            raise SettingError(f"a batch has 1..{most} records; got {batch}")
        encoded = encode(self.card.schema, as_table(table), unknown=unknown, labelled=False)
        parts = []
        for start in range(0, len(encoded), batch):
            rows = one_hot(self.card.schema, encoded.codes[start : start + batch])
            with self._turn:  # threads of one session ask one after the other
                message = self._provider.query(self.query(rows, answer))
                parts.append(self.read(message, len(rows), answer))
            if progress is not None:
                progress(len(rows))
        if not parts:
            raise SettingError("there is no record to classify")
        return np.concatenate(parts)

    def query(self, rows: NDArray[np.uint64], answer: str) -> bytes:
        """Mask one-hot rows as the session's next query; each pad is used for one query, whatever thread asks."""
        seed = self._live_seed()
        with self._turn:
            self._counter += 1
            counter = self._counter
        masked = rows - pad(seed, Purpose.QUERY, self._context, counter, rows.shape)
        key = client_key(seed, self._context)
        return dumps(Query.tagged(key, self._context.identifier, counter, answer, masked))

    def read(self, message: bytes, rows: int, answer: str) -> Any:
        """Unmask the answer to the last query.

        Raises
        ------
        SessionError
            It answers something else, or somebody changed it.
        """
        seed, received = self._live_seed(), loads(message, Answer)
        shape = self.card.learner_class.answer_shape(self.card.schema, rows, answer)
        if (received.session_id, received.counter) != (self._context.identifier, self._counter):
            raise SessionError("the provider answered another query")
        received.verify(answer_key(seed, self._context, self._counter))
        if received.words.shape != shape:
            raise SessionError(f"expected an answer of shape {shape}, got {received.words.shape}")
        words = received.words - pad(seed, Purpose.ANSWER, self._context, self._counter, shape)
        return self.card.learner_class.read_answer(self.card.schema, words, answer)

    def _live_seed(self) -> bytes:
        if self._seed is None:
            raise SessionError("this session is closed; open another")
        if lineage() != self._lineage:
            raise SessionError("a session belongs to the process that opened it; a fork opens its own")
        return self._seed
