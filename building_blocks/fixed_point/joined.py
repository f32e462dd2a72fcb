"""Several products, or several truncations, in one round: what does not wait for each other goes together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from building_blocks import product, truncation
from building_blocks.shares import Shares, concatenate
from privml.units.unit import Unit


def multiply_all(unit: Unit, pairs: Sequence[tuple[Shares, Shares]]) -> list[Shares]:
    """Multiply each pair elementwise; shapes broadcast within a pair. Exact; one round, 16 bytes each way a product."""
    shapes = [np.broadcast_shapes(x.shape, y.shape) for x, y in pairs]
    left, right = (
        concatenate(
            [
                Shares(np.broadcast_to(pair[side].words, shape)).reshape(-1)
                for pair, shape in zip(pairs, shapes, strict=True)
            ]
        )
        for side in (0, 1)
    )
    return _apart(product.multiply(unit, left, right), shapes)


def truncate_all(unit: Unit, numbers: Sequence[Shares], fraction_bits: int) -> list[Shares]:
    """Shift each array right by the same number of bits, as `truncate` does. One round, 8 bytes each way a value."""
    flat = concatenate([x.reshape(-1) for x in numbers])
    return _apart(truncation.truncate(unit, flat, fraction_bits), [x.shape for x in numbers])


def _apart(flat: Shares, shapes: Sequence[tuple[int, ...]]) -> list[Shares]:
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    return [Shares(part.reshape(shape)) for part, shape in zip(np.split(flat.words, ends), shapes, strict=True)]
