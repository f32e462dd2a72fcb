"""Oblivious transfer extension: from 128 base transfers to any number, by AES alone.

Ishai, Kilian, Nissim and Petrank (CRYPTO 2003), in the form of Asharov, Lindell, Schneider and Zohner (CCS 2013,
protocol 4). The extension's sender holds 128 secret bits Delta and was the receiver of the base transfers: of each pair
of seeds it knows the one that its bit names. The receiver expands both seeds of column i and sends
u_i = G(k_i0) xor G(k_i1) xor r, which hides its choices r. With t the matrix of the columns G(k_i0), the sender has
q_j = t_j xor r_j Delta in row j. Transfer j has the two keys H(q_j) and H(q_j xor Delta), and the receiver knows
H(t_j): the one that r_j names. Semi-honest security, 128 bits of Delta.

Transfers are made with *random* choices, a pool at a time (128 streams cost a fixed price a call), and turned to the
wanted choices c when used (Beaver, CRYPTO 1995): the receiver sends e = c xor r, uniform, and the sender goes on with
q_j xor e_j Delta. One bit a transfer more, and small draws wait for no extension.

A transfer costs 128 + 1 bits from receiver to sender; what follows, from sender to receiver, depends on its use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from privml.crypto.prg import Stream
from privml.crypto.secret import Secret
from privml.units.channel import receive_exactly
from privml.units.ot.base_ot import TRANSFERS, choice_bits
from privml.units.ot.bit_matrix import WORD_BITS, transpose
from privml.units.ot.row_hash import HashBatch, HashBatches

if TYPE_CHECKING:
    from privml.units.channel import Channel

Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]

POOL: Final = 1 << 14
"""Transfers made at once, at least: 1/4 MiB of rows in each unit."""


def padded(count: int) -> int:
    """Transfers are taken in multiples of 64."""
    return -(-count // WORD_BITS) * WORD_BITS


class SenderPads(Secret):
    """Both keys of each transfer of a batch, `count` of them; derived when asked for."""

    def __init__(self, rows: Words, delta: Words, batch: HashBatch, count: int) -> None:
        self._rows = rows
        self._delta = delta
        self._batch = batch
        self.count = count

    def words(self, first: int, count: int) -> tuple[Words, Words]:
        """Return 64-bit words `first` to `first + count` - 1 of the first keys and of the second keys.

        A word serves one purpose only. Shape (count, padded transfers) each.
        """
        return self._batch.words(self._rows, first, count), self._batch.words(self._rows, first, count, self._delta)


class ReceiverPads(Secret):
    """The chosen key of each transfer of a batch, `count` of them; derived when asked for."""

    def __init__(self, rows: Words, batch: HashBatch, count: int) -> None:
        self._rows = rows
        self._batch = batch
        self.count = count

    def words(self, first: int, count: int) -> Words:
        """Return 64-bit words `first` to `first + count` - 1 of the chosen keys: (count, padded transfers)."""
        return self._batch.words(self._rows, first, count)


class ExtensionSender(Secret):
    """The sending end of one direction.

    Parameters
    ----------
    delta
        16 secret bytes: its choices in the base transfers.
    seeds
        The 128 seeds that these choices gave it.
    hash_key
        Public key of this direction, the same in both units.
    """

    def __init__(self, delta: bytes, seeds: Sequence[bytes], hash_key: bytes) -> None:
        self._masks = [np.uint64(bit * (2**WORD_BITS - 1)) for bit in choice_bits(delta)]
        self._delta = np.frombuffer(delta, dtype=np.uint64)
        self._streams = [Stream(seed, 0) for seed in seeds]
        self._batches = HashBatches(hash_key)
        self._rows: Words = np.empty((2, 0), dtype=np.uint64)

    @property
    def transfers(self) -> int:
        """Transfers used so far."""
        return self._batches.transfers

    def accept(self, channel: Channel, count: int) -> SenderPads:
        """Receive the peer's choices for the next `count` transfers, hidden."""
        size = padded(count)
        missing = size - self._rows.shape[1]
        if missing > 0:
            self._extend(channel, max(missing, POOL))
        turns = np.frombuffer(receive_exactly(channel, size // 8) if size else b"", dtype=np.uint8)
        rows, self._rows = self._rows[:, :size], self._rows[:, size:]
        mask = np.negative(np.unpackbits(turns, bitorder="little").astype(np.uint64))
        return SenderPads(rows ^ (self._delta[:, None] & mask), self._delta, self._batches.next(size), count)

    def _extend(self, channel: Channel, count: int) -> None:
        width = count // WORD_BITS
        frame = receive_exactly(channel, TRANSFERS * width * 8)
        sent = np.frombuffer(frame, dtype=np.uint64).reshape(TRANSFERS, width)
        columns = np.empty((TRANSFERS, width), dtype=np.uint64)
        for column, stream, mask, theirs in zip(columns, self._streams, self._masks, sent, strict=True):
            np.bitwise_xor(theirs & mask, stream.words(width), out=column)
        self._rows = np.concatenate([self._rows, transpose(columns)], axis=1)


class ExtensionReceiver(Secret):
    """The receiving end of one direction.

    Parameters
    ----------
    seeds
        The 128 pairs of seeds that it gave in the base transfers.
    own
        Stream of its random choices, secret.
    hash_key
        Public key of this direction, the same in both units.
    """

    def __init__(self, seeds: Sequence[tuple[bytes, bytes]], own: Stream, hash_key: bytes) -> None:
        self._streams = [(Stream(first, 0), Stream(second, 0)) for first, second in seeds]
        self._own = own
        self._batches = HashBatches(hash_key)
        self._rows: Words = np.empty((2, 0), dtype=np.uint64)
        self._choices: Bytes = np.empty(0, dtype=np.uint8)

    @property
    def transfers(self) -> int:
        """Transfers used so far."""
        return self._batches.transfers

    def choose(self, channel: Channel, choices: Bytes, count: int) -> ReceiverPads:
        """Send the choices for the next `count` transfers, hidden.

        Parameters
        ----------
        choices
            Packed bits, least significant first, ceil(count / 8) bytes.
        """
        size = padded(count)
        missing = size - self._rows.shape[1]
        if missing > 0:
            self._extend(channel, max(missing, POOL))
        random, self._choices = self._choices[: size // 8], self._choices[size // 8 :]
        turns = random.copy()
        turns[: len(choices)] ^= choices
        if size:
            channel.send(turns.data)
        rows, self._rows = self._rows[:, :size], self._rows[:, size:]
        return ReceiverPads(rows, self._batches.next(size), count)

    def _extend(self, channel: Channel, count: int) -> None:
        width = count // WORD_BITS
        random = self._own.draw(width, np.uint64)
        columns = np.empty((TRANSFERS, width), dtype=np.uint64)
        message = np.empty((TRANSFERS, width), dtype=np.uint64)
        for column, sent, (first, second) in zip(columns, message, self._streams, strict=True):
            column[:] = first.words(width)
            np.bitwise_xor(column, second.words(width), out=sent)
        message ^= random
        channel.send(message.reshape(-1).data)
        self._rows = np.concatenate([self._rows, transpose(columns)], axis=1)
        self._choices = np.concatenate([self._choices, random.view(np.uint8)])
