import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privml.crypto import plaintext_proof
from privml.crypto.arithmetic import Integer, inverse, power
from privml.crypto.dtpkc import CiphertextVector, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor, Openings
from privml.crypto.keygen import StrongKey
from privml.crypto.plaintext_proof import PlaintextProof, prove_plaintexts, verify_plaintexts
from privml.crypto.transcript import encode
from privml.errors import ParameterMismatchError, ProofError, SettingError

CONTEXT = b"provider, model, owner, upload"

Statement = tuple[CiphertextVector, PlaintextProof]


@pytest.fixture(scope="module")
def statement(encryptor: Encryptor) -> Statement:
    vector, openings = encryptor.encrypt_with_openings([3, -4, 1 << 200])
    return vector, prove_plaintexts(encryptor, vector, openings, CONTEXT)


@settings(max_examples=15)
@given(
    plaintexts=st.lists(st.integers(-(1 << 510), 1 << 510), min_size=1, max_size=5),
    full=st.booleans(),
    t2=st.booleans(),
)
def test_honest_senders_convince(owner_key: WeakPrivateKey, plaintexts: list[int], full: bool, t2: bool) -> None:
    encryptor = Encryptor(owner_key.public_key, exponent="full" if full else "short", window=4, with_t2=t2)
    vector, openings = encryptor.encrypt_with_openings(plaintexts)
    proof = prove_plaintexts(encryptor, vector, openings, CONTEXT)
    verify_plaintexts(owner_key.public_key, vector, proof, CONTEXT)
    assert (proof.a2 is None) == (not t2)


def test_a_large_chunk_has_one_proof(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    vector, openings = encryptor.encrypt_with_openings(range(300))
    proof = prove_plaintexts(encryptor, vector, openings, CONTEXT)
    verify_plaintexts(owner_key.public_key, vector, proof, CONTEXT)


@pytest.mark.parametrize(("count", "extra"), [(1, 0), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_the_mask_hides_the_sum_of_all_exponents(
    encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch, count: int, extra: int
) -> None:
    vector, openings = encryptor.encrypt_with_openings([0] * count)
    asked: list[int] = []

    def record(bits: int) -> Integer:
        asked.append(bits)
        return Integer(1)

    monkeypatch.setattr(plaintext_proof, "random_bits", record)
    prove_plaintexts(encryptor, vector, openings, CONTEXT)
    assert asked == [encryptor.randomness_bits + 128 + 80 + extra]


Spoil = Callable[[CiphertextVector, PlaintextProof], Statement]


def other_t1(vector: CiphertextVector, t1: Integer) -> CiphertextVector:
    return replace(vector, t1=(t1, *vector.t1[1:]))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v, p: (v, replace(p, z_r=p.z_r + 1)),
        lambda v, p: (v, replace(p, z_r=-p.z_r)),
        lambda v, p: (v, replace(p, z_r=p.z_r + (Integer(1) << 740))),
        lambda v, p: (v, replace(p, z_m=p.z_m + 1)),
        lambda v, p: (v, replace(p, z_m=p.z_m + v.parameters.modulus)),
        lambda v, p: (v, replace(p, z_m=p.z_m - v.parameters.modulus)),
        lambda v, p: (v, replace(p, a1=p.a1 + v.parameters.modulus_squared)),
        lambda v, p: (v, replace(p, a1=Integer(0))),
        lambda v, p: (v, replace(p, a2=v.parameters.modulus_squared - p.a2)),
        lambda v, p: (v, replace(p, a2=None)),
        lambda v, p: (replace(v, t2=None), p),
        lambda v, p: (replace(v, t2=None), replace(p, a2=None)),
        lambda v, p: (other_t1(v, v.parameters.modulus), p),
        lambda v, p: (other_t1(v, v.t1[0] + v.parameters.modulus_squared), p),
        lambda v, p: (v[:2], p),
        lambda v, p: (v[:0], p),
        lambda v, p: (v[::-1], p),
        lambda v, p: (v.add_plain([1, 0, 0]), p),
        lambda v, p: (v.add_plain([1, -1, 0]), p),
        lambda v, p: (v + v, p),
        lambda v, p: (-v, p),
    ],
)
def test_spoilt_statements_are_refused(owner_key: WeakPrivateKey, statement: Statement, spoil: Spoil) -> None:
    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, *spoil(*statement), CONTEXT)


