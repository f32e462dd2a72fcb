"""Correlated randomness dealt by the authority.

The Master expands all of its shares from its own seed; the Secondary expands its shares of the bases from its own seed
and receives one correction word for each derived word: ``correction = derived - master's share``. Neither holds the
other's seed, and the corrections are masked by the Master's share, so each unit sees uniformly random words only. The
dealer refuses to deal a number again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from privml.crypto.prg import Stream, derive_key
from privml.crypto.randomness import random_bytes
from privml.crypto.secret import Secret
from privml.errors import DrawReusedError, SettingError
from privml.units.correlations import Array, Corrector, Correlation, DrawnMask, OfOperands, OperandMask, Shape
from privml.units.ledger import Ledger, MemoryLedger
from privml.units.role import Role

if TYPE_CHECKING:
    from privml.units.channel import Channel

PART = 1 << 13
"""Values that the dealer derives at a time: they stay in the processor's cache."""

KEPT = 1 << 26
"""Bytes of operands' masks that the dealer keeps, as a batch of records is multiplied again and again."""

WORTH_KEEPING = 1 << 14
"""Bytes of a mask from which on it is kept: smaller ones are as soon expanded anew."""


class Layout(NamedTuple):
    """Where a unit's shares lie in its stream, one behind the other, each from a multiple of 8 bytes on."""

    size: int
    """Bytes in all."""

    places: tuple[tuple[Shape, type[np.unsignedinteger[Any]], int | None], ...]
    """Shape, type and first byte of each array; nothing is drawn for what belongs to the other unit."""


def expand(stream: Stream, layout: Layout) -> list[Array]:
    """Expand a unit's shares from a stream."""
    memory = stream.octets(layout.size)
    return [
        np.zeros(shape, dtype) if start is None else np.ndarray(shape, dtype, memory, start)
        for shape, dtype, start in layout.places
    ]


