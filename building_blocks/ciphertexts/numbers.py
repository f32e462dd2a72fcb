"""Encrypted numbers that know their scale and their range, as both units hold them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from building_blocks.fixed_point.number import largest_magnitude, require_range
from building_blocks.shares import ring, signed
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.errors import PlaintextRangeError, ScaleError, SettingError

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class EncryptedNumbers:
    """An array of real numbers v, encrypted as integers v 2^f of magnitude at most `bound`, one ciphertext each.

    The Master holds the ciphertexts, the Secondary the same object without them: shape, scale and range are public.
    The elements may be under different keys: blocks use T1 alone.

    Sums, differences and products with public integers are local and keep account of the range. They rerandomise
    nothing; blocks rerandomise what they take in and what they give out.

    Nobody can check a declared range against the plaintexts. Where they break it, the values that lie in the same
    packed ciphertext come out wrong, or the whole batch is refused; who lets strangers send ciphertexts asks for a
    proof of plaintext knowledge, and has ranges checked on shares (`building_blocks.validation`).

    Parameters
    ----------
    vector
        The ciphertexts in the order of a flattened array, in the Master; None in the Secondary.
    shape
        Shape of the array.
    bound
        Largest magnitude of the integers, in [0, 2^62).
    fraction_bits
        f, in 0..61; 0 for integers.

    Raises
    ------
    RangeError
        The bound is 2^62 or more.
    SettingError
        There are more or fewer ciphertexts than the shape says, or another argument is out of range.
    """

    vector: CiphertextVector | None
    shape: tuple[int, ...]
    bound: int
    fraction_bits: int = 0

    def __post_init__(self) -> None:
        require_range(self.fraction_bits, self.bound)
        if self.vector is not None and len(self.vector) != self.size:
            raise SettingError(f"an array of shape {self.shape} needs {self.size} ciphertexts, not {len(self.vector)}")

    @classmethod
    def encrypt(cls, integers: ArrayLike, encryptor: Encryptor, bound: int, fraction_bits: int = 0) -> EncryptedNumbers:
        """Encrypt integers v 2^f, as an owner does.

        Raises
        ------
        PlaintextRangeError
            One is of larger magnitude than the bound.
        """
        values = signed(ring(integers))
        if largest_magnitude(values) > bound:
            raise PlaintextRangeError(f"an integer is of larger magnitude than the declared {bound}")
        return cls(encryptor.encrypt_vector(values.reshape(-1).tolist()), values.shape, bound, fraction_bits)

    def decrypt(self, key: WeakPrivateKey, *, n_jobs: int = 1) -> Integers:
        """Decrypt as the recipient: the integers v 2^f.

        Raises
        ------
        DecryptionError
            A ciphertext is corrupt, under another key, or outside the declared range; the error does not say which.
        SettingError
            There are no ciphertexts here, or they have no T2.
        """
        if self.vector is None:
            raise SettingError("the ciphertexts are in the Master; there are none to decrypt here")
        values = key.decrypt_vector(self.vector, (-self.bound, self.bound), n_jobs=n_jobs)
        return np.array(values, dtype=np.int64).reshape(self.shape)

    @property
    def size(self) -> int:
        """Number of values."""
        return prod(self.shape)

    def without_ciphertexts(self) -> EncryptedNumbers:
        """Return what is public of it: the object for the Secondary."""
        return replace(self, vector=None)

    def __repr__(self) -> str:
        held = "" if self.vector is not None else ", ciphertexts in the Master"
        return (
            f"EncryptedNumbers(shape={self.shape}, fraction_bits={self.fraction_bits}, "
            f"limit={self.bound / 2**self.fraction_bits:g}{held})"
        )

    def __add__(self, other: EncryptedNumbers) -> EncryptedNumbers:
        """Sum of two arrays of one scale, and of one key if a recipient is to read it; shapes broadcast."""
        return self._combined(other, CiphertextVector.__add__)

    def __sub__(self, other: EncryptedNumbers) -> EncryptedNumbers:
        """Difference; as for sums."""
        return self._combined(other, CiphertextVector.__sub__)

    def __neg__(self) -> EncryptedNumbers:
        return replace(self, vector=None if self.vector is None else -self.vector)

    def __mul__(self, factor: ArrayLike) -> EncryptedNumbers:
        """Multiply by public integers; shapes broadcast, the scale stays."""
        factors = signed(ring(factor))
        bound = self.bound * largest_magnitude(factors)
        require_range(self.fraction_bits, bound)
        shape = common_shape(self.shape, factors.shape)
        vector = self._broadcast(shape).vector
        if vector is not None:
            vector = vector * np.broadcast_to(factors, shape).reshape(-1).tolist()
        return EncryptedNumbers(vector, shape, bound, self.fraction_bits)

    __rmul__ = __mul__

    # numpy must leave `array * numbers` to this class
    __array_ufunc__ = None

    def __getitem__(self, index: Any) -> EncryptedNumbers:
        return self._taken(np.asarray(self._positions()[index]))

    def reshape(self, *shape: int) -> EncryptedNumbers:
        """Give the array another shape."""
        return self._taken(self._positions().reshape(shape))

    def _positions(self) -> NDArray[np.intp]:
        return np.arange(self.size).reshape(self.shape)

    def _taken(self, positions: NDArray[np.intp]) -> EncryptedNumbers:
        vector = self.vector
        if vector is not None:
            flat = positions.reshape(-1).tolist()
            t2 = None if vector.t2 is None else tuple(vector.t2[i] for i in flat)
            vector = CiphertextVector(vector.parameters, tuple(vector.t1[i] for i in flat), t2)
        return replace(self, vector=vector, shape=positions.shape)

    def _combined(
        self, other: EncryptedNumbers, operation: Callable[[CiphertextVector, CiphertextVector], CiphertextVector]
    ) -> EncryptedNumbers:
        if self.fraction_bits != other.fraction_bits:
            raise ScaleError(
                f"numbers with {self.fraction_bits} and {other.fraction_bits} fractional bits do not go together; "
                "multiply by a power of two or truncate first"
            )
        if (self.vector is None) != (other.vector is None):
            raise SettingError("one array has its ciphertexts here, the other has not")
        bound = self.bound + other.bound
        require_range(self.fraction_bits, bound)
        shape = common_shape(self.shape, other.shape)
        one, two = self._broadcast(shape).vector, other._broadcast(shape).vector
        vector = None if one is None or two is None else operation(one, two)
        return EncryptedNumbers(vector, shape, bound, self.fraction_bits)

    def _broadcast(self, shape: tuple[int, ...]) -> EncryptedNumbers:
        return self if self.shape == shape else self._taken(np.broadcast_to(self._positions(), shape))


def common_shape(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape that arrays have together, as numpy broadcasts; SettingError if there is none."""
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        raise SettingError(f"arrays of shapes {' and '.join(map(str, shapes))} do not go together") from None
