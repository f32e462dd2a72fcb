from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from privml.crypto.dtpkc import PublicParameters, WeakPrivateKey
from privml.crypto.envelope import (
    Envelope,
    Purpose,
    SealContext,
    SealedArray,
    pad,
    payload_digest,
    proof_context,
    seed_from_plaintext,
    verify_envelope,
)
from privml.crypto.fixed_base import Encryptor
from privml.crypto.plaintext_proof import prove_plaintexts
from privml.crypto.sealer import Sealer
from privml.errors import DecryptionError, ParameterMismatchError, ProofError, SettingError

SEED = bytes(range(32))
CONTEXT = SealContext("provider", "model", "alice", b"k" * 32, b"s" * 32, b"i" * 16)


def test_the_derivation_of_pads_is_fixed() -> None:
    # Made by hand from HMAC and single AES blocks; a change would orphan every stored payload.
    assert pad(SEED, Purpose.DATA, CONTEXT, 0, (2,)).tolist() == [6347348320714558333, 18422675124004804136]
    assert pad(SEED, Purpose.ANSWER, CONTEXT, 9, (1, 1)).tolist() == [[11247470262058290595]]


def test_pads_of_different_anything_are_unrelated() -> None:
    others = [
        replace(CONTEXT, provider="provide"),
        replace(CONTEXT, model="rmodel"),
        replace(CONTEXT, owner="mallory"),
        replace(CONTEXT, key_digest=bytes(32)),
        replace(CONTEXT, identifier=bytes(16)),
        replace(CONTEXT, provider="providerm", model="odel"),
    ]
    pads = [
        pad(SEED, Purpose.DATA, CONTEXT, 0, (4, 3)),
        pad(bytes(32), Purpose.DATA, CONTEXT, 0, (4, 3)),
        pad(SEED, Purpose.QUERY, CONTEXT, 0, (4, 3)),
        pad(SEED, Purpose.ANSWER, CONTEXT, 0, (4, 3)),
        pad(SEED, Purpose.DATA, CONTEXT, 1, (4, 3)),
        pad(SEED, Purpose.DATA, CONTEXT, (1 << 64) - 1, (4, 3)),
        pad(SEED, Purpose.DATA, CONTEXT, 0, (3, 4)),
        pad(SEED, Purpose.DATA, CONTEXT, 0, (12,)),
        pad(SEED, Purpose.DATA, CONTEXT, 0, (2, 2, 3)),
        *(pad(SEED, Purpose.DATA, other, 0, (4, 3)) for other in others),
    ]
    assert len(np.unique(np.concatenate([p.ravel() for p in pads]))) == 12 * len(pads)


