"""Batched proof of plaintext knowledge for DT-PKC ciphertexts, bound to the context they are sent in.

Without it a stranger who saw an upload copies, multiplies or cancels it. With it, whoever sends ciphertexts knows what
is in them: for T1_i = h^{r_i} (1 + m_i N), all of them at once, a Schnorr proof over the integers with 128-bit
challenges e_i (Bellare, Garay and Rabin, EUROCRYPT 1998, for the batch; Fujisaki and Okamoto, CRYPTO 1997, for the
hidden order).

What it says: every m_i is known, as challenge differences are units modulo N and h, being registered with a proof of
theta, has no plaintext part. What it does not say: the sign of T1_i, for elements of order 2 vanish under even
challenges. They carry no plaintext.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from privml.crypto.arithmetic import Integer, are_units, multi_power, power
from privml.crypto.dtpkc import CiphertextVector, PublicKey, PublicParameters
from privml.crypto.fixed_base import Encryptor, Openings
from privml.crypto.randomness import random_below, random_bits
from privml.crypto.transcript import CHALLENGE_BITS, HIDING_BITS, Transcript
from privml.crypto.wire_fields import FieldReader, Fields, element_width, fixed_width, residue_width
from privml.errors import ParameterMismatchError, ProofError, SettingError

_LABEL = "dtpkc-plaintext"
_MAX_COUNT_BITS = 32


def _mask_bits(exponent_bits: int, count: int) -> int:
    """Length of w for `count` exponents of `exponent_bits` bits; z_r stays below one bit more."""
    return exponent_bits + CHALLENGE_BITS + HIDING_BITS + (count - 1).bit_length()


@dataclass(frozen=True)
class PlaintextProof:
    """A1 = h^w (1 + uN), A2 = g^w, z_r = w + sum e_i r_i over the integers, z_m = u + sum e_i m_i mod N.

    Parameters
    ----------
    parameters
        The public parameters of the ciphertexts.
    a1
        A unit modulo N².
    a2
        A unit modulo N²; None if the ciphertexts have no T2.
    z_r
        In [0, 2^(|r| + 209 + ceil(log2 n))).
    z_m
        In [0, N).
    """

    wire_tag: ClassVar[int] = 7

    parameters: PublicParameters = field(repr=False)
    a1: Integer
    a2: Integer | None
    z_r: Integer
    z_m: Integer

    def to_fields(self) -> Fields:
        """Fixed widths; that of z_r shows only whether the exponents were short or full, which is a public setting."""
        width = element_width(self.parameters)
        short, full = _response_widths(self.parameters)
        return [
            fixed_width([self.a1], width),
            None if self.a2 is None else fixed_width([self.a2], width),
            fixed_width([self.z_r], short if self.z_r < 1 << 8 * short else full),
            fixed_width([self.z_m], residue_width(self.parameters)),
        ]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> PlaintextProof:
        """Check units and ranges as far as they do not depend on the ciphertexts."""
        a1, a2 = fields.element("a1"), None if fields.absent("a2") else fields.element("a2")
        response = fields.raw("z_r")
        short, full = _response_widths(fields.parameters)
        z_r = Integer(int.from_bytes(response, "big"))
        if len(response) != (short if z_r < 1 << 8 * short else full):
            raise fields.error("z_r", f"{short} bytes, or {full} for a longer number", f"{len(response)} bytes")
        return cls(fields.parameters, a1, a2, z_r, fields.residue("z_m"))

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the ciphertexts."""
        return self.parameters


