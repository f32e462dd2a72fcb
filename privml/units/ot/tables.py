"""Words of tables that shared digits point to, from ANDs of these digits.

A function of six bits is a sum over GF(2) of ANDs of some of them (its algebraic normal form). A table has such a
function for each of its 64 places, so that its word is the sum of public words, each where an AND is 1.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from privml.units.correlations import Pattern
from privml.units.correlations.pieces import EXCEEDS, NEGATIVE, VALUES, WINDOW

Words = NDArray[np.uint64]
Bits = NDArray[np.uint8]

PRODUCTS: Final[tuple[Pattern, ...]] = tuple(
    tuple((digit, 0) for digit in digits)
    for size in range(2, WINDOW + 1)
    for digits in combinations(range(WINDOW), size)
)
"""The ANDs of two digits or more, of words that hold a digit each."""


def _normal_form(table: Words) -> Words:
    """Which places of the table an AND counts for: of the digits whose bits the index has, all of them set."""
    form = table.copy()
    for index in range(VALUES):
        subsets = [subset for subset in range(VALUES) if subset & index == subset]
        form[index] = np.bitwise_xor.reduce(table[subsets])
    return form


_FORMS: Final = {True: _normal_form(NEGATIVE), False: _normal_form(EXCEEDS)}


def packed_digits(windows: Words) -> list[Bits]:
    """Take digits apart: the lowest of all windows in the bits of the first array, and so on."""
    flat = windows.reshape(-1)
    return [np.packbits((flat >> np.uint64(place) & np.uint64(1)).astype(np.uint8)) for place in range(WINDOW)]


def tables_of(windows: Words, digits: list[Bits], products: list[Any], *, is_master: bool) -> Words:
    """Share the tables, (n, windows), from shares of windows, (windows, n), of their digits, and of ANDs of these."""
    count = windows.size
    ands = {0: np.full(count, is_master, dtype=np.uint8)}
    ands |= {1 << place: np.unpackbits(bits, count=count) for place, bits in enumerate(digits)}
    for pattern, bits in zip(PRODUCTS, products, strict=True):
        ands[sum(1 << digit for digit, _ in pattern)] = np.unpackbits(bits, count=count)
    tables = np.zeros(windows.shape, dtype=np.uint64)
    for index, bits in ands.items():
        chosen = np.negative(bits.astype(np.uint64)).reshape(windows.shape)
        tables[:-1] ^= chosen[:-1] & _FORMS[False][index]
        tables[-1] ^= chosen[-1] & _FORMS[True][index]
    return np.ascontiguousarray(tables.T)
