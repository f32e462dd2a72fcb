import struct
from dataclasses import dataclass, fields, is_dataclass
from typing import ClassVar

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from privml.crypto import wire_cryptosystem
from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import Ciphertext, CiphertextVector, PublicKey, PublicParameters, WeakPrivateKey
from privml.crypto.envelope import Envelope, SealContext, SealedArray
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.proofs import KeyProof, PaillierProof, PlaintextProof, prove_paillier, prove_plaintexts
from privml.crypto.registry import KeyRegistration
from privml.crypto.sealer import Sealer
from privml.crypto.wire import HEADER_SIZE, Header, dumps, loads
from privml.crypto.wire_fields import FieldReader, Fields
from privml.errors import (
    CryptoError,
    MalformedError,
    OversizedError,
    ParameterMismatchError,
    SettingError,
    TruncatedError,
    VersionError,
    WireError,
)

LAYOUT = Layout(count=3, value_bits=16, additions=10)


@pytest.fixture(scope="module")
def objects(owner_key: WeakPrivateKey, encryptor: Encryptor) -> dict[type, object]:
    """One of each type."""
    parameters = owner_key.parameters
    vector, openings = encryptor.encrypt_with_openings([1, -2])
    t1 = CiphertextVector(parameters, vector.t1)
    paillier, y = CiphertextVector(parameters, (Integer(3) ** 5,)), Integer(7)
    sealer = Sealer(encryptor, "provider", "model", "alice", bytes(32))
    sealed = sealer.seal(np.arange(6, dtype=np.uint64).reshape(2, 3))
    registration = KeyRegistration.create(owner_key, "alice")
    made: list[object] = [
        parameters,
        owner_key.public_key,
        vector[0],
        t1,
        LAYOUT,
        PackedCiphertext.encrypt([1, -2, 3], LAYOUT, encryptor),
        prove_plaintexts(encryptor, vector, openings, b""),
        registration.proof,
        registration,
        prove_paillier(paillier, [0], [y], b""),
        sealed.envelope.context,
        sealer.open_session()[0],
        sealed,
    ]
    return {type(obj): obj for obj in made}


KINDS = [
    PublicParameters,
    PublicKey,
    Ciphertext,
    CiphertextVector,
    Layout,
    PackedCiphertext,
    PlaintextProof,
    KeyProof,
    KeyRegistration,
    PaillierProof,
    SealContext,
    Envelope,
    SealedArray,
]
UNBOUND = {PublicParameters, Layout, SealContext}
every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)


def parameters_for(kind: type, parameters: PublicParameters) -> PublicParameters | None:
    return None if kind in UNBOUND else parameters


def same(left: object, right: object) -> bool:
    if isinstance(left, np.ndarray) and isinstance(right, np.ndarray):
        return left.shape == right.shape and np.array_equal(left, right)
    if is_dataclass(left) and not isinstance(left, type):
        return type(left) is type(right) and all(
            same(getattr(left, f.name), getattr(right, f.name)) for f in fields(left)
        )
    return left == right


@every_kind
def test_everything_comes_back(objects: dict[type, object], parameters: PublicParameters, kind: type) -> None:
    data = dumps(objects[kind])
    back: object = loads(data, kind, parameters_for(kind, parameters))
    assert same(back, objects[kind])
    assert dumps(back) == data
    assert same(loads(bytearray(data), kind, parameters), objects[kind])
    assert same(loads(memoryview(data), kind, parameters), objects[kind])


def test_optional_parts_come_back(
    objects: dict[type, object], parameters: PublicParameters, owner_key: WeakPrivateKey, encryptor: Encryptor
) -> None:
    full, t1_only = (
        Encryptor(owner_key.public_key, exponent="full", window=4),
        Encryptor(owner_key.public_key, window=4, with_t2=False),
    )
    for sender in (full, t1_only):
        vector, openings = sender.encrypt_with_openings([1, 2])
        for obj in (vector, vector[0], vector[:0], prove_plaintexts(sender, vector, openings, b"")):
            assert loads(dumps(obj), type(obj), parameters) == obj
    sealed = objects[SealedArray]
    assert isinstance(sealed, SealedArray)
    assert loads(dumps(sealed.envelope), Envelope, parameters) == sealed.envelope


def test_layouts_come_back_at_their_limits() -> None:
    for layout in (Layout(1 << 48, 128, 1 << 64, 128), Layout(1, 1, 1, 40)):
        assert loads(dumps(layout), Layout) == layout


