"""A model at a unit, and the way back from its last change."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from privml.errors import ProtocolError
from privml.learner import Learner
from privml.roles.card import ModelCard
from privml.units.channel import Channel, exchange_exactly

_COUNT_BYTES = 8


@dataclass
class Hosted:
    """A model as one unit holds it."""

    card: ModelCard
    learner: Learner
    uploads: dict[str, str] = field(default_factory=dict)
    """Owner of every chunk ever taken, also of those withdrawn since: an upload is taken once."""

    def state(self) -> dict[str, Any]:
        """What is kept of it; later changes do not reach into it."""
        return {"uploads": dict(self.uploads), "learner": _detached(self.learner.state())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go back to a state, with a learner made anew."""
        self.uploads = dict(state["uploads"])
        self.learner = self.card.learner()
        self.learner.restore(_detached(state["learner"]))


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
    def change(self, hosted: Hosted) -> Iterator[None]:
        """All that happens inside is one change of a model, which is taken back if it fails."""
        before = hosted.state()
        try:
            yield
        except BaseException:
            hosted.restore(before)
            raise
        self._count += 1
        self._undo = lambda: hosted.restore(before)

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


def _detached(value: Any) -> Any:
    """Copy mappings and lists; what they hold in the end is never changed, only replaced."""
    if isinstance(value, Mapping):
        return {key: _detached(entry) for key, entry in value.items()}
    return [_detached(entry) for entry in value] if isinstance(value, list) else value
