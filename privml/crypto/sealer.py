"""The owner's side of the sealed path: seal arrays, open sessions, reopen what was sealed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.envelope import (
    IDENTIFIER_BYTES,
    SEED_BOUNDS,
    SEED_BYTES,
    Envelope,
    Purpose,
    SealContext,
    SealedArray,
    pad,
    payload_digest,
    proof_context,
    seed_from_plaintext,
)
from privml.crypto.fixed_base import Encryptor
from privml.crypto.plaintext_proof import prove_plaintexts
from privml.crypto.randomness import random_bytes
from privml.errors import SettingError


class Sealer:
    """Seals for one model of one provider, in the name of one owner.

    Thread-safe as far as its encryptor is. It needs no private key; only `reopen` does.

    Parameters
    ----------
    encryptor
        Of the owner's own public key, forming T2.
    provider, model, owner
        See `SealContext`.
    schema_digest
        Digest of the schema that the data follow, 32 bytes.

    Raises
    ------
    SettingError
        If the encryptor forms no T2, or a name or digest has the wrong length.
    """

    def __init__(self, encryptor: Encryptor, provider: str, model: str, owner: str, schema_digest: bytes) -> None:
        if not encryptor.with_t2:
            raise SettingError("sealing needs an encryptor that forms T2, or the owner could not reopen anything")
        self._encryptor = encryptor
        self._names = (provider, model, owner, encryptor.public_key.digest, schema_digest)
        self.context(bytes(IDENTIFIER_BYTES))  # refuses wrong names now rather than at the first upload

    def context(self, identifier: bytes) -> SealContext:
        """The context of an upload or session of this owner."""
        return SealContext(*self._names, identifier)

    def seal(self, array: NDArray[np.uint64], identifier: bytes | None = None) -> SealedArray:
        """Seal one upload under a fresh seed: one encryption, one proof, and two passes over the array.

        Parameters
        ----------
        array
            64-bit words modulo 2^64, of any shape.
        identifier
            The upload's 16 bytes, if the caller already drew them.

        Raises
        ------
        SettingError
            If the array has another type or the identifier another length.
        """
        if array.dtype != np.uint64:
            raise SettingError(f"sealing takes an array of uint64 words, not {array.dtype}")
        context = self.context(random_bytes(IDENTIFIER_BYTES) if identifier is None else identifier)
        seed = random_bytes(SEED_BYTES)
        payload = pad(seed, Purpose.DATA, context, 0, array.shape)
        np.subtract(array, payload, out=payload)
        return SealedArray(self._envelope(seed, context, payload_digest(payload), array.shape), payload)

    def open_session(self, identifier: bytes | None = None) -> tuple[Envelope, bytes]:
        """An envelope without a payload, and its seed, from which the pads of a session's messages derive.

        The seed stays in this process and in memory; counters under it strictly increase.
        """
        context = self.context(random_bytes(IDENTIFIER_BYTES) if identifier is None else identifier)
        seed = random_bytes(SEED_BYTES)
        return self._envelope(seed, context, None, None), seed

    def _envelope(
        self, seed: bytes, context: SealContext, digest: bytes | None, shape: tuple[int, ...] | None
    ) -> Envelope:
        vector, openings = self._encryptor.encrypt_with_openings([int.from_bytes(seed, "big")])
        proof = prove_plaintexts(self._encryptor, vector, openings, proof_context(context, digest, shape))
        return Envelope(context, vector[0], proof, digest, shape)


def reopen(key: WeakPrivateKey, sealed: SealedArray, context: SealContext) -> NDArray[np.uint64]:
    """What the holder of theta sealed itself.

    Parameters
    ----------
    key
        The owner's private key.
    sealed
        As it came back from the provider.
    context
        The context it was sealed in.

    Raises
    ------
    ProofError
        If envelope and payload do not belong together, or to this context and key.
    DecryptionError
        If the seed does not decrypt to 256 bits.
    """
    sealed.verify(key.public_key, context)
    seed = seed_from_plaintext(key.decrypt(sealed.envelope.seed, SEED_BOUNDS))
    return sealed.payload + pad(seed, Purpose.DATA, context, 0, sealed.payload.shape)
