"""Ciphertexts to shares and back: exact to the ends of a layout, and blind as the docstrings say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks import conversion
from building_blocks.conversion import ciphertexts_to_shares, share_layout, shares_to_ciphertext
from building_blocks.shares import Shares, ring
from privml.crypto.arithmetic import Integer, inverse
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.randomness import random_bits
from privml.crypto.wire import loads
from privml.crypto.wire_fields import element_width
from privml.errors import DecryptionError, LayoutError, PrivMLError, ValidationError
from privml.roles.words import words_of
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit
from tests.two_units import Run, join, looks_uniform, make_units, run, split

KeyShares = tuple[KeyShare, KeyShare]


def converted(shares: KeyShares, packed: PackedCiphertext, layout: Layout | None = None) -> Run[Shares]:
    units = make_units(shares)
    return run(ciphertexts_to_shares, (packed, None), layout or packed.layout, units=units)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), bits=st.integers(1, 70), additions=st.integers(1, 5), sigma=st.sampled_from([40, 64, 100]))
def test_ciphertexts_to_shares_is_exact(
    data: st.DataObject, bits: int, additions: int, sigma: int, key_shares: KeyShares, encryptor: Encryptor
) -> None:
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    value = st.one_of(st.sampled_from([low, high, 0, -1 if bits > 1 else 0]), st.integers(low, high))
    chunks = [data.draw(st.lists(value, min_size=7, max_size=7)) for _ in range(additions)]
    layout = Layout(7, bits, additions, sigma)
    total = PackedCiphertext.encrypt(chunks[0], layout, encryptor)
    for chunk in chunks[1:]:
        total = total + PackedCiphertext.encrypt(chunk, layout, encryptor)
    got = join(converted(key_shares, total))
    assert [(int(g) - sum(column)) % 2**64 for g, column in zip(got, zip(*chunks, strict=True), strict=True)] == [0] * 7


def test_sums_of_chunks_under_different_keys(
    key_shares: KeyShares, owner_key: WeakPrivateKey, client_key: WeakPrivateKey
) -> None:
    layout = Layout(20, 8, 3)
    values = np.random.default_rng(3).integers(-128, 128, (3, 20))
    encryptors = [Encryptor(owner_key.public_key), Encryptor(client_key.public_key, exponent="full", with_t2=False)]
    one, two, three = (PackedCiphertext.encrypt(row, layout, encryptors[index % 2]) for index, row in enumerate(values))
    np.testing.assert_array_equal(join(converted(key_shares, one + two + three)), values.sum(axis=0))
    np.testing.assert_array_equal(join(converted(key_shares, one - two)), values[0] - values[1])


def test_another_layout_than_both_know(key_shares: KeyShares, encryptor: Encryptor) -> None:
    packed = PackedCiphertext.encrypt([1, 2], Layout(2, 8, 2), encryptor)
    with pytest.raises(LayoutError, match="expected ciphertexts"):
        converted(key_shares, packed, Layout(2, 8, 3))


def test_a_layout_without_room_for_blinding(key_shares: KeyShares, encryptor: Encryptor) -> None:
    with pytest.raises(LayoutError, match="sigma"):
        converted(key_shares, PackedCiphertext.encrypt([1, 2], Layout(2, 8, sigma=0), encryptor))


def test_what_is_not_of_the_layout_is_noticed_or_garbage_but_tells_nothing(
    key_shares: KeyShares, encryptor: Encryptor, parameters: PublicParameters
) -> None:
    """A sender who proves a plaintext may still choose one that fits no layout: the units agree on it and go on."""
    layout = Layout(2, 8)
    vector = encryptor.encrypt_vector([-parameters.half_modulus])
    with pytest.raises(ValidationError) as caught:
        converted(key_shares, PackedCiphertext(vector, layout))
    assert caught.value.agreed


LAYOUT = Layout(1800, 8, 4)  # slots of 76 bits, of which 74 are blinded
ENDS = (np.full(LAYOUT.count, -128), np.full(LAYOUT.count, 127))


def slots_seen(
    values: NDArray[np.int64], shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> list[int]:
    """The Secondary's plaintexts of a conversion, slot by slot."""
    seen: list[int] = []
    original = open_to_secondary

    def watched(unit: Unit, vector: CiphertextVector | None, count: int) -> list[int] | None:
        plaintexts = original(unit, vector, count)
        seen.extend(plaintexts or [])
        return plaintexts

    with monkeypatch.context() as patch:
        patch.setattr(conversion, "open_to_secondary", watched)
        done = converted(shares, PackedCiphertext.encrypt(values, LAYOUT, encryptor))
    np.testing.assert_array_equal(join(done), values)
    return LAYOUT.unpack_blinded(seen, encryptor.parameters)


