"""Base transfers: both sides agree on the chosen pads only, and the request hides the choices."""

from __future__ import annotations

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from privml.crypto.arithmetic import Integer
from privml.crypto.randomness import random_bytes
from privml.errors import FrameSizeError, ProtocolError
from privml.units.ot import base_ot, curve
from privml.units.ot.base_ot import REQUEST_BYTES, TRANSFERS, BaseReceiver, answer_request, choice_bits
from tests.two_units import looks_uniform

ORDER = 2**252 + 27742317777372353535851937790883648493
P = int(curve.PRIME)


def multiply(scalar: int, u: int) -> int | None:
    """Montgomery's ladder without clamping, RFC 7748 section 5; None for the point at infinity."""
    x2, z2, x3, z3 = 1, 0, u, 1
    for bit in bin(scalar)[2:]:
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
        a, b, c, d = x2 + z2, x2 - z2, x3 + z3, x3 - z3
        aa, bb, da, cb = a * a % P, b * b % P, d * a % P, c * b % P
        x2, z2 = aa * bb % P, (aa - bb) * (aa + 121665 * (aa - bb)) % P
        x3, z3 = (da + cb) ** 2 % P, u * (da - cb) ** 2 % P
        if bit == "1":
            x2, z2, x3, z3 = x3, z3, x2, z2
    return None if z2 == 0 else x2 * pow(z2, -1, P) % P


def coordinates(request: bytes) -> list[int]:
    return [int.from_bytes(request[start : start + 32], "little") for start in range(0, len(request), 32)]


def all_on_curve(request: bytes) -> bool:
    return all(curve.is_on_curve(Integer(u)) for u in coordinates(request))


def all_in_subgroup(request: bytes, count: int = 64) -> bool:
    return all(multiply(ORDER, u) is None for u in coordinates(request)[:count])


def test_ladder_agrees_with_the_library() -> None:
    private = X25519PrivateKey.generate()
    scalar = int.from_bytes(private.private_bytes_raw(), "little")
    clamped = scalar & ~7 & (2**255 - 1) & ~(1 << 255) | 1 << 254
    expected = int.from_bytes(private.public_key().public_bytes_raw(), "little")
    assert multiply(clamped, 9) == expected


def test_receiver_gets_the_pads_it_chose_and_no_other() -> None:
    choices = random_bytes(16)
    receiver = BaseReceiver(choices, b"context")
    answer, pairs = answer_request(receiver.request, b"context")
    keys = receiver.keys(answer)
    assert len(set(keys) | {pad for pair in pairs for pad in pair}) == 2 * TRANSFERS
    for key, pair, bit in zip(keys, pairs, choice_bits(choices), strict=True):
        assert key == pair[bit]
        assert key != pair[1 - bit]


def test_pads_belong_to_their_context() -> None:
    receiver = BaseReceiver(bytes(16), b"one")
    answer, pairs = answer_request(receiver.request, b"another")
    assert not set(receiver.keys(answer)) & {pad for pair in pairs for pad in pair}


def test_choice_bits_count_from_the_least_significant() -> None:
    assert choice_bits(b"\x01\x80") == [1] + 14 * [0] + [1]


def test_curve_and_twist() -> None:
    assert curve.is_on_curve(Integer(9))
    assert not curve.is_on_curve(Integer(2))  # a point of the twist
    found = [curve.is_on_curve(Integer(u)) for u in range(2, 1000)]
    assert 400 < sum(found) < 600


@pytest.mark.parametrize("choice", [0x00, 0xFF, 0x55])
def test_all_keys_lie_on_the_curve_and_in_the_subgroup_whatever_is_chosen(choice: int) -> None:
    request = BaseReceiver(bytes([choice] * 16), b"").request
    assert len(request) == REQUEST_BYTES
    assert all_on_curve(request)
    assert all_in_subgroup(request)


def test_chosen_and_other_keys_are_distributed_alike() -> None:
    chosen, other = bytearray(), bytearray()
    for _ in range(3):
        for index, u in enumerate(coordinates(BaseReceiver(bytes(16), b"").request)):
            # the top byte has one bit less
            (other if index % 2 else chosen).extend(u.to_bytes(32, "little")[:31])
    assert looks_uniform(np.frombuffer(chosen, dtype=np.uint8))
    assert looks_uniform(np.frombuffer(other, dtype=np.uint8))


def test_a_key_from_an_unchecked_coordinate_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curve, "is_on_curve", lambda u: True)
    request = BaseReceiver(bytes(16), b"").request
    monkeypatch.undo()
    assert not all_on_curve(request)


def test_a_key_with_a_cofactor_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base_ot, "_key_without_logarithm", curve.random_coordinate)
    request = BaseReceiver(bytes(16), b"").request
    assert all_on_curve(request)
    assert not all_in_subgroup(request)


def test_messages_out_of_shape_are_refused() -> None:
    receiver = BaseReceiver(bytes(16), b"")
    with pytest.raises(FrameSizeError, match="8192 bytes"):
        answer_request(receiver.request[:-1], b"")
    with pytest.raises(ProtocolError, match="small order"):
        answer_request(bytes(32) + receiver.request[32:], b"")
    with pytest.raises(ProtocolError, match="small order"):
        receiver.keys(bytes(32))
