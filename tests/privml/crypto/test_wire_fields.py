from collections.abc import Callable

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import PublicParameters
from privml.crypto.keygen import StrongKey
from privml.crypto.wire_fields import FieldReader, array_fields, element_width, fixed_width, residue_width
from privml.errors import MalformedError, ParameterMismatchError


def reader(*values: object, parameters: PublicParameters | None = None) -> FieldReader:
    return FieldReader("Thing", list(values), parameters)


def test_fields_come_in_order() -> None:
    fields = reader(1, True, 0.5, "é", b"xy", None, [2], b"\1\2")
    assert fields.integer("a", 0, 1) == 1
    assert fields.boolean("b") is True
    assert fields.number("c", 0, 1) == 0.5
    assert fields.text("d", 2) == "é"
    assert not fields.absent("e")
    assert fields.raw("e", 2) == b"xy"
    assert fields.absent("f")
    assert fields.read("g", lambda nested: nested.integer("h", 0, 9)) == 2
    assert fields.natural("i", 2, 1 << 16) == 258
    fields.end()


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (2, lambda f: f.integer("x", 0, 1)),
        (-1, lambda f: f.integer("x", 0, 1)),
        (True, lambda f: f.integer("x", 0, 1)),
        (1.0, lambda f: f.integer("x", 0, 1)),
        (1, lambda f: f.boolean("x")),
        (1, lambda f: f.number("x")),
        (float("nan"), lambda f: f.number("x")),
        (float("inf"), lambda f: f.number("x", 0, 1)),
        ("éé", lambda f: f.text("x", 3)),
        (b"e", lambda f: f.text("x")),
        ("e", lambda f: f.raw("x")),
        (b"e", lambda f: f.raw("x", 2)),
        (None, lambda f: f.raw("x")),
        (b"e", lambda f: f.nested("x")),
        ([1], lambda f: f.read("x", lambda nested: nested)),
        (b"\2", lambda f: f.natural("x", 1, 2)),
        (b"\0\1", lambda f: f.natural("x", 1, 2)),
        ([-1], lambda f: f.shape("x")),
        ([1] * 9, lambda f: f.shape("x")),
        ([1 << 30, 1 << 30], lambda f: f.shape("x")),
        ([0, 1 << 47, 1 << 47], lambda f: f.shape("x")),
        ([[2], bytes(15)], lambda f: f.array("x")),
        ([[2], bytes(16), 0], lambda f: f.array("x")),
        ([[2]], lambda f: f.array("x")),
    ],
)
def test_every_departure_is_an_error_that_names_the_field(value: object, read: Callable[[FieldReader], object]) -> None:
    with pytest.raises(MalformedError, match=r"Thing\.x"):
        read(reader(value))


def test_missing_and_superfluous_fields_are_errors() -> None:
    with pytest.raises(MalformedError, match=r"Thing\.x: missing"):
        reader().integer("x", 0, 1)
    assert not reader().absent("x")
    with pytest.raises(MalformedError, match="1 fields, of which only 0"):
        reader(1).end()
    with pytest.raises(MalformedError, match="list of fields"):
        FieldReader("Thing", {"a": 1})


@given(arrays.arrays(np.uint64, arrays.array_shapes(min_dims=0, min_side=0, max_dims=4)))
def test_arrays_come_back_read_only(array: np.typing.NDArray[np.uint64]) -> None:
    back = reader(msgpack.unpackb(msgpack.packb(array_fields(array)))).array("x")
    assert back.dtype == np.uint64
    assert back.shape == array.shape
    assert np.array_equal(back, array)
    assert not back.flags.writeable


def test_arrays_travel_in_c_order() -> None:
    array = np.arange(6, dtype=np.uint64).reshape(2, 3)
    assert array_fields(array.T) == array_fields(array.T.copy())


@given(st.lists(st.integers(0, 255), max_size=5))
def test_fixed_width_is_big_endian(values: list[int]) -> None:
    assert fixed_width([Integer(value) for value in values], 2) == b"".join(bytes([0, value]) for value in values)


def test_elements_are_units_in_range(strong_key: StrongKey) -> None:
    parameters, (p, _) = strong_key.parameters, strong_key.factors
    width, n2 = element_width(parameters), parameters.modulus_squared
    good = fixed_width([Integer(1), n2 - 1, parameters.generator], width)
    assert reader(good, parameters=parameters).elements("x") == (1, n2 - 1, parameters.generator)
    assert reader(b"", parameters=parameters).elements("x") == ()
    for bad in (Integer(0), n2, p, parameters.modulus):
        with pytest.raises(MalformedError, match=r"Thing\.x"):
            reader(good + fixed_width([bad], width), parameters=parameters).elements("x")
    for data, count in ((good, 2), (good[:-1], None), (b"", 1)):
        with pytest.raises(MalformedError, match=r"Thing\.x"):
            reader(data, parameters=parameters).elements("x", count)
    half = residue_width(parameters)
    with pytest.raises(MalformedError):
        reader(fixed_width([parameters.modulus], half), parameters=parameters).residue("x")


def test_without_parameters_nothing_belongs_to_any() -> None:
    with pytest.raises(ParameterMismatchError):
        reader(b"").element("x")
