"""The sealed path: arrays of any size under one-time pads whose 256-bit seed K is a DT-PKC ciphertext.

Sealing: C = Enc_h(K) with a proof of plaintext knowledge; pad = AES-256-CTR(HKDF-SHA256(K, info), IV 0) with
info = encode(label, version, purpose, provider, model, owner, digest of h, upload or session id, counter, shape), and
payload = x - pad mod 2^64. The secondary unit opens K by two-step decryption, so that (payload, pad) are additive
shares of x; the owner reopens its own envelope with theta.

The proof is bound to everything around it, the payload included, and so an envelope fits no other upload. It is not a
signature: anybody can seal a seed of their own under h. Who sends is established by the connection.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from privml.crypto.dtpkc import Ciphertext, CiphertextVector, PublicKey, PublicParameters
from privml.crypto.plaintext_proof import PlaintextProof, verify_plaintexts
from privml.crypto.prg import derive_key, expand
from privml.crypto.transcript import encode
from privml.crypto.wire_cryptosystem import read_ciphertext, write_ciphertext
from privml.crypto.wire_fields import FieldReader, Fields, FieldValue, array_fields
from privml.errors import DecryptionError, ProofError, SettingError

SEED_BYTES: Final = 32
SEED_BOUNDS: Final = (0, (1 << 8 * SEED_BYTES) - 1)
IDENTIFIER_BYTES: Final = 16
DIGEST_BYTES: Final = 32

_VERSION = 1
_MAX_NAME_BYTES = 255


class Purpose(StrEnum):
    """What a pad is for; pads of different purposes are unrelated."""

    DATA = "data"
    QUERY = "query"
    ANSWER = "answer"


@dataclass(frozen=True)
class SealContext:
    """Everything an envelope is bound to beside its payload.

    Parameters
    ----------
    provider, model, owner
        Names of 1 to 255 bytes: the deployment, what is trained or asked, and the registered identity that seals.
    key_digest
        Digest of the owner's public key, 32 bytes.
    schema_digest
        Digest of the schema of the data, 32 bytes.
    identifier
        The upload's or session's own 16 random bytes; the units accept it once per owner.

    Raises
    ------
    SettingError
        If a name or a digest has another length.
    """

    wire_tag: ClassVar[int] = 11

    provider: str
    model: str
    owner: str
    key_digest: bytes
    schema_digest: bytes
    identifier: bytes

    def __post_init__(self) -> None:
        for name in (self.provider, self.model, self.owner):
            if not name.isprintable() or not 1 <= len(name.encode()) <= _MAX_NAME_BYTES:
                raise SettingError(f"a name is 1 to {_MAX_NAME_BYTES} bytes of printable text, not {name!r}")
        lengths = (len(self.key_digest), len(self.schema_digest), len(self.identifier))
        if lengths != (DIGEST_BYTES, DIGEST_BYTES, IDENTIFIER_BYTES):
            raise SettingError(f"digests have {DIGEST_BYTES} bytes and an identifier {IDENTIFIER_BYTES}, not {lengths}")

    def to_fields(self) -> Fields:
        """Names, digests, identifier."""
        return [self.provider, self.model, self.owner, self.key_digest, self.schema_digest, self.identifier]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> SealContext:
        """A context, which checks itself."""
        names = [fields.text(name, _MAX_NAME_BYTES) for name in ("provider", "model", "owner")]
        key_digest, schema_digest = fields.raw("key_digest"), fields.raw("schema_digest")
        return cls(names[0], names[1], names[2], key_digest, schema_digest, fields.raw("identifier"))

    def wire_parameters(self) -> None:
        """A context belongs to no parameters by itself."""


def pad(
    seed: bytes, purpose: Purpose, context: SealContext, counter: int, shape: tuple[int, ...]
) -> NDArray[np.uint64]:
    """The one-time pad of a message.

    Parameters
    ----------
    seed
        K, 32 bytes.
    purpose, context
        What the pad is for. The schema's digest takes no part: the proof of the envelope binds it.
    counter
        Number of the message under this seed and purpose, in [0, 2^64); 0 for an upload. A pad is used once.
    shape
        Shape of the message.

    Raises
    ------
    SettingError
        If the seed has another length or the counter is out of range.
    """
    if len(seed) != SEED_BYTES or not 0 <= counter < 1 << 64:
        raise SettingError(f"a pad needs a seed of {SEED_BYTES} bytes and a counter in [0, 2^64)")
    names = (context.provider, context.model, context.owner, context.key_digest, context.identifier)
    key = derive_key(seed, "privml-pad", _VERSION, purpose.value, *names, counter, shape)
    return expand(key, 0, shape)


def seed_from_plaintext(plaintext: int) -> bytes:
    """The seed K that a decrypted plaintext stands for.

    Raises
    ------
    DecryptionError
        If it lies outside [0, 2^256).
    """
    if not SEED_BOUNDS[0] <= plaintext <= SEED_BOUNDS[1]:
        raise DecryptionError("the decrypted plaintext is no seed")
    return int(plaintext).to_bytes(SEED_BYTES, "big")


def payload_digest(payload: NDArray[np.uint64]) -> bytes:
    """SHA-256 of the words in C order, little-endian; the shape is bound beside it."""
    return hashlib.sha256(np.ascontiguousarray(payload, dtype="<u8").reshape(-1).data).digest()


def proof_context(context: SealContext, digest: bytes | None, shape: tuple[int, ...] | None) -> bytes:
    """What the proof of an envelope is bound to."""
    bound = (context.provider, context.model, context.owner, context.key_digest, context.schema_digest)
    return encode("privml-envelope", _VERSION, *bound, context.identifier, digest, shape)


@dataclass(frozen=True)
class Envelope:
    """A sealed seed: what both units verify, and the secondary unit opens.

    Parameters
    ----------
    context
        What it is for, as the sender says; `verify_envelope` compares.
    seed
        (T1, T2), an encryption of K under the owner's h.
    proof
        That the sender knows K, bound to everything else here.
    payload_digest, shape
        Of the payload sent with it; both None for the envelope that opens a session.

    Raises
    ------
    SettingError
        If only one of digest and shape is given, or the digest has not 32 bytes.
    """

    wire_tag: ClassVar[int] = 12

    context: SealContext
    seed: Ciphertext
    proof: PlaintextProof
    payload_digest: bytes | None = None
    shape: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        if (self.payload_digest is None) != (self.shape is None):
            raise SettingError("a payload has both a digest and a shape")
        if self.payload_digest is not None and len(self.payload_digest) != DIGEST_BYTES:
            raise SettingError(f"a payload's digest has {DIGEST_BYTES} bytes, not {len(self.payload_digest)}")

    def to_fields(self) -> Fields:
        """Context, seed, proof, and the payload's digest and shape."""
        shape: FieldValue = None if self.shape is None else list(self.shape)
        return [
            self.context.to_fields(),
            write_ciphertext(self.seed),
            self.proof.to_fields(),
            self.payload_digest,
            shape,
        ]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> Envelope:
        """Read, but do not verify."""
        context = fields.read("context", SealContext.from_fields)
        seed = fields.read("seed", read_ciphertext)
        proof = fields.read("proof", PlaintextProof.from_fields)
        digest = None if fields.absent("payload_digest") else fields.raw("payload_digest", DIGEST_BYTES)
        return cls(context, seed, proof, digest, None if fields.absent("shape") else fields.shape("shape"))

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the owner's key."""
        return self.seed.parameters