@pytest.mark.parametrize("exponent", ["short", "full"])
def test_lengths_depend_on_public_shapes_only(owner_key: WeakPrivateKey, exponent: str) -> None:
    encryptor = Encryptor(owner_key.public_key, exponent="full" if exponent == "full" else "short", window=4)
    lengths = set()
    for plaintext in (0, 1, -1, 1 << 300):
        for _ in range(20):
            vector, openings = encryptor.encrypt_with_openings([plaintext])
            proof = prove_plaintexts(encryptor, vector, openings, b"")
            lengths.add((len(dumps(vector)), len(dumps(proof))))
    assert len(lengths) == 1


def test_registrations_have_one_length(owner_key: WeakPrivateKey) -> None:
    assert len({len(dumps(KeyRegistration.create(owner_key, "alice"))) for _ in range(20)}) == 1


@every_kind
def test_a_truncated_frame_says_so(objects: dict[type, object], parameters: PublicParameters, kind: type) -> None:
    data = dumps(objects[kind])
    for length in range(len(data)):
        with pytest.raises(TruncatedError, match=r"found \d+"):
            loads(data[:length], kind, parameters)


@every_kind
def test_a_longer_frame_says_so(objects: dict[type, object], parameters: PublicParameters, kind: type) -> None:
    data = dumps(objects[kind])
    with pytest.raises(OversizedError, match="found"):
        loads(data + b"\0", kind, parameters)
    with pytest.raises(OversizedError, match=f"at most {len(data) - 1} bytes"):
        loads(data, kind, parameters, max_size=len(data) - 1)
    loads(data, kind, parameters, max_size=len(data))


def test_a_declared_length_is_never_believed(objects: dict[type, object], parameters: PublicParameters) -> None:
    data = bytearray(dumps(objects[Ciphertext]))
    data[8:16] = b"\xff" * 8
    with pytest.raises(OversizedError):
        loads(data, Ciphertext, parameters)


@every_kind
def test_every_changed_byte_is_an_error_or_another_object(
    objects: dict[type, object], parameters: PublicParameters, kind: type
) -> None:
    data = dumps(objects[kind])
    for position in range(len(data)):
        for change in (0x01, 0x80, 0xFF):
            spoilt = bytearray(data)
            spoilt[position] ^= change
            try:
                back: object = loads(spoilt, kind, parameters)
            except (WireError, CryptoError):
                continue
            assert position >= HEADER_SIZE
            assert dumps(back) == spoilt


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), body=st.binary(max_size=200))
def test_arbitrary_bodies_are_refused(parameters: PublicParameters, kind: type, body: bytes) -> None:
    tag = TAGS[KINDS.index(kind)]
    digest = bytes(32) if kind in UNBOUND else parameters.digest
    frame = struct.pack(">4sHHQ32s", b"PrML", 1, tag, len(body), digest) + body
    with pytest.raises((WireError, CryptoError)):
        loads(frame, kind, parameters)


json_like = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 64) - 1)
    | st.floats()
    | st.text(max_size=5)
    | st.binary(),
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=2), inner, max_size=2),
    max_leaves=12,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(kind=st.sampled_from(KINDS), values=json_like)
def test_arbitrary_fields_are_refused(parameters: PublicParameters, kind: type, values: object) -> None:
    body = msgpack.packb(values)
    tag = TAGS[KINDS.index(kind)]
    digest = bytes(32) if kind in UNBOUND else parameters.digest
    frame = struct.pack(">4sHHQ32s", b"PrML", 1, tag, len(body), digest) + body
    try:
        loads(frame, kind, parameters)
    except (WireError, CryptoError):
        return
    assert kind in {CiphertextVector}  # [b"", None] is the empty vector


TAGS = list(range(1, 14))


@every_kind
def test_tags_are_fixed(objects: dict[type, object], kind: type) -> None:
    assert Header.parse(dumps(objects[kind])).tag == TAGS[KINDS.index(kind)]


def test_another_type_says_so(objects: dict[type, object], parameters: PublicParameters) -> None:
    with pytest.raises(MalformedError, match="expected a PublicKey \\(tag 2\\), found tag 3"):
        loads(dumps(objects[Ciphertext]), PublicKey, parameters)


def test_another_version_says_so(objects: dict[type, object], parameters: PublicParameters) -> None:
    data = bytearray(dumps(objects[Ciphertext]))
    data[5] = 2
    with pytest.raises(VersionError, match="expected format version 1, found 2"):
        loads(data, Ciphertext, parameters)


