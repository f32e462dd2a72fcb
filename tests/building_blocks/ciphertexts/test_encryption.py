"""Shares to ciphertexts of single numbers: exact integers for the recipient, nothing for anybody else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from building_blocks import conversion
from building_blocks.conversion import Recipient, bits_to_ciphertexts, integers_to_ciphertexts
from building_blocks.shares import BooleanShares, Shares, Words, ring
from privml.crypto.arithmetic import Integer, inverse
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.wire import dumps, loads
from privml.errors import DecryptionError, FrameSizeError, ParameterMismatchError, SettingError
from privml.units.unit import Unit
from tests.building_blocks.ciphertexts.running import KeyShares
from tests.two_units import Run, View, looks_uniform, make_units, run, split, split_bits

Converted = Run[CiphertextVector | None]

TOP = 2**62 - 1
ENDS = np.array([0, 1, -1, TOP, -TOP, TOP - 1, 1 - TOP, 2**32, -(2**32)])
laws = settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])


def encrypted(
    program: Callable[..., CiphertextVector | None],
    shares: KeyShares,
    words: tuple[Shares, Shares] | tuple[BooleanShares, BooleanShares],
    recipient: Recipient | None,
) -> tuple[CiphertextVector, Converted]:
    done = run(program, words, recipient, units=make_units(shares))
    assert done.secondary is None
    assert done.master is not None
    return done.master, done


class TestIntegers:
    def read(self, shares: KeyShares, words: tuple[Shares, Shares], key: WeakPrivateKey) -> list[int]:
        vector, _ = encrypted(integers_to_ciphertexts, shares, words, key.public_key)
        return key.decrypt_vector(vector)

    @laws
    @given(values=st.lists(st.integers(-TOP, TOP), min_size=1, max_size=20))
    def test_the_recipient_reads_exact_integers(
        self, values: list[int], key_shares: KeyShares, client_key: WeakPrivateKey
    ) -> None:
        assert self.read(key_shares, split(np.array(values)), client_key) == values

    @pytest.mark.parametrize("mask", [0, 1, 2**62, 2**63 - 1, 2**63, 2**63 + 2**62, 2**64 - 1])
    def test_however_they_are_shared(self, mask: int, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        """Top bits of both shares set, of one, of none: with and without a carry."""
        mine = np.full(ENDS.shape, mask, dtype=np.uint64)
        assert self.read(key_shares, (Shares(mine), Shares(ring(ENDS) - mine)), client_key) == ENDS.tolist()
        assert self.read(key_shares, (Shares(ring(ENDS) - mine), Shares(mine)), client_key) == ENDS.tolist()

    @pytest.mark.parametrize("word", [0, 2**64 - 2, 2**64 - 1])
    def test_whatever_the_mask(
        self, word: int, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conversion, "random_words", lambda shape: np.full(shape, word, dtype=np.uint64))
        assert self.read(key_shares, split(ENDS), client_key) == ENDS.tolist()

    def test_any_shape_travels_flat(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        for shape in ((), (0,), (2, 0), (2, 3)):
            values = np.arange(np.prod(shape, dtype=int)).reshape(shape) - 2
            assert self.read(key_shares, split(values), client_key) == values.reshape(-1).tolist()

    def test_nobody_else_reads_them(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, owner_key: WeakPrivateKey
    ) -> None:
        vector, done = encrypted(integers_to_ciphertexts, key_shares, split(ENDS), client_key.public_key)
        with pytest.raises(DecryptionError):
            owner_key.decrypt_vector(vector)
        # not even the recipient reads anything in what passed between the units
        parts = client_key.decrypt_vector(half_of(done.views[0], client_key.parameters))
        assert looks_uniform(np.array([part % 2**64 for part in parts], dtype=np.uint64).view(np.uint8))

    def carries(self, value: int, shares: KeyShares, key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch) -> Words:
        """What the Secondary knows of 1500 carries, after its own shares of them."""
        kept: list[Words] = []
        either = conversion._either

        def watched(unit: Unit, own: Words) -> Shares:
            share = either(unit, own)
            if not unit.is_master:
                kept.append(share.words)
            return share

        with monkeypatch.context() as patch:
            patch.setattr(conversion, "_either", watched)
            _, done = encrypted(integers_to_ciphertexts, shares, split(np.full(1500, value)), key.public_key)
        opened = [np.frombuffer(done.views[0].sent[0], np.uint64), np.frombuffer(done.views[0].received[0], np.uint64)]
        assert looks_uniform((opened[0] + opened[1]).view(np.uint8))
        half = half_of(done.views[0], key.parameters)
        assert looks_uniform(low_bytes(half))
        assert len({*half.t1, *(half.t2 or ())}) == 3000
        return np.frombuffer(done.views[1].received[1], np.uint64) + kept[0]

    @pytest.mark.parametrize("value", [0, TOP, -TOP])
    def test_views_are_uniform(
        self, value: int, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        assert looks_uniform(self.carries(value, key_shares, client_key, monkeypatch).view(np.uint8))

    def test_a_carry_without_its_mask_is_found(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It says how large the number is: of TOP one share in two has no carry, of -TOP nearly all have one."""
        monkeypatch.setattr(conversion, "random_words", lambda shape: np.zeros(shape, dtype=np.uint64))
        seen = [self.carries(value, key_shares, client_key, monkeypatch) for value in (TOP, -TOP)]
        assert not looks_uniform(seen[0].view(np.uint8))
        assert 0.4 < seen[0].mean() < 0.6
        assert seen[1].mean() > 0.9

    def test_one_trace_for_all(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        runs = [
            encrypted(integers_to_ciphertexts, key_shares, split(np.full(40, value)), client_key.public_key)[1]
            for value in (0, -TOP)
        ]
        for one, other in zip(runs[0].views, runs[1].views, strict=True):
            assert one.trace == other.trace


class TestBits:
    @laws
    @given(values=st.lists(st.integers(0, 1), min_size=1, max_size=30))
    def test_the_recipient_reads_integers(
        self, values: list[int], key_shares: KeyShares, client_key: WeakPrivateKey
    ) -> None:
        words = split_bits(np.array(values, dtype=np.uint8))
        vector, _ = encrypted(bits_to_ciphertexts, key_shares, words, client_key.public_key)
        assert client_key.decrypt_vector(vector) == values

    def test_other_lanes_stay_out(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        words = split_bits(np.array([[0xFE, 0xFF], [2, 1]], dtype=np.uint8))
        vector, _ = encrypted(bits_to_ciphertexts, key_shares, words, client_key.public_key)
        assert client_key.decrypt_vector(vector) == [0, 1, 0, 1]

    def test_the_secondary_hears_nothing_and_the_master_ciphertexts(
        self, key_shares: KeyShares, client_key: WeakPrivateKey
    ) -> None:
        traces = set()
        for value in (0, 1):
            words = split_bits(np.full(1500, value, dtype=np.uint8))
            _, done = encrypted(bits_to_ciphertexts, key_shares, words, client_key.public_key)
            assert done.views[1].received == []
            assert looks_uniform(low_bytes(half_of(done.views[0], client_key.parameters)))
            traces.add(done.views[0].trace)
        assert len(traces) == 1

    def test_no_zero_is_encrypted(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The mask is multiplied by 1 + mN: by nothing for m = 0, which takes less time."""
        plaintexts: list[int] = []
        original = Encryptor.encrypt_vector

        def watched(self: Encryptor, values: Sequence[int], **options: Any) -> CiphertextVector:
            plaintexts.extend(values)
            return original(self, values, **options)

        monkeypatch.setattr(Encryptor, "encrypt_vector", watched)
        words = split_bits(np.array([0, 1] * 50, dtype=np.uint8))
        encrypted(bits_to_ciphertexts, key_shares, words, client_key.public_key)
        assert set(plaintexts) == {1, 2, 4}


PROGRAMS: dict[str, tuple[Callable[..., CiphertextVector | None], Any]] = {
    "integers": (integers_to_ciphertexts, split(ENDS)),
    "bits": (bits_to_ciphertexts, split_bits(np.ones(9, dtype=np.uint8))),
}


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


class TestRerandomisation:
    """The Secondary divides what the recipient got by what it sent itself."""

    def masters_part(self, program: str, shares: KeyShares, recipient: WeakPrivateKey) -> list[int]:
        function, words = PROGRAMS[program]
        vector, done = encrypted(function, shares, words, recipient.public_key)
        half = half_of(done.views[0], recipient.parameters)
        return [recipient.parameters.extract(quotient) for quotient in quotients(vector, half)]

    def test_nothing_is_left_to_divide_out(
        self, program: str, key_shares: KeyShares, client_key: WeakPrivateKey
    ) -> None:
        with pytest.raises(DecryptionError):
            self.masters_part(program, key_shares, client_key)

    def test_without_fresh_randomness_it_reads_the_masters_part(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encrypt = Encryptor.encrypt_vector

        def careless(self: Encryptor, plaintexts: list[int]) -> CiphertextVector:
            if max(plaintexts) < 2**64 << 32:  # the Secondary's part is negative
                return encrypt(self, plaintexts)
            t1 = tuple(self.parameters.embed(m) for m in plaintexts)
            return CiphertextVector(self.parameters, t1, tuple(Integer(1) for _ in t1))

        monkeypatch.setattr(Encryptor, "encrypt_vector", careless)
        assert all(self.masters_part("integers", key_shares, client_key))

    def test_the_same_result_twice_has_nothing_in_common(
        self, program: str, key_shares: KeyShares, client_key: WeakPrivateKey
    ) -> None:
        function, words = PROGRAMS[program]
        seen = [encrypted(function, key_shares, words, client_key.public_key) for _ in range(2)]
        elements = [
            {*vector.t1, *(vector.t2 or ()), *half.t1, *(half.t2 or ())}
            for vector, done in seen
            for half in [half_of(done.views[0], client_key.parameters)]
        ]
        assert len(elements[0]) == 4 * 9
        assert not elements[0] & elements[1]


class TestRecipients:
    def test_an_encryptor_is_used_as_it_is(
        self, program: str, key_shares: KeyShares, client_key: WeakPrivateKey
    ) -> None:
        encryptor = Encryptor(client_key.public_key, window=4)
        encryptor.pool.fill(20)
        function, words = PROGRAMS[program]
        vector, _ = encrypted(function, key_shares, words, encryptor)
        assert len(encryptor.pool) == 2  # of 9 values each unit took 9
        assert encryptor.pool.misses == 0
        client_key.decrypt_vector(vector)

    def test_for_no_recipient_t1_alone_which_both_units_open(self, program: str, key_shares: KeyShares) -> None:
        function, words = PROGRAMS[program]
        vector, done = encrypted(function, key_shares, words, None)
        assert vector.t2 is None
        assert half_of(done.views[0], vector.parameters).t2 is None
        master, secondary = key_shares
        expected = ENDS.tolist() if program == "integers" else [1] * 9
        assert secondary.complete(vector.t1, master.halves(vector.t1)) == expected

    def test_an_encryptor_without_t2(self, program: str, key_shares: KeyShares, encryptor: Encryptor) -> None:
        function, words = PROGRAMS[program]
        with pytest.raises(SettingError, match="T2"):
            encrypted(function, key_shares, words, encryptor.without_t2())

    def test_a_key_of_other_parameters(
        self, program: str, key_shares: KeyShares, other_parameters: PublicParameters
    ) -> None:
        function, words = PROGRAMS[program]
        with pytest.raises(ParameterMismatchError):
            encrypted(function, key_shares, words, WeakPrivateKey.generate(other_parameters).public_key)

    def test_a_message_of_another_length_or_kind(
        self, program: str, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        function, words = PROGRAMS[program]
        for changed in (lambda v: v[:-1], lambda v: CiphertextVector(v.parameters, v.t1)):
            monkeypatch.setattr(conversion, "dumps", lambda vector, changed=changed: dumps(changed(vector)))
            with pytest.raises(FrameSizeError, match="expected 9 ciphertexts"):
                encrypted(function, key_shares, words, client_key.public_key)


def half_of(master: View, parameters: PublicParameters) -> CiphertextVector:
    """What the Secondary encrypted."""
    return loads(master.received[-1], CiphertextVector, parameters)


def low_bytes(vector: CiphertextVector) -> np.ndarray:
    elements = [*vector.t1, *(vector.t2 or ())]
    return np.frombuffer(b"".join(int(t % (1 << 256)).to_bytes(32, "big") for t in elements), np.uint8)


def quotients(vector: CiphertextVector, half: CiphertextVector) -> list[Integer]:
    n2 = vector.parameters.modulus_squared
    return [one * inverse(two, n2) % n2 for one, two in zip(vector.t1, half.t1, strict=True)]
