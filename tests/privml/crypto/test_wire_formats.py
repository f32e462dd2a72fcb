"""The bytes of every format, written out by hand: a change of any needs a new version."""

import struct
from collections.abc import Iterator

import msgpack
import numpy as np
import pytest

from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import Ciphertext, CiphertextVector, PublicKey, PublicParameters
from privml.crypto.envelope import Envelope, SealContext, SealedArray
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.proofs import KeyProof, PaillierProof, PlaintextProof
from privml.crypto.registry import KeyRegistration
from privml.crypto.wire import dumps, loads
from privml.crypto.wire_fields import Fields

LAYOUT = Layout(count=3, value_bits=16, additions=10)
UNBOUND = {PublicParameters, Layout, SealContext}


@pytest.fixture(scope="module")
def fixed() -> PublicParameters:
    """Parameters of our own choosing, for vectors that anybody can repeat."""
    return PublicParameters(Integer((1 << 511) + 111), Integer(10))


def test_the_format_of_a_layout_is_fixed() -> None:
    assert dumps(LAYOUT).hex() == (
        "50724d4c" "0001" "0005" "000000000000000f" + "00" * 32 + "94" "03" "10" "c409" "00000000000000000a" "40"
    )  # fmt: skip


def test_the_format_of_a_ciphertext_is_fixed(fixed: PublicParameters) -> None:
    expected = (
        struct.pack(">4sHHQ32s", b"PrML", 1, 3, 1 + 2 * (2 + 128), fixed.digest)
        + b"\x92\xc4\x80"
        + (3).to_bytes(128, "big")
        + b"\xc4\x80"
        + (1 << 900).to_bytes(128, "big")
    )
    assert dumps(Ciphertext(fixed, Integer(3), Integer(1 << 900))) == expected


def wide(*values: int) -> bytes:
    """Integers modulo N², N having 512 bits."""
    return b"".join(value.to_bytes(128, "big") for value in values)


def vectors(fixed: PublicParameters) -> Iterator[tuple[object, int, Fields]]:
    """Objects, their tags, and their fields written out by hand."""
    one, two = Integer(3), Integer(1 << 900)
    seven, nine = (7).to_bytes(64, "big"), (9).to_bytes(64, "big")
    seed = Ciphertext(fixed, one, two)
    proof = PlaintextProof(fixed, one, two, Integer(6), Integer(7))
    proof_fields: Fields = [wide(3), wide(1 << 900), (6).to_bytes(63, "big"), seven]
    full = PlaintextProof(fixed, one, None, Integer(1) << 600, Integer(7))
    key_proof = KeyProof(fixed, one, Integer(5))
    key_fields: Fields = [wide(3), (5).to_bytes(90, "big")]
    context = SealContext("provider", "model", "alice", b"k" * 32, b"s" * 32, b"i" * 16)
    context_fields: Fields = ["provider", "model", "alice", b"k" * 32, b"s" * 32, b"i" * 16]
    envelope = Envelope(context, seed, proof, b"d" * 32, (2, 1))
    envelope_fields: Fields = [context_fields, [wide(3), wide(1 << 900)], proof_fields, b"d" * 32, [2, 1]]
    layout_fields: Fields = [1, 8, bytes(8) + b"\1", 64]
    yield fixed, 1, [512, int(fixed.modulus).to_bytes(64, "big"), wide(10)]
    yield PublicKey(fixed, two), 2, [wide(1 << 900)]
    yield Ciphertext(fixed, one), 3, [wide(3), None]
    yield CiphertextVector(fixed, (one, two)), 4, [wide(3, 1 << 900), None]
    yield CiphertextVector(fixed, (one, two), (two, one)), 4, [wide(3, 1 << 900), wide(1 << 900, 3)]
    yield (
        PackedCiphertext(CiphertextVector(fixed, (one,)), Layout(1, 8)),
        6,
        [wide(3), None, layout_fields, bytes(8) + b"\1"],
    )
    yield proof, 7, proof_fields
    yield full, 7, [wide(3), None, (1 << 600).to_bytes(95, "big"), seven]
    yield key_proof, 8, key_fields
    yield KeyRegistration("alice", PublicKey(fixed, two), key_proof), 9, ["alice", wide(1 << 900), key_fields]
    yield PaillierProof(fixed, one, Integer(7), Integer(9)), 10, [wide(3), seven, nine]
    yield context, 11, context_fields
    yield envelope, 12, envelope_fields
    yield Envelope(context, seed, proof), 12, [*envelope_fields[:3], None, None]
    words = np.array([[1], [1 << 63]], dtype=np.uint64)
    yield SealedArray(envelope, words), 13, [envelope_fields, [[2, 1], b"\1" + bytes(14) + b"\x80"]]


def test_the_other_formats_are_fixed(fixed: PublicParameters) -> None:
    for obj, tag, written in vectors(fixed):
        body = msgpack.packb(written)
        digest = bytes(32) if type(obj) in UNBOUND else fixed.digest
        expected = struct.pack(">4sHHQ32s", b"PrML", 1, tag, len(body), digest) + body
        assert dumps(obj) == expected, type(obj).__name__
        back: object = loads(expected, type(obj), None if type(obj) in UNBOUND else fixed)
        assert dumps(back) == expected, type(obj).__name__