def test_another_protocol_says_so() -> None:
    with pytest.raises(MalformedError, match="PrML"):
        loads(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n", Ciphertext)


@every_kind
def test_other_parameters_say_so(
    objects: dict[type, object], parameters: PublicParameters, other_parameters: PublicParameters, kind: type
) -> None:
    data = dumps(objects[kind])
    if kind in UNBOUND:
        assert same(loads(data, kind, other_parameters), objects[kind])
        data = data[:16] + parameters.digest + data[48:]
        with pytest.raises(ParameterMismatchError, match="belongs to no public parameters"):
            loads(data, kind, parameters)
        return
    with pytest.raises(ParameterMismatchError, match=parameters.digest.hex()[:16]):
        loads(data, kind, other_parameters)
    with pytest.raises(ParameterMismatchError, match="expected public parameters none"):
        loads(data, kind)
    with pytest.raises(ParameterMismatchError, match="names none"):
        loads(data[:16] + bytes(32) + data[48:], kind, parameters)


def test_a_body_has_one_form() -> None:
    data = dumps(LAYOUT)
    body = msgpack.unpackb(data[HEADER_SIZE:])
    assert data[HEADER_SIZE:] == msgpack.packb(body)
    longer = b"\x94\xcd\x00\x03" + data[HEADER_SIZE + 2 :]  # the first number, 3, in two bytes more
    assert msgpack.unpackb(longer) == body
    header = struct.pack(">4sHHQ32s", b"PrML", 1, 5, len(longer), bytes(32))
    with pytest.raises(MalformedError, match="canonical"):
        loads(header + longer, Layout)


@pytest.mark.parametrize(
    "body",
    [
        b"\x91" * 5000 + b"\x90",  # lists in lists
        b"\xdd\xff\xff\xff\xff",  # a list of four billion
        b"\xc6\xff\xff\xff\xff",  # four gigabytes of bytes
        b"\x81\xa1a\x01",  # a map
        b"\xd4\x01\x00",  # an extension
        b"\xa1\xff",  # text that is not UTF-8
        b"\xc1",  # what msgpack never uses
        b"",
        b"\x90\x90",  # two values
        msgpack.packb([0.5] * 70000),  # more fields than anything has
    ],
)
def test_limits_of_the_body_hold(body: bytes) -> None:
    header = struct.pack(">4sHHQ32s", b"PrML", 1, 5, len(body), bytes(32))
    with pytest.raises(MalformedError):
        loads(header + body, Layout)


@dataclass(frozen=True)
class Greeting:
    """A type of another module."""

    wire_tag: ClassVar[int] = 999

    words: str

    def to_fields(self) -> Fields:
        return [self.words]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> "Greeting":
        return cls(fields.text("words", 10))

    def wire_parameters(self) -> None:
        return None


def test_types_of_other_modules_join_by_three_members() -> None:
    assert loads(dumps(Greeting("hello")), Greeting) == Greeting("hello")
    with pytest.raises(MalformedError, match=r"Greeting\.words"):
        loads(dumps(Greeting("hello hello")), Greeting)


def test_types_without_a_format_are_refused(owner_key: WeakPrivateKey) -> None:
    for obj in (owner_key, {"a": 1}, b"bytes"):
        with pytest.raises(SettingError, match="no wire format"):
            dumps(obj)
    with pytest.raises(SettingError, match="no wire format"):
        loads(bytes(48), dict)


def test_constructors_that_refuse_are_malformed_messages(parameters: PublicParameters) -> None:
    element = (1).to_bytes(128, "big")  # h = 1
    body = msgpack.packb([element])
    header = struct.pack(">4sHHQ32s", b"PrML", 1, 2, len(body), parameters.digest)
    with pytest.raises(MalformedError, match="PublicKey"):
        loads(header + body, PublicKey, parameters)


def test_a_header_says_what_follows(objects: dict[type, object], parameters: PublicParameters) -> None:
    data = dumps(objects[Envelope])
    header = Header.parse(data[:HEADER_SIZE])
    assert header == Header(12, len(data) - HEADER_SIZE, parameters.digest)
    with pytest.raises(OversizedError):
        Header.parse(data, max_size=100)


def test_known_types_have_tags_of_their_own() -> None:
    tags = [codec.tag for codec in wire_cryptosystem.CRYPTOSYSTEM.values()]
    assert len(set(tags)) == len(tags)
