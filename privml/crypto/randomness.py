"""The one place where PrivML asks the operating system for randomness.

Everything below is deterministic given these functions; tests may replace them, callers cannot pass a seed.
"""

from __future__ import annotations

import math
import secrets

import numpy as np
from numpy.typing import NDArray

from privml.crypto.arithmetic import Integer, gcd
from privml.errors import SettingError


def random_bytes(count: int) -> bytes:
    """`count` uniform bytes, count >= 0."""
    return secrets.token_bytes(count)


def random_bits(bits: int) -> Integer:
    """Uniform in [0, 2^bits), bits >= 0."""
    return Integer(secrets.randbits(bits))


def random_below(bound: Integer) -> Integer:
    """Uniform in [0, bound), without bias.

    Raises
    ------
    SettingError
        If the bound is not positive.
    """
    if bound <= 0:
        raise SettingError("a random integer needs a bound > 0")
    return Integer(secrets.randbelow(int(bound)))


def random_unit(modulus: Integer) -> Integer:
    """Uniform among the units modulo `modulus` > 1."""
    while True:
        candidate = random_below(modulus)
        if gcd(candidate, modulus) == 1:
            return candidate


def random_words(shape: int | tuple[int, ...]) -> NDArray[np.uint64]:
    """Writable array of uniform 64-bit words."""
    count = shape if isinstance(shape, int) else math.prod(shape)
    words = np.frombuffer(bytearray(random_bytes(8 * count)), dtype=np.uint64)
    return words.reshape(shape)
