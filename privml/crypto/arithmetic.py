"""Modular arithmetic on big integers: the only file that knows gmpy2.

Two families of powers are kept apart. A *public* exponent goes through GMP's fastest sliding windows (`power`,
`powers`, `multi_power`). A *secret* exponent goes through GMP's side-channel silent `powmod_sec` (`secret_power`,
`secret_powers`), about 1.2 to 1.4 times slower, and never leaves the process: its batches run on threads only.
Both release the interpreter lock while GMP works, so threads scale with cores.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import gmpy2  # type: ignore[import-untyped]
import joblib

from privml.crypto import power_products
from privml.errors import NotAUnitError, SettingError

if TYPE_CHECKING:
    # gmpy2 publishes no types; what an mpz shares with an int is all that PrivML uses.
    Integer = int
else:
    Integer = gmpy2.mpz

# Miller-Rabin rounds beside GMP's Baillie-PSW test; each lets a composite pass with probability below 1/4.
_PRIME_TEST_ROUNDS = 64


def power(base: Integer, exponent: Integer, modulus: Integer) -> Integer:
    """base^exponent mod modulus for a public exponent.

    Parameters
    ----------
    base
        Any integer.
    exponent
        Public; a negative one needs a base that is a unit.
    modulus
        Positive.

    Raises
    ------
    NotAUnitError
        If the exponent is negative and the base shares a factor with the modulus.
    """
    if exponent < 0:
        base, exponent = inverse(base, modulus), -exponent
    with _without_interpreter_lock():
        return _integer(gmpy2.powmod(base, exponent, modulus))


def secret_power(base: Integer, exponent: Integer, modulus: Integer) -> Integer:
    """base^exponent mod modulus for a secret exponent, by GMP's `mpn_sec_powm`.

    Running time and memory accesses depend on the sizes of the operands in machine words and not on their values.
    Invert afterwards where a negative power is needed.

    Parameters
    ----------
    base
        Any integer; pass it reduced, because its size is visible too.
    exponent
        Secret, >= 0. Zero (probability about 2^-|N| for keys and shares) takes a visibly shorter way.
    modulus
        Odd and positive.

    Raises
    ------
    SettingError
        If the exponent is negative or the modulus is even.
    """
    return _secret_powers([base], exponent, modulus)[0]


def powers(bases: Sequence[Integer], exponent: Integer, modulus: Integer, *, n_jobs: int = 1) -> list[Integer]:
    """base^exponent mod modulus for each base and one public exponent >= 0.

    Parameters
    ----------
    n_jobs
        Number of joblib workers, -1 for all cores; more than one cost about 10 ms. Threads by default; since nothing
        here is a key, an enclosing `joblib.parallel_config` may choose another backend.

    Raises
    ------
    SettingError
        If the exponent is negative.
    """
    if exponent < 0:
        raise SettingError("a batch of powers takes exponents >= 0; invert the results instead")
    jobs = _chunks(bases, n_jobs)
    if len(jobs) <= 1:
        return _public_powers(bases, exponent, modulus)
    # None: nothing is mapped to disk.
    parallel = joblib.Parallel(n_jobs=len(jobs), prefer="threads", max_nbytes=None)
    return _join(parallel(joblib.delayed(_public_powers)(chunk, exponent, modulus) for chunk in jobs))


def secret_powers(bases: Sequence[Integer], exponent: Integer, modulus: Integer, *, n_jobs: int = 1) -> list[Integer]:
    """base^exponent mod modulus for each base and one secret exponent; see `secret_power` for ranges and errors.

    Parameters
    ----------
    n_jobs
        Number of threads, -1 for all cores; more than one cost about 10 ms. An enclosing `joblib.parallel_config`
        cannot move this to another process: a secret exponent stays where it is.
    """
    jobs = _chunks(bases, n_jobs)
    if len(jobs) <= 1:
        return _secret_powers(bases, exponent, modulus)
    parallel = joblib.Parallel(n_jobs=len(jobs), backend="threading", require="sharedmem")
    return _join(parallel(joblib.delayed(_secret_powers)(chunk, exponent, modulus) for chunk in jobs))


def multi_power(bases: Sequence[Integer], exponents: Sequence[Integer], modulus: Integer) -> Integer:
    """Multiply base_i^exponent_i mod modulus for public exponents >= 0.

    About 14 + l/4 multiplications for each base of an l-bit exponent plus l squarings for all, and fewer the more bases
    there are; see `privml.crypto.power_products`.

    Raises
    ------
    SettingError
        If the lengths differ or an exponent is negative.
    """
    if len(bases) != len(exponents):
        raise SettingError(f"{len(bases)} bases need as many exponents, not {len(exponents)}")
    if any(exponent < 0 for exponent in exponents):
        raise SettingError("a product of powers takes exponents >= 0")
    longest = max((exponent.bit_length() for exponent in exponents), default=0)
    window, method = power_products.choose(len(bases), longest)
    count = -(-longest // window)
    rows = [split_digits(exponent, window) for exponent in exponents]
    digits = list(zip(*[row + [Integer(0)] * (count - len(row)) for row in rows], strict=True))
    return method([base % modulus for base in bases], digits[:count], window, Integer(modulus))


def inverse(value: Integer, modulus: Integer) -> Integer:
    """value^-1 mod modulus.

    Raises
    ------
    NotAUnitError
        If the value shares a factor with the modulus.
    """
    try:
        return _integer(gmpy2.invert(value, modulus))
    except ZeroDivisionError:
        raise NotAUnitError("the value shares a factor with the modulus") from None


def gcd(x: Integer, y: Integer) -> Integer:
    """Greatest common divisor, >= 0."""
    return _integer(gmpy2.gcd(x, y))


def lcm(x: Integer, y: Integer) -> Integer:
    """Least common multiple, >= 0."""
    return _integer(gmpy2.lcm(x, y))


def product_mod(values: Iterable[Integer], modulus: Integer) -> Integer:
    """Product of all values mod modulus; 1 mod modulus for none."""
    result = Integer(1) % modulus
    for value in values:
        result = result * value % modulus
    return result


def are_units(values: Iterable[Integer], modulus: Integer) -> bool:
    """Whether no value shares a factor with the modulus: one gcd of the product of all."""
    return gcd(product_mod(values, modulus), modulus) == 1


def is_probable_prime(value: Integer) -> bool:
    """Baillie-PSW and 40 Miller-Rabin rounds: a composite passes with probability below 2^-80 even if chosen to."""
    return bool(gmpy2.is_prime(value, _PRIME_TEST_ROUNDS))


def join_digits(digits: Sequence[Integer], bits: int) -> Integer:
    """sum_i digits[i] 2^(bits i), for digits in [0, 2^bits).

    Raises
    ------
    SettingError
        If a digit lies outside.
    """
    try:
        return _integer(gmpy2.pack(list(digits), bits))
    except TypeError:
        raise SettingError(f"digits of {bits} bits are integers in [0, 2^{bits})") from None


def split_digits(value: Integer, bits: int) -> list[Integer]:
    """Digits of value >= 0 in base 2^bits, least significant first; [0] for zero. Inverse of `join_digits`."""
    digits: list[Integer] = gmpy2.unpack(Integer(value), bits)
    return digits


def _public_powers(bases: Sequence[Integer], exponent: Integer, modulus: Integer) -> list[Integer]:
    results: list[Integer] = gmpy2.powmod_base_list(list(bases), exponent, modulus)
    return results


def _secret_powers(bases: Sequence[Integer], exponent: Integer, modulus: Integer) -> list[Integer]:
    if exponent < 0 or modulus % 2 == 0:
        raise SettingError("a secret power takes an exponent >= 0 and an odd modulus")
    if not exponent:  # GMP's silent form refuses zero
        return [Integer(1) % modulus for _ in bases]
    with _without_interpreter_lock():
        return [_integer(gmpy2.powmod_sec(base, exponent, modulus)) for base in bases]


def _without_interpreter_lock() -> gmpy2.context:
    # gmpy2's contexts belong to one thread each, so this is said inside the worker.
    return gmpy2.context(gmpy2.get_context(), allow_release_gil=True)


def _chunks(bases: Sequence[Integer], n_jobs: int) -> list[Sequence[Integer]]:
    """Contiguous parts of nearly equal length, one to a worker, none empty."""
    if n_jobs == 0:
        raise SettingError("n_jobs is a number of workers, or negative to count back from all cores; not 0")
    jobs = min(n_jobs if n_jobs > 0 else joblib.effective_n_jobs(n_jobs), len(bases))
    bounds = [len(bases) * job // max(jobs, 1) for job in range(jobs + 1)]
    return [bases[low:high] for low, high in itertools.pairwise(bounds)]


def _join(chunks: Iterable[list[Integer]]) -> list[Integer]:
    return list(itertools.chain.from_iterable(chunks))


def _integer(value: Integer) -> Integer:
    """Tell the type checker what gmpy2 does not."""
    return value
