"""The way back from a unit's last change, at the cost of what the change touches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from privml.errors import ProtocolError
from privml.learner import Learner
from privml.roles.hosted import Chunk, Hosted, detached
from privml.units.channel import Channel, exchange_exactly

_COUNT_BYTES = 8


class Journal:
    """Counts the changes that a unit made to its models, and can take the last one back.

    A unit may fail, or be cut off, when the other has made a change already, and shares of before and after do not go
    together. So both count. No change begins before both units ended the last one, so they are never more than one
    apart, and when they are linked anew the unit that is ahead takes its last change back.
    """

    def __init__(self) -> None:
        self._count = 0
        self._undo: Callable[[], None] | None = None

    @contextmanager
    def change(self, hosted: Hosted, chunk: str = "") -> Iterator[None]:
        """All that happens inside is one change of a model, which is taken back if it fails.

        Parameters
        ----------
        hosted
            The model.
        chunk
            The name of the chunk that comes or goes; none does without.
        """
        undo = _way_back(hosted, chunk)
        try:
            yield
        except BaseException:
            undo()
            raise
        self._count += 1
        self._undo = undo

    def settle(self, channel: Channel) -> None:
        """Take back what the other unit did not do: one round, before anything else on a new link.

        Raises
        ------
        ProtocolError
            The units are further apart than one change: one of them was started from another state.
        """
        theirs = exchange_exactly(channel, self._count.to_bytes(_COUNT_BYTES, "big"), _COUNT_BYTES)
        ahead = self._count - int.from_bytes(theirs, "big")
        if abs(ahead) > 1 or (ahead == 1 and self._undo is None):
            raise ProtocolError("the units hold states of different times; restore both from one save")
        if ahead == 1 and self._undo is not None:
            self._undo()
            self._count -= 1
        self._undo = None


@dataclass(frozen=True)
class _Entry:
    """What a mapping by chunks held for one chunk; its other entries stay as they are."""

    value: Any
    there: bool


def _way_back(hosted: Hosted, chunk: str) -> Callable[[], None]:
    """Remember what a change of one chunk, or of none, can touch."""
    learner, released, waiting = hosted.learner, hosted.released, hosted.waiting
    taken, waited = hosted.chunks.get(chunk), waiting.get(chunk)
    learners = {
        id(each): (each, _kept(each.state(), chunk, hosted.chunks)) for each in (learner, released) if each is not None
    }

    def undo() -> None:
        made = {key: _made_anew(hosted, *before, chunk) for key, before in learners.items()}
        hosted.learner, hosted.released, hosted.waiting = made[id(learner)], made.get(id(released)), waiting
        _put(hosted.chunks, chunk, taken)
        _put(waiting, chunk, waited)

    return undo


def _kept(value: Any, chunk: str, chunks: Mapping[str, Chunk]) -> Any:
    """Copy a learner's state, except what a mapping by chunks holds of other chunks: see `Learner.state`."""
    if not isinstance(value, Mapping):
        return detached(value)
    if next(iter(value), None) in chunks:
        return _Entry(value.get(chunk), chunk in value)
    return {key: _kept(entry, chunk, chunks) for key, entry in value.items()}


def _made_anew(hosted: Hosted, changed: Learner, kept: Any, chunk: str) -> Learner:
    """Make a learner of what was kept, and of what the change left alone."""
    learner = hosted.card.learner()
    learner.restore(_joined(kept, changed.state(), chunk, hosted.chunks))
    return learner


def _joined(kept: Any, now: Any, chunk: str, chunks: Mapping[str, Chunk]) -> Any:
    if isinstance(kept, _Entry):
        entries = {**now, chunk: kept.value}
        # in the order in which chunks came, which is the same in both units
        return {name: entries[name] for name in chunks if name in entries and (name != chunk or kept.there)}
    if isinstance(kept, dict):
        return {key: _joined(entry, now.get(key), chunk, chunks) for key, entry in kept.items()}
    return kept


def _put(chunks: dict[str, Chunk], key: str, value: Chunk | None) -> None:
    if value is None:
        chunks.pop(key, None)
    else:
        chunks[key] = value
