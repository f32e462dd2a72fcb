"""A block of the catalogue on public test values: what the units gave, and how far it is off the reference."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from building_blocks.catalogue import Block
from building_blocks.catalogue.ciphertext_blocks import CiphertextBlock
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import BooleanShares, signed
from privml.units.pair import Pair

Named = TypeVar("Named", Block, CiphertextBlock)
Array = NDArray[Any]
Values = NDArray[np.int64]


class Deviation(NamedTuple):
    """How far a result is off, how far it may be, and how far the reference itself may be: of the result's shape."""

    error: NDArray[np.float64]
    bound: NDArray[np.float64]
    rounding: NDArray[np.float64]

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Where the bound is broken; an error that is no number breaks it."""
        return ~(self.error <= self.bound + self.rounding)

    @property
    def share(self) -> NDArray[np.float64]:
        """Which part of the bound is used; 0 where there is none to use."""
        allowed = self.bound + self.rounding
        return np.divide(self.error, allowed, out=np.zeros_like(self.error), where=self.bound > 0)


def chosen(blocks: Iterable[Named], names: Sequence[str]) -> list[Named]:
    """Return the blocks whose names contain one of these, or all of them if there are none."""
    return [block for block in blocks if not names or any(name in block.name for name in names)]


def read(results: Pair[Any]) -> list[Array]:
    """Put results together: signed integers, words of digits, or real numbers; a tuple has several parts."""
    if isinstance(results.master, tuple):
        return [_read(*part) for part in zip(results.master, results.secondary, strict=True)]
    return [_read(*results)]


def deviations(block: Block, inputs: Sequence[Values], results: Pair[Any]) -> list[Deviation]:
    """Hold each part of a result against the block's reference and its stated bound.

    Raises
    ------
    RuntimeError
        The result has another form than the reference.
    """
    parts, expected = read(results), [np.asarray(part) for part in _parts(block.reference(*inputs))]
    stated = _parts(block.tolerance(*inputs) if callable(block.tolerance) else block.tolerance)
    bounds = stated * len(parts) if len(stated) == 1 else stated
    shapes, other = [part.shape for part in parts], [part.shape for part in expected]
    if shapes != other:
        raise RuntimeError(f"{block.name} gave arrays of the shapes {shapes}, and its reference {other}")
    return [
        Deviation(_distance(part, exact), np.broadcast_to(np.asarray(bound, np.float64), part.shape), _rounding(exact))
        for part, exact, bound in zip(parts, expected, bounds, strict=True)
    ]


def require_right(block: Block, inputs: Sequence[Values], results: Pair[Any]) -> None:
    """Check a result before anything is said about its cost.

    Raises
    ------
    RuntimeError
        The block computed something else than its reference.
    """
    if any(deviation.broken.any() for deviation in deviations(block, inputs, results)):
        raise RuntimeError(f"{block.name} computed something else than the plaintext operation")


def _parts(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _read(master: Any, secondary: Any) -> Array:
    if isinstance(master, FixedPoint):
        # 64 bits, where the machine has such numbers: float64 would round large ones
        integers = signed(np.asarray(master.shares.words + secondary.shares.words))
        return np.asarray(integers.astype(np.longdouble) / 2**master.fraction_bits)
    if isinstance(master, BooleanShares):
        return np.asarray(master.words ^ secondary.words)
    return np.asarray(signed(np.asarray(master.words + secondary.words)))


def _distance(got: Array, exact: Array) -> NDArray[np.float64]:
    if got.dtype.kind != "f" and exact.dtype.kind != "f":
        # modulo 2^64, as shares are
        difference: Array = signed(np.asarray(got.astype(np.uint64) - exact.astype(np.uint64)))
    else:
        difference = got.astype(np.longdouble) - exact
    return np.abs(difference.astype(np.float64))


def _rounding(exact: Array) -> NDArray[np.float64]:
    """The last place of a reference in floating point: no more is known of the exact result."""
    return np.spacing(np.abs(exact)) if exact.dtype.kind == "f" else np.zeros(exact.shape)
