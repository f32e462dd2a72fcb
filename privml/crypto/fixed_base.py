"""Encryption under one public key, with fixed-base tables for the powers of h and g and randomness made ahead."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import Ciphertext, CiphertextVector, PublicKey, PublicParameters
from privml.crypto.pool import RandomnessPool
from privml.crypto.power_table import BREAK_EVEN, DEFAULT_WINDOW, FixedBaseTable
from privml.crypto.randomness import random_below, random_bits
from privml.crypto.secret import Secret
from privml.errors import ParameterMismatchError, SettingError

__all__ = ["DEFAULT_WINDOW", "Encryptor", "FixedBaseTable", "Openings", "RandomnessPool"]


@dataclass(frozen=True, slots=True)
class Openings(Secret):
    """The plaintexts m_i and the randomness r_i of ciphertexts, which a proof of plaintext knowledge is made from."""

    plaintexts: tuple[int, ...] = field(repr=False)
    randomness: tuple[Integer, ...] = field(repr=False)


class _Mask(NamedTuple):
    """An encryption of zero: r, h^r, and g^r where T2 is formed."""

    r: Integer
    t1: Integer
    t2: Integer | None


class Encryptor:
    """Encrypts under one public key: (T1, T2) = (h^r (1 + mN), g^r) mod N² with a fresh r every time.

    The tables are built once there were enough encryptions to pay for them, or by `prepare`; `pool.fill(n)` makes the
    randomness of n encryptions ahead, after which an encryption costs one multiplication. Thread-safe, safe to fork.

    Parameters
    ----------
    public_key
        Whose theta opens the ciphertexts.
    exponent
        ``"short"``: r uniform with |N|/2 bits (the distributions of g^r for short and full r are indistinguishable if
        factoring-like assumptions hold: Goldreich, Rosen, J. Cryptology 2003). ``"full"``: r uniform in [1, N/2).
    window
        Bits to a window of the tables, see `privml.crypto.power_table` for what it costs.
    with_t2
        Whether T2 is formed. Not for what only two-step decryption will open.
    generator_table
        A table of g to share between encryptors under the same parameters.

    Raises
    ------
    SettingError
        If `exponent` is neither, or the window lies outside.
    ParameterMismatchError
        If the generator's table is of another base or modulus.
    """

    def __init__(
        self,
        public_key: PublicKey,
        *,
        exponent: Literal["short", "full"] = "short",
        window: int = DEFAULT_WINDOW,
        with_t2: bool = True,
        generator_table: FixedBaseTable | None = None,
    ) -> None:
        if exponent not in {"short", "full"}:
            raise SettingError(f"the exponent of an encryption is 'short' or 'full', not {exponent!r}")
        parameters = public_key.parameters
        g, n = parameters.generator, parameters.modulus
        self._public_key = public_key
        self._full = exponent == "full"
        self._with_t2 = with_t2
        if generator_table is None:
            generator_table = FixedBaseTable(g, n, self.randomness_bits, window=window, patience=BREAK_EVEN)
        elif (generator_table.base, generator_table.modulus) != (g, n):
            raise ParameterMismatchError("the shared table is not of this generator")
        self._g = generator_table
        h = public_key.element
        self._h = self._g if h == g else FixedBaseTable(h, n, self.randomness_bits, window=window, patience=BREAK_EVEN)
        self._pool: RandomnessPool[_Mask] = RandomnessPool(self._masks)

    @classmethod
    def without_recipient(
        cls,
        parameters: PublicParameters,
        *,
        exponent: Literal["short", "full"] = "short",
        window: int = DEFAULT_WINDOW,
        generator_table: FixedBaseTable | None = None,
    ) -> Encryptor:
        """T1 = g^r (1 + mN) with no T2: what passes between the units or stays with them, for two-step decryption."""
        return cls(
            PublicKey(parameters, parameters.generator),
            exponent=exponent,
            window=window,
            with_t2=False,
            generator_table=generator_table,
        )

    def without_t2(self) -> Encryptor:
        """Encryptor under the same key that forms T1 alone, on the same tables."""
        sibling = copy(self)
        sibling._with_t2 = False
        sibling._pool = RandomnessPool(sibling._masks)
        return sibling

    def __repr__(self) -> str:
        return f"Encryptor({self._public_key})"

    @property
    def public_key(self) -> PublicKey:
        """Whose theta opens the ciphertexts."""
        return self._public_key

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""
        return self._public_key.parameters

    @property
    def with_t2(self) -> bool:
        """Whether T2 is formed."""
        return self._with_t2

    @property
    def randomness_bits(self) -> int:
        """|r|: every r lies in [0, 2^|r|)."""
        return self.parameters.bits - 1 if self._full else self.parameters.bits // 2

    @property
    def generator_table(self) -> FixedBaseTable:
        """The table of g, to share with other encryptors."""
        return self._g

    def prepare(self) -> None:
        """Build the tables now: pays from about 40 encryptions on, or where the first ones must be fast."""
        self._h.prepare()
        if self._with_t2:
            self._g.prepare()

    @property
    def pool(self) -> RandomnessPool[_Mask]:
        """Randomness made ahead: `pool.fill(n)`."""
        return self._pool

    @property
    def memory(self) -> int:
        """Bytes held by the tables by now."""
        return self._g.memory + (0 if self._h is self._g else self._h.memory)

    def generator_power(self, exponent: Integer) -> Integer:
        """g^exponent mod N² by the table, for exponents >= 0 up to 2 |N| bits."""
        return self._g.power(exponent)

    def key_power(self, exponent: Integer) -> Integer:
        """h^exponent mod N² by the table, for exponents >= 0 up to 2 |N| bits."""
        return self._h.power(exponent)

    def encrypt(self, plaintext: int) -> Ciphertext:
        """Encrypt a signed integer.

        Raises
        ------
        PlaintextRangeError
            Unless |m| < N/2.
        """
        embedded = self.parameters.embed(plaintext)  # before any randomness is used up
        mask = self._pool.take()
        return Ciphertext(self.parameters, mask.t1 * embedded % self.parameters.modulus_squared, mask.t2)

    def encrypt_vector(self, plaintexts: Sequence[int]) -> CiphertextVector:
        """Encrypt signed integers; ranges and errors as for `encrypt`."""
        return self.encrypt_with_openings(plaintexts)[0]

    def encrypt_with_openings(self, plaintexts: Sequence[int]) -> tuple[CiphertextVector, Openings]:
        """Encrypt signed integers and keep what a proof of plaintext knowledge needs."""
        embedded = [self.parameters.embed(m) for m in plaintexts]
        masks = self._pool.take_many(len(embedded))
        n2 = self.parameters.modulus_squared
        t1 = tuple([mask.t1 * e % n2 for mask, e in zip(masks, embedded, strict=True)])
        openings = Openings(tuple(int(m) for m in plaintexts), tuple(mask.r for mask in masks))
        return CiphertextVector(self.parameters, t1, _second(masks) if self._with_t2 else None), openings

    def zero_t1(self) -> Integer:
        """Fresh h^r: T1 of an encryption of zero, which rerandomises another T1 when multiplied to it."""
        return self._pool.take().t1

    def rerandomise(self, ciphertext: Ciphertext) -> Ciphertext:
        """Rerandomise: the same plaintext under fresh randomness. Without T2 here or there the result has none.

        Raises
        ------
        ParameterMismatchError
            If the ciphertext belongs to other parameters.
        """
        return self.rerandomise_vector(CiphertextVector.of(ciphertext.parameters, [ciphertext]))[0]

    def rerandomise_vector(self, vector: CiphertextVector) -> CiphertextVector:
        """`rerandomise` for every element."""
        self.parameters.check_same(vector.parameters)
        masks = self._pool.take_many(len(vector))
        t1 = tuple(mask.t1 for mask in masks)
        return vector + CiphertextVector(self.parameters, t1, _second(masks) if self._with_t2 else None)

    def _masks(self, count: int) -> list[_Mask]:
        if count >= BREAK_EVEN:
            self.prepare()
        rs = [self._draw() for _ in range(count)]
        t1 = [self._h.power(r) for r in rs]
        if not self._with_t2:
            return [_Mask(r, a, None) for r, a in zip(rs, t1, strict=True)]
        t2 = t1 if self._h is self._g else [self._g.power(r) for r in rs]
        return [_Mask(r, a, b) for r, a, b in zip(rs, t1, t2, strict=True)]

    def _draw(self) -> Integer:
        if self._full:
            return 1 + random_below(self.parameters.half_modulus)
        return random_bits(self.randomness_bits)


def _second(masks: Sequence[_Mask]) -> tuple[Integer, ...]:
    return tuple(mask.t2 for mask in masks if mask.t2 is not None)
