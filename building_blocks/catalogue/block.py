"""What is said of a block: its formula, range, error bound and source, and how to try it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import BooleanShares, Shares

Values = NDArray[np.int64]
Result = Shares | FixedPoint | BooleanShares


@dataclass(frozen=True)
class Input:
    """One shared operand of a block, and the values it may take.

    Parameters
    ----------
    low, high
        Smallest and largest integer (both may occur). With `fraction_bits` they are multiples of 2^-f.
    fraction_bits
        None for plain `Shares`; a number for `FixedPoint`, whose declared bound is the larger of the magnitudes.
    shape
        Shape of what belongs to one value of the batch: () for a number, (4,) for a row of four.
    batched
        Whether the batch is the first axis; an operand that is not has the shape `shape`.
    digits
        Number of lanes, for a `BooleanShares` of uint64 words.
    """

    low: int
    high: int
    fraction_bits: int | None = None
    shape: tuple[int, ...] = ()
    batched: bool = True
    digits: int | None = None

    def constant(self, value: int, count: int) -> Values:
        """A batch of `count` equal values."""
        return np.full(self._shape(count), value, dtype=np.int64)

    def sample(self, count: int, generator: np.random.Generator) -> Values:
        """A batch of `count`: the ends of the range, zero and one where they belong to it, and every magnitude.

        Magnitudes are uniform on the logarithmic scale and signs random: small and large numbers occur alike.
        """
        shape = self._shape(count)
        top = max(abs(self.low), abs(self.high), 1)
        magnitudes = np.exp2(generator.uniform(0, np.log2(float(top) + 1), shape)) - 0.5
        signs = np.where(generator.random(shape) < 0.5, -1.0, 1.0) if self.low < 0 else 1.0
        # float64 cannot hold the ends of 63-bit ranges: clip as integers
        values = np.clip(np.clip(magnitudes * signs, -(2.0**62), 2.0**62).astype(np.int64), self.low, self.high)
        ends = np.array([v for v in (self.low, self.high, 0, 1, -1) if self.low <= v <= self.high], dtype=np.int64)
        flat = values.reshape(-1)
        flat[: ends.size] = ends[: flat.size]
        return values

    def _shape(self, count: int) -> tuple[int, ...]:
        return (count, *self.shape) if self.batched else self.shape


@dataclass(frozen=True)
class Block:
    """A block on shares, as the table of all blocks and every test of all blocks know it.

    Parameters
    ----------
    name
        Of the block, unique.
    function
        The public function that it is.
    formula
        What it computes, in a line.
    ranges
        For which inputs, in a line.
    error
        The stated bound, in words.
    source
        Paper and section.
    inputs
        Its shared operands, in order.
    reference
        The exact result, from the integers that go in (shapes as they go in): integers for plain shares and bits,
        real numbers (already divided by their scale) for `FixedPoint`.
    tolerance
        The bound that the docstring states on the absolute error, as a number, or computed from the inputs. In units
        of the result: integers, or real numbers for `FixedPoint`.
    program
        How it is run, if not as ``function(unit, *inputs)``; the result may be a tuple, of which each part is checked
        against the same part of the reference.
    sees
        What both units see, in a line; they see the same unless `secondary_sees` says otherwise.
    """

    name: str
    function: Callable[..., Any]
    formula: str
    ranges: str
    error: str
    source: str
    inputs: Sequence[Input]
    reference: Callable[..., Any]
    tolerance: float | Callable[..., Any] = 0
    program: Callable[..., Any] | None = None
    sees: str = "masked words"
    secondary_sees: str | None = None
    also: Sequence[Callable[..., Any]] = field(default=())
    """Other public functions that this entry runs and stands for."""

    def run(self, unit: Any, *inputs: Any) -> Any:
        """Run it between the units."""
        return (self.program or self.function)(unit, *inputs)
