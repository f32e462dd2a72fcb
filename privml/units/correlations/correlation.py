"""Correlated randomness: what a draw consists of, and where a unit gets it.

A correlation is described by what it draws (`bases`: uniformly random shared arrays) and what follows from them
(`derive`: e.g. the products of the bases, shared as well). A source gives each unit its shares of both.

Draws are numbered in the order of the programme, which is the same in both units. A number is reserved before it is
used and never used twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from privml.units.role import Role

if TYPE_CHECKING:
    from privml.units.channel import Channel

Array = NDArray[Any]
Shape = tuple[int, ...]


class Field(NamedTuple):
    """One array of a correlation: its shape, its word type, and how it is shared.

    `boolean` arrays are shared by XOR, others by addition modulo 2^64. A base with an `owner` is known to that unit
    alone: its share is the array itself, the other's is zeros.
    """

    shape: Shape
    dtype: type[np.unsignedinteger[Any]] = np.uint64
    boolean: bool = False
    owner: Role | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of the array."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize

    def held_by(self, role: Role) -> bool:
        """Whether this unit's share is random, and not the zeros of what belongs to the other."""
        return self.owner in (None, role)

    def join(self, mine: Array, peer: Array) -> Array:
        """Both shares together."""
        return np.asarray(mine ^ peer if self.boolean else mine + peer)

    def correct(self, value: Array, share: Array) -> Array:
        """What is left of a value when one share of it is taken away; it takes the share's memory."""
        return np.bitwise_xor(value, share, out=share) if self.boolean else np.subtract(value, share, out=share)


class Correlation(Protocol):
    """What a draw consists of."""

    def __hash__(self) -> int:
        """Equal ones are made alike."""

    elementwise: ClassVar[bool]
    """Whether each place of the derived arrays follows from the same place of the bases alone."""

    @property
    def bases(self) -> Sequence[Field]:
        """The uniformly random arrays."""

    @property
    def derived(self) -> Sequence[Field]:
        """The arrays that follow from them."""

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Compute the derived arrays from the reconstructed bases; the dealer alone runs this."""


class CorrelationSource(Protocol):
    """Where a unit's correlated randomness comes from."""

    @property
    def epoch(self) -> bytes:
        """16 bytes that name the deal."""

    @property
    def position(self) -> int:
        """The number of the next draw."""

    def jump(self, position: int) -> None:
        """Skip to a later draw; going back raises `DrawReusedError`."""

    def draw(self, correlation: Correlation) -> list[Array]:
        """Return this unit's shares of the next draw: bases first, then what is derived."""

    def branches(self, count: int) -> Sequence[Branch]:
        """Return beginnings of so many independent streams, one for each lane; they take the number of one draw."""


class Branch(Protocol):
    """Where a lane's own stream begins. A worker elsewhere may be given it: then no one else uses it."""

    def source(self, channel: Callable[[], Channel]) -> CorrelationSource:
        """Return the stream from its beginning; `channel` returns the lane's link, for what is made over it."""

    def carried(self) -> tuple[Branch, Corrector | None]:
        """Part it into what a worker elsewhere is given, and who corrects its draws for it here, if anybody does."""

    def corrected_by(self, corrector: Corrector) -> Branch:
        """Return it with who corrects its draws, at the worker."""


class Corrector(Protocol):
    """The dealer, as the Secondary uses it."""

    def corrections(self, number: int, correlation: Correlation) -> list[Array]:
        """Return the correction words of one draw; `DrawReusedError` if it was dealt before."""

    def branch(self, number: int, count: int) -> Sequence[Corrector]:
        """Deal independent streams under a number, which is dealt then."""