@lru_cache(maxsize=1 << 10)
def layout_of(correlation: Correlation, role: Role) -> Layout:
    """Lay out a unit's shares of the bases, and the Master's of what is derived; small draws are many."""
    size, places = 0, []
    for each in (*correlation.bases, *(correlation.derived if role is Role.MASTER else ())):
        held = each.held_by(role)
        places.append((each.shape, each.dtype, size if held else None))
        size += -(-each.nbytes // 8) * 8 if held else 0
    return Layout(size, tuple(places))


class Dealer(Secret):
    """The authority's part: it knows both seeds, and makes the correction words for the Secondary.

    Both seeds are fresh and live in this object only. It sees no data, no share and no message of the units.
    """

    def __init__(self) -> None:
        self._deal(random_bytes(16), {role: random_bytes(32) for role in Role})

    def _deal(self, epoch: bytes, seeds: dict[Role, bytes]) -> None:
        self.epoch = epoch
        self._seeds = seeds
        self._streams = [(role, Stream(seed, 0)) for role, seed in seeds.items()]
        self._masks: dict[DrawnMask, Array] = {}
        self._kept = 0
        self._next = 0
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Dealer(epoch={self.epoch.hex()[:8]}…)"

    def source(self, role: Role, ledger: Ledger | None = None) -> DealtSource:
        """Return the source of one unit, with that unit's own seed and no other."""
        corrector = self if role is Role.SECONDARY else None
        return DealtSource(role, self.epoch, self._seeds[role], corrector, ledger or MemoryLedger())

    def corrections(self, number: int, correlation: Correlation) -> list[Array]:
        """Return the correction words of one draw.

        Raises
        ------
        DrawReusedError
            The number was dealt before.
        """
        with self._lock:
            self._take(number)
            if not correlation.derived:
                return []
            masters, secondarys = self._shares(number, correlation)
            shares = zip(correlation.bases, masters, secondarys, strict=False)
            bases = [field.join(mine, peer) for field, mine, peer in shares]
            if isinstance(correlation, OfOperands):
                bases += [self._operand(drawn, number) for drawn in correlation.operands]
        derived = masters[len(secondarys) :]
        _correct(correlation, bases, derived)
        return derived

    def _shares(self, number: int, correlation: Correlation) -> list[list[Array]]:
        """Both units' shares of the bases, and the Master's of what is derived."""
        return [expand(stream.restart(number), layout_of(correlation, role)) for role, stream in self._streams]

    def branch(self, number: int, count: int) -> list[Dealer]:
        """Deal independent streams under a number, which is dealt then.

        Raises
        ------
        DrawReusedError
            The number was dealt before.
        """
        with self._lock:
            self._take(number)
        return [self._branch(number, lane) for lane in range(count)]

    def _branch(self, number: int, lane: int) -> Dealer:
        branch = Dealer()
        seeds = {role: _branch_seed(seed, number, lane) for role, seed in self._seeds.items()}
        branch._deal(_branch_epoch(self.epoch, number, lane), seeds)
        return branch

    def _take(self, number: int) -> None:
        if number < self._next:
            raise DrawReusedError(f"draw {number} was dealt already; the next is {self._next}")
        self._next = number + 1

    def _operand(self, drawn: DrawnMask, before: int) -> Array:
        if not 0 <= drawn.number < before:
            raise SettingError(f"draw {drawn.number} was not dealt before draw {before}: it is no operand's mask")
        # what was used last comes last
        mask = self._masks.pop(drawn, None)
        if mask is None:
            (mask,), (peer,) = self._shares(drawn.number, OperandMask(drawn.shape))
            mask += peer
            mask.flags.writeable = False
            if mask.nbytes < WORTH_KEEPING:
                return mask
            self._kept += mask.nbytes
        self._masks[drawn] = mask
        while self._kept > KEPT:
            self._kept -= self._masks.pop(next(iter(self._masks))).nbytes
        return mask


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


def _branch_epoch(epoch: bytes, number: int, lane: int) -> bytes:
    return derive_key(epoch, "privml-lane-epoch", 1, number, lane, length=len(epoch))


def _branch_seed(seed: bytes, number: int, lane: int) -> bytes:
    return derive_key(seed, "privml-lane-seed", 1, number, lane)


@dataclass(frozen=True)
class DealtBranch:
    """Where a lane's stream of dealt correlations begins: this unit's seed and, in the Secondary, who corrects."""

    role: Role
    epoch: bytes
    seed: bytes = field(repr=False)
    corrector: Corrector | None = field(default=None, repr=False)

    def source(self, channel: Callable[[], Channel]) -> DealtSource:  # noqa: ARG002 - nothing is made over the link
        """Return the stream, from its beginning."""
        return DealtSource(self.role, self.epoch, self.seed, self.corrector, MemoryLedger())

    def carried(self) -> tuple[DealtBranch, Corrector | None]:
        """Part it into what a worker elsewhere is given, its seed, and the dealer."""
        return replace(self, corrector=None), self.corrector

    def corrected_by(self, corrector: Corrector) -> DealtBranch:
        """Return it with who corrects its draws; the Master's need nobody."""
        return replace(self, corrector=corrector) if self.role is Role.SECONDARY else self


class DealtSource(Secret):
    """A unit's stream of dealt correlations: its seed and, in the Secondary, the dealer's correction words."""

    def __init__(
        self,
        role: Role,
        epoch: bytes,
        seed: bytes,
        corrector: Corrector | None,
        ledger: Ledger,
    ) -> None:
        self._role = role
        self._epoch = epoch
        self._seed = seed
        self._stream = Stream(seed, 0)
        # one stream serves all draws, and would mix up those of two threads
        self._lock = threading.Lock()
        self._corrector = corrector
        self._ledger = ledger

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
        layout = layout_of(correlation, self._role)
        with self._lock:
            number = self._ledger.reserve()
            shares = expand(self._stream.restart(number), layout)
        return shares if self._corrector is None else shares + self._corrector.corrections(number, correlation)

    def branches(self, count: int) -> list[DealtBranch]:
        """Return beginnings of so many independent streams, one for each lane; they take the number of one draw."""
        number = self._ledger.reserve()
        correctors = [None] * count if self._corrector is None else self._corrector.branch(number, count)
        return [
            DealtBranch(
                self._role,
                _branch_epoch(self._epoch, number, lane),
                _branch_seed(self._seed, number, lane),
                corrector,
            )
            for lane, corrector in enumerate(correctors)
        ]
