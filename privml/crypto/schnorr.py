"""Proof of knowledge of theta for h = g^theta mod N², bound to a purpose: Schnorr's (J. Cryptology 1991).

A = g^w, e = H(label, N, g, h, fields, A), z = w + e theta; check g^z = A h^e. w is 208 bits longer than theta, so z
hides theta with statistical distance 2^-80; nobody who does not know theta answers two challenges (Fujisaki and
Okamoto, CRYPTO 1997, for groups of unknown order).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from privml.crypto.arithmetic import Integer, are_units, power, secret_power
from privml.crypto.dtpkc import PublicKey, PublicParameters, WeakPrivateKey
from privml.crypto.randomness import random_bits
from privml.crypto.transcript import CHALLENGE_BITS, HIDING_BITS, Field, Transcript
from privml.crypto.wire_fields import FieldReader, Fields, element_width, fixed_width


def _response_bits(parameters: PublicParameters) -> int:
    """Length of w: theta < N/2 plus 208 bits; z = w + e theta stays below one bit more."""
    return parameters.bits - 1 + CHALLENGE_BITS + HIDING_BITS


@dataclass(frozen=True)
class SchnorrProof:
    """A and z.

    Parameters
    ----------
    parameters
        The public parameters of the key.
    commitment
        A, a unit modulo N².
    response
        z in [0, 2^(|N| + 208)).
    """

    wire_tag: ClassVar[int] = 8

    parameters: PublicParameters = field(repr=False)
    commitment: Integer
    response: Integer

    def to_fields(self) -> Fields:
        """A and z, each of a width that only N determines."""
        return [
            fixed_width([self.commitment], element_width(self.parameters)),
            fixed_width([self.response], _response_bits(self.parameters) // 8 + 1),
        ]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> SchnorrProof:
        """Check that A is a unit and z in range."""
        bits = _response_bits(fields.parameters)
        return cls(
            fields.parameters, fields.element("commitment"), fields.natural("response", bits // 8 + 1, 1 << (bits + 1))
        )

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the key."""
        return self.parameters


def prove(key: WeakPrivateKey, label: str, *fields: Field) -> SchnorrProof:
    """Prove knowledge of theta, for the purpose of `label` and bound to the fields."""
    public = key.public_key
    parameters = public.parameters
    w = random_bits(_response_bits(parameters))
    commitment = secret_power(parameters.generator, w, parameters.modulus_squared)
    return SchnorrProof(parameters, commitment, w + _challenge(public, label, fields, commitment) * key.theta)


def verify(public_key: PublicKey, proof: SchnorrProof, label: str, *fields: Field) -> bool:
    """Whether the proof holds for this key, purpose and fields; ranges and units are checked."""
    parameters, h, commitment = public_key.parameters, public_key.element, proof.commitment
    squared = parameters.modulus_squared
    if proof.parameters != parameters or not 0 <= proof.response < 1 << (_response_bits(parameters) + 1):
        return False
    if not (0 < commitment < squared and are_units([commitment], parameters.modulus)):
        return False
    e = _challenge(public_key, label, fields, commitment)
    return power(parameters.generator, proof.response, squared) == commitment * power(h, e, squared) % squared


def _challenge(key: PublicKey, label: str, fields: tuple[Field, ...], commitment: Integer) -> int:
    transcript = Transcript(label)
    transcript.absorb(key.parameters.modulus, key.parameters.generator, key.element, *fields, commitment)
    return transcript.challenges(1, CHALLENGE_BITS)[0]
