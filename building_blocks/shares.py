"""Values shared between the two units, and how they are opened.

A `Shares` is one unit's additive share modulo 2^64, a `BooleanShares` one unit's XOR share of words. The other unit
holds an object of the same shape; neither says anything about the value by itself. Sums, differences and products with
public numbers are local, everything else is a protocol.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from privml.crypto.secret import Secret
from privml.errors import SettingError
from privml.units.unit import Unit
from privml.units.words import matrix_product

Words = NDArray[np.uint64]
BITS = 64


def ring(values: ArrayLike) -> Words:
    """Take integers into the ring of 64-bit words: two's complement modulo 2^64.

    Raises
    ------
    SettingError
        The values are no integers (scale real numbers to fixed point first).
    """
    array = np.asarray(values)
    if array.dtype == np.uint64:
        return array
    if array.dtype.kind not in "iub":
        raise SettingError(f"shares hold integers modulo 2^64; got {array.dtype}: scale real numbers first")
    return array.astype(np.int64).view(np.uint64) if array.dtype.kind == "i" else array.astype(np.uint64)


def signed(words: Words) -> NDArray[np.int64]:
    """Read words as two's complement integers."""
    return words.view(np.int64)


@dataclass(frozen=True, slots=True)
class Shares(Secret):
    """One unit's additive share, modulo 2^64, of an array of integers.

    Local operations follow numpy's shapes and broadcasting. A public number may be multiplied in anywhere; to add
    one, share it by `public` first (only the Master adds it).
    """

    words: Words

    def __post_init__(self) -> None:
        # numpy makes scalars of arrays without dimensions, and warns where scalars wrap around
        object.__setattr__(self, "words", np.asarray(self.words))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the shared array."""
        return self.words.shape

    @property
    def size(self) -> int:
        """Number of values."""
        return self.words.size

    def __repr__(self) -> str:
        return f"Shares(shape={self.shape})"

    def __add__(self, other: Shares) -> Shares:
        return Shares(self.words + other.words)

    def __sub__(self, other: Shares) -> Shares:
        return Shares(self.words - other.words)

    def __neg__(self) -> Shares:
        return Shares(np.uint64(0) - self.words)

    def __mul__(self, factor: ArrayLike) -> Shares:
        """Multiply by public integers."""
        return Shares(self.words * ring(factor))

    __rmul__ = __mul__

    def __matmul__(self, matrix: ArrayLike) -> Shares:
        """Multiply by a public integer matrix from the right."""
        return Shares(matrix_product(self.words, ring(matrix)))

    def __rmatmul__(self, matrix: ArrayLike) -> Shares:
        """Multiply by a public integer matrix from the left."""
        return Shares(matrix_product(ring(matrix), self.words))

    # numpy must leave `array * shares` and `array @ shares` to this class
    __array_ufunc__ = None

    def __getitem__(self, index: Any) -> Shares:
        return Shares(self.words[index])

    def reshape(self, *shape: int) -> Shares:
        """Give the array another shape."""
        return Shares(self.words.reshape(shape))

    @property
    def transposed(self) -> Shares:
        """The matrix transposed, the last two axes swapped; contiguous (products on views are slow)."""
        if self.words.ndim < 2:
            raise SettingError(f"a matrix to transpose has two axes at least; got shape {self.shape}")
        return Shares(np.ascontiguousarray(self.words.swapaxes(-1, -2)))

    def sum(self, axis: int | None = None) -> Shares:
        """Sum over an axis, or over all."""
        return Shares(np.asarray(self.words.sum(axis=axis, dtype=np.uint64)))


@dataclass(frozen=True, slots=True)
class BooleanShares(Secret):
    """One unit's XOR share of an array of words (any unsigned type); a single bit lives in bit 0."""

    words: NDArray[Any]

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", np.asarray(self.words))

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the shared array."""
        return self.words.shape

    def __repr__(self) -> str:
        return f"BooleanShares(shape={self.shape}, bits={8 * self.words.itemsize})"

    def __xor__(self, other: BooleanShares) -> BooleanShares:
        return BooleanShares(self.words ^ other.words)

    def __and__(self, mask: int) -> BooleanShares:
        """Keep the bits of a public mask."""
        return BooleanShares(self.words & self.words.dtype.type(mask))

    def __getitem__(self, index: Any) -> BooleanShares:
        return BooleanShares(self.words[index])


def stack(parts: Sequence[Shares], axis: int = 0) -> Shares:
    """Join equally shaped arrays along a new axis."""
    return Shares(np.stack([part.words for part in parts], axis=axis))


def concatenate(parts: Sequence[Shares], axis: int = 0) -> Shares:
    """Join arrays along an axis they have."""
    return Shares(np.concatenate([part.words for part in parts], axis=axis))


def public(unit: Unit, values: ArrayLike) -> Shares:
    """Share what both units know: the Master holds it, the Secondary zeros. No message."""
    words = ring(values)
    return Shares(words if unit.is_master else np.zeros_like(words))


def public_bits(unit: Unit, words: NDArray[Any]) -> BooleanShares:
    """Share words that both units know in the boolean world. No message."""
    return BooleanShares(words if unit.is_master else np.zeros_like(words))


def open_shares(unit: Unit, *shares: Shares) -> list[Words]:
    """Open shared arrays to both units, in one round of 8 bytes each way a value.

    Both units learn the values, so they must be masked (or be a result meant for both).
    """
    mine = [share.words for share in shares]
    return [np.asarray(own + peer) for own, peer in zip(mine, unit.exchange(*mine), strict=True)]


def open_bits(unit: Unit, *shares: BooleanShares) -> list[NDArray[Any]]:
    """Open XOR-shared words to both units, in one round; they must be masked."""
    mine = [share.words for share in shares]
    return [own ^ peer for own, peer in zip(mine, unit.exchange(*mine), strict=True)]


def open_lone_bits(unit: Unit, x: BooleanShares) -> NDArray[Any]:
    """Open bit 0 of every word to both units, in one round of one bit each way a value; it must be masked."""
    mine = np.packbits((x.words & x.words.dtype.type(1)).astype(np.uint8).reshape(-1))
    (peer,) = unit.exchange(mine)
    return np.unpackbits(mine ^ peer, count=x.words.size).reshape(x.shape).astype(x.words.dtype)


def in_blocks(local: Callable[..., Words], *arrays: NDArray[Any], rows: int = 1 << 13) -> Words:
    """Run a local step over blocks of the first axis, so that its temporaries stay in the processor's cache."""
    count = len(arrays[0])
    if count <= rows:
        return local(*arrays)
    return np.concatenate([local(*(a[start : start + rows] for a in arrays)) for start in range(0, count, rows)])
