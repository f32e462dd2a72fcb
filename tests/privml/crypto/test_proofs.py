"""Attacks on uploads. Each is shown to work where its defence is missing, and to fail where it is not."""

from dataclasses import replace

import pytest

from privml.crypto import plaintext_proof, proofs
from privml.crypto.arithmetic import Integer, power
from privml.crypto.dtpkc import Ciphertext, CiphertextVector, KeyShare, PublicKey, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor, Openings
from privml.crypto.proofs import (
    KeyProof,
    PlaintextProof,
    prove_key,
    prove_plaintexts,
    verify_key,
    verify_plaintexts,
)
from privml.errors import DecryptionError, ProofError, RegistrationError

SECRET = 0xC0FFEE
ALICE, MALLORY = b"owner: alice", b"owner: mallory"

Shares = tuple[KeyShare, KeyShare]


def two_step(shares: Shares, vector: CiphertextVector) -> list[int]:
    master, secondary = shares
    return secondary.complete(vector.t1, master.halves(vector.t1))


def victims_upload(encryptor: Encryptor) -> tuple[CiphertextVector, PlaintextProof]:
    vector, openings = encryptor.encrypt_with_openings([SECRET])
    return vector, prove_plaintexts(encryptor, vector, openings, ALICE)


def test_the_victims_upload_itself_is_accepted(
    owner_key: WeakPrivateKey, encryptor: Encryptor, key_shares: Shares
) -> None:
    vector, proof = victims_upload(encryptor)
    verify_plaintexts(owner_key.public_key, vector, proof, ALICE)
    assert two_step(key_shares, vector) == [SECRET]


def test_a_victims_ciphertext_as_public_key(
    encryptor: Encryptor, client_key: WeakPrivateKey, key_shares: Shares
) -> None:
    vector, _ = victims_upload(encryptor)
    parameters = vector.parameters
    stolen = PublicKey(parameters, vector.t1[0])
    # Were it registered, the seed T1 = h^1 (1 + 0 N) would come with an honest proof of its plaintext 0, and two-step
    # decryption would open Alice's plaintext instead.
    seed = CiphertextVector(parameters, (stolen.element,), (parameters.generator,))
    openings = Openings((0,), (Integer(1),))
    proof = prove_plaintexts(Encryptor(stolen, window=4), seed, openings, MALLORY)
    verify_plaintexts(stolen, seed, proof, MALLORY)
    assert two_step(key_shares, seed) == [SECRET]
    # The registration is what fails: nobody knows a theta with h = g^theta, for there is none.
    n2 = parameters.modulus_squared
    attempts = [
        prove_key(client_key, "mallory"),
        KeyProof(parameters, power(parameters.generator, Integer(1 << 500), n2), Integer(1 << 500)),
        KeyProof(parameters, stolen.element, Integer(1)),
    ]
    for attempt in attempts:
        with pytest.raises(RegistrationError):
            verify_key(stolen, "mallory", attempt)


