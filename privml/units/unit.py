"""What a protocol sees of the unit that runs it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from privml.crypto.fixed_base import Encryptor
from privml.errors import EpochMismatchError, FrameSizeError, PrivMLError, ProtocolError, SettingError
from privml.units.role import Role

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from privml.crypto.dtpkc import KeyShare
    from privml.units.channel import Channel
    from privml.units.correlations import CorrelationSource
    from privml.units.lanes.lane import Lanes


@dataclass(slots=True, weakref_slot=True)
class Unit:
    """One of the two units, as a protocol sees it.

    A protocol is one function that both units run in step; where they differ it branches on `role`.

    Parameters
    ----------
    role
        Master or Secondary.
    channel
        The link to the other unit.
    correlations
        Correlated randomness dealt ahead of time.
    key_share
        This unit's half of the strong key; None where a program needs no decryption.
    n_jobs
        Threads for big-integer batches.
    lanes
        Workers among which work on many records is divided; None for none.
    """

    role: Role
    channel: Channel
    correlations: CorrelationSource
    key_share: KeyShare | None = None
    n_jobs: int = 1
    lanes: Lanes | None = None
    _rerandomiser: Encryptor | None = field(default=None, init=False, repr=False)

    @property
    def is_master(self) -> bool:
        """Whether this unit is the Master."""
        return self.role is Role.MASTER

    def strong_key(self) -> KeyShare:
        """Return this unit's half of the strong key.

        Raises
        ------
        SettingError
            The unit was made without one.
        """
        if self.key_share is None:
            raise SettingError(f"the {self.role.label} unit was made without its share of the strong key")
        return self.key_share

    def rerandomiser(self) -> Encryptor:
        """Return what multiplies T1 by a fresh g^r: encryption under g itself, with tables made at first use."""
        if self._rerandomiser is None:
            self._rerandomiser = Encryptor.without_recipient(self.strong_key().parameters)
        return self._rerandomiser

    def exchange(self, *arrays: NDArray[Any]) -> list[NDArray[Any]]:
        """Send arrays to the peer and receive its arrays of the same shapes and types: one round.

        Everything travels in one frame without a header: shapes are public and known to both.
        """
        received = self.channel.exchange(_frame(arrays))
        return _split(received, arrays)

    def send(self, *arrays: NDArray[Any]) -> None:
        """Send arrays to the peer, in one frame."""
        self.channel.send(_frame(arrays))

    def receive(self, like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
        """Receive arrays of the shapes and types of `like`."""
        return _split(self.channel.receive(), like)

    def agree(self, problem: PrivMLError | None) -> None:
        """Tell the peer whether this unit accepts what lies before it, and hear its verdict: one round, one byte.

        The verdict is public (whether each upload was valid). Afterwards both units go on, or both raise: the one that
        found the problem raises it, the other raises `ProtocolError`. Such an error is marked as agreed, so the
        channel stays alive.

        Parameters
        ----------
        problem
            What this unit found wrong; None for nothing.
        """
        peer = self.channel.exchange(b"\x00" if problem is None else b"\x01")
        if len(peer) != 1:
            raise FrameSizeError(f"expected a verdict of 1 byte, got {len(peer)}")
        if problem is not None:
            problem.agreed = True
            raise problem
        if peer[0]:
            refusal = ProtocolError("the other unit refused")
            refusal.agreed = True
            raise refusal

    def align(self) -> None:
        """Bring both units' correlated randomness to the same draw: one round. For use when a link was (re)made.

        Both jump to the larger of their next draw numbers, so that no draw is ever used twice.

        Raises
        ------
        EpochMismatchError
            The units hold randomness of different deals, e.g. one was restored from an old snapshot.
        """
        source = self.correlations
        mine = source.epoch + source.position.to_bytes(8, "big")
        peer = bytes(self.channel.exchange(mine))
        if len(peer) != len(mine):
            raise FrameSizeError(f"expected {len(mine)} bytes of epoch and draw number, got {len(peer)}")
        if peer[:-8] != source.epoch:
            raise EpochMismatchError(
                "the units hold correlated randomness of different deals; let the authority deal anew to both"
            )
        source.jump(max(source.position, int.from_bytes(peer[-8:], "big")))


def _frame(arrays: Sequence[NDArray[Any]]) -> memoryview | bytes:
    if len(arrays) == 1:
        return np.ascontiguousarray(arrays[0]).data
    return b"".join([np.ascontiguousarray(array).data for array in arrays])


def _split(frame: memoryview, like: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    parts: list[NDArray[Any]] = []
    start = 0
    for array in like:
        end = start + array.nbytes
        if end <= frame.nbytes:
            parts.append(np.ndarray(array.shape, array.dtype, frame, start))
        start = end
    if frame.nbytes != start:
        raise FrameSizeError(f"expected a frame of {start} bytes, got {frame.nbytes}: the units are out of step")
    return parts
