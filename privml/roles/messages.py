"""What owners send to the provider beside sealed arrays. What clients send is in `privml.roles.queries`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from privml.crypto.dtpkc import PublicKey
from privml.crypto.envelope import IDENTIFIER_BYTES, SealContext
from privml.crypto.key_proof import MAX_IDENTITY_BYTES
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.parameters import PublicParameters
from privml.crypto.proofs import PlaintextProof, verify_plaintexts
from privml.crypto.signature import Signature, verify_signature
from privml.crypto.transcript import encode
from privml.crypto.wire_cryptosystem import read_packed, write_packed
from privml.crypto.wire_fields import FieldReader, Fields
from privml.errors import LayoutError, ProofError

if TYPE_CHECKING:
    from privml.roles.card import ModelCard

MAX_ROWS = 1 << 24


def chunk_name(owner: str, upload_id: bytes) -> str:
    """Name an upload in a model: unique for (owner, upload id), since an id has a fixed length."""
    return f"{owner}/{upload_id.hex()}"


@dataclass(frozen=True)
class HomomorphicUpload:
    """A chunk's packed statistics under the owner's key, with one proof for all ciphertexts."""

    wire_tag: ClassVar[int] = 129

    context: SealContext
    rows: int
    packed: PackedCiphertext
    proof: PlaintextProof

    @staticmethod
    def proof_context(context: SealContext, rows: int, layout: Layout) -> bytes:
        """What the proof is bound to."""
        names = (context.provider, context.model, context.owner)
        bound = (context.key_digest, context.schema_digest, context.identifier, rows, layout.digest)
        return encode("privml-homomorphic-upload", 1, *names, *bound)

    def verify(self, public_key: PublicKey, context: SealContext, layout: Layout) -> None:
        """Check context, layout and proof against what the unit itself knows.

        Raises
        ------
        ProofError
            The upload is for something else, or its sender does not know the plaintexts.
        LayoutError
            It is packed in another layout, or is already a sum.
        """
        if self.context != context or context.key_digest != public_key.digest:
            raise ProofError("the upload is for another owner, key, provider, model or schema")
        if self.packed.layout != layout or self.packed.additions_used != 1:
            raise LayoutError(f"the model takes single chunks in {layout}; this one has {self.packed.layout}")
        bound = self.proof_context(context, self.rows, layout)
        verify_plaintexts(public_key, self.packed.vector, self.proof, bound)

    def to_fields(self) -> Fields:
        """Context, number of records, ciphertexts, proof."""
        return [self.context.to_fields(), self.rows, write_packed(self.packed), self.proof.to_fields()]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> HomomorphicUpload:
        """Read, but do not verify."""
        context, rows = fields.read("context", SealContext.from_fields), fields.integer("rows", 1, MAX_ROWS)
        return cls(context, rows, fields.read("packed", read_packed), fields.read("proof", PlaintextProof.from_fields))

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the ciphertexts."""
        return self.packed.parameters


@dataclass(frozen=True)
class Withdrawal:
    """An owner's signed request to forget one of its uploads."""

    wire_tag: ClassVar[int] = 130

    model: str
    owner: str
    upload_id: bytes
    signature: Signature

    @property
    def chunk(self) -> str:
        """The chunk's name in the model."""
        return chunk_name(self.owner, self.upload_id)

    @staticmethod
    def request(card: ModelCard, owner: str, upload_id: bytes) -> bytes:
        """What is signed."""
        return encode("privml-withdrawal", 1, card.provider, card.model, card.digest, owner, upload_id)

    def verify(self, public_key: PublicKey, card: ModelCard) -> None:
        """Check that the owner itself asks for this; raises `ProofError`."""
        verify_signature(public_key, self.request(card, self.owner, self.upload_id), self.signature)

    def to_fields(self) -> Fields:
        """Model, owner, upload and signature."""
        return [self.model, self.owner, self.upload_id, self.signature.to_fields()]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> Withdrawal:
        """Read, but do not verify: the units do that."""
        names = fields.text("model", MAX_IDENTITY_BYTES), fields.text("owner", MAX_IDENTITY_BYTES)
        return cls(*names, fields.raw("upload_id", IDENTIFIER_BYTES), fields.read("signature", Signature.from_fields))

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the owner's key."""
        return self.signature.parameters