def blinded_bits_are_uniform(slots: Sequence[int]) -> bool:
    """All bits that a blinding covers, the highest included; and nothing above."""
    bits = LAYOUT.total_bits + LAYOUT.sigma
    whole, top = bits // 8, bits - 8
    low = np.frombuffer(b"".join((slot % (1 << 8 * whole)).to_bytes(whole, "little") for slot in slots), np.uint8)
    lanes = [low[lane::whole] for lane in range(whole)] + [np.array([slot >> top for slot in slots])]
    return max(slots) < 1 << bits and all(looks_uniform(lane.astype(np.uint8)) for lane in lanes)


@pytest.mark.parametrize("values", ENDS, ids=["lowest", "highest"])
def test_the_secondary_sees_uniform_slots(
    values: NDArray[np.int64], key_shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert blinded_bits_are_uniform(slots_seen(values, key_shares, encryptor, monkeypatch))


@pytest.mark.parametrize("bits", [0, LAYOUT.total_bits + 8, LAYOUT.total_bits + LAYOUT.sigma - 3])
def test_a_blinding_that_is_missing_or_too_short_is_found(
    bits: int, key_shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def short(self: Layout, parameters: PublicParameters) -> tuple[NDArray[np.uint64], list[int]]:
        rho = [int(random_bits(bits)) for _ in range(self.count)]
        k, w = self.slots(parameters), self.slot_bits
        masks = [sum(r << w * i for i, r in enumerate(rho[start : start + k])) for start in range(0, len(rho), k)]
        return np.array([r % 2**64 for r in rho], dtype=np.uint64), masks

    monkeypatch.setattr(Layout, "blinding", short)
    for values in ENDS:
        assert not blinded_bits_are_uniform(slots_seen(values, key_shares, encryptor, monkeypatch))


def test_a_blinding_used_twice_is_found(
    key_shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = LAYOUT.blinding(encryptor.parameters)
    fresh = [slots_seen(values, key_shares, encryptor, monkeypatch) for values in ENDS]
    monkeypatch.setattr(Layout, "blinding", lambda *_: kept)
    again = [slots_seen(values, key_shares, encryptor, monkeypatch) for values in ENDS]

    def difference_is_uniform(pair: list[list[int]]) -> bool:
        words = np.array([(one - other) % 2**64 for one, other in zip(*pair, strict=True)], np.uint64)
        return looks_uniform(words.view(np.uint8))

    assert difference_is_uniform(fresh)
    assert not difference_is_uniform(again)


def test_the_master_sees_nothing_and_its_message_has_one_length(key_shares: KeyShares, encryptor: Encryptor) -> None:
    traces = set()
    for values in ENDS:
        done = converted(key_shares, PackedCiphertext.encrypt(values[:100], Layout(100, 8, 4), encryptor))
        assert done.views[0].received == [b"\x00"], "the plaintexts fit their slots"
        traces.add(done.views[1].trace)
    assert len(traces) == 1


class TestRerandomisation:
    """Who saw T1 on its way in, and what the Secondary got, divides: without a fresh g^r' that is 1 + RN."""

    VALUES = (5, -7, 100)

    def divided(self, shares: KeyShares, encryptor: Encryptor) -> Integer:
        packed = PackedCiphertext.encrypt(self.VALUES, Layout(3, 8), encryptor)
        done = converted(shares, packed)
        parameters = encryptor.parameters
        received = int.from_bytes(done.views[1].received[0][: element_width(parameters)], "big")
        n2 = parameters.modulus_squared
        return received * inverse(packed.vector.t1[0], n2) % n2

    def test_nothing_is_left_to_divide_out(self, key_shares: KeyShares, encryptor: Encryptor) -> None:
        with pytest.raises(DecryptionError):
            encryptor.parameters.extract(self.divided(key_shares, encryptor))

    def test_without_it_the_blinding_is_read(
        self, key_shares: KeyShares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[int] = []
        original = open_to_secondary

        def watched(unit: Unit, vector: CiphertextVector | None, count: int) -> list[int] | None:
            plaintexts = original(unit, vector, count)
            seen.extend(plaintexts or [])
            return plaintexts

        monkeypatch.setattr(conversion, "open_to_secondary", watched)
        monkeypatch.setattr(Encryptor, "rerandomise_vector", lambda self, vector: vector)
        blinding = encryptor.parameters.extract(self.divided(key_shares, encryptor))
        assert Layout(3, 8).unpack([seen[0] - int(blinding)], encryptor.parameters) == list(self.VALUES)


class TestToARecipient:
    ENDS = np.array([0, 1, -1, 2**63 - 1, -(2**63), 2**62, -(2**62), 12345])

    def encrypted(
        self, shares: KeyShares, recipient: WeakPrivateKey, words: tuple[Shares, Shares]
    ) -> tuple[PackedCiphertext, Run[PackedCiphertext | None]]:
        done = run(shares_to_ciphertext, words, recipient.public_key, units=make_units(shares))
        assert done.secondary is None
        assert done.master is not None
        return done.master, done

    def test_the_recipient_reads_every_word(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        packed, _ = self.encrypted(key_shares, client_key, split(self.ENDS))
        np.testing.assert_array_equal(words_of(packed.decrypt(client_key)), ring(self.ENDS))
        assert packed.layout == share_layout(8)
        assert packed.additions_used == 2

    @settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(values=st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20))
    def test_any_words(self, values: list[int], key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        packed, _ = self.encrypted(key_shares, client_key, split(np.array(values)))
        np.testing.assert_array_equal(words_of(packed.decrypt(client_key)), ring(np.array(values)))

    def test_arrays_travel_flat(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        packed, _ = self.encrypted(key_shares, client_key, split(np.arange(6).reshape(2, 3)))
        np.testing.assert_array_equal(words_of(packed.decrypt(client_key)), np.arange(6))

    def test_nobody_else_reads_it(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, owner_key: WeakPrivateKey
    ) -> None:
        packed, done = self.encrypted(key_shares, client_key, split(self.ENDS))
        with pytest.raises(DecryptionError):
            packed.decrypt(owner_key)
        # on its way between the units it has a T2, for the recipient; but it holds the Secondary's words alone
        half = loads(done.views[0].received[0], CiphertextVector, client_key.parameters)
        with pytest.raises(DecryptionError):
            owner_key.decrypt_vector(half)

    def test_views_are_uniform(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        for value in (0, -(2**63)):
            words = split(np.full(2000, value))
            _, done = self.encrypted(key_shares, client_key, words)
            received = np.frombuffer(done.views[1].received[0], np.uint64)
            assert looks_uniform(received.view(np.uint8))
            assert looks_uniform((received + words[1].words).view(np.uint8))  # its new share
            half = loads(done.views[0].received[0], CiphertextVector, client_key.parameters)
            low = b"".join(int(t1 % (1 << 256)).to_bytes(32, "big") for t1 in half.t1)
            assert looks_uniform(np.frombuffer(low, np.uint8))

    def test_one_trace_for_all(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        runs = [self.encrypted(key_shares, client_key, split(np.full(50, value)))[1] for value in (0, -(2**63))]
        for one, other in zip(runs[0].views, runs[1].views, strict=True):
            assert one.trace == other.trace

    # two ways to share 2^62, which a recipient must not tell apart: it would learn about a unit's own randomness
    SPLITS = (
        (Shares(np.full(300, 2**62, np.uint64)), Shares(np.zeros(300, np.uint64))),
        (Shares(np.full(300, 2**63 + 2**62, np.uint64)), Shares(np.full(300, 2**63, np.uint64))),
    )

    def carries(self, words: tuple[Shares, Shares], shares: KeyShares, recipient: WeakPrivateKey) -> float:
        packed, _ = self.encrypted(shares, recipient, words)
        return float(np.mean([value != 2**62 for value in packed.decrypt(recipient)]))

    def test_the_carry_says_nothing_of_the_shares(self, key_shares: KeyShares, client_key: WeakPrivateKey) -> None:
        for words in self.SPLITS:
            assert 0.1 < self.carries(words, key_shares, client_key) < 0.4  # a quarter: 2^62 of 2^64

    def test_without_resharing_it_does(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(conversion, "random_words", lambda shape: np.zeros(shape, np.uint64))
        seen = [self.carries(words, key_shares, client_key) for words in self.SPLITS]
        assert seen == [0, 1]

    def masters_part(self, shares: KeyShares, recipient: WeakPrivateKey) -> Any:
        """The Secondary divides what the recipient got by what it sent itself."""
        packed, done = self.encrypted(shares, recipient, split(self.ENDS))
        half = loads(done.views[1].sent[0], CiphertextVector, recipient.parameters)
        n2 = recipient.parameters.modulus_squared
        return recipient.parameters.extract(packed.vector.t1[0] * inverse(half.t1[0], n2) % n2)

    def test_the_masters_words_are_hidden_from_the_secondary(
        self, key_shares: KeyShares, client_key: WeakPrivateKey
    ) -> None:
        with pytest.raises(DecryptionError):
            self.masters_part(key_shares, client_key)

    def test_without_rerandomising_it_reads_them(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Encryptor, "rerandomise_vector", lambda self, vector: vector)
        assert self.masters_part(key_shares, client_key) != 0

    def test_a_message_of_another_length(
        self, key_shares: KeyShares, client_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        encrypt = Encryptor.encrypt_vector
        monkeypatch.setattr(Encryptor, "encrypt_vector", lambda self, values: encrypt(self, values)[:-1])
        with pytest.raises(PrivMLError, match="expected 2 ciphertexts"):
            self.encrypted(key_shares, client_key, split(self.ENDS))
