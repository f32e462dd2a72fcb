"""What the framework asks of a classifier, and how it finds one. It knows none by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from privml.errors import UnknownClassifierError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from privml.crypto.dtpkc import PublicKey
    from privml.crypto.packing import Layout, PackedCiphertext
    from privml.data.encoding import EncodedTable
    from privml.data.schema import Schema
    from privml.units.unit import Unit

    Words = NDArray[np.uint64]

GROUP = "privml.classifiers"


class Learner(Protocol):
    """One unit's half of an online classifier.

    Both units hold one and call the same methods in step. Arrays of words are this unit's additive shares modulo 2^64.
    Class attributes and class methods say what owners, clients and recipients must know; they are public.
    """

    name: ClassVar[str]
    """The entry point's name."""
    answers: ClassVar[Mapping[str, str]]
    """What a query may ask for, each with a description: "label" and perhaps more."""
    statistics_suffice: ClassVar[bool]
    """Whether statistics of records teach what the records would. If not they prepare for records, and without any of
    these it is not fitted; their records then do not count where a card asks for so many before answers change."""
    order_matters: ClassVar[bool]
    """Whether the model depends on the order of the records, and not on the records alone."""

    def __init__(self, schema: Schema, **options: Any) -> None:
        """Make an untrained classifier; options are those of the class, checked here."""

    @property
    def options(self) -> Mapping[str, Any]:
        """The options as given, with defaults filled in."""

    @property
    def fitted(self) -> bool:
        """Whether it has learned from at least one record, and can predict."""

    @property
    def takes_statistics(self) -> bool:
        """Whether owners may send statistics of their chunks homomorphically; if not, sealed records only."""

    @property
    def withdraws(self) -> bool:
        """Whether a chunk can be withdrawn."""

    @property
    def bounded(self) -> bool:
        """Whether what it keeps of a chunk is the same however many records that has."""

    @classmethod
    def statistics_layout(cls, schema: Schema, chunk_rows: int) -> Layout:
        """Layout of what an owner uploads homomorphically for a chunk of at most so many rows.

        Raises
        ------
        ClassifierError
            It takes no statistics of such records.
        """

    @classmethod
    def statistics(cls, schema: Schema, table: EncodedTable) -> NDArray[np.int64]:
        """What an owner uploads homomorphically for a chunk, in the clear, `statistics_layout(...).count` integers."""

    def admit(self, chunk: str, rows: int, layout: Layout | None) -> None:
        """Check a chunk before anything is done with it, by what both units know; raises if it cannot be taken."""

    def partial_fit(self, unit: Unit, chunk: str, rows: Words) -> None:
        """Learn from a chunk of records: one-hot features, then the one-hot class, one row each."""

    def partial_fit_statistics(
        self, unit: Unit, chunk: str, packed: PackedCiphertext | None, layout: Layout, rows: int
    ) -> None:
        """Learn from a chunk's encrypted statistics; the Master holds them, the Secondary None."""

    def has(self, chunk: str) -> bool:
        """Whether a chunk is part of the model."""

    def withdraw(self, unit: Unit, chunk: str) -> None:
        """Forget a chunk: afterwards the model is exactly what it would have been without it.

        Raises
        ------
        UnknownUploadError
            There is no such chunk.
        ClassifierError
            It cannot: see `withdraws`.
        """

    def invalidate(self) -> None:
        """Count what was computed from the records as out of date, after a failure: perhaps only one unit has it."""

    def refresh(self, unit: Unit) -> None:
        """Bring the model up to date with everything learned; `predict` does so by itself where needed."""

    def predict(self, unit: Unit, rows: Words, answer: str) -> Words:
        """Answer queries (one-hot feature rows), shape (n,) for "label", else (n, columns)."""

    @classmethod
    def answer_shape(cls, schema: Schema, rows: int, answer: str) -> tuple[int, ...]:
        """Shape of what `predict` returns for so many rows."""

    @classmethod
    def read_answer(cls, schema: Schema, words: Words, answer: str) -> Any:
        """Turn opened words into what the client asked for, at the client."""

    def reveal(self, unit: Unit, recipient: PublicKey) -> PackedCiphertext | None:
        """The model itself, encrypted for an authorised recipient; the Master holds it, the Secondary None."""

    @classmethod
    def read_model(cls, schema: Schema, words: Words) -> Any:
        """Turn an opened release into a readable model, at the recipient."""

    def state(self) -> Mapping[str, Any]:
        """Everything to save: numbers, texts, bytes, word arrays, packed ciphertexts; lists and mappings of these.

        What is kept for each chunk stands in mappings by the chunks' names. When a chunk comes or goes, no other
        chunk's entry changes there, so that a change can be taken back without a copy of all chunks.
        """

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state."""


@cache
def classifier(name: str) -> type[Learner]:
    """Find a classifier among the entry points of the group "privml.classifiers".

    Raises
    ------
    UnknownClassifierError
        No installed package registers this name; the message lists those there are.
    """
    found = entry_points(group=GROUP, name=name)
    if not found:
        raise UnknownClassifierError(
            f"no classifier {name!r} is installed; there are: {', '.join(classifier_names()) or 'none'}"
        )
    return cast("type[Learner]", next(iter(found)).load())


def classifier_names() -> Sequence[str]:
    """Return the names of all installed classifiers."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})
