"""Blocks one after the other, over keys and sizes of keys, with others' software and with limits of their own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import phe
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from building_blocks.ciphertexts import passage
from building_blocks.ciphertexts.arithmetic import secure_dot_product, secure_key_switch, secure_product
from building_blocks.ciphertexts.comparison import secure_argmax, secure_comparison
from building_blocks.ciphertexts.functions import (
    secure_division,
    secure_exponential,
    secure_integer_division,
    secure_logarithm,
    secure_sigmoid,
)
from building_blocks.ciphertexts.numbers import EncryptedNumbers
from building_blocks.conversion import Recipient, ciphertexts_to_shares
from building_blocks.fixed_point.logarithm import ln
from privml.crypto.dtpkc import PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.paillier import from_paillier, to_paillier
from privml.errors import RangeError, ScaleError, SettingError, ValidationError
from privml.units.unit import Unit
from tests.building_blocks.ciphertexts.running import KeyShares, run_block
from tests.two_units import make_units

laws = settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
VALUES = st.lists(st.integers(-(2**30), 2**30), min_size=5, max_size=5).map(np.array)


@laws
@given(x=VALUES, y=VALUES)
def test_a_result_is_the_next_operand(
    x: np.ndarray, y: np.ndarray, key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey
) -> None:
    """The smaller of both is (x < y) (x - y) + y, whoever the results in between are encrypted for."""
    recipient = client_key.public_key
    operands = [EncryptedNumbers.encrypt(v, encryptor, 2**30) for v in (x, y)]
    for between in (None, encryptor, recipient):

        def smaller(
            unit: Unit, a: EncryptedNumbers, b: EncryptedNumbers, between: Recipient | None = between
        ) -> EncryptedNumbers:
            less = secure_comparison(unit, a, b, between)
            chosen = secure_product(unit, less, a - b, recipient)
            return chosen + secure_key_switch(unit, b, recipient)

        result = run_block(smaller, key_shares, *operands).master
        np.testing.assert_array_equal(result.decrypt(client_key), np.minimum(x, y))


def test_distances_and_the_nearest(key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey) -> None:
    """Squared distances of 3 points to 4 centres by homomorphic differences, and the nearest centre of each."""
    points, centres = (np.random.default_rng(5).integers(-1000, 1000, (n, 2)) for n in (3, 4))

    def nearest(unit: Unit, p: EncryptedNumbers, c: EncryptedNumbers) -> EncryptedNumbers:
        apart = p.reshape(3, 1, 2) - c
        return secure_argmax(unit, -secure_dot_product(unit, apart, apart, encryptor), client_key.public_key)

    operands = [EncryptedNumbers.encrypt(v, encryptor, 1000) for v in (points, centres)]
    result = run_block(nearest, key_shares, *operands).master
    expected = ((points[:, None] - centres) ** 2).sum(axis=-1).argmin(axis=-1)
    np.testing.assert_array_equal(result.decrypt(client_key), expected)


def test_operands_broadcast(key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey) -> None:
    x, y = np.arange(-3, 3).reshape(3, 2, 1), np.array([-1, 0, 5])
    operands = [EncryptedNumbers.encrypt(v, encryptor, 5) for v in (x, y)]
    for block, expected in ((secure_product, x * y), (secure_comparison, x < y)):
        result = run_block(lambda unit, a, b, f=block: f(unit, a, b, client_key.public_key), key_shares, *operands)
        np.testing.assert_array_equal(result.master.decrypt(client_key), expected)


def test_python_paillier_takes_part_on_both_sides(
    key_shares: KeyShares,
    parameters: PublicParameters,
    strong_key: StrongKey,
    client_key: WeakPrivateKey,
    encryptor: Encryptor,
) -> None:
    theirs = phe.PaillierPublicKey(int(parameters.modulus))
    p, q = strong_key.factors
    opener = phe.PaillierPrivateKey(theirs, int(p), int(q))
    x, y = np.array([-(2**20), 3, 0]), np.array([2**30, -7, 9])
    raw = [theirs.raw_encrypt(int(m) % theirs.n) for m in x]
    operands = (
        EncryptedNumbers(from_paillier(parameters, theirs.n, raw), (3,), 2**20),
        EncryptedNumbers.encrypt(y, encryptor, 2**30),
    )
    result = run_block(
        lambda unit, a, b: secure_product(unit, a, b, client_key.public_key), key_shares, *operands
    ).master
    assert result.vector is not None
    opened = [opener.raw_decrypt(c) for c in to_paillier(result.vector)]
    assert [m if m <= theirs.n // 2 else m - theirs.n for m in opened] == (x * y).tolist()
    np.testing.assert_array_equal(result.decrypt(client_key), x * y)


def test_entropy_of_encrypted_counts(key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey) -> None:
    """A logarithm of quotients, their product, and a homomorphic sum."""
    counts = np.array([3, 1, 0, 12])

    def entropy(unit: Unit, n: EncryptedNumbers, total: EncryptedNumbers) -> EncryptedNumbers:
        shares = secure_division(unit, n, total, None, 20, limit=1.0)
        logarithms = secure_logarithm(unit, shares, None)
        terms = secure_product(unit, shares, logarithms, client_key.public_key, 20)
        return -(terms[0] + terms[1] + terms[2] + terms[3])

    operands = [EncryptedNumbers.encrypt(v, encryptor, 100) for v in (counts, counts.sum())]
    result = run_block(entropy, key_shares, *operands).master
    p = counts[counts > 0] / counts.sum()
    assert result.shape == ()
    assert result.decrypt(client_key) / 2**20 == pytest.approx(-(p * np.log2(p)).sum(), abs=1e-4)


def test_either_logarithm_and_a_small_largest_argument(
    key_shares: KeyShares, encryptor: Encryptor, client_key: WeakPrivateKey
) -> None:
    """e^(ln x - ln 2^30) is x / 2^30: no argument is positive, and that is declared."""
    x = np.array([1 << 30, 1, 7 << 27])

    def quotient(unit: Unit, n: EncryptedNumbers, highest: EncryptedNumbers) -> EncryptedNumbers:
        below = secure_logarithm(unit, n, None, ln) - secure_logarithm(unit, highest, None, ln)
        return secure_exponential(unit, below, client_key.public_key, 40, highest=1e-6)

    operands = [EncryptedNumbers.encrypt(v, encryptor, 1 << 30) for v in (x, np.full(3, 1 << 30))]
    result = run_block(quotient, key_shares, *operands).master
    np.testing.assert_allclose(result.decrypt(client_key) / 2**40, x / 2**30, rtol=3e-7, atol=2**-40)


class TestPacking:
    def layouts(
        self,
        shares: KeyShares,
        encryptor: Encryptor,
        monkeypatch: pytest.MonkeyPatch,
        sizes: tuple[int, int],
        bits: int,
    ) -> list[Layout]:
        """How a product of integers of one bit and of `bits` is packed."""
        seen: list[Layout] = []
        convert = ciphertexts_to_shares

        def watched(unit: Unit, packed: PackedCiphertext | None, layout: Layout) -> object:
            if unit.is_master:
                seen.append(layout)
            return convert(unit, packed, layout)

        monkeypatch.setattr(passage, "ciphertexts_to_shares", watched)
        operands = [
            EncryptedNumbers.encrypt(np.ones(size, dtype=np.int64), encryptor, bound)
            for size, bound in zip(sizes, (1, 2**bits - 1), strict=True)
        ]
        result = run_block(lambda unit, a, b: secure_product(unit, a, b, encryptor), shares, *operands)
        assert result.master.size == max(sizes)
        return seen

    def test_operands_share_ciphertexts(
        self, key_shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.layouts(key_shares, encryptor, monkeypatch, (1, 1), 31) == [Layout(2, 32)]

    def test_but_not_where_that_takes_more_of_them(
        self, key_shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At 512 bits seven values of one bit lie in a ciphertext, and four of 50 bits."""
        seen = self.layouts(key_shares, encryptor, monkeypatch, (14, 14), 50)
        assert seen == [Layout(14, 2), Layout(14, 51)]

    def test_nothing_is_sent_for_no_operand(
        self, key_shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert self.layouts(key_shares, encryptor, monkeypatch, (0, 0), 5) == []


class TestLimits:
    """What ranges and scales do not allow is refused before anything is sent; by the Secondary as well."""

    def numbers(self, bound: int, fraction_bits: int = 0, shape: tuple[int, ...] = (2,)) -> EncryptedNumbers:
        return EncryptedNumbers(None, shape, bound, fraction_bits)

    def test_products(self, key_shares: KeyShares, encryptor: Encryptor) -> None:
        unit = make_units(key_shares)[1]
        with pytest.raises(RangeError):
            secure_product(unit, self.numbers(2**31), self.numbers(2**31), encryptor)
        with pytest.raises(RangeError):
            secure_dot_product(unit, self.numbers(2**31), self.numbers(2**30), encryptor)
        with pytest.raises(SettingError, match="fractional bits"):
            secure_product(unit, self.numbers(1, 31), self.numbers(1, 31), encryptor)
        for kept, error in ((-1, SettingError), (8, ScaleError)):
            with pytest.raises(error, match="fractional bits"):
                secure_product(unit, self.numbers(5, 3), self.numbers(5, 4), encryptor, kept)
        for x, y in (((), ()), ((3,), (1,)), ((), (3,)), ((2, 3), (2,))):
            with pytest.raises(SettingError, match="last axis"):
                secure_dot_product(unit, self.numbers(1, 0, x), self.numbers(1, 0, y), encryptor)

    def test_comparisons(self, key_shares: KeyShares, encryptor: Encryptor) -> None:
        unit = make_units(key_shares)[1]
        with pytest.raises(RangeError):
            secure_comparison(unit, self.numbers(2**61), self.numbers(2**61), encryptor)
        with pytest.raises(ScaleError):
            secure_comparison(unit, self.numbers(5, 3), self.numbers(5, 4), encryptor)
        for shape in ((), (0,), (3, 0)):
            with pytest.raises(SettingError, match="candidate"):
                secure_argmax(unit, self.numbers(5, 0, shape), encryptor)

    def test_functions(self, key_shares: KeyShares, encryptor: Encryptor) -> None:
        unit, x = make_units(key_shares)[1], self.numbers(2**30, 10)
        refused: list[tuple[type[Exception], Callable[[], object]]] = [
            (RangeError, lambda: secure_exponential(unit, x, encryptor, 20)),
            (SettingError, lambda: secure_sigmoid(unit, x, encryptor, 62)),
            (RangeError, lambda: secure_division(unit, x, x, encryptor, 40)),
            (ScaleError, lambda: secure_integer_division(unit, self.numbers(5), x, encryptor)),
            (SettingError, lambda: secure_integer_division(unit, self.numbers(2**50), self.numbers(5), encryptor)),
        ]
        for error, block in refused:
            with pytest.raises(error):
                block()


def test_settings_that_are_equal_but_of_another_type_are_rehearsed_by_themselves(
    key_shares: KeyShares, encryptor: Encryptor
) -> None:
    x = EncryptedNumbers.encrypt([5], encryptor, 2**20, 10)
    run_block(lambda unit, a: secure_sigmoid(unit, a, encryptor, 16), key_shares, x)
    unit = make_units(key_shares)[0]
    with pytest.raises(TypeError):
        secure_sigmoid(unit, x, encryptor, 16.0)  # type: ignore[arg-type]
    assert not unit.channel.statistics.messages_sent


def test_a_plaintext_far_beyond_its_range_is_refused_by_both_units(
    key_shares: KeyShares, encryptor: Encryptor, parameters: PublicParameters
) -> None:
    x = EncryptedNumbers(encryptor.encrypt_vector([parameters.half_modulus]), (1,), 1000)
    with pytest.raises(ValidationError) as caught:
        run_block(lambda unit, a: secure_key_switch(unit, a, encryptor), key_shares, x)
    assert caught.value.agreed


def test_at_2048_bits(key_shares_2048: KeyShares, encryptor_2048: Encryptor, owner_key_2048: WeakPrivateKey) -> None:
    generator = np.random.default_rng(11)
    x, y = (generator.integers(-(2**31) + 1, 2**31, 21) for _ in range(2))
    x[:2], y[:2] = [2**31 - 1, 1 - 2**31], [1 - 2**31, 1 - 2**31]
    operands = [EncryptedNumbers.encrypt(v, encryptor_2048, 2**31 - 1) for v in (x, y >> 1)]
    for block, expected in ((secure_product, x * (y >> 1)), (secure_comparison, x < (y >> 1))):
        done = run_block(lambda unit, a, b, f=block: f(unit, a, b, encryptor_2048), key_shares_2048, *operands)
        np.testing.assert_array_equal(done.master.decrypt(owner_key_2048), expected)
