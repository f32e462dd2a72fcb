"""Fast powers modulo N² of the same base again and again, as encryption needs them of g and h.

A table of w-bit windows holds base^(j 2^(wi)) for every window i and digit j; a power is one multiplication for each
window (Brickell, Gordon, McCurley, Wilson, EUROCRYPT 1992, with the base's powers stored for every digit). Digits
choose what is read, so this is not the constant-time form: exponents are an owner's own encryption randomness and the
masks of its proofs, never a key.

Residues are held as pairs (a, b) for a + bN. With ac = uN + t, (a + bN)(c + dN) = t + (ad + bc + u)N modulo N²:
products and remainders of half the size, in all 0.85 of the time of a product modulo N².

At 2048 bits (exponents of 1024 bits): w = 9 takes 39 MB and 0.25 s once for each base, w = 8 22 MB and 0.15 s, w = 6
7 MB and 0.05 s, with 114, 128 and 171 multiplications to a power where the general power takes about 1250: a table
pays from about 40 powers on. There is no parallel form: a multiplication is too short to hand over the interpreter lock
(two threads take twice as long as one), and a process would need a copy of the table.
"""

from __future__ import annotations

import sys
import threading
from typing import TypeAlias

from privml.crypto.arithmetic import Integer, secret_power, split_digits
from privml.errors import SettingError

DEFAULT_WINDOW = 9
BREAK_EVEN = 40

_Pair: TypeAlias = tuple[Integer, Integer]


class FixedBaseTable:
    """Precomputed powers of one base modulo N².

    Built at first use, or after as many powers as it takes for it to pay; grows to the longest exponent asked for;
    thread-safe.

    Parameters
    ----------
    base
        Any residue modulo N²; public.
    modulus
        N (not its square), > 1.
    exponent_bits
        Length of the exponents to expect; 0 leaves it to the first use. Longer ones are possible up to 2 |N| bits.
    window
        Bits to a window, 1 to 12.
    patience
        Powers to compute without a table before it is built (`prepare` builds it at once): with `BREAK_EVEN`, never
        more than twice as much is spent as by who knew how many powers there would be.

    Raises
    ------
    SettingError
        If the window or the length lies outside.
    """

    def __init__(
        self,
        base: Integer,
        modulus: Integer,
        exponent_bits: int = 0,
        *,
        window: int = DEFAULT_WINDOW,
        patience: int = 0,
    ) -> None:
        if not 1 <= window <= 12:
            raise SettingError(f"a window has 1 to 12 bits, not {window}")
        if not 0 <= exponent_bits <= 2 * modulus.bit_length():
            raise SettingError(f"exponents have 0 to {2 * modulus.bit_length()} bits, not {exponent_bits}")
        self._base = base % (modulus * modulus)
        self._modulus = modulus
        self._expected_bits = exponent_bits
        self._window = window
        self._patience = patience
        self._rows: list[list[_Pair]] = []
        self._next_base = _split(self._base, modulus)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"FixedBaseTable({self.exponent_bits} of {self._expected_bits} bits, {self.memory} bytes)"

    @property
    def base(self) -> Integer:
        """The base, reduced modulo N²."""
        return self._base

    @property
    def modulus(self) -> Integer:
        """N, not its square."""
        return self._modulus

    @property
    def exponent_bits(self) -> int:
        """Length of the exponents that the table covers by now."""
        return len(self._rows) * self._window

    @property
    def memory(self) -> int:
        """Bytes held by now: 2^w pairs for each w bits of exponent."""
        return sum(sys.getsizeof(part) for row in self._rows for pair in row for part in (pair, *pair))

    def power(self, exponent: Integer) -> Integer:
        """base^exponent mod N².

        Parameters
        ----------
        exponent
            At least 0 and not longer than N².

        Raises
        ------
        SettingError
            If it lies outside.
        """
        self._check(exponent)
        if self._patience > 0:
            self._patience -= 1  # a race between threads costs one power more or less
            return secret_power(self._base, exponent, self._modulus * self._modulus)
        self._cover(exponent.bit_length())
        n, a, b = self._modulus, Integer(1), Integer(0)
        # Shorter than the rows if the exponent is. The loop is _multiply written out.
        for row, digit in zip(self._rows, split_digits(exponent, self._window), strict=False):
            c, d = row[digit]
            u, t = divmod(a * c, n)
            a, b = t, (a * d + b * c + u) % n
        return a + b * n

    def prepare(self) -> None:
        """Build the table now, for the length of exponents to expect."""
        self._patience = 0
        self._cover(self._expected_bits)

    def _check(self, exponent: Integer) -> None:
        if exponent < 0 or exponent.bit_length() > 2 * self._modulus.bit_length():
            raise SettingError(f"exponents have 0 to {2 * self._modulus.bit_length()} bits and no sign")

    def _cover(self, bits: int) -> None:
        if bits <= self.exponent_bits:
            return
        with self._lock:
            wanted = max(bits, self._expected_bits)
            while self.exponent_bits < wanted:
                row = [(Integer(1), Integer(0)), self._next_base]
                for _ in range(2, 1 << self._window):
                    row.append(_multiply(row[-1], row[1], self._modulus))
                self._next_base = _multiply(row[-1], row[1], self._modulus)
                # Copied, because gmpy2 leaves results in recycled memory of twice their size; and complete when it is
                # appended, because others read without the lock.
                self._rows.append([(a + 0, b + 0) for a, b in row])


def _split(value: Integer, modulus: Integer) -> _Pair:
    b, a = divmod(value, modulus)
    return a, b


def _multiply(x: _Pair, y: _Pair, n: Integer) -> _Pair:
    (a, b), (c, d) = x, y
    u, t = divmod(a * c, n)
    return t, (a * d + b * c + u) % n
