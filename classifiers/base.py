"""What all classifiers share: a schema, chunks that can be withdrawn, and what is public about the state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from building_blocks.conversion import ciphertexts_to_shares, shares_to_ciphertext
from building_blocks.operand import Operand
from building_blocks.shares import Shares, Words
from building_blocks.validation import Validation
from classifiers.records import open_queries
from classifiers.spread import lanes_for, spread
from privml.crypto.dtpkc import PublicKey
from privml.crypto.packing import Layout, PackedCiphertext
from privml.data.encoding import EncodedTable
from privml.data.schema import Schema
from privml.errors import (
    ClassifierError,
    DuplicateUploadError,
    NotFittedError,
    UnknownUploadError,
)
from privml.units.lanes import Lane
from privml.units.unit import Unit


class Classifier(ABC):
    """One unit's half of an online classifier; `privml.learner.Learner` says what each method is for.

    This class keeps the books that are the same for all of them and public in both units: which chunks were learned,
    how many records they had, and whether the model is behind them. It lets nothing in that is not what it must be:
    every chunk and every query is checked on shares, and only whether it is valid opens. A subclass does the
    mathematics.
    """

    name: ClassVar[str]
    answers: ClassVar[Mapping[str, str]]
    statistics_suffice: ClassVar[bool] = True
    order_matters: ClassVar[bool] = False

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.chunks: dict[str, int] = {}
        """Records of each chunk, by its name."""
        self.stale = True

    def __repr__(self) -> str:
        options = ", ".join(f"{key}={value!r}" for key, value in self.options.items())
        return f"{type(self).__name__}({options}; {self.records} records of {len(self.chunks)} chunks)"

    @property
    def records(self) -> int:
        """How many records were learned."""
        return sum(self.chunks.values())

    @property
    def fitted(self) -> bool:
        """Whether it has learned from at least one record, and can predict."""
        return self.records > 0

    @property
    def takes_statistics(self) -> bool:
        """Whether owners may send statistics."""
        return True

    @property
    def withdraws(self) -> bool:
        """Whether a chunk can be withdrawn."""
        return True

    @property
    def bounded(self) -> bool:
        """Whether what it keeps of a chunk is the same however many records that has."""
        return True

    @property
    @abstractmethod
    def options(self) -> Mapping[str, Any]:
        """The options as given, with defaults filled in."""

    @classmethod
    @abstractmethod
    def statistics_layout(cls, schema: Schema, chunk_rows: int) -> Layout:
        """Layout of what an owner uploads homomorphically."""

    @classmethod
    @abstractmethod
    def statistics(cls, schema: Schema, table: EncodedTable) -> NDArray[np.int64]:
        """What an owner uploads homomorphically for a chunk."""

    def partial_fit(self, unit: Unit, chunk: str, rows: Words) -> None:
        """Learn from a chunk of records."""
        width = self.schema.width + self.schema.class_count
        if rows.ndim != 2 or rows.shape[1] != width:
            raise ClassifierError(f"a chunk has shape (records, {width}), not {rows.shape}")
        self.admit(chunk, len(rows), None)
        refusal = f"chunk {chunk!r} is refused: its rows are no records of the schema with one class each"
        self._learn(unit, chunk, rows, refusal)
        self._enter(chunk, len(rows))

    def partial_fit_statistics(
        self, unit: Unit, chunk: str, packed: PackedCiphertext | None, layout: Layout, rows: int
    ) -> None:
        """Learn from a chunk's encrypted statistics."""
        self.admit(chunk, rows, layout)
        refusal = f"chunk {chunk!r} is refused: its statistics are not those of {rows} records"
        statistics = ciphertexts_to_shares(unit, packed, layout)
        validation = Validation(unit)
        self._check_statistics(unit, validation, statistics, rows)
        validation.require(refusal)
        self._learn_statistics(chunk, statistics)
        self._enter(chunk, rows)

    def withdraw(self, unit: Unit, chunk: str) -> None:
        """Forget a chunk."""
        if chunk not in self.chunks:
            raise UnknownUploadError(f"there is no chunk {chunk!r} in this model; it may have been withdrawn already")
        if not self.withdraws:
            raise ClassifierError(
                f"chunk {chunk!r} cannot be withdrawn: this {self.name} keeps no records to learn anew from; "
                "make it with retain=True"
            )
        self._forget(unit, chunk)
        del self.chunks[chunk]
        self.stale = True

    def invalidate(self) -> None:
        """Count what was computed from the records as out of date; the next refresh computes it anew."""
        self.stale = True

    def refresh(self, unit: Unit) -> None:
        """Bring the model up to date with everything learned."""
        self._require_fitted("refresh")
        if self.stale:
            self._recompute(unit)
            self.stale = False

    def predict(self, unit: Unit, rows: Words, answer: str) -> Words:
        """Answer queries, after bringing the model up to date."""
        self._require_fitted("predict")
        if answer not in self.answers:
            raise ClassifierError(f"{self.name} answers {' or '.join(self.answers)}, not {answer!r}")
        if rows.ndim != 2 or rows.shape[1] != self.schema.width:
            raise ClassifierError(f"queries have shape (records, {self.schema.width}), not {rows.shape}")
        if lanes_for(unit, len(rows)) > 1:
            self.refresh(unit)
            return np.concatenate(spread(unit, _answered, rows, self._described(), answer))
        queries = open_queries(unit, self.schema, rows)
        self.refresh(unit)
        return self._answer(unit, queries, answer)

    def has(self, chunk: str) -> bool:
        """Whether a chunk is part of the model."""
        return chunk in self.chunks

    def reveal(self, unit: Unit, recipient: PublicKey) -> PackedCiphertext | None:
        """Encrypt the model itself for a recipient, after bringing it up to date."""
        self._require_fitted("be revealed")
        self.refresh(unit)
        return shares_to_ciphertext(unit, Shares(self._model()), recipient)

    def admit(self, chunk: str, rows: int, layout: Layout | None) -> None:
        """Check a chunk before anything is done with it, by what both units know of it.

        Raises
        ------
        DuplicateUploadError
            It was learned already.
        ClassifierError
            It is empty.
        CapacityError
            There is no room for it.
        """
        if chunk in self.chunks:
            raise DuplicateUploadError(f"chunk {chunk!r} was learned already")
        if rows < 1:
            raise ClassifierError("a chunk has at least one record")

    def _enter(self, chunk: str, rows: int) -> None:
        self.chunks[chunk] = rows
        self.stale = True

    def _require_fitted(self, to_do: str) -> None:
        if not self.fitted:
            raise NotFittedError(
                f"this {self.name} has not learned from any record and cannot {to_do}; upload data first"
            )

    def _answering_state(self) -> Mapping[str, Any]:
        """What of `state` answers need; every lane gets it with every batch of queries."""
        return self.state()

    def _described(self) -> _Described:
        return _Described(type(self), self.schema, self.options, self._answering_state())

    @abstractmethod
    def state(self) -> Mapping[str, Any]:
        """Everything to save."""

    @abstractmethod
    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state."""

    @abstractmethod
    def _learn(self, unit: Unit, chunk: str, rows: Words, refusal: str) -> None:
        """Learn from rows, if they are records; else raise ValidationError with the message `refusal`."""

    @abstractmethod
    def _check_statistics(self, unit: Unit, validation: Validation, statistics: Shares, rows: int) -> None:
        """Say what must hold of the statistics of so many records."""

    @abstractmethod
    def _learn_statistics(self, chunk: str, statistics: Shares) -> None:
        """Learn from valid statistics."""

    @abstractmethod
    def _forget(self, unit: Unit, chunk: str) -> None: ...

    @abstractmethod
    def _recompute(self, unit: Unit) -> None: ...

    @abstractmethod
    def _answer(self, unit: Unit, queries: Operand, answer: str) -> Words: ...

    @abstractmethod
    def _model(self) -> Words: ...


class _Described(NamedTuple):
    """What makes a half that gives the same answers."""

    kind: type[Classifier]
    schema: Schema
    options: Mapping[str, Any]
    state: Mapping[str, Any]


def _answered(
    lane: Lane,
    rows: Words,
    described: _Described,
    answer: str,
) -> Words:
    """Answer queries as another half does; its state is this unit's shares."""
    kind, schema, options, state = described
    half = kind(schema, **options)
    half.restore(state)
    return half.predict(lane.unit, rows, answer)