def test_a_factor_of_n_is_refused(owner_key: WeakPrivateKey, statement: Statement, strong_key: StrongKey) -> None:
    vector, proof = statement
    p, _ = strong_key.factors
    with pytest.raises(ProofError, match="factor"):
        verify_plaintexts(owner_key.public_key, other_t1(vector, p), proof, CONTEXT)
    with pytest.raises(ProofError, match="factor"):
        verify_plaintexts(owner_key.public_key, vector, replace(proof, a1=p * p), CONTEXT)


def test_context_and_key_are_bound(owner_key: WeakPrivateKey, client_key: WeakPrivateKey, statement: Statement) -> None:
    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, *statement, CONTEXT + b"!")
    with pytest.raises(ProofError):
        verify_plaintexts(client_key.public_key, *statement, CONTEXT)


def test_other_parameters_are_refused(
    owner_key: WeakPrivateKey, statement: Statement, other_parameters: PublicParameters
) -> None:
    vector, proof = statement
    with pytest.raises(ParameterMismatchError):
        verify_plaintexts(owner_key.public_key, replace(vector, parameters=other_parameters), proof, CONTEXT)
    with pytest.raises(ParameterMismatchError):
        verify_plaintexts(owner_key.public_key, vector, replace(proof, parameters=other_parameters), CONTEXT)


def test_the_difference_of_two_ciphertexts_cannot_move(
    owner_key: WeakPrivateKey, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Moving a factor from one ciphertext to its neighbour leaves the plain product as it is: the batch needs
    # coefficients of its own for every element, and only those of the statement will do.
    def moved() -> tuple[CiphertextVector, PlaintextProof]:
        vector, openings = encryptor.encrypt_with_openings([5, 7])
        proof = prove_plaintexts(encryptor, vector, openings, CONTEXT)
        n2, x = vector.parameters.modulus_squared, Integer(3)
        t1 = (vector.t1[0] * x % n2, vector.t1[1] * inverse(x, n2) % n2)
        return replace(vector, t1=t1), proof

    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, *moved(), CONTEXT)
    monkeypatch.setattr(plaintext_proof, "_challenges", lambda *_: [Integer(1), Integer(1)])
    verify_plaintexts(owner_key.public_key, *moved(), CONTEXT)