def without(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a defence away: the context from the hash, or the whole statement."""
    challenges = plaintext_proof._challenges
    if what == "context":
        monkeypatch.setattr(
            plaintext_proof, "_challenges", lambda key, vector, _, a1, a2: challenges(key, vector, b"", a1, a2)
        )
    else:
        monkeypatch.setattr(plaintext_proof, "_challenges", lambda *_: [Integer(0xE)])


def test_a_copy_under_another_name(
    owner_key: WeakPrivateKey, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector, proof = victims_upload(encryptor)
    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, vector, proof, MALLORY)
    without("context", monkeypatch)
    vector, proof = victims_upload(encryptor)
    verify_plaintexts(owner_key.public_key, vector, proof, MALLORY)


def test_a_copy_under_another_key(client_key: WeakPrivateKey, encryptor: Encryptor, key_shares: Shares) -> None:
    vector, proof = victims_upload(encryptor)
    with pytest.raises(ProofError):
        verify_plaintexts(client_key.public_key, vector, proof, MALLORY)
    # What the proof is needed for: two-step decryption opens the copy under whatever name.
    assert two_step(key_shares, vector) == [SECRET]


def raised(vector: CiphertextVector, proof: PlaintextProof, k: int) -> tuple[CiphertextVector, PlaintextProof]:
    n, n2 = vector.parameters.modulus, vector.parameters.modulus_squared
    assert proof.a2 is not None
    a1, a2 = (power(a, Integer(k), n2) for a in (proof.a1, proof.a2))
    return vector * k, replace(proof, a1=a1, a2=a2, z_r=k * proof.z_r, z_m=k * proof.z_m % n)


def test_a_power_of_a_victims_ciphertext(
    owner_key: WeakPrivateKey, encryptor: Encryptor, key_shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    vector, proof = raised(*victims_upload(encryptor), 2)
    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, vector, proof, ALICE)
    assert two_step(key_shares, vector) == [2 * SECRET]
    without("statement", monkeypatch)
    verify_plaintexts(owner_key.public_key, *raised(*victims_upload(encryptor), 2), ALICE)


def test_a_product_with_a_victims_ciphertext(
    owner_key: WeakPrivateKey, encryptor: Encryptor, key_shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    def product() -> tuple[CiphertextVector, PlaintextProof]:
        (theirs, their_proof), n2 = victims_upload(encryptor), encryptor.parameters.modulus_squared
        own, openings = encryptor.encrypt_with_openings([1])
        own_proof = prove_plaintexts(encryptor, own, openings, ALICE)
        assert own_proof.a2 is not None
        assert their_proof.a2 is not None
        return theirs + own, PlaintextProof(
            encryptor.parameters,
            their_proof.a1 * own_proof.a1 % n2,
            their_proof.a2 * own_proof.a2 % n2,
            their_proof.z_r + own_proof.z_r,
            (their_proof.z_m + own_proof.z_m) % encryptor.parameters.modulus,
        )

    vector, proof = product()
    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, vector, proof, ALICE)
    assert two_step(key_shares, vector) == [SECRET + 1]
    without("statement", monkeypatch)
    verify_plaintexts(owner_key.public_key, *product(), ALICE)


def test_cancelling_a_victims_upload(owner_key: WeakPrivateKey, encryptor: Encryptor, key_shares: Shares) -> None:
    vector, proof = victims_upload(encryptor)
    # Without a proof the inverse takes Alice's counts out of the sum.
    assert two_step(key_shares, vector + -vector) == [0]
    n, n2 = vector.parameters.modulus, vector.parameters.modulus_squared
    assert proof.a2 is not None
    a1, a2 = (power(a, Integer(-1), n2) for a in (proof.a1, proof.a2))
    for z_r in (proof.z_r, -proof.z_r):
        with pytest.raises(ProofError):
            verify_plaintexts(
                owner_key.public_key, -vector, replace(proof, a1=a1, a2=a2, z_r=z_r, z_m=-proof.z_m % n), ALICE
            )


def test_a_sign_moves_no_plaintext(owner_key: WeakPrivateKey, encryptor: Encryptor, key_shares: Shares) -> None:
    # The one thing that the proof leaves open: under an even challenge -T1 passes. It is the same plaintext.
    vector, openings = encryptor.encrypt_with_openings([SECRET])
    flipped = replace(vector, t1=(vector.parameters.modulus_squared - vector.t1[0],))
    outcomes = set()
    for attempt in range(64):
        proof = prove_plaintexts(encryptor, flipped, openings, attempt.to_bytes(1, "big"))
        try:
            verify_plaintexts(owner_key.public_key, flipped, proof, attempt.to_bytes(1, "big"))
            outcomes.add(True)
        except ProofError:
            outcomes.add(False)
    assert outcomes == {True, False}
    assert two_step(key_shares, flipped) == [SECRET]


def test_a_second_component_that_asks_for_theta(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    vector, proof = victims_upload(encryptor)
    parameters = vector.parameters
    assert vector.t2 is not None
    spoilt = replace(vector, t2=(vector.t2[0] * (1 + parameters.modulus) % parameters.modulus_squared,))
    # Without bounds the decryption would be theta's.
    shown = owner_key.decrypt(spoilt[0])
    assert (SECRET - shown - owner_key.theta) % parameters.modulus == 0
    bounds = (0, (1 << 256) - 1)
    with pytest.raises(DecryptionError) as out_of_range:
        owner_key.decrypt(spoilt[0], bounds)
    with pytest.raises(DecryptionError) as corrupt:
        owner_key.decrypt(Ciphertext(parameters, vector.t1[0], Integer(2)), bounds)
    assert str(out_of_range.value) == str(corrupt.value)
    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, spoilt, proof, ALICE)


def test_the_second_component_is_proven_too(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    vector, openings = encryptor.encrypt_with_openings([SECRET])
    assert vector.t2 is not None
    n2 = vector.parameters.modulus_squared
    spoilt = replace(vector, t2=(vector.t2[0] * vector.parameters.generator % n2,))
    proof = prove_plaintexts(encryptor, spoilt, openings, ALICE)
    with pytest.raises(ProofError):
        verify_plaintexts(owner_key.public_key, spoilt, proof, ALICE)
    # The same sender passes where T2 is left out of the statement.
    alone = replace(vector, t2=None)
    verify_plaintexts(owner_key.public_key, alone, prove_plaintexts(encryptor, alone, openings, ALICE), ALICE)


def test_the_public_names() -> None:
    assert sorted(proofs.__all__) == [
        "KeyProof",
        "PaillierProof",
        "PlaintextProof",
        "prove_key",
        "prove_paillier",
        "prove_plaintexts",
        "verify_key",
        "verify_paillier",
        "verify_plaintexts",
    ]
