"""Fast powers of the same base again and again: tables for g and h, and encryption by means of them.

A table of w-bit windows holds base^(j 2^(wi)) for every window i and digit j; a power is one multiplication for each
window (Brickell, Gordon, McCurley, Wilson, EUROCRYPT 1992, with the base's powers stored for every digit). Digits
choose what is read, so this is not the constant-time form: exponents are an owner's own encryption randomness and the
masks of its proofs, never a key.

At 2048 bits (exponents of 1024 bits): w = 9 takes 32 MB and 0.25 s once for each base, w = 8 18 MB and 0.15 s, w = 6
6 MB and 0.05 s, with 114, 128 and 171 multiplications to a power where the general power takes about 1250.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence

from privml.crypto.arithmetic import Integer, in_threads, split_digits
from privml.errors import SettingError

DEFAULT_WINDOW = 9


class FixedBaseTable:
    """Precomputed powers of one base. Built at first use, grows to the longest exponent asked for; thread-safe.

    Parameters
    ----------
    base
        Any residue; public.
    modulus
        Positive.
    exponent_bits
        Length of the exponents to expect; 0 leaves it to the first use. Longer ones are possible up to the modulus'
        length.
    window
        Bits to a window, 1 to 12.

    Raises
    ------
    SettingError
        If the window or the length lies outside.
    """

    def __init__(
        self, base: Integer, modulus: Integer, exponent_bits: int = 0, *, window: int = DEFAULT_WINDOW
    ) -> None:
        if not 1 <= window <= 12:
            raise SettingError(f"a window has 1 to 12 bits, not {window}")
        if not 0 <= exponent_bits <= modulus.bit_length():
            raise SettingError(f"exponents have 0 to {modulus.bit_length()} bits, not {exponent_bits}")
        self._modulus = modulus
        self._expected_bits = exponent_bits
        self._window = window
        self._rows: list[list[Integer]] = []
        self._next_base = base % modulus
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"FixedBaseTable({self.exponent_bits} of {self._expected_bits} bits, {self.memory} bytes)"

    @property
    def base(self) -> Integer:
        """The base."""
        return self._rows[0][1] if self._rows else self._next_base

    @property
    def modulus(self) -> Integer:
        """The modulus."""
        return self._modulus

    @property
    def exponent_bits(self) -> int:
        """Length of the exponents that the table covers by now."""
        return len(self._rows) * self._window

    @property
    def memory(self) -> int:
        """Bytes held by now: about 2^w entries of the modulus' size for each w bits of exponent."""
        return sum(sys.getsizeof(entry) for row in self._rows for entry in row)

    def power(self, exponent: Integer) -> Integer:
        """base^exponent mod modulus.

        Parameters
        ----------
        exponent
            At least 0 and not longer than the modulus.

        Raises
        ------
        SettingError
            If it lies outside.
        """
        self._cover(exponent)
        return self._power(exponent)

    def powers(self, exponents: Sequence[Integer], *, n_jobs: int = 1) -> list[Integer]:
        """base^exponent mod modulus for each exponent.

        Parameters
        ----------
        n_jobs
            Number of threads, -1 for one a core. Two run 1.2 to 1.5 times as fast as one: multiplications are too
            short for more.
        """
        for exponent in exponents:
            self._cover(exponent)
        return in_threads(self._batch, exponents, n_jobs=n_jobs)

    def _batch(self, exponents: Sequence[Integer]) -> list[Integer]:
        return [self._power(exponent) for exponent in exponents]

    def _power(self, exponent: Integer) -> Integer:
        result, modulus = Integer(1), self._modulus
        # Shorter than the rows if the exponent is.
        for row, digit in zip(self._rows, split_digits(exponent, self._window), strict=False):
            result = result * row[digit] % modulus
        return result

    def _cover(self, exponent: Integer) -> None:
        bits = exponent.bit_length()
        if bits <= self.exponent_bits and exponent >= 0:
            return
        if exponent < 0 or bits > self._modulus.bit_length():
            raise SettingError(f"exponents have 0 to {self._modulus.bit_length()} bits and no sign")
        with self._lock:
            wanted = max(bits, self._expected_bits)
            while self.exponent_bits < wanted:
                row = [Integer(1), self._next_base]
                for _ in range(2, 1 << self._window):
                    row.append(row[-1] * row[1] % self._modulus)
                self._next_base = row[-1] * row[1] % self._modulus
                self._rows.append(row)  # complete by now: others read without the lock
