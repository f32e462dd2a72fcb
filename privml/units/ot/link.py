"""Both directions of transfers between the two units: each is the sender of one and the receiver of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from privml.crypto.prg import Stream, derive_key
from privml.crypto.randomness import random_bytes
from privml.crypto.secret import Secret
from privml.units.channel import exchange_exactly, receive_exactly
from privml.units.ot.base_ot import ANSWER_BYTES, REQUEST_BYTES, TRANSFERS, BaseReceiver, answer_request
from privml.units.ot.extension import ExtensionReceiver, ExtensionSender, ReceiverPads, SenderPads
from privml.units.ot.row_hash import KEY_BYTES

if TYPE_CHECKING:
    from privml.units.channel import Channel

Array = NDArray[Any]
Bytes = NDArray[np.uint8]

SESSION_BYTES: Final = 32


class TransferLink(Secret):
    """The two ends that one unit has: the sending one of its own direction and the receiving one of the peer's.

    Both units call the same methods in the same order with the counts that the other expects: what I `choose`, the peer
    `accept`s. Sending never waits, so each unit first sends its choices, then receives the peer's.

    Parameters
    ----------
    channel
        To the peer. Making a link takes one round of base transfers, 8,192 + 32 bytes each way and about 50 ms.
    is_master
        Which of the two this is.
    session
        32 bytes that both units know, never used before.
    """

    def __init__(self, channel: Channel, is_master: bool, session: bytes) -> None:
        self.channel = channel
        mine, theirs = (1, 2) if is_master else (2, 1)
        delta = random_bytes(TRANSFERS // 8)
        receiver = BaseReceiver(delta, _context(session, mine))
        request = exchange_exactly(channel, receiver.request, REQUEST_BYTES)
        answer, pairs = answer_request(bytes(request), _context(session, theirs))
        reply = exchange_exactly(channel, answer, ANSWER_BYTES)
        self._sender = ExtensionSender(delta, receiver.keys(bytes(reply)), _hash_key(session, mine))
        self._receiver = ExtensionReceiver(pairs, Stream(random_bytes(32), 0), _hash_key(session, theirs))

    def __repr__(self) -> str:
        return f"TransferLink({self.transfers:,} transfers)"

    @property
    def transfers(self) -> int:
        """Transfers used so far, of both directions."""
        return self._sender.transfers + self._receiver.transfers

    def choose(self, choices: Array) -> ReceiverPads:
        """Choose by the bits of these words, in order; no message if there are none."""
        packed = np.ascontiguousarray(choices).reshape(-1).view(np.uint8)
        return self._receiver.choose(self.channel, packed, 8 * packed.size)

    def accept(self, count: int) -> SenderPads:
        """Take in the peer's choices for `count` transfers."""
        return self._sender.accept(self.channel, count)

    def send(self, corrections: Array) -> None:
        """Send what the peer, as receiver, needs to go with its keys."""
        if corrections.size:
            self.channel.send(np.ascontiguousarray(corrections).reshape(-1).view(np.uint8).data)

    def receive(self, shape: tuple[int, ...], dtype: type[np.unsignedinteger[Any]] = np.uint64) -> Array:
        """Receive what the peer, as sender, gives with its keys."""
        result = np.empty(shape, dtype=dtype)
        if not result.size:
            return result
        return np.frombuffer(receive_exactly(self.channel, result.nbytes), dtype=dtype).reshape(shape)


def _context(session: bytes, direction: int) -> bytes:
    return derive_key(session, "privml-ot-direction", direction)


def _hash_key(session: bytes, direction: int) -> bytes:
    return derive_key(session, "privml-ot-hash", direction, length=KEY_BYTES)