def test_ciphertexts_chosen_after_the_challenges_are_refused(
    owner_key: WeakPrivateKey, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # V^{e_2} and V^{-e_1} cancel: were challenges independent of the ciphertexts, anything of a victim would do.
    key, n2 = owner_key.public_key, encryptor.parameters.modulus_squared
    victim, _ = encryptor.encrypt_with_openings([9])
    own, openings = encryptor.encrypt_with_openings([0, 0])
    assert victim.t2 is not None
    assert own.t2 is not None
    proof = prove_plaintexts(encryptor, own, openings, CONTEXT)
    first, second = plaintext_proof._challenges(key, own, CONTEXT, proof.a1, proof.a2)

    def shifted(elements: tuple[Integer, ...], by: Integer) -> tuple[Integer, ...]:
        return elements[0] * power(by, second, n2) % n2, elements[1] * power(by, -first, n2) % n2

    forgeries = [replace(own, t1=shifted(own.t1, victim.t1[0])), replace(own, t2=shifted(own.t2, victim.t2[0]))]
    for forged in forgeries:
        with pytest.raises(ProofError):
            verify_plaintexts(key, forged, proof, CONTEXT)
    monkeypatch.setattr(plaintext_proof, "_challenges", lambda *_: [first, second])
    for forged in forgeries:
        verify_plaintexts(key, forged, proof, CONTEXT)


def test_commitments_chosen_after_the_challenges_are_refused(
    owner_key: WeakPrivateKey, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The simulator's order: responses first, then the commitments that fit them. Nobody needs to know a plaintext.
    key, parameters, n2 = owner_key.public_key, encryptor.parameters, encryptor.parameters.modulus_squared
    vector, _ = encryptor.encrypt_with_openings([9])
    assert vector.t2 is not None
    z_r, z_m, guess = Integer(1 << 300), Integer(77), Integer(1)

    def forged(e: Integer) -> PlaintextProof:
        a1 = power(key.element, z_r, n2) * parameters.embed(z_m) * power(vector.t1[0], -e, n2) % n2
        a2 = power(parameters.generator, z_r, n2) * power(vector.t2[0], -e, n2) % n2 if vector.t2 else None
        return PlaintextProof(parameters, a1, a2, z_r, z_m)

    (e,) = plaintext_proof._challenges(key, vector, CONTEXT, guess, guess)
    with pytest.raises(ProofError):
        verify_plaintexts(key, vector, forged(e), CONTEXT)
    monkeypatch.setattr(plaintext_proof, "_challenges", lambda *_: [e])
    verify_plaintexts(key, vector, forged(e), CONTEXT)


def test_each_commitment_alone_comes_before_the_challenges(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    key, parameters, n2 = owner_key.public_key, encryptor.parameters, encryptor.parameters.modulus_squared
    vector, openings = encryptor.encrypt_with_openings([9])
    w, u, guess = Integer(1 << 400), Integer(3), Integer(1)
    a1, a2 = encryptor.key_power(w) * parameters.embed(u) % n2, encryptor.generator_power(w)
    # A1 afterwards: T2 is honest, T1 is anybody's.
    theirs = replace(vector, t1=(vector.t1[0] * 2 % n2,))
    (e,) = plaintext_proof._challenges(key, theirs, CONTEXT, guess, a2)
    z_r = w + e * openings.randomness[0]
    late = power(key.element, z_r, n2) * parameters.embed(u) * power(theirs.t1[0], -e, n2) % n2
    with pytest.raises(ProofError):
        verify_plaintexts(key, theirs, PlaintextProof(parameters, late, a2, z_r, u), CONTEXT)
    # A2 afterwards: T1 is honest, T2 is not.
    assert vector.t2 is not None
    theirs = replace(vector, t2=(vector.t2[0] * 2 % n2,))
    (e,) = plaintext_proof._challenges(key, theirs, CONTEXT, a1, guess)
    z_r, z_m = w + e * openings.randomness[0], u + e * 9
    late = power(parameters.generator, z_r, n2) * power(vector.t2[0] * 2, -e, n2) % n2
    with pytest.raises(ProofError):
        verify_plaintexts(key, theirs, PlaintextProof(parameters, a1, late, z_r, z_m), CONTEXT)


def test_the_challenges_are_fixed(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    key, parameters = owner_key.public_key, owner_key.parameters
    vector = encryptor.encrypt_vector([1, 2])
    n, g, h = parameters.modulus, parameters.generator, key.element
    for statement, a2 in ((vector, Integer(4)), (replace(vector, t2=None), None)):
        fields = encode(n, g, h, CONTEXT, statement.t1, statement.t2 or (), Integer(3), a2)
        digest = hashlib.sha256(encode("privml", "dtpkc-plaintext", 1) + fields).digest()
        expected = [hashlib.sha256(digest + bytes(7) + bytes([i])).digest()[:16] for i in range(2)]
        challenges = plaintext_proof._challenges(key, statement, CONTEXT, Integer(3), a2)
        assert [int(e).to_bytes(16, "big") for e in challenges] == expected


def test_a_response_beyond_its_range_is_refused_though_it_fits(
    owner_key: WeakPrivateKey, statement: Statement, strong_key: StrongKey
) -> None:
    # Whoever knows the group's order has many responses; one that is too long is nobody's honest one.
    vector, proof = statement
    p, q = strong_key.factors
    order = (p - 1) * (q - 1)
    verify_plaintexts(owner_key.public_key, vector, replace(proof, z_r=proof.z_r + order), CONTEXT)
    for z_r in (proof.z_r + order * (1 << 250), proof.z_r - order * (1 << 250)):
        with pytest.raises(ProofError, match="response"):
            verify_plaintexts(owner_key.public_key, vector, replace(proof, z_r=z_r), CONTEXT)


def test_a_ciphertext_has_one_form(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    # T1 + N^2 is T1 to every equation, but another upload to whoever compares bytes.
    vector, openings = encryptor.encrypt_with_openings([9])
    longer = other_t1(vector, vector.t1[0] + vector.parameters.modulus_squared)
    proof = prove_plaintexts(encryptor, longer, openings, CONTEXT)
    with pytest.raises(ProofError, match="outside"):
        verify_plaintexts(owner_key.public_key, longer, proof, CONTEXT)


def test_provers_refuse_what_does_not_belong_together(encryptor: Encryptor) -> None:
    vector, openings = encryptor.encrypt_with_openings([1, 2])
    with pytest.raises(SettingError):
        prove_plaintexts(encryptor, vector[:1], openings, CONTEXT)
    with pytest.raises(SettingError):
        prove_plaintexts(encryptor, vector[:0], Openings((), ()), CONTEXT)


def test_the_encryptor_of_another_key_proves_nothing(
    owner_key: WeakPrivateKey, client_key: WeakPrivateKey, encryptor: Encryptor
) -> None:
    vector, openings = encryptor.encrypt_with_openings([1])
    proof = prove_plaintexts(Encryptor(client_key.public_key, window=4), vector, openings, CONTEXT)
    for key in (owner_key, client_key):
        with pytest.raises(ProofError):
            verify_plaintexts(key.public_key, vector, proof, CONTEXT)
