"""Batched proof of plaintext knowledge for plain Paillier ciphertexts T_i = y_i^N (1 + m_i N).

That is how python-paillier makes them. Their senders hold no key of DT-PKC; what they know is m_i and the N-th root y_i
(Damgård, Jurik and Nielsen, IJIS 2010, section 5; here one batch with 128-bit challenges).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from privml.crypto.arithmetic import Integer, are_units, multi_power, power, secret_power
from privml.crypto.dtpkc import CiphertextVector, PublicParameters
from privml.crypto.randomness import random_below, random_unit
from privml.crypto.transcript import CHALLENGE_BITS, Transcript
from privml.crypto.wire_fields import FieldReader, Fields, element_width, fixed_width, residue_width
from privml.errors import ParameterMismatchError, ProofError, SettingError

_LABEL = "paillier-plaintext"


@dataclass(frozen=True)
class PaillierProof:
    """A = u_y^N (1 + u_m N), z_y = u_y prod y_i^{e_i} mod N and z_m = u_m + sum e_i m_i mod N.

    Parameters
    ----------
    parameters
        The public parameters whose N the ciphertexts are under.
    commitment
        A, a unit modulo N².
    z_y
        A unit modulo N.
    z_m
        In [0, N).
    """

    wire_tag: ClassVar[int] = 10

    parameters: PublicParameters = field(repr=False)
    commitment: Integer
    z_y: Integer
    z_m: Integer

    def to_fields(self) -> Fields:
        """A, z_y and z_m, each of fixed width."""
        half = residue_width(self.parameters)
        return [
            fixed_width([self.commitment], element_width(self.parameters)),
            fixed_width([self.z_y], half),
            fixed_width([self.z_m], half),
        ]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> PaillierProof:
        """Check ranges, and that A is a unit."""
        return cls(fields.parameters, fields.element("commitment"), fields.residue("z_y"), fields.residue("z_m"))

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the ciphertexts."""
        return self.parameters


def prove_paillier(
    vector: CiphertextVector, plaintexts: Sequence[int], roots: Sequence[Integer | int], context: bytes
) -> PaillierProof:
    """Prove knowledge of every plaintext of `vector`, bound to a context.

    Parameters
    ----------
    vector
        T_i = y_i^N (1 + m_i N); only T1 takes part.
    plaintexts
        m_i, signed or modulo N.
    roots
        y_i, units modulo N: the randomness of python-paillier's `raw_encrypt`.
    context
        What the ciphertexts are for, encoded; the verifier must use the same.

    Raises
    ------
    SettingError
        If there are no ciphertexts, or not as many plaintexts and roots.
    """
    if not len(vector) == len(plaintexts) == len(roots) or not plaintexts:
        raise SettingError("a proof needs ciphertexts, and as many plaintexts and roots")
    parameters = vector.parameters
    modulus, squared = parameters.modulus, parameters.modulus_squared
    u_y, u_m = random_unit(modulus), random_below(modulus)
    commitment = secret_power(u_y, modulus, squared) * (1 + u_m * modulus) % squared
    e = _challenges(vector, context, commitment)
    z_y = u_y * multi_power([Integer(root) for root in roots], e, modulus) % modulus
    z_m = (u_m + sum(e_i * m for e_i, m in zip(e, plaintexts, strict=True))) % modulus
    return PaillierProof(parameters, commitment, z_y, z_m)


def verify_paillier(vector: CiphertextVector, proof: PaillierProof, context: bytes) -> None:
    """Check z_y^N (1 + z_m N) = A prod T_i^{e_i}, all ranges, and that every group element is a unit.

    Raises
    ------
    ProofError
        If the proof does not hold for these ciphertexts in this context.
    ParameterMismatchError
        If it belongs to other public parameters.
    """
    parameters, commitment = vector.parameters, proof.commitment
    modulus, squared = parameters.modulus, parameters.modulus_squared
    if proof.parameters != parameters:
        raise ParameterMismatchError("the proof belongs to other public parameters than the ciphertexts")
    if not vector.t1:
        raise ProofError("there is nothing to prove about no ciphertexts")
    elements = [*vector.t1, commitment]
    in_range = 0 < proof.z_y < modulus and 0 <= proof.z_m < modulus
    if not (in_range and all(0 < x < squared for x in elements) and are_units([*elements, proof.z_y], modulus)):
        raise ProofError("a value of the proof or a ciphertext is out of range")
    e = _challenges(vector, context, commitment)
    claimed = power(proof.z_y, modulus, squared) * (1 + proof.z_m * modulus) % squared
    if claimed != commitment * multi_power(vector.t1, e, squared) % squared:
        raise ProofError("the sender did not prove to know the plaintexts in this context")


def _challenges(vector: CiphertextVector, context: bytes, commitment: Integer) -> list[Integer]:
    transcript = Transcript(_LABEL)
    transcript.absorb(vector.parameters.modulus, context)
    transcript.absorb_all(vector.t1)
    transcript.absorb(commitment)
    return [Integer(e) for e in transcript.challenges(len(vector.t1), CHALLENGE_BITS)]
