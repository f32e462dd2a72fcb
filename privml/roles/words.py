"""Words as a recipient reads them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def words_of(values: Sequence[int]) -> NDArray[np.uint64]:
    """Reduce integers modulo 2^64: a slot holds the sum of both units' words, which stands for one word."""
    return np.array([value & (2**64 - 1) for value in values], dtype=np.uint64)
