from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from privml.crypto.dtpkc import KeyShare, WeakPrivateKey
from privml.crypto.envelope import Purpose, SealedArray, pad, seed_from_plaintext
from privml.crypto.fixed_base import Encryptor
from privml.crypto.sealer import Sealer, reopen
from privml.errors import ProofError, SettingError

SCHEMA = b"s" * 32


@pytest.fixture(scope="module")
def sealer(encryptor: Encryptor) -> Sealer:
    return Sealer(encryptor, "provider", "model", "alice", SCHEMA)


words = arrays.arrays(np.uint64, arrays.array_shapes(min_dims=0, min_side=0, max_side=5))


@settings(max_examples=25)
@given(array=words)
def test_the_units_hold_shares_and_the_owner_reopens(
    owner_key: WeakPrivateKey,
    key_shares: tuple[KeyShare, KeyShare],
    sealer: Sealer,
    array: np.typing.NDArray[np.uint64],
) -> None:
    before = array.copy()
    sealed = sealer.seal(array)
    assert np.array_equal(array, before)
    context = sealer.context(sealed.envelope.context.identifier)
    sealed.verify(owner_key.public_key, context)
    # The secondary unit opens the seed with the primary unit's half, and expands the pad.
    master, secondary = key_shares
    t1s = [sealed.envelope.seed.t1]
    (plaintext,) = secondary.complete(t1s, master.halves(t1s))
    share = pad(seed_from_plaintext(plaintext), Purpose.DATA, context, 0, array.shape)
    assert np.array_equal(sealed.payload + share, array)
    assert np.array_equal(reopen(owner_key, sealed, context), array)


def test_equal_uploads_look_unrelated(sealer: Sealer) -> None:
    array = np.zeros(100, dtype=np.uint64)
    first, second = sealer.seal(array, b"i" * 16), sealer.seal(array, b"i" * 16)
    assert not np.any(first.payload == second.payload)
    assert first.envelope.seed != second.envelope.seed


def test_a_payload_is_no_plain_array(sealer: Sealer) -> None:
    payload = sealer.seal(np.zeros(4096, dtype=np.uint64)).payload
    ones = sum(int(word).bit_count() for word in payload.tolist())
    assert abs(ones - 32 * 4096) < 6 * np.sqrt(16 * 4096)


def test_a_session_is_keyed_once(owner_key: WeakPrivateKey, sealer: Sealer) -> None:
    envelope, seed = sealer.open_session()
    assert seed_from_plaintext(owner_key.decrypt(envelope.seed)) == seed
    assert envelope.payload_digest is None
    assert sealer.open_session()[1] != seed
    assert sealer.open_session(b"i" * 16)[0].context == sealer.context(b"i" * 16)


def test_only_what_was_sealed_in_this_context_reopens(
    owner_key: WeakPrivateKey, client_key: WeakPrivateKey, sealer: Sealer
) -> None:
    sealed = sealer.seal(np.arange(5, dtype=np.uint64))
    context = sealed.envelope.context
    with pytest.raises(ProofError):
        reopen(owner_key, SealedArray(sealed.envelope, sealed.payload + np.uint64(1)), context)
    with pytest.raises(ProofError):
        reopen(owner_key, sealed, replace(context, model="another"))
    with pytest.raises(ProofError):
        reopen(client_key, sealed, context)


def test_sealing_takes_words_only(sealer: Sealer) -> None:
    for array in (np.zeros(3), np.zeros(3, dtype=np.int64), np.zeros(3, dtype=np.uint32)):
        with pytest.raises(SettingError):
            sealer.seal(array)  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        sealer.seal(np.zeros(3, dtype=np.uint64), b"short")


def test_a_sealer_checks_its_settings_at_once(owner_key: WeakPrivateKey, encryptor: Encryptor) -> None:
    with pytest.raises(SettingError):
        Sealer(encryptor, "", "model", "alice", SCHEMA)
    with pytest.raises(SettingError):
        Sealer(encryptor, "provider", "model", "alice", b"short")
    with pytest.raises(SettingError):
        Sealer(Encryptor(owner_key.public_key, with_t2=False), "provider", "model", "alice", SCHEMA)