def verify_envelope(
    public_key: PublicKey, envelope: Envelope, payload_digest: bytes | None, context: SealContext
) -> None:
    """Check that whoever sent the envelope knows its seed and meant it for this.

    Parameters
    ----------
    public_key
        The owner's key, from the unit's own registry.
    envelope
        What was received.
    payload_digest
        Digest of the payload that was received (the primary unit) or that the peer received (the secondary unit); None
        for a session.
    context
        Provider, model, owner, schema and identifier as this unit knows them, not as the envelope says.

    Raises
    ------
    ProofError
        If anything differs, or the proof does not hold.
    ParameterMismatchError
        If key and envelope belong to different public parameters.
    """
    if envelope.context != context or context.key_digest != public_key.digest:
        raise ProofError("the envelope is for another owner, key, provider, model, schema or upload")
    if envelope.payload_digest != payload_digest:
        raise ProofError("the envelope is for another payload")
    if envelope.seed.t2 is None:
        raise ProofError("a seed has both components, so that its owner can open it")
    seeds = CiphertextVector(envelope.seed.parameters, (envelope.seed.t1,), (envelope.seed.t2,))
    verify_plaintexts(public_key, seeds, envelope.proof, proof_context(context, payload_digest, envelope.shape))


@dataclass(frozen=True, eq=False)
class SealedArray:
    """An envelope and the payload x - pad, as an owner sends them to the primary unit.

    Parameters
    ----------
    envelope
        Of this payload.
    payload
        Words modulo 2^64, uniform to who does not know the seed.
    """

    wire_tag: ClassVar[int] = 13

    envelope: Envelope
    payload: NDArray[np.uint64] = field(repr=False)

    def verify(self, public_key: PublicKey, context: SealContext) -> None:
        """`verify_envelope` with the payload at hand.

        Raises
        ------
        ProofError, ParameterMismatchError
            As `verify_envelope`, and if the payload has another shape than the envelope says.
        """
        if self.envelope.shape != self.payload.shape:
            raise ProofError(f"the envelope is for a payload of shape {self.envelope.shape}, not {self.payload.shape}")
        verify_envelope(public_key, self.envelope, payload_digest(self.payload), context)

    def to_fields(self) -> Fields:
        """The envelope's fields, and the words."""
        return [self.envelope.to_fields(), array_fields(self.payload)]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> SealedArray:
        """Read, but do not verify."""
        return cls(fields.read("envelope", Envelope.from_fields), fields.array("payload"))

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the owner's key."""
        return self.envelope.seed.parameters
