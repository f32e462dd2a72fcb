"""Arithmetic of 64-bit words, modulo 2^64."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from privml.errors import SettingError

LEAST: Final = 16
"""Terms of a sum from which on it is worth the trouble to lay the right matrix out by columns."""


def matrix_product(x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    """Multiply matrices, or whatever `x @ y` takes, and refuse what it refuses.

    numpy has no fast product of integers: `@` strides through the right matrix, which is slower by a half on thin
    matrices and several times on square ones than sums over two rows that lie in one piece.

    Raises
    ------
    SettingError
        Types differ: of signed and unsigned words numpy makes floating-point numbers.
    """
    if x.dtype != y.dtype:
        raise SettingError(f"a product of words needs both of one type; got {x.dtype} and {y.dtype}")
    if x.ndim != 2 or y.ndim != 2 or not LEAST <= x.shape[1] == y.shape[0]:
        return np.asarray(x @ y)
    return np.asarray(np.einsum("ij,kj->ik", x, np.ascontiguousarray(y.T)))
