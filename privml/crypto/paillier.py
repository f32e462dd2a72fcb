"""Ciphertexts from and for users of Paillier's own cryptosystem, e.g. python-paillier: plain integers on both sides.

T1 = h^r (1 + mN) mod N² is a Paillier ciphertext under N, since h^r is an N-th power. So Paillier libraries compute on
it, and two-step decryption opens what they encrypted. Their encodings of fractions are not read here: an exponent or
scale is the sender's and the layout's business.
"""

from __future__ import annotations

from collections.abc import Iterable

from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import CiphertextVector, PublicParameters
from privml.errors import ParameterMismatchError


def from_paillier(parameters: PublicParameters, n: int, raw_ciphertexts: Iterable[int]) -> CiphertextVector:
    """Take Paillier ciphertexts c = (1 + mN) y^N mod N² as T1 (there is no T2).

    Parameters
    ----------
    parameters
        The public parameters.
    n
        The modulus of the Paillier key that encrypted.
    raw_ciphertexts
        Integers in [1, N²) coprime to N: python-paillier's `raw_encrypt`, or `ciphertext()` of its encrypted numbers.

    Raises
    ------
    ParameterMismatchError
        If n is not N.
    NotAUnitError
        If a ciphertext is no unit modulo N², or outside [1, N²).
    """
    if n != parameters.modulus:
        raise ParameterMismatchError("these Paillier ciphertexts are under another modulus")
    vector = CiphertextVector(parameters, tuple(Integer(c) for c in raw_ciphertexts))
    vector.check()
    return vector


def to_paillier(vector: CiphertextVector) -> list[int]:
    """Components T1 as Paillier ciphertexts under N.

    Whoever receives them may know what they were made from: rerandomise what was computed first.
    """
    return [int(t1) for t1 in vector.t1]
