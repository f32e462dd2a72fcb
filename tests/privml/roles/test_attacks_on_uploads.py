"""Mallory, registered like everybody else, wants to read, copy, multiply or cancel what alice uploaded.

Every attack fails, and the same attack succeeds where the defence that stops it is taken away: so it is that defence.
Mallory may look over the Secondary's shoulder, never over both units'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from classifiers.naive_bayes import NaiveBayes
from privml import DataOwner, ModelCard, Provider
from privml.crypto import envelope as envelope_module
from privml.crypto import registry as registry_module
from privml.crypto import wire_fields
from privml.crypto.arithmetic import Integer, inverse, power
from privml.crypto.ciphertext import Ciphertext, CiphertextVector
from privml.crypto.dtpkc import PublicKey, PublicParameters
from privml.crypto.envelope import Envelope, SealContext, SealedArray, payload_digest, proof_context
from privml.crypto.fixed_base import Encryptor, Openings
from privml.crypto.keygen import StrongKey
from privml.crypto.packing import PackedCiphertext
from privml.crypto.plaintext_proof import PlaintextProof, prove_plaintexts
from privml.crypto.randomness import random_bytes
from privml.crypto.registry import KeyRegistration
from privml.crypto.sealer import reopen
from privml.crypto.wire import dumps, loads
from privml.errors import (
    DecryptionError,
    DuplicateUploadError,
    MalformedError,
    NotAUnitError,
    PrivMLError,
    ProofError,
    RegistrationError,
    ValidationError,
)
from privml.roles import agreement as agreement_module
from privml.roles import messages as messages_module
from privml.roles.messages import HomomorphicUpload
from privml.roles.station import Station
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit
from tests.privml.roles.world import Tap, columns, encoded, learned, statistics, unharmed

TABLE = columns(12)


def no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away: every ciphertext from outside carries a proof of plaintext knowledge."""
    for module in (messages_module, envelope_module):
        monkeypatch.setattr(module, "verify_plaintexts", lambda *_: None)


def no_key_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away: who registers a key knows theta."""
    monkeypatch.setattr(registry_module, "verify_key", lambda *_: None)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What the Secondary decrypted: mallory sees it too."""
    seen: list[int] = []
    original = open_to_secondary

    def watched(unit: Unit, vector: CiphertextVector | None, count: int) -> list[int] | None:
        plaintexts = original(unit, vector, count)
        seen.extend(plaintexts or [])
        return plaintexts

    monkeypatch.setattr(agreement_module, "open_to_secondary", watched)
    return seen


@pytest.fixture
def upload(alice: DataOwner, card: ModelCard, tap: Tap) -> HomomorphicUpload:
    """What mallory saw of alice: one homomorphic upload, taken by the provider."""
    alice.upload(card, TABLE, path="homomorphic")
    return loads(tap.last("upload"), HomomorphicUpload, card.parameters)


def secret_of(upload: HomomorphicUpload, card: ModelCard) -> int:
    """Alice's first plaintext: packed counts."""
    return card.layout.pack(statistics(TABLE).reshape(-1), card.parameters)[0]


def as_seed(t1: Integer, t2: Integer, proof: PlaintextProof, mallory: DataOwner, card: ModelCard) -> bytes:
    """An upload of mallory's whose seed is a ciphertext of mallory's choice."""
    context = SealContext(
        card.provider, card.model, "mallory", mallory.key.public_key.digest, card.digest, random_bytes(16)
    )
    payload = np.zeros((1, card.row_width), np.uint64)
    seed = Ciphertext(card.parameters, t1, t2)
    return dumps(SealedArray(Envelope(context, seed, proof, payload_digest(payload), payload.shape), payload))


def renamed(upload: HomomorphicUpload, t1s: Iterator[Integer] | list[Integer], mallory: DataOwner) -> bytes:
    """Alice's ciphertexts, or what was made of them, as an upload of mallory's."""
    context = replace(
        upload.context, owner="mallory", key_digest=mallory.key.public_key.digest, identifier=random_bytes(16)
    )
    vector = CiphertextVector(upload.packed.parameters, tuple(t1s))
    return dumps(replace(upload, context=context, packed=replace(upload.packed, vector=vector)))


