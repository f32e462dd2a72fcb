"""Products of powers, all exponents cut into windows of the same width: the two methods behind `multi_power`.

Both take the digits of all exponents window by window and work on any integers that multiply and reduce.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import TypeAlias

Method: TypeAlias = Callable[[Sequence[int], Sequence[tuple[int, ...]], int, int], int]

_STEPWISE_LIMIT = 64  # bases; where the bucket method overtakes for exponents of 128 bits
_STEPWISE_WINDOW = 4


def choose(bases: int, exponent_bits: int) -> tuple[int, Method]:
    """Width of the windows in bits, and the faster method for that many bases."""
    if bases <= _STEPWISE_LIMIT:
        return _STEPWISE_WINDOW, stepwise
    return min(range(1, 17), key=lambda c: -(-exponent_bits // c) * (bases + (2 << c))), by_buckets


def stepwise(bases: Sequence[int], digits: Sequence[tuple[int, ...]], window: int, modulus: int) -> int:
    """Multiply base_i^exponent_i with squarings shared by all bases (Straus, American Mathematical Monthly 1964).

    For each base 2^w - 2 multiplications for a table and one for each window, plus w squarings a window. Memory: 2^w
    residues for each base.

    Parameters
    ----------
    bases
        Residues.
    digits
        For each window, least significant first, the digit of every exponent, in [0, 2^window).
    window
        w, bits to a window.
    modulus
        Positive.
    """
    tables = []
    for base in bases:
        table = [1, base]
        for _ in range(2, 1 << window):
            table.append(table[-1] * base % modulus)
        tables.append(table)
    result = 1 % modulus
    for column in reversed(digits):
        for _ in range(window):
            result = result * result % modulus
        for table, digit in zip(tables, column, strict=True):
            if digit:
                result = result * table[digit] % modulus
    return result


def by_buckets(bases: Sequence[int], digits: Sequence[tuple[int, ...]], window: int, modulus: int) -> int:
    """Multiply base_i^exponent_i by collecting, in each window, the bases of equal digit.

    Pippenger's method as in Bernstein, Doumen, Lange, Oosterwijk (INDOCRYPT 2012, section 4): n + 2^(w+1)
    multiplications and w squarings a window. Memory: 2^w residues. Parameters are those of `stepwise`.
    """
    result = 1 % modulus
    for column in reversed(digits):
        for _ in range(window):
            result = result * result % modulus
        buckets: list[int | None] = [None] * (1 << window)
        for base, digit in zip(bases, column, strict=True):
            held = buckets[digit]
            buckets[digit] = base if held is None else held * base % modulus
        # The product of bucket[d]^d is the product of all products of buckets from d upwards, d >= 1.
        upwards = total = 1
        for held in itertools.islice(reversed(buckets), (1 << window) - 1):
            if held is not None:
                upwards = upwards * held % modulus
            total = total * upwards % modulus
        result = result * total % modulus
    return result
