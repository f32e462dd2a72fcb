"""Checks of shared data from outside, of which one bit opens: whether all of them hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from building_blocks.boolean import invert, suffix_and
from building_blocks.comparison import below_thresholds
from building_blocks.gates import Gate, Variable
from building_blocks.operand import Operand, column_sums, squares, values
from building_blocks.shares import BooleanShares, Shares, open_bits, public
from privml.errors import SettingError, ValidationError
from privml.units.unit import Unit

RANGE_BITS = 62

_ALL_FOUR = Gate(4, [[tuple(Variable(word) for word in range(4))]])
"""The four words of a digest into one."""


class Validation:
    """What shared data must be, collected check by check; at the end only whether all of it holds is opened.

    Every check is that some shared words are zero. Shares of zero are opposites of each other (XOR shares are equal),
    so that each unit hashes what it holds of the words, the Secondary after changing signs, and the digests agree
    exactly if all words are zero. They are compared in the boolean world; they are not shown to anybody. Something
    invalid passes only with a collision of SHA-256.

    Checks are exact for every 64-bit word, however it was made: nothing is assumed of the data.

    Parameters
    ----------
    unit
        The unit that checks; both make the same checks in the same order.
    """

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._digest = hashlib.sha256()

    def zero(self, x: Shares) -> None:
        """Require zeros. Local."""
        words = x.words if self._unit.is_master else np.uint64(0) - x.words
        self._digest.update(np.ascontiguousarray(words).reshape(-1).view(np.uint8).data)

    def clear(self, x: BooleanShares) -> None:
        """Require bits that are not set, in all lanes. Local."""
        self._digest.update(np.ascontiguousarray(x.words).reshape(-1).view(np.uint8).data)

    def one_hot(self, rows: Operand, groups: Sequence[slice], *, complete: bool) -> None:
        """Require bits, exactly one in every group of columns, or at most one if `complete` is not asked for.

        Columns that belong to no group may hold anything.

        b^2 = b modulo 2^64 holds for 0 and 1 alone, since one of b and b - 1 is odd. No message, beside the opening of
        the operand, which its products need anyway.
        """
        bits = values(self._unit, rows)
        sums = column_sums(bits, groups)
        bits_squared, sums_squared = squares(self._unit, rows, () if complete else groups)
        columns = [column for group in groups for column in range(group.start, group.stop)]
        wrong = bits_squared - bits
        self.zero(wrong if len(columns) == rows.shape[1] else wrong[:, columns])
        self.zero(sums - public(self._unit, np.ones(sums.shape, dtype=np.uint64)) if complete else sums_squared - sums)

    def within(self, x: Shares, low: int, high: int) -> None:
        """Require low <= x <= high, for public low <= high less than 2^62 apart. Three rounds, 18 bytes a value.

        For u = x - low modulo 2^64, read as signed: neither u < 0, nor u >= high - low + 1.

        Raises
        ------
        SettingError
            The limits are too far apart, or the wrong way round.
        """
        span = high - low
        if not 0 <= span < 1 << RANGE_BITS:
            raise SettingError(
                f"a range has a lower limit and an upper one less than 2^{RANGE_BITS} above; got {low}..{high}"
            )
        u = x - public(self._unit, np.full(x.shape, low, dtype=np.int64))
        outcomes = below_thresholds(self._unit, u, [0, span + 1])
        too_low, small = outcomes[..., 0], outcomes[..., 1]
        self.clear(too_low)
        self.clear(BooleanShares(small.words ^ np.uint8(self._unit.is_master)))

    def passed(self) -> bool:
        """Open whether all of it holds. Five rounds, 57 bytes each way; both see masked words and the outcome."""
        words = np.frombuffer(self._digest.digest(), dtype=np.uint64)
        agreeing = [invert(self._unit, BooleanShares(word)) for word in words]
        (lanes,) = _ALL_FOUR.evaluate(self._unit, agreeing)
        (outcome,) = open_bits(
            self._unit, BooleanShares((suffix_and(self._unit, lanes, 64).words & np.uint64(1)).astype(np.uint8))
        )
        return bool(outcome)

    def require(self, what: str) -> None:
        """Go on if everything holds; else both units raise, in step.

        Raises
        ------
        ValidationError
            Something does not hold; `what` says what was checked.
        """
        if not self.passed():
            error = ValidationError(what)
            error.agreed = True
            raise error
