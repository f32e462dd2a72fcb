"""Labels as a client reads them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import Words, signed
from privml.data.schema import Schema
from privml.errors import DecryptionError


def read_labels(schema: Schema, words: Words) -> NDArray[Any]:
    """Opened numbers of classes as the schema's texts, shape (n,).

    Raises
    ------
    DecryptionError
        A word stands for no class.
    """
    if (words >= schema.class_count).any():
        raise DecryptionError("the answer names no class: it was damaged, or is another query's")
    return np.array(schema.classes, dtype=object)[signed(words)]
