"""Encrypted numbers: homomorphic arithmetic that keeps account of scale and range, and is read exactly."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from building_blocks.ciphertexts.numbers import EncryptedNumbers
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.errors import DecryptionError, PlaintextRangeError, RangeError, ScaleError, SettingError

TOP = 2**62 - 1
laws = settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.lists(st.integers(-(2**40), 2**40), min_size=6, max_size=6).map(lambda v: np.array(v).reshape(2, 3))


@laws
@given(x=VALUES, y=VALUES, k=st.integers(-(2**20), 2**20))
def test_arithmetic_is_that_of_the_integers(
    x: np.ndarray, y: np.ndarray, k: int, encryptor: Encryptor, owner_key: WeakPrivateKey
) -> None:
    a, b = (EncryptedNumbers.encrypt(v, encryptor, 2**40) for v in (x, y))
    for got, expected in (
        (a + b, x + y),
        (a - b, x - y),
        (-a, -x),
        (a * k, x * k),
        (np.array([k, 0, -1]) * a, x * np.array([k, 0, -1])),
        (a + b[0], x + y[0]),
        (a[:, 1:], x[:, 1:]),
        (a[1, 2], x[1, 2]),
        (a.reshape(3, -1) - b.reshape(3, 2), (x - y).reshape(3, 2)),
    ):
        np.testing.assert_array_equal(got.decrypt(owner_key), expected)
        assert got.shape == np.shape(expected)
        assert got.bound >= np.abs(expected).max()


def test_without_ciphertexts_the_same_is_public(encryptor: Encryptor) -> None:
    x, y = (EncryptedNumbers.encrypt(np.zeros(shape, int), encryptor, 9, 3) for shape in ((2, 3), (3,)))
    p, q = x.without_ciphertexts(), y.without_ciphertexts()
    assert p.vector is None
    for here, there in ((x + y, p + q), (x - y, p - q), (-x, -p), (x * -3, p * -3), (x[0], p[0])):
        assert here.vector is not None
        assert here.without_ciphertexts() == there
        assert there.vector is None


def test_ranges_add_up(encryptor: Encryptor) -> None:
    x = EncryptedNumbers(None, (2,), 2**61)
    assert (x * 1 - EncryptedNumbers(None, (2,), 5)).bound == 2**61 + 5
    with pytest.raises(RangeError):
        x + x
    with pytest.raises(RangeError):
        x * -2
    with pytest.raises(RangeError):
        EncryptedNumbers(None, (2,), 2**62)
    with pytest.raises(PlaintextRangeError, match="declared 5"):
        EncryptedNumbers.encrypt([-6, 0], encryptor, 5)


def test_what_does_not_go_together(encryptor: Encryptor) -> None:
    x = EncryptedNumbers.encrypt([1, 2], encryptor, 5)
    with pytest.raises(ScaleError):
        x + EncryptedNumbers.encrypt([1, 2], encryptor, 5, 1)
    with pytest.raises(SettingError, match=r"\(2,\) and \(3,\)"):
        x + EncryptedNumbers.encrypt([1, 2, 3], encryptor, 5)
    with pytest.raises(SettingError, match="ciphertexts here"):
        x + x.without_ciphertexts()
    with pytest.raises(SettingError, match="needs 3 ciphertexts, not 2"):
        EncryptedNumbers(x.vector, (3,), 5)
    with pytest.raises(SettingError):
        EncryptedNumbers(None, (3,), -1)
    with pytest.raises(SettingError, match="integers"):
        x * 0.5


def test_reading(encryptor: Encryptor, owner_key: WeakPrivateKey, client_key: WeakPrivateKey) -> None:
    values = np.array([TOP, -TOP, 0, 1, -1])
    x = EncryptedNumbers.encrypt(values, encryptor, TOP)
    np.testing.assert_array_equal(x.decrypt(owner_key), values)
    with pytest.raises(DecryptionError):
        x.decrypt(client_key)
    with pytest.raises(SettingError, match="in the Master"):
        x.without_ciphertexts().decrypt(owner_key)
    assert x.vector is not None
    with pytest.raises(SettingError, match="T2"):
        EncryptedNumbers(CiphertextVector(x.vector.parameters, x.vector.t1), x.shape, TOP).decrypt(owner_key)


def test_a_plaintext_outside_the_declared_range_is_not_read(encryptor: Encryptor, owner_key: WeakPrivateKey) -> None:
    """Weak decryption without bounds would return theta to who sends T2 (1 + N)."""
    with pytest.raises(DecryptionError):
        EncryptedNumbers(encryptor.encrypt_vector([8]), (1,), 7).decrypt(owner_key)


def test_what_shows(encryptor: Encryptor) -> None:
    x = EncryptedNumbers.encrypt(np.zeros((2, 3), int), encryptor, 96, 4)
    assert repr(x) == "EncryptedNumbers(shape=(2, 3), fraction_bits=4, limit=6)"
    assert "ciphertexts in the Master" in repr(x.without_ciphertexts())
