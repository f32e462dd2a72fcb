"""The correlation-robust hash of the extension, from AES.

H(x; j, t) = pi(z) xor z with z = sigma(x) xor (j, t) and sigma(l, r) = (l xor r, l), a linear orthomorphism; pi is
AES-128 under a public key (Guo, Katz, Wang and Yu, IEEE S&P 2020, section 7; x is uniform here, both units being
honest but curious). Each transfer has its own number j, counted through the life of a link in each direction, and each
128-bit block taken of it its own t: no tweak is used twice. With pi an ideal cipher, an adversary who computes q times
tells H(x), H(x xor Delta) from random with advantage about p q / 2^128, p the number of hashes under one key. So each
batch has a key of its own, which keeps p below 2^23.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from numpy.typing import NDArray

Words = NDArray[np.uint64]

KEY_BYTES: Final = 16
_BLOCK: Final = 1 << 14
"""Blocks to a run: what they need stays in the cache."""

_SLACK: Final = 16
"""Some versions of cryptography ask for room for one cipher block beyond what they write."""


class HashBatch:
    """The hash for one batch of transfers.

    Parameters
    ----------
    key
        Public key of this batch's permutation, 16 bytes.
    first
        Number of the batch's first transfer.
    """

    def __init__(self, key: bytes, first: int) -> None:
        # a permutation, not a mode of encryption: its inputs never repeat
        self._cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
        self._first = first

    def words(self, rows: Words, first: int, count: int, offset: Words | None = None) -> Words:
        """Hash each row.

        Parameters
        ----------
        rows
            Shape (2, n): the low and the high word of x, of all transfers of the batch.
        first, count
            Which 64-bit words of the output: `first` to `first + count` - 1. Words 2t and 2t + 1 come from block t.
        offset
            Two words to be added (xor) to every x.

        Returns
        -------
        Words
            Shape (count, n).
        """
        result = np.empty((count, rows.shape[1]), dtype=np.uint64)
        blocks = np.arange(first // 2, (first + count + 1) // 2, dtype=np.uint64)
        height = min(len(blocks), _BLOCK)
        width = max(1, min(rows.shape[1], _BLOCK // max(1, height)))
        buffer = np.empty(2 * height * width, dtype=np.uint64)
        room = np.empty(16 * height * width + _SLACK, dtype=np.uint8)
        for start in range(0, rows.shape[1], width):
            low, high = rows[:, start : start + width]
            if offset is not None:
                low, high = low ^ offset[0], high ^ offset[1]
            mixed = low ^ high
            mixed ^= np.arange(self._first + start, self._first + start + len(low), dtype=np.uint64)
            for top in range(0, len(blocks), height):
                tweaks = blocks[top : top + height]
                state = buffer[: 2 * len(tweaks) * len(low)].reshape(len(tweaks), len(low), 2)
                state[:, :, 0] = mixed
                np.bitwise_xor(low, tweaks[:, None], out=state[:, :, 1])
                hashed = self._permuted(state, room)
                for half in (0, 1):
                    # word 2t + half of block t, as far as it was asked for
                    where = np.arange(2 * top + half - first % 2, 2 * (top + len(tweaks)) + half - first % 2, 2)
                    begin, end = np.searchsorted(where, (0, count))
                    if begin < end:
                        part = slice(where[begin], where[end - 1] + 1, 2)
                        result[part, start : start + width] = hashed[begin:end, :, half] ^ state[begin:end, :, half]
        return result

    def _permuted(self, state: Words, room: NDArray[np.uint8]) -> Words:
        """Apply AES to every 16 bytes; the result lives in `room` until the next call."""
        self._cipher.update_into(state.reshape(-1).view(np.uint8).data, room.data)
        return room[: state.nbytes].view(np.uint64).reshape(state.shape)


class HashBatches:
    """Gives each batch its key and its numbers, each once.

    Parameters
    ----------
    key
        16 bytes that both units know, of this link and this direction.
    """

    def __init__(self, key: bytes) -> None:
        self._keys = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block a number
        self._batch = 0
        self.transfers = 0
        """Transfers numbered so far."""

    def next(self, count: int) -> HashBatch:
        """Return the hash for the next `count` transfers."""
        batch = HashBatch(self._keys.update(self._batch.to_bytes(KEY_BYTES, "big")), self.transfers)
        self._batch += 1
        self.transfers += count
        return batch
