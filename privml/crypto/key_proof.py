"""Proof that whoever registers a public key h = g^theta knows theta (Schnorr, J. Cryptology 1991, over the integers).

Without it an attacker registers somebody's T1 as "h": a seed (T1 = h, r = 1, m = 0) then carries an honest proof of
plaintext knowledge, and two-step decryption opens the victim's plaintext.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from privml.crypto.arithmetic import Integer, are_units, power, secret_power
from privml.crypto.dtpkc import PublicKey, PublicParameters, WeakPrivateKey
from privml.crypto.randomness import random_bits
from privml.crypto.transcript import CHALLENGE_BITS, HIDING_BITS, Transcript
from privml.crypto.wire_fields import FieldReader, Fields, element_width, fixed_width
from privml.errors import RegistrationError, SettingError

_LABEL = "dtpkc-key"
MAX_IDENTITY_BYTES = 255


def _response_bits(parameters: PublicParameters) -> int:
    """Length of w: theta < N/2 plus 208 bits; z = w + e theta stays below one bit more."""
    return parameters.bits - 1 + CHALLENGE_BITS + HIDING_BITS


@dataclass(frozen=True)
class KeyProof:
    """A = g^w and z = w + e theta for e = H("dtpkc-key", N, g, h, identity, A).

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
    def from_fields(cls, fields: FieldReader) -> KeyProof:
        """Check that A is a unit and z in range."""
        bits = _response_bits(fields.parameters)
        return cls(
            fields.parameters, fields.element("commitment"), fields.natural("response", bits // 8 + 1, 1 << (bits + 1))
        )

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the key."""
        return self.parameters


def check_identity(identity: str) -> None:
    """Make sure that an identity is 1 to 255 bytes of printable text.

    Raises
    ------
    SettingError
        If it is not.
    """
    if not identity.isprintable() or not 1 <= len(identity.encode()) <= MAX_IDENTITY_BYTES:
        raise SettingError(f"an identity is 1 to {MAX_IDENTITY_BYTES} bytes of printable text, not {identity!r}")


def prove_key(key: WeakPrivateKey, identity: str) -> KeyProof:
    """Prove knowledge of theta, bound to the identity that registers.

    w is 208 bits longer than theta, so z hides theta with statistical distance 2^-80.

    Parameters
    ----------
    key
        The private key.
    identity
        Who registers: 1 to 255 bytes of printable text.
    """
    check_identity(identity)
    public = key.public_key
    parameters = public.parameters
    w = random_bits(_response_bits(parameters))
    commitment = secret_power(parameters.generator, w, parameters.modulus_squared)
    return KeyProof(parameters, commitment, w + _challenge(public, identity, commitment) * key.theta)


def verify_key(public_key: PublicKey, identity: str, proof: KeyProof) -> None:
    """Check g^z = A h^e, and that h is neither 1 nor -1 nor shares a factor with N.

    Raises
    ------
    RegistrationError
        If anything is wrong; the message says what, for nothing here is secret.
    """
    try:
        check_identity(identity)
    except SettingError as error:
        raise RegistrationError(str(error)) from None
    parameters, h, commitment = public_key.parameters, public_key.element, proof.commitment
    squared = parameters.modulus_squared
    if proof.parameters != parameters:
        raise RegistrationError(f"the proof for {identity!r} belongs to other public parameters than its key")
    if not (0 < h < squared and 0 < commitment < squared and are_units([h, commitment], parameters.modulus)):
        raise RegistrationError(f"the public key of {identity!r} or its proof is not a unit modulo N²")
    if h in {1, squared - 1}:
        raise RegistrationError(f"the public key of {identity!r} is trivial")
    if not 0 <= proof.response < 1 << (_response_bits(parameters) + 1):
        raise RegistrationError(f"the proof for {identity!r} is out of range")
    e = _challenge(public_key, identity, commitment)
    if power(parameters.generator, proof.response, squared) != commitment * power(h, e, squared) % squared:
        raise RegistrationError(f"{identity!r} did not prove to know the private key")


def _challenge(key: PublicKey, identity: str, commitment: Integer) -> int:
    transcript = Transcript(_LABEL)
    transcript.absorb(key.parameters.modulus, key.parameters.generator, key.element, identity, commitment)
    return transcript.challenges(1, CHALLENGE_BITS)[0]