class TestReading:
    """Two-step decryption opens seeds to the Secondary: mallory would like to have alice's plaintext opened as one."""

    def test_a_ciphertext_replayed_as_a_seed(
        self, upload: HomomorphicUpload, mallory: DataOwner, card: ModelCard, provider: Provider, opened: list[int]
    ) -> None:
        t1 = upload.packed.vector.t1[0]
        with unharmed(provider, ProofError):
            provider.upload(as_seed(t1, t1, replace(upload.proof, a2=upload.proof.a1), mallory, card))
        assert not opened

    def test_it_works_without_the_proof_of_plaintext_knowledge(
        self,
        upload: HomomorphicUpload,
        mallory: DataOwner,
        card: ModelCard,
        provider: Provider,
        opened: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        no_proof(monkeypatch)
        t1 = upload.packed.vector.t1[0]
        with pytest.raises(PrivMLError):  # 500 bits are no seed, but the Secondary has seen them by then
            provider.upload(as_seed(t1, t1, replace(upload.proof, a2=upload.proof.a1), mallory, card))
        assert opened == [secret_of(upload, card)]

    @staticmethod
    def _with_key_of(t1: Integer, mallory: DataOwner, card: ModelCard) -> tuple[bytes, Callable[[], bytes]]:
        """Register T1 = h^r (1 + mN) as "h"; then (T1, g) encrypts 0 under it, which r = 1 proves honestly."""
        stolen = PublicKey(card.parameters, t1)
        honest = KeyRegistration.create(mallory.key, "eve")
        registration = replace(honest, public_key=stolen)

        def sealed() -> bytes:
            encryptor = Encryptor(stolen)
            context = SealContext(card.provider, card.model, "eve", stolen.digest, card.digest, random_bytes(16))
            payload = np.zeros((1, card.row_width), np.uint64)
            seed = Ciphertext(card.parameters, t1, card.parameters.generator)
            vector, openings = CiphertextVector.of(card.parameters, [seed]), Openings((0,), (Integer(1),))
            bound = proof_context(context, payload_digest(payload), payload.shape)
            proof = prove_plaintexts(encryptor, vector, openings, bound)
            return dumps(SealedArray(Envelope(context, seed, proof, payload_digest(payload), payload.shape), payload))

        return dumps(registration), sealed

    def test_a_public_key_made_from_a_ciphertext(
        self, upload: HomomorphicUpload, mallory: DataOwner, card: ModelCard, provider: Provider, opened: list[int]
    ) -> None:
        registration, sealed = self._with_key_of(upload.packed.vector.t1[0], mallory, card)
        with unharmed(provider, RegistrationError):
            provider.register(registration)
        assert all("eve" not in station.registry for station in provider.stations)
        with unharmed(provider, RegistrationError):
            provider.upload(sealed())
        assert not opened

    def test_it_works_without_the_proof_of_theta(
        self,
        upload: HomomorphicUpload,
        mallory: DataOwner,
        card: ModelCard,
        provider: Provider,
        opened: list[int],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        no_key_proof(monkeypatch)
        registration, sealed = self._with_key_of(upload.packed.vector.t1[0], mallory, card)
        provider.register(registration)
        with pytest.raises(PrivMLError):
            provider.upload(sealed())
        assert opened == [secret_of(upload, card)]

    def test_a_registration_in_another_name(self, alice: DataOwner, tap: Tap, provider: Provider) -> None:
        registration = loads(tap.last("register"), KeyRegistration, provider.parameters)
        with pytest.raises(RegistrationError):
            provider.register(dumps(replace(registration, identity="alice2")))

    def test_a_key_that_another_has_registered_first(
        self, alice: DataOwner, mallory: DataOwner, provider: Provider
    ) -> None:
        registration = KeyRegistration.create(mallory.key, "alice")
        with pytest.raises(RegistrationError, match="another key"):
            provider.register(dumps(registration))


TRICKS: dict[str, tuple[Callable[[Integer, Integer], Integer], int]] = {
    "copied": (lambda t1, n2: t1, 1),
    "raised to a power": (lambda t1, n2: power(t1, 3, n2), 3),
    "cancelled": (inverse, -1),
}
"""What mallory makes of alice's T1, and by how much that multiplies what she counted."""


class TestUsing:
    """Mallory cannot read alice's counts, but would like to count them as her own."""

    @pytest.mark.parametrize(("trick", "factor"), TRICKS.values(), ids=TRICKS)
    def test_a_ciphertext_of_somebody_else(
        self,
        trick: Callable[[Integer, Integer], Integer],
        factor: int,
        upload: HomomorphicUpload,
        mallory: DataOwner,
        provider: Provider,
    ) -> None:
        n2 = provider.parameters.modulus_squared
        message = renamed(upload, [trick(t1, n2) for t1 in upload.packed.vector.t1], mallory)
        with unharmed(provider, ProofError):
            provider.upload(message)

    @pytest.mark.parametrize(("trick", "factor"), TRICKS.values(), ids=TRICKS)
    def test_it_works_without_the_proof_of_plaintext_knowledge(
        self,
        trick: Callable[[Integer, Integer], Integer],
        factor: int,
        upload: HomomorphicUpload,
        mallory: DataOwner,
        provider: Provider,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        no_proof(monkeypatch)
        n2 = provider.parameters.modulus_squared
        stolen = renamed(upload, [trick(t1, n2) for t1 in upload.packed.vector.t1], mallory)
        if factor == 1:
            provider.upload(stolen)
            np.testing.assert_array_equal(learned(provider), 2 * statistics(TABLE))
        else:  # other multiples are no counts of so many records
            with unharmed(provider, ValidationError):
                provider.upload(stolen)

    def test_rerandomised_it_is_no_less_stolen(
        self, upload: HomomorphicUpload, mallory: DataOwner, provider: Provider
    ) -> None:
        hidden = Encryptor(mallory.key.public_key).rerandomise_vector(upload.packed.vector)
        with unharmed(provider, ProofError):
            provider.upload(renamed(upload, list(hidden.t1), mallory))

    def test_the_same_message_again(self, upload: HomomorphicUpload, tap: Tap, provider: Provider) -> None:
        with unharmed(provider, DuplicateUploadError):
            provider.upload(tap.last("upload"))

    def test_it_works_without_the_books(
        self, upload: HomomorphicUpload, tap: Tap, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Station, "_check_new", lambda *_: None)
        with unharmed(provider, DuplicateUploadError):  # the classifier keeps books of its own
            provider.upload(tap.last("upload"))
        monkeypatch.setattr(NaiveBayes, "admit", lambda *_: None)
        provider.upload(tap.last("upload"))
        np.testing.assert_array_equal(learned(provider), 2 * statistics(TABLE))

    @pytest.mark.parametrize("path", ["sealed", "homomorphic"])
    def test_an_upload_under_another_id(
        self, path: str, alice: DataOwner, card: ModelCard, tap: Tap, provider: Provider
    ) -> None:
        """Else a replay would be a new upload."""
        alice.upload(card, TABLE, path=path)  # type: ignore[arg-type]
        forged: object
        if path == "sealed":
            sealed = loads(tap.last("upload"), SealedArray, card.parameters)
            context = replace(sealed.envelope.context, identifier=random_bytes(16))
            forged = replace(sealed, envelope=replace(sealed.envelope, context=context))
        else:
            upload = loads(tap.last("upload"), HomomorphicUpload, card.parameters)
            forged = replace(upload, context=replace(upload.context, identifier=random_bytes(16)))
        with unharmed(provider, ProofError):
            provider.upload(dumps(forged))

    def test_a_payload_that_was_changed_on_its_way(
        self, alice: DataOwner, card: ModelCard, tap: Tap, provider: Provider
    ) -> None:
        """The pad is malleable: whoever adds to a word of the payload adds to the word."""
        sealed = loads(alice.seal(card, encoded(TABLE), random_bytes(16)), SealedArray, card.parameters)
        changed = sealed.payload.copy()
        changed[0, 0] += np.uint64(1)
        with unharmed(provider, ProofError):
            provider.upload(dumps(replace(sealed, payload=changed)))
        with unharmed(provider, ProofError):
            digest = replace(sealed.envelope, payload_digest=payload_digest(changed))
            provider.upload(dumps(SealedArray(digest, changed)))

    def test_the_number_of_records_is_bound_too(self, alice: DataOwner, card: ModelCard, provider: Provider) -> None:
        upload = loads(alice.encrypt(card, encoded(TABLE), random_bytes(16)), HomomorphicUpload, card.parameters)
        with unharmed(provider, ProofError):
            provider.upload(dumps(replace(upload, rows=upload.rows + 1)))


class TestT2:
    """(T1, T2 (1 + N)) decrypts to m - theta: whoever reopens it and lets the result be seen gives theta away."""

    def test_in_an_answer(self, alice: DataOwner, card: ModelCard, tap: Tap, provider: Provider) -> None:
        alice.upload(card, TABLE)
        n, n2 = provider.parameters.modulus, provider.parameters.modulus_squared
        packed = loads(provider.reveal("things", "alice"), PackedCiphertext, provider.parameters)
        vector = packed.vector
        assert vector.t2 is not None
        forged = CiphertextVector(vector.parameters, vector.t1, tuple(t2 * (1 + n) % n2 for t2 in vector.t2))
        tap.change_answer = lambda _: dumps(replace(packed, vector=forged))
        with pytest.raises(DecryptionError):
            alice.read_model(card)
        # without the check against the layout the numbers are theta's
        honest, leaking = (alice.key.decrypt_vector(each) for each in (vector, forged))
        assert {(m - leak) % n for m, leak in zip(honest, leaking, strict=True)} == {alice.key.theta}

    def test_in_a_seed(
        self, alice: DataOwner, card: ModelCard, tap: Tap, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sealed = loads(alice.seal(card, encoded(TABLE), random_bytes(16)), SealedArray, card.parameters)
        seed, n = sealed.envelope.seed, provider.parameters.modulus
        assert seed.t2 is not None
        forged_seed = replace(seed, t2=seed.t2 * (1 + n) % provider.parameters.modulus_squared)
        forged = replace(sealed, envelope=replace(sealed.envelope, seed=forged_seed))
        with unharmed(provider, ProofError):
            provider.upload(dumps(forged))
        context = sealed.envelope.context
        with pytest.raises(ProofError):
            reopen(alice.key, forged, context)
        no_proof(monkeypatch)
        with pytest.raises(DecryptionError):  # and if the proof were not, the range of a seed still is
            reopen(alice.key, forged, context)
        assert (alice.key.decrypt(seed) - alice.key.decrypt(forged_seed)) % n == alice.key.theta


class TestNonUnits:
    """Multiples of a prime of N, or of N: they have no inverse, and whoever computes with one falls over or says p."""

    @pytest.fixture(params=["N", "a multiple of p", "zero", "N squared"])
    def element(self, request: pytest.FixtureRequest, strong_key: StrongKey) -> Integer:
        n, p = strong_key.parameters.modulus, strong_key.factors[0]
        elements = {"N": n, "a multiple of p": 12345 * p, "zero": Integer(0), "N squared": n * n}
        return elements[str(request.param)]

    def test_in_an_upload(
        self, element: Integer, upload: HomomorphicUpload, mallory: DataOwner, provider: Provider
    ) -> None:
        with unharmed(provider, MalformedError):
            provider.upload(renamed(upload, [element] * len(upload.packed.vector), mallory))

    def test_in_a_registration(self, element: Integer, mallory: DataOwner, provider: Provider, card: ModelCard) -> None:
        registration = KeyRegistration.create(mallory.key, "eve")
        key = registration.public_key
        object.__setattr__(key, "element", element)
        with unharmed(provider, MalformedError):
            provider.register(dumps(registration))
        registration = KeyRegistration.create(mallory.key, "eve")
        object.__setattr__(registration.proof, "commitment", element)
        with unharmed(provider, MalformedError):
            provider.register(dumps(registration))

    def test_without_the_checks_it_is_noticed_later(
        self,
        upload: HomomorphicUpload,
        mallory: DataOwner,
        provider: Provider,
        strong_key: StrongKey,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """The chunk is converted by itself: it fails alone, and leaves nothing behind."""
        monkeypatch.setattr(wire_fields, "are_units", lambda *_: True)
        no_proof(monkeypatch)
        with pytest.raises(NotAUnitError):
            provider.upload(renamed(upload, [strong_key.factors[0] * 12345] * len(upload.packed.vector), mallory))
        np.testing.assert_array_equal(learned(provider), statistics(TABLE))


def test_parameters_of_another_deployment(
    other_parameters: PublicParameters, upload: HomomorphicUpload, provider: Provider
) -> None:
    vector = replace(upload.packed.vector, parameters=other_parameters)
    with unharmed(provider, PrivMLError, match="parameters"):
        provider.upload(dumps(replace(upload, packed=replace(upload.packed, vector=vector))))
