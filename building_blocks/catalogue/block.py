"""What is said of a block: its formula, range, error bound and source, and how to try it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import BooleanShares, Shares, ring
from privml.crypto.randomness import random_words
from privml.units.pair import Pair

Values = NDArray[np.int64]
Operand = Shares | BooleanShares | FixedPoint
Batch = int | tuple[int, ...]


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
        Number of lanes, for `BooleanShares`: words of the smallest unsigned type that has them. (All 64 lanes of a
        word are written as a signed integer.)
    """

    low: int
    high: int
    fraction_bits: int | None = None
    shape: tuple[int, ...] = ()
    batched: bool = True
    digits: int | None = None

    def constant(self, value: int, batch: Batch) -> Values:
        """A batch of equal values: so many, or of a shape of its own."""
        return np.full(self._shape(batch), value, dtype=np.int64)

    def sample(self, batch: Batch, generator: np.random.Generator) -> Values:
        """A batch of values: the ends of the range, zero and one where they belong to it, and every magnitude.

        Magnitudes are uniform on the logarithmic scale and signs random: small and large numbers occur alike.
        """
        shape = self._shape(batch)
        count = int(np.prod(shape))
        top = max(abs(self.low), abs(self.high), 1)
        magnitudes = np.exp2(generator.uniform(0, np.log2(float(top) + 1), count)) - 0.5
        signs = np.where(generator.random(count) < 0.5, -1.0, 1.0) if self.low < 0 else 1.0
        # float64 cannot hold the ends of 63-bit ranges: clip as integers
        values = np.clip(np.clip(magnitudes * signs, -(2.0**62), 2.0**62).astype(np.int64), self.low, self.high)
        ends = np.array([v for v in (self.low, self.high, 0, 1, -1) if self.low <= v <= self.high], dtype=np.int64)
        values[: ends.size] = ends[:count]
        return values.reshape(shape)

    def split(self, values: Values) -> Pair[Operand]:
        """Share values of this operand between the two units."""
        if self.digits is not None:
            dtype = np.min_scalar_type(2**self.digits - 1)
            words, mask = values.astype(dtype), random_words(values.shape).astype(dtype)
            return Pair(BooleanShares(mask), BooleanShares(words ^ mask))
        mask = random_words(values.shape)
        master, secondary = Shares(mask), Shares(ring(values) - mask)
        if self.fraction_bits is None:
            return Pair(master, secondary)
        bound = max(abs(self.low), abs(self.high))
        return Pair(*(FixedPoint(share, self.fraction_bits, bound) for share in (master, secondary)))

    def _shape(self, batch: Batch) -> tuple[int, ...]:
        if not self.batched:
            return self.shape
        return (batch, *self.shape) if isinstance(batch, int) else (*batch, *self.shape)


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
        Its shared operands, in order. Any of their values may meet any of the others'.
    reference
        The exact result, from the integers that go in (shapes as they go in): integers for plain shares, words for
        boolean ones, real numbers (already divided by their scale) for `FixedPoint`.
    tolerance
        The bound that the docstring states on the absolute error, as a number, or computed from the inputs. In units
        of the result: integers, or real numbers for `FixedPoint`. Boolean results are exact.
    program
        How it is run, if not as ``function(unit, *inputs)``; the result may be a tuple, of which each part is checked
        against the same part of the reference, and of the tolerance where that is a tuple.
    sees
        What both units see, in a line; they see the same unless `secondary_sees` says otherwise.
    also
        Other public functions that this entry runs and stands for.
    any_batch
        Whether batches may have any shape. If not, the batch is the rows of a matrix.
    opens_orders
        Whether both units also see uniformly random permutations. Nothing shows in them, but they are no uniform words.
    """

    name: str
    function: Callable[..., Any]
    formula: str
    ranges: str
    error: str
    source: str
    inputs: Sequence[Input]
    reference: Callable[..., Any]
    tolerance: float | tuple[float, ...] | Callable[..., Any] = 0
    program: Callable[..., Any] | None = None
    sees: str = "masked words"
    secondary_sees: str | None = None
    also: Sequence[Callable[..., Any]] = ()
    any_batch: bool = True
    opens_orders: bool = False

    def run(self, unit: Any, *inputs: Any) -> Any:
        """Run it between the units."""
        return (self.program or self.function)(unit, *inputs)
