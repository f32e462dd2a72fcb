"""Functions of counts that come out alike on shares and in the clear, to the last bit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context, Decimal
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.pieces import Pieces, evaluate_pieces
from building_blocks.shares import Shares, concatenate
from privml.units.unit import Unit

MOST: Final = 1 << 21
"""The largest count."""

FRACTION_BITS: Final = 32
"""Fractional bits of a value: enough for the second differences of n log2 n at the largest count."""

ANCHORS: Final = (
    (0, 2, 5, 12, 27, 54, 102, 182, 309, 504, 793, 1209, 1794, 2600, 3689, 5138, 7035, 9487, 12618, 16571)  # noqa: RUF005 - lines
    + (21511, 27628, 35137, 44284, 55343, 68623, 84470, 103267, 125442, 151465, 181856, 217184, 258075, 305210)
    + (359335, 421258, 491855, 572078, 662951, 765582, 881161, 1010969, 1156378, 1318858, 1499981, 1701426)
    + (1924983, 2172558)
)
"""Where a quadratic ends and the next begins: each reaches as far as n log2 n permits with an error of sqrt(n) / 32."""

TOGETHER: Final = 1 << 16
"""Counts at a time."""

_CONTEXT: Final = Context(prec=50)


class Curve:
    """A function of counts as a chain of integer quadratics.

    A truncation on shares rounds at random, so that the same counts would score differently each time, and a tie would
    be decided by chance. Quadratics with integer coefficients are exact modulo 2^64 (`evaluate_pieces`): what they give
    is a function of the count alone, and a plaintext tree that uses the same ones grows the same way.

    A quadratic begins where the one before it ends, with its value there, and passes within rounding of the function
    half way and at its own end.

    Parameters
    ----------
    function
        The function, from counts to integers: exact arithmetic only, since both units must make the same curve.
    anchors
        Where quadratics begin and end, the first at 0.
    until
        From this count on the value is `beyond`.
    beyond
        See `until`.
    """

    def __init__(
        self,
        function: Callable[[int], int],
        anchors: Sequence[int] = ANCHORS,
        until: int | None = None,
        beyond: int = 0,
    ) -> None:
        self._until, self._beyond = anchors[-1] + 1 if until is None else until, beyond
        self._starts: list[int] = []
        self._quadratics: list[tuple[int, int, int, int]] = []
        value = function(0)
        for start, end in pairwise(anchors):
            if start and start + 1 >= self._until:
                break
            middle = (start + end) // 2
            slope = _divided(function(middle) - value, middle - start)
            rest = function(end) - value - slope * (end - start)
            curvature = _divided(rest, (end - start) * (end - middle))
            self._starts.append(start)
            self._quadratics.append((middle, value, slope, curvature))
            value += (end - start) * (slope + curvature * (end - middle))

    def plain(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Values at public counts."""
        piece = np.maximum(np.searchsorted(self._starts, counts, side="left") - 1, 0)
        middle, value, slope, curvature = (column[piece] for column in self._columns)
        step = counts - np.array(self._starts)[piece]
        inside = value + step * (slope + curvature * (counts - middle))
        return np.where(counts < self._until, inside, self._beyond)

    def shared(self, unit: Unit, counts: Shares, most: int) -> Shares:
        """Values at shared counts of 0 .. `most`, exactly `plain`.

        Rounds and bytes of `evaluate_pieces`, whose products bound the memory: 65,536 counts at a time.
        """
        pieces, flat = self._pieces(most), counts.reshape(-1)
        blocks = [flat[start : start + TOGETHER] for start in range(0, flat.size, TOGETHER)]
        values = [evaluate_pieces(unit, pieces, block, most) for block in blocks]
        return concatenate(values).reshape(*counts.shape)

    @cached_property
    def _columns(self) -> NDArray[np.int64]:
        return np.array(self._quadratics, dtype=np.int64).T

    def _pieces(self, most: int) -> Pieces:
        """The quadratics that counts up to `most` can reach, the first two at least."""
        used = max(2, sum(start < most for start in self._starts))
        starts = self._starts[:used]
        rows = [_expanded(start, *quadratic) for start, quadratic in zip(starts, self._quadratics, strict=False)]
        knots = [start + 1 for start in starts[1:]]
        # neighbours agree one below a knot, where a comparison that leaves out the lowest digit may be off
        slack = 2
        if self._until <= most or not knots:
            knots.append(self._until)
            rows.append([self._beyond, 0, 0])
            slack = 0
        words = [[[coefficient % 2**64 for coefficient in row]] for row in rows]
        return Pieces(tuple(knots), np.array(words, dtype=np.uint64), slack)


def log2(n: int) -> Decimal:
    """Binary logarithm, the same everywhere to the last of fifty digits: floating point is not."""
    return _CONTEXT.divide(_CONTEXT.ln(Decimal(n)), _CONTEXT.ln(Decimal(2)))


def _divided(x: int, y: int) -> int:
    """Quotient x / y > 0, to the nearest integer."""
    return (2 * x + y) // (2 * y)


def _expanded(start: int, middle: int, value: int, slope: int, curvature: int) -> list[int]:
    """Coefficients of value + slope (n - start) + curvature (n - start) (n - middle), the constant first."""
    return [value - start * (slope - curvature * middle), slope - curvature * (start + middle), curvature]
