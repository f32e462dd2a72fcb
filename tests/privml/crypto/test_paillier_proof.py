import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from phe import paillier

from privml.crypto import paillier_proof
from privml.crypto.arithmetic import Integer, inverse
from privml.crypto.dtpkc import CiphertextVector, KeyShare, PublicParameters
from privml.crypto.keygen import StrongKey
from privml.crypto.paillier import from_paillier
from privml.crypto.paillier_proof import PaillierProof, prove_paillier, verify_paillier
from privml.crypto.randomness import random_unit
from privml.crypto.transcript import encode
from privml.errors import ParameterMismatchError, ProofError, SettingError

CONTEXT = b"upload of a python-paillier sender"
PLAINTEXTS = [5, -7, 1 << 100]

Statement = tuple[CiphertextVector, PaillierProof]


def encrypt(parameters: PublicParameters, plaintexts: list[int]) -> tuple[CiphertextVector, list[Integer]]:
    key = paillier.PaillierPublicKey(int(parameters.modulus))
    roots = [random_unit(parameters.modulus) for _ in plaintexts]
    raw = [key.raw_encrypt(m % key.n, r_value=int(root)) for m, root in zip(plaintexts, roots, strict=True)]
    return from_paillier(parameters, key.n, raw), roots


@pytest.fixture(scope="module")
def statement(parameters: PublicParameters) -> Statement:
    vector, roots = encrypt(parameters, PLAINTEXTS)
    return vector, prove_paillier(vector, PLAINTEXTS, roots, CONTEXT)


def test_senders_of_python_paillier_convince(statement: Statement, key_shares: tuple[KeyShare, KeyShare]) -> None:
    vector, proof = statement
    verify_paillier(vector, proof, CONTEXT)
    master, secondary = key_shares
    assert secondary.complete(vector.t1, master.halves(vector.t1)) == PLAINTEXTS


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v, p: (v, replace(p, z_y=p.z_y + 1)),
        lambda v, p: (v, replace(p, z_y=Integer(0))),
        lambda v, p: (v, replace(p, z_y=p.z_y + v.parameters.modulus)),
        lambda v, p: (v, replace(p, z_m=p.z_m + 1)),
        lambda v, p: (v, replace(p, z_m=p.z_m + v.parameters.modulus)),
        lambda v, p: (v, replace(p, commitment=Integer(0))),
        lambda v, p: (v, replace(p, commitment=v.parameters.modulus)),
        lambda v, p: (v[:2], p),
        lambda v, p: (v[:0], p),
        lambda v, p: (v[::-1], p),
        lambda v, p: (v.add_plain([1, -1, 0]), p),
        lambda v, p: (v * 2, p),
        lambda v, p: (-v, p),
    ],
)
def test_spoilt_statements_are_refused(statement: Statement, spoil: Callable[..., Statement]) -> None:
    with pytest.raises(ProofError):
        verify_paillier(*spoil(*statement), CONTEXT)


def test_a_factor_of_n_is_refused(statement: Statement, strong_key: StrongKey) -> None:
    vector, proof = statement
    p, _ = strong_key.factors
    for spoilt in (replace(proof, z_y=p), replace(proof, commitment=p)):
        with pytest.raises(ProofError, match="out of range"):
            verify_paillier(vector, spoilt, CONTEXT)


def test_context_and_parameters_are_bound(statement: Statement, other_parameters: PublicParameters) -> None:
    vector, proof = statement
    with pytest.raises(ProofError):
        verify_paillier(vector, proof, b"another")
    with pytest.raises(ParameterMismatchError):
        verify_paillier(vector, replace(proof, parameters=other_parameters), CONTEXT)


def test_factors_cannot_move_between_ciphertexts(parameters: PublicParameters, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved() -> Statement:
        vector, roots = encrypt(parameters, [1, 2])
        proof = prove_paillier(vector, [1, 2], roots, CONTEXT)
        n2, x = parameters.modulus_squared, Integer(3)
        return replace(vector, t1=(vector.t1[0] * x % n2, vector.t1[1] * inverse(x, n2) % n2)), proof

    with pytest.raises(ProofError):
        verify_paillier(*moved(), CONTEXT)
    monkeypatch.setattr(paillier_proof, "_challenges", lambda *_: [Integer(1), Integer(1)])
    verify_paillier(*moved(), CONTEXT)


def test_the_challenges_are_fixed(statement: Statement) -> None:
    vector, _ = statement
    fields = encode(vector.parameters.modulus, CONTEXT, vector.t1, Integer(3))
    digest = hashlib.sha256(encode("privml", "paillier-plaintext", 1) + fields).digest()
    expected = [hashlib.sha256(digest + bytes(7) + bytes([i])).digest()[:16] for i in range(len(vector))]
    challenges = paillier_proof._challenges(vector, CONTEXT, Integer(3))
    assert [int(e).to_bytes(16, "big") for e in challenges] == expected


def test_provers_refuse_what_does_not_belong_together(parameters: PublicParameters) -> None:
    vector, roots = encrypt(parameters, [1, 2])
    with pytest.raises(SettingError):
        prove_paillier(vector, [1], roots, CONTEXT)
    with pytest.raises(SettingError):
        prove_paillier(vector[:0], [], [], CONTEXT)
