"""The public parameters (N, g) that every key and ciphertext of a deployment shares."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from privml.crypto.arithmetic import Integer, are_units, gcd
from privml.crypto.transcript import encode
from privml.errors import DecryptionError, NotAUnitError, ParameterMismatchError, PlaintextRangeError, SettingError

SUPPORTED_SIZES = (512, 1024, 2048, 3072)  # 512 for tests only, 1024 to repeat published experiments


@dataclass(frozen=True, slots=True)
class PublicParameters:
    """Modulus N = pq and generator g = -a^(2N) mod N² of DT-PKC (Liu, Deng, Choo, Weng, IEEE TIFS 2016, section III).

    Plaintexts are signed integers m with |m| < N/2, group elements units modulo N².

    Parameters
    ----------
    modulus
        N, odd, of 512, 1024, 2048 or 3072 bits. Only `privml.crypto.keygen` makes new ones, and guards the small sizes.
    generator
        g in [1, N²), coprime to N, and neither 1 nor -1 modulo a prime of N.

    Raises
    ------
    SettingError
        If N has another size or is even, or g lies in a subgroup that it must not.
    NotAUnitError
        If g is no unit modulo N².
    """

    modulus: Integer
    generator: Integer
    modulus_squared: Integer = field(init=False, repr=False, compare=False)
    half_modulus: Integer = field(init=False, repr=False, compare=False)
    digest: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        n, g = Integer(self.modulus), Integer(self.generator)
        if n.bit_length() not in SUPPORTED_SIZES or n % 2 == 0:
            raise SettingError(f"N is an odd integer of {SUPPORTED_SIZES} bits, not one of {n.bit_length()} bits")
        # Computed once: every homomorphic operation needs N², every decryption (N - 1)/2.
        object.__setattr__(self, "modulus", n)
        object.__setattr__(self, "generator", g)
        object.__setattr__(self, "modulus_squared", n * n)
        object.__setattr__(self, "half_modulus", n // 2)
        object.__setattr__(self, "digest", hashlib.sha256(encode("privml", "dtpkc-parameters", 1, n, g)).digest())
        self.check_unit(g)
        # g = ±1 modulo p or q would factor N and leave part of the order to guess; g = 1 + kN is the worst of these.
        if gcd(g - 1, n) != 1 or gcd(g + 1, n) != 1:
            raise SettingError("g must not be 1 or -1 modulo N or one of its primes")

    def __repr__(self) -> str:
        return f"PublicParameters({self.bits} bits, digest {self.digest.hex()[:16]})"

    @property
    def bits(self) -> int:
        """|N|, the key size in bits."""
        return self.modulus.bit_length()

    def check_unit(self, value: Integer) -> None:
        """Check a group element that comes from outside.

        Raises
        ------
        NotAUnitError
            If it lies outside [1, N²) or shares a factor with N.
        """
        self.check_units((value,))

    def check_units(self, values: Iterable[Integer]) -> None:
        """Check group elements that come from outside, at the cost of one multiplication each and one gcd.

        Raises
        ------
        NotAUnitError
            If one lies outside [1, N²) or shares a factor with N.
        """
        held = tuple(values)
        if not all(0 < value < self.modulus_squared for value in held):
            raise NotAUnitError("a group element lies outside [1, N²)")
        if not are_units((value % self.modulus for value in held), self.modulus):
            raise NotAUnitError("a group element shares a factor with N")

    def check_same(self, other: PublicParameters) -> None:
        """Check that two objects belong together.

        Raises
        ------
        ParameterMismatchError
            If `other` are different parameters.
        """
        if self is not other and self != other:
            raise ParameterMismatchError(f"{self} and {other} do not go together")

    def embed(self, plaintext: int) -> Integer:
        """(1 + N)^m = 1 + mN mod N², for a signed plaintext.

        Raises
        ------
        PlaintextRangeError
            If |m| > (N - 1)/2.
        """
        if abs(plaintext) > self.half_modulus:
            raise PlaintextRangeError(f"a plaintext m needs |m| < N/2, here below 2^{self.bits - 1}")
        return plaintext % self.modulus * self.modulus + 1

    def extract(self, embedded: Integer) -> int:
        """Signed m of 1 + mN mod N²; the inverse of `embed`. L(x) = (x - 1)/N.

        Raises
        ------
        DecryptionError
            If the element is not 1 modulo N.
        """
        quotient, remainder = divmod(embedded, self.modulus)
        if remainder != 1:
            raise DecryptionError("this does not decrypt: corrupt, under another key, or outside the expected layout")
        return int(quotient if quotient <= self.half_modulus else quotient - self.modulus)
