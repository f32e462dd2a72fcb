"""Safe primes by a windowed sieve."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from privml.crypto.arithmetic import Integer, is_probable_prime, power
from privml.crypto.randomness import random_bits
from privml.errors import SettingError

_SIEVE_BOUND = 1 << 19  # small primes to sieve by
_WINDOW = 1 << 18  # odd candidates to a window; at 1024 bits about 1.4 windows hold a safe prime


def safe_prime(bits: int) -> Integer:
    """Random p = 2q + 1 with p and q prime, of exactly `bits` bits with the two highest set.

    Two such primes multiply to a number of exactly 2 bits. From a random start the first hit in a window of candidates
    q, q + 2, ... is taken, after all those were crossed out where a small prime divides q or 2q + 1 (Wiener,
    "Safe Prime Generation with a Combined Sieve", IACR ePrint 2003/186).

    Raises
    ------
    SettingError
        For fewer than 64 bits, where a start could be one of the small primes itself.
    """
    if bits < 64:
        raise SettingError(f"a safe prime has at least 64 bits here, not {bits}")
    window = min(_WINDOW, 1 << (bits // 4))
    while True:
        start = (Integer(3) << (bits - 3)) | random_bits(bits - 3) | 1
        for offset in _survivors(start, window):
            q = start + 2 * int(offset)
            p = 2 * q + 1
            if _passes_fermat(q) and _passes_fermat(p) and is_probable_prime(q) and is_probable_prime(p):
                if p.bit_length() == bits:
                    return p
                break  # ran over the top of the range: draw another start


def _passes_fermat(candidate: Integer) -> bool:
    return power(Integer(2), candidate - 1, candidate) == 1


def _survivors(start: Integer, window: int) -> NDArray[np.intp]:
    """Find the i in [0, window) for which no small prime divides q = start + 2i or 2q + 1."""
    candidates = np.ones(window, dtype=np.bool_)
    for prime in _small_odd_primes():
        residue, half = int(start % prime), (prime + 1) // 2  # half = 1/2 mod prime
        candidates[-residue * half % prime :: prime] = False
        candidates[-(2 * residue + 1) * half * half % prime :: prime] = False
    return np.flatnonzero(candidates)


@functools.cache
def _small_odd_primes() -> tuple[int, ...]:
    sieve = np.ones(_SIEVE_BOUND, dtype=np.bool_)
    sieve[:2] = sieve[4::2] = sieve[2] = False
    for factor in range(3, int(_SIEVE_BOUND**0.5) + 1, 2):
        if sieve[factor]:
            sieve[factor * factor :: factor] = False
    return tuple(np.flatnonzero(sieve).tolist())
