"""The authority's part: public parameters, the strong key, and its split between the two units."""

from __future__ import annotations

import warnings

from privml.crypto.arithmetic import Integer, gcd, inverse, is_probable_prime, lcm, power
from privml.crypto.dtpkc import KeyShare, PublicParameters
from privml.crypto.primes import safe_prime
from privml.crypto.randomness import random_below, random_unit
from privml.crypto.secret import Secret
from privml.errors import SettingError

SECURE_SIZES = (2048, 3072)  # 112 and 128 bits of security (NIST SP 800-57 part 1, table 2)
INSECURE_SIZE = 1024
TEST_SIZE = 512


class InsecureKeySizeWarning(UserWarning):
    """A key of a size that only serves to repeat published experiments."""


class StrongKey(Secret):
    """The factors of N, and d = N^-1 mod lambda with lambda = lcm(p - 1, q - 1): opens everything under every h.

    Only the authority ever holds one: it splits the key, then erases it.

    Parameters
    ----------
    parameters
        The public parameters.
    p, q
        The prime factors of N.

    Raises
    ------
    SettingError
        If p and q are not the two different primes of N.
    """

    __slots__ = ("_factors", "_parameters")

    def __init__(self, parameters: PublicParameters, p: Integer, q: Integer) -> None:
        if p * q != parameters.modulus or p == q or not (is_probable_prime(p) and is_probable_prime(q)):
            raise SettingError("p and q are not the two different prime factors of N")
        self._parameters = parameters
        self._factors: tuple[Integer, Integer] | None = (Integer(p), Integer(q))

    def __repr__(self) -> str:
        return f"StrongKey({'erased' if self._factors is None else 'held'}; {self._parameters})"

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""
        return self._parameters

    @property
    def factors(self) -> tuple[Integer, Integer]:
        """(p, q); with them any implementation of Paillier's cryptosystem opens T1.

        Raises
        ------
        SettingError
            After `erase`.
        """
        if self._factors is None:
            raise SettingError("this strong key was erased")
        return self._factors

    def split(self) -> tuple[KeyShare, KeyShare]:
        """Shares of the Master and of the Secondary unit: d_M uniform in [0, lambda), d_S = d - d_M mod lambda.

        Shares of different calls do not go together. Raises SettingError after `erase`.
        """
        p, q = self.factors
        order = lcm(p - 1, q - 1)
        master = random_below(order)
        secondary = (inverse(self._parameters.modulus, order) - master) % order
        return KeyShare(self._parameters, master), KeyShare(self._parameters, secondary)

    def erase(self) -> None:
        """Forget p and q. Python may have left copies in memory: end the process too."""
        self._factors = None


def generate(bits: int = 2048, *, allow_insecure_test_size: bool = False) -> tuple[PublicParameters, StrongKey]:
    """N = pq of two safe primes, and g = -a^(2N) mod N² for a random unit a (Liu et al. 2016, section III).

    p = 2p' + 1 and q = 2q' + 1 make lambda = 2p'q', and g has order lambda except with probability about 2^-|N|/2. As
    p and q are of one length, neither divides the other's p' or q', so gcd(N, lambda) = 1 and d exists.

    Parameters
    ----------
    bits
        |N|: 2048 (112-bit security) or 3072 (128-bit). 1024 repeats published experiments, and warns.
    allow_insecure_test_size
        Allows 512 bits as well, for tests.

    Warns
    -----
    InsecureKeySizeWarning
        For 1024 bits.

    Raises
    ------
    SettingError
        For any other size.
    """
    _check_size(bits, allow_insecure_test_size)
    while True:
        p, q = safe_prime(bits // 2), safe_prime(bits // 2)
        # FIPS 186-5, appendix A.1.1: so close that Fermat's factoring would find them; equality included.
        if abs(p - q) > Integer(1) << (bits // 2 - 100):
            break
    n = p * q
    while True:
        a = random_unit(n * n)
        g = -power(a, 2 * n, n * n) % (n * n)
        if gcd(g - 1, n) == 1 and gcd(g + 1, n) == 1:  # else g would have a small order modulo p or q
            break
    parameters = PublicParameters(n, g)
    return parameters, StrongKey(parameters, p, q)


def _check_size(bits: int, allow_insecure_test_size: bool) -> None:
    if bits in SECURE_SIZES or (bits == TEST_SIZE and allow_insecure_test_size):
        return
    if bits != INSECURE_SIZE:
        raise SettingError(
            f"a key has {SECURE_SIZES[0]} or {SECURE_SIZES[1]} bits ({INSECURE_SIZE} to repeat published experiments), "
            f"not {bits}"
        )
    warnings.warn(
        f"a key of {INSECURE_SIZE} bits protects nothing today: use it to repeat published experiments only",
        InsecureKeySizeWarning,
        stacklevel=3,
    )
