import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from privml.crypto import schnorr
from privml.crypto.arithmetic import Integer, inverse, power
from privml.crypto.dtpkc import PublicKey, PublicParameters, WeakPrivateKey
from privml.crypto.key_proof import KeyProof, prove_key, verify_key
from privml.crypto.keygen import StrongKey
from privml.crypto.transcript import encode
from privml.errors import RegistrationError, SettingError


@pytest.fixture(scope="module")
def proof(owner_key: WeakPrivateKey) -> KeyProof:
    return prove_key(owner_key, "alice")


def test_the_holder_of_theta_convinces(owner_key: WeakPrivateKey, proof: KeyProof) -> None:
    verify_key(owner_key.public_key, "alice", proof)


def test_proofs_are_fresh(owner_key: WeakPrivateKey, proof: KeyProof) -> None:
    assert prove_key(owner_key, "alice") != proof


def test_the_mask_is_208_bits_longer_than_theta(owner_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def record(bits: int) -> Integer:
        asked.append(bits)
        return Integer(1)

    monkeypatch.setattr(schnorr, "random_bits", record)
    prove_key(owner_key, "alice")
    assert asked == [owner_key.parameters.bits - 1 + 208]


def test_the_proof_is_bound_to_the_identity(
    owner_key: WeakPrivateKey, proof: KeyProof, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RegistrationError, match="mallory"):
        verify_key(owner_key.public_key, "mallory", proof)
    # Without the identity in the hash Mallory takes over Alice's registration.
    challenge = schnorr._challenge
    monkeypatch.setattr(schnorr, "_challenge", lambda key, label, _, commitment: challenge(key, label, (), commitment))
    verify_key(owner_key.public_key, "mallory", prove_key(owner_key, "alice"))


def test_the_proof_is_bound_to_the_key(client_key: WeakPrivateKey, proof: KeyProof) -> None:
    with pytest.raises(RegistrationError):
        verify_key(client_key.public_key, "alice", proof)


def test_a_key_made_of_a_registered_one_is_refused(
    owner_key: WeakPrivateKey, proof: KeyProof, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = owner_key.parameters
    squared = PublicKey(parameters, power(owner_key.public_key.element, Integer(2), parameters.modulus_squared))
    doubled = KeyProof(parameters, power(proof.commitment, Integer(2), parameters.modulus_squared), 2 * proof.response)
    with pytest.raises(RegistrationError):
        verify_key(squared, "alice", doubled)
    # With a challenge that does not depend on the key the doubled proof would hold.
    monkeypatch.setattr(schnorr, "_challenge", lambda *_: 12345)
    fixed = prove_key(owner_key, "alice")
    doubled = KeyProof(parameters, power(fixed.commitment, Integer(2), parameters.modulus_squared), 2 * fixed.response)
    verify_key(squared, "alice", doubled)


def test_a_commitment_chosen_after_the_challenge_is_refused(
    owner_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The simulator's order, z first, needs the challenge before the commitment.
    parameters, key = owner_key.parameters, owner_key.public_key
    e, z = schnorr._challenge(key, "dtpkc-key", ("alice",), Integer(1)), Integer(1 << 300)
    n2 = parameters.modulus_squared
    commitment = power(parameters.generator, z, n2) * inverse(power(key.element, Integer(e), n2), n2) % n2
    forged = KeyProof(parameters, commitment, z)
    with pytest.raises(RegistrationError):
        verify_key(key, "alice", forged)
    monkeypatch.setattr(schnorr, "_challenge", lambda *_: e)
    verify_key(key, "alice", forged)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda proof: replace(proof, response=proof.response + 1),
        lambda proof: replace(proof, response=-proof.response),
        lambda proof: replace(proof, response=proof.response + (Integer(1) << (512 + 208))),
        lambda proof: replace(proof, commitment=Integer(0)),
        lambda proof: replace(proof, commitment=proof.commitment + proof.parameters.modulus_squared),
        lambda proof: replace(proof, commitment=proof.parameters.modulus),
        lambda proof: replace(proof, commitment=proof.parameters.modulus_squared - proof.commitment),
    ],
)
def test_spoilt_proofs_are_refused(
    owner_key: WeakPrivateKey, proof: KeyProof, spoil: Callable[[KeyProof], KeyProof]
) -> None:
    with pytest.raises(RegistrationError):
        verify_key(owner_key.public_key, "alice", spoil(proof))


def test_a_response_beyond_its_range_is_refused_though_it_fits(
    owner_key: WeakPrivateKey, proof: KeyProof, strong_key: StrongKey
) -> None:
    p, q = strong_key.factors
    order = (p - 1) * (q - 1)
    verify_key(owner_key.public_key, "alice", replace(proof, response=proof.response + order))
    for response in (proof.response + (order << 220), proof.response - (order << 220)):
        with pytest.raises(RegistrationError):
            verify_key(owner_key.public_key, "alice", replace(proof, response=response))


def test_the_challenge_is_fixed(owner_key: WeakPrivateKey) -> None:
    key, parameters = owner_key.public_key, owner_key.parameters
    fields = encode(parameters.modulus, parameters.generator, key.element, "alice", Integer(3))
    digest = hashlib.sha256(encode("privml", "dtpkc-key", 1) + fields).digest()
    expected = int.from_bytes(hashlib.sha256(digest + bytes(8)).digest()[:16], "big")
    assert schnorr._challenge(key, "dtpkc-key", ("alice",), Integer(3)) == expected


def test_a_proof_for_another_purpose_registers_nobody(owner_key: WeakPrivateKey) -> None:
    with pytest.raises(RegistrationError):
        verify_key(owner_key.public_key, "alice", schnorr.prove(owner_key, "dtpkc-request", "alice"))


def unchecked_key(parameters: PublicParameters, element: Integer) -> PublicKey:
    """A public key past its constructor, which refuses most of these itself."""
    key = object.__new__(PublicKey)
    for name, value in (("parameters", parameters), ("element", element), ("digest", bytes(32))):
        object.__setattr__(key, name, value)
    return key


def test_trivial_keys_and_non_units_are_refused(strong_key: StrongKey) -> None:
    parameters, (p, _) = strong_key.parameters, strong_key.factors
    n2 = parameters.modulus_squared
    response = Integer(5)
    commitment = power(parameters.generator, response, n2)  # with h = 1 this holds for every challenge
    for element in (Integer(1), n2 - 1, Integer(0), p, parameters.modulus, n2, n2 + 1):
        with pytest.raises(RegistrationError):
            verify_key(unchecked_key(parameters, element), "alice", KeyProof(parameters, commitment, response))


def test_other_parameters_are_refused(
    owner_key: WeakPrivateKey, proof: KeyProof, other_parameters: PublicParameters
) -> None:
    with pytest.raises(RegistrationError, match="other public parameters"):
        verify_key(owner_key.public_key, "alice", replace(proof, parameters=other_parameters))


@pytest.mark.parametrize("identity", ["", "a" * 256, "é" * 128, "line\nbreak", "\ud800"])
def test_identities_out_of_range_are_refused(owner_key: WeakPrivateKey, proof: KeyProof, identity: str) -> None:
    with pytest.raises(SettingError):
        prove_key(owner_key, identity)
    with pytest.raises(RegistrationError):
        verify_key(owner_key.public_key, identity, proof)
