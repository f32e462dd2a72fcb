"""A model at a unit: what learns, what answers, and whose records it is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from privml.errors import NotFittedError
from privml.learner import Learner
from privml.roles.card import ModelCard
from privml.units.unit import Unit


class Chunk(NamedTuple):
    """What both units know of an upload."""

    owner: str
    rows: int
    teaches: bool = True
    """Whether answers are made of its records; if not, it brought statistics that prepare for others."""


class Hosted:
    """A model as one unit holds it.

    Chunks are learned as they come, and wait. When as many records of as many owners wait as the card asks for, they
    are released together: from then on answers and reveals are made of them too. So what two answers differ by is
    never less than that. A withdrawn chunk goes at once from both.

    Attributes
    ----------
    learner
        Learns; holds every chunk.
    released
        Answers; holds the chunks that wait for nothing. None before the first release. It is the learner itself if the
        card lets every record through at once.
    chunks
        Every chunk ever taken, in their order, also those gone since: an upload is taken once.
    waiting
        Those not yet released.
    asked
        Records that each client asked about.
    """

    def __init__(self, card: ModelCard) -> None:
        self.card = card
        self.learner: Learner = card.learner()
        self.released: Learner | None = None
        self.chunks: dict[str, Chunk] = {}
        self.waiting: dict[str, Chunk] = {}
        self.asked: Counter[str] = Counter()

    def take(self, name: str, chunk: Chunk) -> None:
        """Enter a chunk that was learned."""
        self.chunks[name] = self.waiting[name] = chunk

    def forget(self, unit: Unit, name: str) -> None:
        """Take a chunk out of what learns and of what answers."""
        self.learner.withdraw(unit, name)
        if self.released is not None and self.released is not self.learner and self.released.has(name):
            self.released.withdraw(unit, name)
        self.waiting.pop(name, None)

    @property
    def _at_once(self) -> bool:
        return (self.card.new_records, self.card.new_owners) == (1, 1)

    @property
    def present(self) -> dict[str, Chunk]:
        """The chunks that are part of the model."""
        return {name: chunk for name, chunk in self.chunks.items() if self.learner.has(name)}

    @property
    def due(self) -> bool:
        """Whether enough waits to be released."""
        return self._enough(self.waiting.values())

    def release(self, unit: Unit) -> None:
        """Let answers be made of everything learned from now on."""
        self.learner.refresh(unit)
        self.released = self.learner if self._at_once else self._learner_of(self.learner.state())
        self.waiting = {}

    def answering(self) -> Learner:
        """Return what answers.

        Raises
        ------
        NotFittedError
            There is nothing, or too little.
        """
        if self.released is None:
            raise self._not_fitted()
        return self.released

    def check_answers(self) -> None:
        """Check that it has something to answer from, after a release if one is due; NotFittedError if not."""
        released = self.released
        held = () if released is None else (chunk for name, chunk in self.chunks.items() if released.has(name))
        if not self.due and not self._enough(held):
            raise self._not_fitted()

    def invalidate(self) -> None:
        """Count what was computed from the records as out of date, in what learns and in what answers."""
        for learner in (self.learner, self.released):
            if learner is not None:
                learner.invalidate()

    def _enough(self, chunks: Iterable[Chunk]) -> bool:
        """Whether chunks teach as many records of as many owners as the card asks for; stops when they do."""
        records, owners = 0, set()
        for chunk in chunks:
            if not chunk.teaches:
                continue
            records += chunk.rows
            owners.add(chunk.owner)
            if records >= self.card.new_records and len(owners) >= self.card.new_owners:
                return True
        return False

    def _not_fitted(self) -> NotFittedError:
        if not self.learner.fitted:
            return NotFittedError(f"the model {self.card.model!r} has not learned from any record; upload data first")
        return NotFittedError(
            f"the model {self.card.model!r} answers when {self.card.new_records} records of {self.card.new_owners} "
            "owners have come together, as its card says; upload more"
        )

    def state(self) -> dict[str, Any]:
        """What is kept of it; later changes do not reach into it."""
        behind = self.released is not None and self.released is not self.learner and self.waiting
        return {
            "chunks": {name: list(chunk) for name, chunk in self.chunks.items()},
            "waiting": list(self.waiting),
            "asked": dict(self.asked),
            "learner": detached(self.learner.state()),
            "answers": self.released is not None,
            "released": detached(self.released.state()) if self.released is not None and behind else None,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state."""
        self.chunks = {name: Chunk(*chunk) for name, chunk in state["chunks"].items()}
        self.waiting = {name: self.chunks[name] for name in state["waiting"]}
        self.asked = Counter(state["asked"])
        self.learner = self._learner_of(state["learner"])
        if state["answers"]:
            released = state["released"] or state["learner"]
            self.released = self.learner if self._at_once else self._learner_of(released)

    def _learner_of(self, state: Mapping[str, Any]) -> Learner:
        learner = self.card.learner()
        learner.restore(detached(state))
        return learner


def detached(value: Any) -> Any:
    """Copy mappings and lists; what they hold in the end is never changed, only replaced."""
    if isinstance(value, Mapping):
        return {key: detached(entry) for key, entry in value.items()}
    return [detached(entry) for entry in value] if isinstance(value, list) else value
