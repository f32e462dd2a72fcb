"""Correlated randomness dealt by the authority.

The Master expands all of its shares from its own seed; the Secondary expands its shares of the bases from its own seed
and receives one correction word for each derived word: ``correction = derived - master's share``. Neither holds the
other's seed, and the corrections are masked by the Master's share, so each unit sees uniformly random words only. The
dealer refuses to deal a number again.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from privml.crypto.prg import Stream
from privml.crypto.randomness import random_bytes
from privml.crypto.secret import Secret
from privml.errors import DrawReusedError, SettingError
from privml.units.correlations import Array, Correlation, DrawnMask, Field, OfOperands, OperandMask
from privml.units.ledger import Ledger, MemoryLedger
from privml.units.role import Role

PART = 1 << 13
"""Values that the dealer derives at a time: they stay in the processor's cache."""


def expand(stream: Stream, fields: Sequence[Field]) -> list[Array]:
    """Expand the next arrays of these forms from a stream, each from a multiple of 8 bytes on."""
    size, places = _places(tuple(fields))
    memory = stream.draw(size, np.uint8)
    return [memory[place].view(field.dtype).reshape(field.shape) for place, field in zip(places, fields, strict=True)]


@lru_cache(maxsize=1 << 10)
def _places(fields: tuple[Field, ...]) -> tuple[int, tuple[slice, ...]]:
    """How many bytes arrays take one behind the other, and where each lies in them; small draws are many."""
    starts = list(itertools.accumulate((-(-field.nbytes // 8) * 8 for field in fields), initial=0))
    places = (slice(start, start + field.nbytes) for start, field in zip(starts, fields, strict=False))
    return starts[-1], tuple(places)


def hold(stream: Stream, fields: Sequence[Field], role: Role) -> list[Array]:
    """Expand a unit's shares of the bases: nothing is drawn for what belongs to the other unit."""
    drawn = iter(expand(stream, [field for field in fields if field.held_by(role)]))
    return [next(drawn) if field.held_by(role) else np.zeros(field.shape, field.dtype) for field in fields]


class Dealer(Secret):
    """The authority's part: it knows both seeds, and makes the correction words for the Secondary.

    Both seeds are fresh and live in this object only. It sees no data, no share and no message of the units.
    """

    def __init__(self) -> None:
        self.epoch = random_bytes(16)
        self._seeds = {role: random_bytes(32) for role in Role}
        self._next = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Dealer(epoch={self.epoch.hex()[:8]}…)"

    def source(self, role: Role, ledger: Ledger | None = None) -> DealtSource:
        """Return the source of one unit, with that unit's own seed and no other."""
        corrections = self.corrections if role is Role.SECONDARY else None
        return DealtSource(role, self.epoch, self._seeds[role], corrections, ledger or MemoryLedger())

    def corrections(self, number: int, correlation: Correlation) -> list[Array]:
        """Return the correction words of one draw.

        Raises
        ------
        DrawReusedError
            The number was dealt before.
        """
        with self._lock:
            if number < self._next:
                raise DrawReusedError(f"draw {number} was dealt already; the next is {self._next}")
            self._next = number + 1
        streams = [Stream(self._seeds[role], number) for role in Role]

        shares = zip(*map(hold, streams, [correlation.bases] * 2, Role), strict=True)
        bases = [field.join(*both) for field, both in zip(correlation.bases, shares, strict=True)]
        if isinstance(correlation, OfOperands):
            bases += [self._operand(drawn, number) for drawn in correlation.operands]
        masters = expand(streams[0], correlation.derived)
        _correct(correlation, bases, masters)
        return masters

    def _operand(self, drawn: DrawnMask, before: int) -> Array:
        if not 0 <= drawn.number < before:
            raise SettingError(f"draw {drawn.number} was not dealt before draw {before}: it is no operand's mask")
        (field,) = fields = OperandMask(drawn.shape).bases
        return field.join(*(expand(Stream(self._seeds[role], drawn.number), fields)[0] for role in Role))


def _correct(correlation: Correlation, bases: Sequence[Array], masters: Sequence[Array]) -> None:
    """Turn the Master's shares of what is derived into corrections, in place."""
    if not correlation.elementwise or bases[0].size <= PART:
        values = correlation.derive(*bases)
        for field, value, share in zip(correlation.derived, values, masters, strict=True):
            field.correct(value, share)
        return
    count = bases[0].size
    flat = [array.reshape(count, *array.shape[bases[0].ndim :]) for array in (*bases, *masters)]
    for start in range(0, count, PART):
        part = [array[start : start + PART] for array in flat]
        values = correlation.derive(*part[: len(bases)])
        for field, value, share in zip(correlation.derived, values, part[len(bases) :], strict=True):
            field.correct(value, share)


class DealtSource(Secret):
    """A unit's stream of dealt correlations: its seed and, in the Secondary, the dealer's correction words."""

    def __init__(
        self,
        role: Role,
        epoch: bytes,
        seed: bytes,
        corrections: Callable[[int, Correlation], list[Array]] | None,
        ledger: Ledger,
    ) -> None:
        self._role = role
        self._epoch = epoch
        self._seed = seed
        self._corrections = corrections
        self._ledger = ledger
        self._process = os.getpid()

    def __repr__(self) -> str:
        return f"DealtSource(epoch={self._epoch.hex()[:8]}…, position={self.position})"

    @property
    def epoch(self) -> bytes:
        """16 bytes that name the deal."""
        return self._epoch

    @property
    def position(self) -> int:
        """The number of the next draw."""
        return self._ledger.position

    def jump(self, position: int) -> None:
        """Skip to a later draw; going back raises `DrawReusedError`."""
        self._ledger.jump(position)

    def draw(self, correlation: Correlation) -> list[Array]:
        """Return this unit's shares of the next draw: bases first, then what is derived."""
        if os.getpid() != self._process:
            raise DrawReusedError(
                "a fork shares its parent's correlated randomness; a child process needs a deal of its own"
            )
        number = self._ledger.reserve()
        stream = Stream(self._seed, number)
        bases = hold(stream, correlation.bases, self._role)
        if self._corrections is None:
            return bases + expand(stream, correlation.derived)
        return bases + self._corrections(number, correlation)