def test_a_pad_is_a_function_of_its_arguments() -> None:
    first, second = (pad(SEED, Purpose.QUERY, CONTEXT, 5, (30,)) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(("seed", "counter"), [(bytes(31), 0), (SEED, -1), (SEED, 1 << 64)])
def test_pads_out_of_range_are_refused(seed: bytes, counter: int) -> None:
    with pytest.raises(SettingError) as error:
        pad(seed, Purpose.DATA, CONTEXT, counter, (1,))
    assert seed.hex() not in str(error.value)


@pytest.mark.parametrize(
    "change",
    [
        {"provider": ""},
        {"model": "m" * 256},
        {"owner": "new\nline"},
        {"key_digest": bytes(31)},
        {"schema_digest": bytes(33)},
        {"identifier": bytes(15)},
    ],
)
def test_contexts_out_of_range_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        replace(CONTEXT, **change)


def test_plaintexts_that_are_seeds() -> None:
    assert seed_from_plaintext(0) == bytes(32)
    assert seed_from_plaintext(int.from_bytes(SEED, "big")) == SEED
    assert seed_from_plaintext((1 << 256) - 1) == b"\xff" * 32
    for plaintext in (-1, 1 << 256, 1 << 500, -(1 << 500)):
        with pytest.raises(DecryptionError) as error:
            seed_from_plaintext(plaintext)
        assert str(plaintext) not in str(error.value)


def test_the_digest_of_a_payload_is_that_of_its_words() -> None:
    payload = np.arange(12, dtype=np.uint64).reshape(3, 4)
    assert payload_digest(payload) == payload_digest(np.asfortranarray(payload)) == payload_digest(payload.ravel())
    assert payload_digest(payload.T) != payload_digest(payload)
    assert payload_digest(payload[:0]).hex().startswith("e3b0c44298fc1c14")  # SHA-256 of nothing
    assert payload_digest(payload[:, ::2]) == payload_digest(payload[:, ::2].copy())


@pytest.fixture(scope="module")
def sealed(encryptor: Encryptor) -> SealedArray:
    sealer = Sealer(encryptor, "provider", "model", "alice", b"s" * 32)
    return sealer.seal(np.arange(6, dtype=np.uint64).reshape(2, 3))


@pytest.fixture(scope="module")
def session(encryptor: Encryptor) -> Envelope:
    return Sealer(encryptor, "provider", "model", "alice", b"s" * 32).open_session()[0]


def test_honest_envelopes_verify(owner_key: WeakPrivateKey, sealed: SealedArray, session: Envelope) -> None:
    envelope = sealed.envelope
    sealed.verify(owner_key.public_key, envelope.context)
    verify_envelope(owner_key.public_key, envelope, envelope.payload_digest, envelope.context)
    verify_envelope(owner_key.public_key, session, None, session.context)


@pytest.mark.parametrize(
    "change",
    [
        {"provider": "another"},
        {"model": "another"},
        {"owner": "mallory"},
        {"schema_digest": bytes(32)},
        {"identifier": bytes(16)},
        {"key_digest": bytes(32)},
    ],
)
def test_an_envelope_fits_no_other_context(
    owner_key: WeakPrivateKey, sealed: SealedArray, session: Envelope, change: dict[str, Any]
) -> None:
    for envelope in (sealed.envelope, session):
        digest, other = envelope.payload_digest, replace(envelope.context, **change)
        with pytest.raises(ProofError, match="another owner"):
            verify_envelope(owner_key.public_key, envelope, digest, other)
        # Neither does it if its own words are changed along: the proof does not follow.
        with pytest.raises(ProofError):
            verify_envelope(owner_key.public_key, replace(envelope, context=other), digest, other)


@pytest.mark.parametrize(
    "change",
    [
        lambda e: replace(e, payload_digest=bytes(32)),
        lambda e: replace(e, shape=(3, 2)),
        lambda e: replace(e, payload_digest=None, shape=None),
        lambda e: replace(e, seed=replace(e.seed, t2=None)),
        lambda e: replace(e, seed=e.seed + e.seed),
        lambda e: replace(e, seed=e.seed.add_plain(1)),
        lambda e: replace(e, proof=replace(e.proof, a2=None)),
    ],
)
def test_changed_envelopes_are_refused(
    owner_key: WeakPrivateKey, sealed: SealedArray, change: Callable[[Envelope], Envelope]
) -> None:
    envelope = change(sealed.envelope)
    with pytest.raises(ProofError):
        verify_envelope(owner_key.public_key, envelope, envelope.payload_digest, envelope.context)


def test_an_envelope_fits_no_other_payload(owner_key: WeakPrivateKey, sealed: SealedArray, session: Envelope) -> None:
    envelope = sealed.envelope
    flipped = sealed.payload.copy()
    flipped[1, 2] ^= np.uint64(1)
    for payload in (flipped, sealed.payload.T, sealed.payload.ravel(), sealed.payload[:1]):
        with pytest.raises(ProofError):
            SealedArray(envelope, payload).verify(owner_key.public_key, envelope.context)
    with pytest.raises(ProofError, match="another payload"):
        verify_envelope(owner_key.public_key, envelope, None, envelope.context)
    with pytest.raises(ProofError, match="another payload"):
        verify_envelope(owner_key.public_key, session, envelope.payload_digest, session.context)
    with pytest.raises(ProofError):
        SealedArray(session, sealed.payload).verify(owner_key.public_key, session.context)


def test_an_envelope_fits_no_other_key(
    client_key: WeakPrivateKey, sealed: SealedArray, other_parameters: PublicParameters
) -> None:
    context = sealed.envelope.context
    with pytest.raises(ProofError):
        sealed.verify(client_key.public_key, context)
    with pytest.raises(ProofError):
        sealed.verify(client_key.public_key, replace(context, key_digest=client_key.public_key.digest))
    stranger = WeakPrivateKey.generate(other_parameters).public_key
    theirs = replace(context, key_digest=stranger.digest)
    foreign = SealedArray(replace(sealed.envelope, context=theirs), sealed.payload)
    with pytest.raises(ParameterMismatchError):
        foreign.verify(stranger, theirs)


def test_the_key_in_the_context_is_the_key_of_the_proof(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    # The pad derives from the digest: under a digest of something else the sender's pad would be nobody's.
    vector, openings = encryptor.encrypt_with_openings([5])
    proof = prove_plaintexts(encryptor, vector, openings, proof_context(CONTEXT, None, None))
    with pytest.raises(ProofError, match="another owner, key"):
        verify_envelope(owner_key.public_key, Envelope(CONTEXT, vector[0], proof), None, CONTEXT)


def test_digest_and_shape_go_together(sealed: SealedArray) -> None:
    for change in ({"shape": None}, {"payload_digest": None}, {"payload_digest": bytes(31)}):
        with pytest.raises(SettingError):
            replace(sealed.envelope, **change)
