import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.crypto.arithmetic import Integer
from privml.crypto.transcript import Field, Transcript, encode
from privml.errors import SettingError

leaves = st.none() | st.binary(max_size=4) | st.text(max_size=3) | st.integers(0, 1 << 70)
fields = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3).map(tuple), max_leaves=6)
sequences = st.lists(fields, max_size=4).map(tuple)


@given(sequences, sequences)
def test_different_fields_never_encode_alike(left: tuple[Field, ...], right: tuple[Field, ...]) -> None:
    assert (encode(*left) == encode(*right)) == (left == right)


@given(sequences)
def test_no_encoding_is_the_beginning_of_a_neighbour(values: tuple[Field, ...]) -> None:
    # What is absorbed later cannot stand for what was absorbed before.
    assert encode(values) != encode(*values)
    assert encode(*values, None) != encode(*values)


def test_plain_concatenation_would_collide() -> None:
    assert b"ab" + b"c" == b"a" + b"bc"
    assert encode(b"ab", b"c") != encode(b"a", b"bc")
    assert encode(b"1") != encode("1") != encode(1)
    assert encode(0) != encode(b"") != encode("") != encode(()) != encode(None)


def test_the_encoding_is_fixed() -> None:
    assert encode("ab", b"\xff", 256, (0,), None).hex() == (
        "73" "0000000000000002" "6162"
        "62" "0000000000000001" "ff"
        "69" "0000000000000002" "0100"
        "74" "0000000000000009" "69" "0000000000000000"
        "6e" "0000000000000000"
    )  # fmt: skip


def test_big_integers_and_buffers_encode_like_what_they_hold() -> None:
    assert encode(Integer(1 << 300)) == encode(1 << 300)
    assert encode(bytearray(b"xy")) == encode(memoryview(b"xy")) == encode(b"xy")


@pytest.mark.parametrize("field", [-1, Integer(-5), "\ud800", 1.5, [1]])
def test_what_has_no_encoding_is_refused(field: Field) -> None:
    with pytest.raises(SettingError):
        encode(field)


def challenge(*absorbed: Field, label: str = "test", version: int = 1) -> int:
    transcript = Transcript(label, version)
    transcript.absorb(*absorbed)
    return transcript.challenges(1)[0]


def test_a_challenge_depends_on_everything() -> None:
    seen = [
        challenge(1, 2),
        challenge(2, 1),
        challenge(1),
        challenge((1, 2)),
        challenge(1, 2, label="other"),
        challenge(1, 2, version=2),
    ]
    assert len(set(seen)) == len(seen)


def test_neighbouring_sequences_do_not_trade_elements() -> None:
    left, right = Transcript("test"), Transcript("test")
    left.absorb_all([1, 2])
    left.absorb_all([3])
    right.absorb_all([1])
    right.absorb_all([2, 3])
    assert left.digest() != right.digest()


def test_challenges_are_fixed() -> None:
    transcript = Transcript("test")
    transcript.absorb(b"statement")
    expected = hashlib.sha256(encode("privml", "test", 1, b"statement")).digest()
    assert transcript.digest() == expected
    assert transcript.challenges(3, 128) == [
        int.from_bytes(hashlib.sha256(expected + bytes(7) + bytes([i])).digest()[:16], "big") for i in range(3)
    ]


@pytest.mark.parametrize("bits", [8, 128, 256])
def test_challenges_fill_their_range(bits: int) -> None:
    values = Transcript("test").challenges(200, bits)
    assert max(values) < 1 << bits
    assert max(values) > 0.9 * (1 << bits)
    assert len(set(values)) > 100


@pytest.mark.parametrize(("count", "bits"), [(-1, 128), (1, 0), (1, 12), (1, 264)])
def test_challenges_out_of_range_are_refused(count: int, bits: int) -> None:
    with pytest.raises(SettingError):
        Transcript("test").challenges(count, bits)
