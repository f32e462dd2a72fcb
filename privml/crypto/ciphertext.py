"""Ciphertexts of DT-PKC and what can be computed on them without any key."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, overload

from privml.crypto.arithmetic import Integer, inverse, power, product_mod
from privml.crypto.parameters import PublicParameters
from privml.errors import PlaintextRangeError, SettingError

if TYPE_CHECKING:
    from privml.crypto.fixed_base import Encryptor

_set = object.__setattr__


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """(T1, T2) = (h^r (1 + mN), g^r) mod N²; T2 is None where only two-step decryption will follow.

    ``+`` and ``-`` act on plaintexts modulo N by multiplying and dividing both components, ``*`` by an integer raises
    them to it. A result has a T2 exactly if every operand has one. Under different h the sum is right for two-step
    decryption, while weak decryption refuses it.

    Building one checks nothing, so that additions stay as cheap as their multiplication. What comes from outside goes
    through `check` first (`privml.crypto.wire` does).

    Parameters
    ----------
    parameters
        The public parameters.
    t1, t2
        Units modulo N², in [1, N²).
    """

    parameters: PublicParameters
    t1: Integer
    t2: Integer | None = None

    def __init__(self, parameters: PublicParameters, t1: Integer, t2: Integer | None = None) -> None:
        # By hand, because the generated one costs a fifth of a multiplication modulo N².
        _set(self, "parameters", parameters)
        _set(self, "t1", t1)
        _set(self, "t2", t2)

    def __repr__(self) -> str:
        return f"Ciphertext({'T1' if self.t2 is None else 'T1, T2'}; {self.parameters})"

    def check(self) -> None:
        """Check both components.

        Raises
        ------
        NotAUnitError
            If one is no unit modulo N², or outside [1, N²).
        """
        self.parameters.check_units((self.t1,) if self.t2 is None else (self.t1, self.t2))

    def __add__(self, other: Ciphertext) -> Ciphertext:
        """Sum of two plaintexts; ParameterMismatchError under different parameters."""
        if not isinstance(other, Ciphertext):
            return NotImplemented
        parameters = self.parameters
        if other.parameters is not parameters:
            parameters.check_same(other.parameters)
        n2 = parameters.modulus_squared
        if self.t2 is None or other.t2 is None:
            return Ciphertext(parameters, self.t1 * other.t1 % n2)
        return Ciphertext(parameters, self.t1 * other.t1 % n2, self.t2 * other.t2 % n2)

    def __neg__(self) -> Ciphertext:
        """Negated plaintext; NotAUnitError if a component is no unit."""
        return self._map(lambda t: inverse(t, self.parameters.modulus_squared))

    def __sub__(self, other: Ciphertext) -> Ciphertext:
        """Difference of two plaintexts."""
        if not isinstance(other, Ciphertext):
            return NotImplemented
        return self + -other

    def __mul__(self, factor: int) -> Ciphertext:
        """Plaintext times a public integer with |factor| < N/2, else PlaintextRangeError; times 0 hides nothing."""
        if not isinstance(factor, int | Integer):
            return NotImplemented
        if abs(factor) > self.parameters.half_modulus:
            raise PlaintextRangeError("a factor k needs |k| < N/2")
        return self._map(lambda t: power(t, factor, self.parameters.modulus_squared))

    __rmul__ = __mul__

    def add_plain(self, plaintext: int) -> Ciphertext:
        """Add a known m with |m| < N/2, else PlaintextRangeError.

        Nothing is rerandomised: who knows both ciphertexts can read m.
        """
        parameters = self.parameters
        return Ciphertext(parameters, self.t1 * parameters.embed(plaintext) % parameters.modulus_squared, self.t2)

    def rerandomise(self, encryptor: Encryptor) -> Ciphertext:
        """Rerandomise: the same plaintext, fresh randomness; for the same h if T2 is to stay useful."""
        return encryptor.rerandomise(self)

    def _map(self, function: Callable[[Integer], Integer]) -> Ciphertext:
        return Ciphertext(self.parameters, function(self.t1), None if self.t2 is None else function(self.t2))


@dataclass(frozen=True, slots=True)
class CiphertextVector:
    """Ciphertexts side by side, with the operators of `Ciphertext` elementwise.

    Parameters
    ----------
    parameters
        The public parameters.
    t1, t2
        The components of all elements; t2 is None if none has one. What comes from outside goes through `check` first.

    Raises
    ------
    SettingError
        If t1 and t2 differ in length.
    """

    parameters: PublicParameters
    t1: tuple[Integer, ...]
    t2: tuple[Integer, ...] | None = None

    def __post_init__(self) -> None:
        if self.t2 is not None and len(self.t2) != len(self.t1):
            raise SettingError(f"{len(self.t1)} first components need as many second ones, not {len(self.t2)}")

    @classmethod
    def of(cls, parameters: PublicParameters, ciphertexts: Sequence[Ciphertext]) -> CiphertextVector:
        """Put single ciphertexts side by side; T2 is kept if all have one.

        Raises
        ------
        ParameterMismatchError
            If one belongs to other parameters.
        """
        for ciphertext in ciphertexts:
            parameters.check_same(ciphertext.parameters)
        t2 = tuple(ciphertext.t2 for ciphertext in ciphertexts if ciphertext.t2 is not None)
        return cls(parameters, tuple(c.t1 for c in ciphertexts), t2 if len(t2) == len(ciphertexts) else None)

    def __repr__(self) -> str:
        return f"CiphertextVector({len(self)} x {'T1' if self.t2 is None else 'T1, T2'}; {self.parameters})"

    def check(self) -> None:
        """Check every component with one gcd.

        Raises
        ------
        NotAUnitError
            If one is no unit modulo N², or outside [1, N²).
        """
        self.parameters.check_units(self.t1 + (self.t2 or ()))

    def __len__(self) -> int:
        return len(self.t1)

    @overload
    def __getitem__(self, index: int) -> Ciphertext: ...
    @overload
    def __getitem__(self, index: slice) -> CiphertextVector: ...
    def __getitem__(self, index: int | slice) -> Ciphertext | CiphertextVector:
        """One ciphertext, or a vector of some."""
        if isinstance(index, slice):
            return CiphertextVector(self.parameters, self.t1[index], None if self.t2 is None else self.t2[index])
        return Ciphertext(self.parameters, self.t1[index], None if self.t2 is None else self.t2[index])

    def __iter__(self) -> Iterator[Ciphertext]:
        return (self[index] for index in range(len(self)))

    def __add__(self, other: CiphertextVector) -> CiphertextVector:
        """Elementwise sums; SettingError if the lengths differ, ParameterMismatchError under other parameters."""
        if not isinstance(other, CiphertextVector):
            return NotImplemented
        self.parameters.check_same(other.parameters)
        if len(other) != len(self):
            raise SettingError(f"vectors of {len(self)} and {len(other)} ciphertexts have no sum")
        n2 = self.parameters.modulus_squared
        t1 = tuple([a * b % n2 for a, b in zip(self.t1, other.t1, strict=True)])
        if self.t2 is None or other.t2 is None:
            return CiphertextVector(self.parameters, t1)
        t2 = tuple([a * b % n2 for a, b in zip(self.t2, other.t2, strict=True)])
        return CiphertextVector(self.parameters, t1, t2)

    def __neg__(self) -> CiphertextVector:
        """Negated plaintexts."""
        return self.of_elements([-c for c in self])

    def __sub__(self, other: CiphertextVector) -> CiphertextVector:
        """Elementwise differences."""
        if not isinstance(other, CiphertextVector):
            return NotImplemented
        return self + -other

    def __mul__(self, factors: int | Sequence[int]) -> CiphertextVector:
        """Elementwise products with one public integer or one each; ranges as for `Ciphertext`."""
        return self.of_elements([c * k for c, k in zip(self, self._one_each(factors), strict=True)])

    __rmul__ = __mul__

    def add_plain(self, plaintexts: int | Sequence[int]) -> CiphertextVector:
        """Elementwise sums with one known integer or one each; not rerandomised, see `Ciphertext.add_plain`."""
        n2, embed = self.parameters.modulus_squared, self.parameters.embed
        t1 = [t * embed(m) % n2 for t, m in zip(self.t1, self._one_each(plaintexts), strict=True)]
        return CiphertextVector(self.parameters, tuple(t1), self.t2)

    def sum(self) -> Ciphertext:
        """Sum of all elements; for none the trivial ciphertext (1, 1) of zero."""
        n2 = self.parameters.modulus_squared
        return Ciphertext(
            self.parameters, product_mod(self.t1, n2), None if self.t2 is None else product_mod(self.t2, n2)
        )

    def rerandomise(self, encryptor: Encryptor) -> CiphertextVector:
        """Rerandomise: the same plaintexts, each under fresh randomness."""
        return encryptor.rerandomise_vector(self)

    def of_elements(self, ciphertexts: Sequence[Ciphertext]) -> CiphertextVector:
        """Put ciphertexts side by side under this vector's parameters."""
        return CiphertextVector.of(self.parameters, ciphertexts)

    def _one_each(self, values: int | Sequence[int]) -> Sequence[int]:
        if isinstance(values, int | Integer):
            return [values] * len(self)
        if len(values) != len(self):
            raise SettingError(f"{len(self)} ciphertexts need one integer or as many, not {len(values)}")
        return values
