"""Curve25519 (RFC 7748): which u-coordinates belong to the curve itself, and not to its twist.

The cryptography library offers scalar multiplication on u-coordinates, which works on curve and twist alike.
"""

from __future__ import annotations

from typing import Final

from privml.crypto.arithmetic import Integer, power
from privml.crypto.randomness import random_below

PRIME: Final = Integer(2**255 - 19)
"""The field."""

_A: Final = Integer(486662)
_HALF: Final = (PRIME - 1) // 2

POINT_BYTES: Final = 32
"""A u-coordinate, little-endian."""


def is_on_curve(u: Integer) -> bool:
    """Whether v² = u³ + 486662 u² + u has a solution v other than 0: the right side's Legendre symbol is 1."""
    square = (u * u * u + _A * u * u + u) % PRIME
    return power(square, _HALF, PRIME) == 1


def random_coordinate() -> bytes:
    """Return the u-coordinate of a uniform point of the curve (of either sign); half of all tries hit the twist."""
    while True:
        u = random_below(PRIME)
        if is_on_curve(u):
            return int(u).to_bytes(POINT_BYTES, "little")