def _response_widths(parameters: PublicParameters) -> tuple[int, int]:
    """Bytes of z_r for short and for full exponents, with room for 2^32 ciphertexts."""
    extra = 1 + CHALLENGE_BITS + HIDING_BITS + _MAX_COUNT_BITS
    return (parameters.bits // 2 + extra + 7) // 8, (parameters.bits + extra + 7) // 8


def prove_plaintexts(
    encryptor: Encryptor, vector: CiphertextVector, openings: Openings, context: bytes
) -> PlaintextProof:
    """Prove knowledge of every plaintext of `vector`, bound to a context.

    The responses hide the plaintexts perfectly and the exponents with statistical distance 2^-80.

    Parameters
    ----------
    encryptor
        Of the key that the ciphertexts are under.
    vector, openings
        What `Encryptor.encrypt_with_openings` returned; at most 2^32 ciphertexts.
    context
        What the ciphertexts are for, encoded; the verifier must use the same.

    Raises
    ------
    SettingError
        If there are no ciphertexts, or the openings are those of another vector.
    """
    public_key, count = encryptor.public_key, len(vector)
    parameters = public_key.parameters
    parameters.check_same(vector.parameters)
    if not 0 < count == len(openings.plaintexts) <= 1 << _MAX_COUNT_BITS:
        raise SettingError("a proof needs 1 to 2^32 ciphertexts and their openings")
    w, u = random_bits(_mask_bits(encryptor.randomness_bits, count)), random_below(parameters.modulus)
    a1 = encryptor.key_power(w) * (1 + u * parameters.modulus) % parameters.modulus_squared
    a2 = None if vector.t2 is None else encryptor.generator_power(w)
    e = _challenges(public_key, vector, context, a1, a2)
    z_r = w + sum(e_i * r for e_i, r in zip(e, openings.randomness, strict=True))
    z_m = (u + sum(e_i * m for e_i, m in zip(e, openings.plaintexts, strict=True))) % parameters.modulus
    return PlaintextProof(parameters, a1, a2, z_r, z_m)


def verify_plaintexts(public_key: PublicKey, vector: CiphertextVector, proof: PlaintextProof, context: bytes) -> None:
    """Check h^{z_r} (1 + z_m N) = A1 prod T1_i^{e_i} and, with T2, g^{z_r} = A2 prod T2_i^{e_i}.

    All ranges are checked, and with one gcd that every group element is a unit.

    Parameters
    ----------
    public_key
        The sender's key, from the registry: under a key whose theta nobody knows the proof proves nothing.
    vector
        The ciphertexts, unchecked.
    proof
        The proof, unchecked.
    context
        What the ciphertexts are for, as the verifier knows it and not as the sender claims.

    Raises
    ------
    ProofError
        If the proof does not hold for these ciphertexts in this context.
    ParameterMismatchError
        If key, ciphertexts and proof belong to different public parameters.
    """
    parameters = public_key.parameters
    if not vector.parameters == proof.parameters == parameters:
        raise ParameterMismatchError("key, ciphertexts and proof belong to different public parameters")
    _check_ranges(parameters, vector, proof)
    h, g = public_key.element, parameters.generator
    n, n2 = parameters.modulus, parameters.modulus_squared
    e = _challenges(public_key, vector, context, proof.a1, proof.a2)
    holds = power(h, proof.z_r, n2) * (1 + proof.z_m * n) % n2 == proof.a1 * multi_power(vector.t1, e, n2) % n2
    if holds and vector.t2 is not None and proof.a2 is not None:
        holds = power(g, proof.z_r, n2) == proof.a2 * multi_power(vector.t2, e, n2) % n2
    if not holds:
        raise ProofError("the sender did not prove to know the plaintexts in this context")


def _check_ranges(parameters: PublicParameters, vector: CiphertextVector, proof: PlaintextProof) -> None:
    if not 0 < len(vector.t1) <= 1 << _MAX_COUNT_BITS:
        raise ProofError(f"a proof is for 1 to 2^32 ciphertexts, not {len(vector.t1)}")
    if (vector.t2 is None) != (proof.a2 is None):
        raise ProofError("T2 and A2 go together: one of them is missing")
    commitments: Sequence[Integer] = (proof.a1,) if proof.a2 is None else (proof.a1, proof.a2)
    elements = [*vector.t1, *(vector.t2 or ()), *commitments]
    if not all(0 < element < parameters.modulus_squared for element in elements):
        raise ProofError("a ciphertext or commitment lies outside [1, N²)")
    if not are_units((element % parameters.modulus for element in elements), parameters.modulus):
        raise ProofError("a ciphertext or commitment shares a factor with N")
    bound = 1 << (_mask_bits(parameters.bits - 1, len(vector.t1)) + 1)
    if not (0 <= proof.z_r < bound and 0 <= proof.z_m < parameters.modulus):
        raise ProofError("a response is out of range")


def _challenges(
    public_key: PublicKey, vector: CiphertextVector, context: bytes, a1: Integer, a2: Integer | None
) -> list[Integer]:
    parameters, transcript = public_key.parameters, Transcript(_LABEL)
    transcript.absorb(parameters.modulus, parameters.generator, public_key.element, context)
    transcript.absorb_all(vector.t1)
    transcript.absorb_all(vector.t2 or ())
    transcript.absorb(a1, a2)
    return [Integer(e) for e in transcript.challenges(len(vector.t1), CHALLENGE_BITS)]
