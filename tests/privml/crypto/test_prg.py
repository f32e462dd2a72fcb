import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st

from privml.crypto.prg import Stream, derive_key, expand
from privml.errors import SecretExposureError, SettingError

KEY = bytes(range(32))


def blocks(key: bytes, nonce: int, count: int) -> bytes:
    """The same stream by another road: single AES blocks of the counters."""
    cipher = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - one block at a time, as an oracle
    return cipher.update(b"".join(nonce.to_bytes(8, "big") + i.to_bytes(8, "big") for i in range(count)))


def test_the_block_cipher_is_that_of_sp_800_38a() -> None:
    # NIST SP 800-38A, F.5.5: the stream is E(counter), and plaintext xor ciphertext shows it.
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    plain = bytes.fromhex("6bc1bee22e409f96e93d7e117393172a" "ae2d8a571e03ac9c9eb76fac45af8e51")  # fmt: skip
    encrypted = bytes.fromhex("601ec313775789a5b7a7f504bbf3d228" "f443e3ca4d62b59aca84e990cacaf5c5")  # fmt: skip
    assert Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor().update(plain) == encrypted


def test_the_first_block_of_the_zero_key_is_the_published_one() -> None:
    assert expand(bytes(32), 0, 2).tobytes().hex() == "dc95c078a2408989ad48a21492842087"


@pytest.mark.parametrize("nonce", [0, 1, (1 << 64) - 1])
@pytest.mark.parametrize("words", [0, 1, 2, 7, 1000])
def test_a_stream_is_aes_of_its_counters(nonce: int, words: int) -> None:
    assert expand(KEY, nonce, words).tobytes() == blocks(KEY, nonce, (words + 1) // 2)[: 8 * words]


def test_the_format_is_fixed() -> None:
    assert expand(KEY, 7, 2).tolist() == [15142783912280544311, 5562061874622008719]


def test_long_arrays_continue_across_the_zero_block() -> None:
    long = expand(KEY, 3, 100_001)
    stream = Stream(KEY, 3)
    assert np.array_equal(np.concatenate([stream.words(n) for n in (40_000, 1, 60_000)]), long)
    assert long[-1:].tobytes() == blocks(KEY, 3, 50_001)[-16:-8]


@given(
    st.lists(st.tuples(st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64]), st.integers(0, 20)), max_size=6)
)
def test_draws_consume_exactly_their_bytes(draws: list[tuple[type[np.unsignedinteger], int]]) -> None:
    stream, rest = Stream(KEY, 5), blocks(KEY, 5, 60)
    for dtype, count in draws:
        array = stream.draw(count, dtype)
        assert array.dtype == dtype
        assert array.tobytes() == rest[: array.nbytes]
        rest = rest[array.nbytes :]


def test_shapes_are_as_asked_and_writable() -> None:
    array = Stream(KEY, 0).draw((2, 3), np.uint16)
    assert array.shape == (2, 3)
    array += np.uint16(1)
    assert expand(KEY, 0, ()).shape == ()
    assert expand(KEY, 0, (0, 5)).shape == (0, 5)


def test_keys_and_nonces_give_unrelated_streams() -> None:
    streams = [expand(KEY, 0, 50), expand(KEY, 1, 50), expand(bytes(32), 0, 50), expand(KEY, 1 << 63, 50)]
    assert len(np.unique(np.concatenate(streams))) == 200


def test_threads_share_the_zero_block() -> None:
    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda nonce: expand(KEY, nonce % 4, 80_000), range(24)))
    for nonce, result in enumerate(results):
        assert np.array_equal(result, results[nonce % 4])


@pytest.mark.parametrize(("key", "nonce"), [(bytes(31), 0), (bytes(16), 0), (KEY, -1), (KEY, 1 << 64)])
def test_streams_out_of_range_are_refused(key: bytes, nonce: int) -> None:
    with pytest.raises(SettingError):
        Stream(key, nonce)


def test_a_stream_gives_unsigned_integers_only() -> None:
    with pytest.raises(SettingError):
        Stream(KEY, 0).draw(3, np.float64)  # type: ignore[type-var]


def test_a_stream_stays_secret() -> None:
    with pytest.raises(SecretExposureError):
        pickle.dumps(Stream(KEY, 0))
    assert repr(Stream(KEY, 0)) == "Stream(...)"


def test_hkdf_is_that_of_rfc_5869() -> None:
    # Appendix A.3: without salt and info, which is what an empty sequence of fields gives.
    assert derive_key(b"\x0b" * 22, length=42).hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_the_derivation_is_fixed() -> None:
    assert derive_key(KEY, "label", 1, b"x").hex() == (
        "7df10d88981e8e9c13c645d05674b538eedfeaa4cf3f0d3420b1c93adc0dcf53"
    )


def test_derived_keys_are_separated_by_their_info() -> None:
    keys = [derive_key(KEY, *info) for info in [(), ("a",), ("a", "b"), ("ab",), (b"a",), (("a",),), (1,), ("1",)]]
    assert len({*keys, derive_key(bytes(32), "a")}) == len(keys) + 1


@pytest.mark.parametrize(("master", "length"), [(bytes(15), 32), (KEY, 0), (KEY, 8161)])
def test_derivations_out_of_range_are_refused(master: bytes, length: int) -> None:
    with pytest.raises(SettingError):
        derive_key(master, "a", length=length)


@given(st.lists(st.tuples(st.integers(0, (1 << 64) - 1), st.integers(0, 40)), max_size=6))
def test_a_stream_restarted_is_that_of_the_nonce(draws: list[tuple[int, int]]) -> None:
    """Wherever the stream before it was left, inside a block too."""
    stream = Stream(KEY, 0)
    for nonce, size in draws:
        assert stream.restart(nonce).octets(size).tobytes() == blocks(KEY, nonce, 3)[:size]


@pytest.mark.parametrize("nonce", [-1, 1 << 64])
def test_nonces_to_restart_at_have_eight_bytes(nonce: int) -> None:
    with pytest.raises(SettingError, match="nonce"):
        Stream(KEY, 0).restart(nonce)
