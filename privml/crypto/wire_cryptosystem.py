"""The formats of the cryptosystem's own types, which know nothing of bytes themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Generic, TypeVar

from privml.crypto.dtpkc import Ciphertext, CiphertextVector, PublicKey, PublicParameters
from privml.crypto.packing import Layout, PackedCiphertext
from privml.crypto.wire_fields import FieldReader, Fields, element_width, fixed_width, residue_width

T = TypeVar("T")

_MAX_BITS = 1 << 14
_MAX_COUNT = 1 << 48


@dataclass(frozen=True)
class Codec(Generic[T]):
    """How one type travels: its tag, its fields, the way back, and the public parameters it belongs to."""

    tag: int
    write: Callable[[T], Fields]
    read: Callable[[FieldReader], T]
    parameters: Callable[[T], PublicParameters | None]


def _write_parameters(parameters: PublicParameters) -> Fields:
    half = residue_width(parameters)
    return [
        parameters.bits,
        fixed_width([parameters.modulus], half),
        fixed_width([parameters.generator], element_width(parameters)),
    ]


def _read_parameters(fields: FieldReader) -> PublicParameters:
    bits = fields.integer("bits", 16, _MAX_BITS)
    half = (bits + 7) // 8
    modulus = fields.natural("modulus", half, 1 << bits)
    if modulus.bit_length() != bits:
        raise fields.error("modulus", f"an integer of {bits} bits", f"one of {modulus.bit_length()}")
    return PublicParameters(modulus, fields.natural("generator", 2 * half, modulus * modulus))


def write_ciphertext(ciphertext: Ciphertext) -> Fields:
    """T1, and T2 or None."""
    width = element_width(ciphertext.parameters)
    t2 = None if ciphertext.t2 is None else fixed_width([ciphertext.t2], width)
    return [fixed_width([ciphertext.t1], width), t2]


def read_ciphertext(fields: FieldReader) -> Ciphertext:
    """Units modulo N²."""
    return Ciphertext(fields.parameters, fields.element("t1"), None if fields.absent("t2") else fields.element("t2"))


def write_vector(vector: CiphertextVector) -> Fields:
    """All T1 side by side, and all T2 or None."""
    width = element_width(vector.parameters)
    return [fixed_width(vector.t1, width), None if vector.t2 is None else fixed_width(vector.t2, width)]


def read_vector(fields: FieldReader) -> CiphertextVector:
    """Units modulo N², checked with one gcd for each component."""
    t1 = fields.elements("t1")
    return CiphertextVector(fields.parameters, t1, None if fields.absent("t2") else fields.elements("t2", len(t1)))


def write_layout(layout: Layout) -> Fields:
    """The four numbers that make a layout."""
    return [layout.count, layout.value_bits, fixed_width([layout.additions], 9), layout.sigma]


def read_layout(fields: FieldReader) -> Layout:
    """A layout, which checks itself."""
    return Layout(
        count=fields.integer("count", 0, _MAX_COUNT),
        value_bits=fields.integer("value_bits", 1, _MAX_BITS),
        additions=_read_additions(fields, "additions"),
        sigma=fields.integer("sigma", 0, _MAX_BITS),
    )


def write_packed(packed: PackedCiphertext) -> Fields:
    """T1s, T2s or None, the layout, and how many additions it is the sum of."""
    fields = write_vector(packed.vector)
    return [*fields, write_layout(packed.layout), fixed_width([packed.additions_used], 9)]


def read_packed(fields: FieldReader) -> PackedCiphertext:
    """Packed ciphertexts, which check themselves against their layout."""
    vector, layout = read_vector(fields), fields.read("layout", read_layout)
    return PackedCiphertext(vector, layout, _read_additions(fields, "additions_used"))


def _read_additions(fields: FieldReader, name: str) -> int:
    return int(fields.natural(name, 9, (1 << 64) + 1))  # one more than msgpack's integers


CRYPTOSYSTEM: Final[Mapping[type[Any], Codec[Any]]] = MappingProxyType(
    {
        PublicParameters: Codec(1, _write_parameters, _read_parameters, lambda _: None),
        PublicKey: Codec(
            2,
            lambda key: [fixed_width([key.element], element_width(key.parameters))],
            lambda fields: PublicKey(fields.parameters, fields.element("element")),
            lambda key: key.parameters,
        ),
        Ciphertext: Codec(3, write_ciphertext, read_ciphertext, lambda ciphertext: ciphertext.parameters),
        CiphertextVector: Codec(4, write_vector, read_vector, lambda vector: vector.parameters),
        Layout: Codec(5, write_layout, read_layout, lambda _: None),
        PackedCiphertext: Codec(6, write_packed, read_packed, lambda packed: packed.vector.parameters),
    }
)
