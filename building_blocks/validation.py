"""Checks of shared data from outside, of which one bit opens: whether all of them hold."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks.boolean import WINDOW_PRODUCTS, MaskedWord
from building_blocks.comparison import below_thresholds, mask_exceeds
from building_blocks.operand import Operand, column_sums, squares, values
from building_blocks.shares import BooleanShares, Shares, Words, in_blocks, open_lone_bits, open_shares, public
from privml.errors import SettingError, ValidationError
from privml.units.correlations import OperandDigits, WeighedBits, chosen_columns
from privml.units.unit import Unit

RANGE_BITS = 62

DIGEST_BYTES = 16
"""Of SHA-256, so many are compared."""

_HIGH = np.uint64(2**64 - 2**16)
"""The digits that words below 2^16 do not have; as a number, -2^16."""


class Validation:
    """What shared data must be, collected check by check; at the end only whether all of it holds is opened.

    Every check is that some shared words are zero. Shares of zero are opposites of each other (XOR shares are equal),
    so that each unit hashes what it holds of the words, the Secondary after changing signs, and 128 bits of the digests
    (SHA-256) agree if all words are zero. They are compared as shares; they are not shown to anybody.

    Valid data always pass. Something invalid passes with a chance of 2^-64 an upload, from the comparison, and 2^-128,
    from the digests. Its sender knows what the words are, and not what a unit holds of them: that comes out of
    correlations which the units alone have. So there is nothing to search for collisions in ahead, and a try is an
    upload that is seen to be refused.

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
        if not groups:
            return
        bits = values(self._unit, rows)
        sums = column_sums(bits, groups)
        bits_squared, sums_squared = squares(self._unit, rows, () if complete else groups)
        columns = [column for group in groups for column in range(group.start, group.stop)]
        wrong = bits_squared - bits
        self.zero(wrong if len(columns) == rows.shape[1] else wrong[:, columns])
        self.zero(sums - public(self._unit, np.ones(sums.shape, dtype=np.uint64)) if complete else sums_squared - sums)

    def short(self, matrices: Sequence[Operand], columns: Sequence[int]) -> None:
        """Require 0 <= x < 2^16 in columns of operands, named in ascending order.

        An operand is open as c = x + r, with r = -A for its mask A. Its low sixteen digits borrow in c - r where those
        of r exceed those of c (`mask_exceeds`). The others of c - r are zeros if those of r are the same as those of c
        or, where it borrows, of c - 2^16: a choice between public words by a shared bit, which is local.

        One round, 1 byte each way a value, beside the opening of the operands, which their products need anyway. Both
        units see masked words.
        """
        opened = _joined([chosen_columns(matrix.masked, columns) for matrix in matrices])
        draws = [OperandDigits(matrix.drawn, tuple(columns), np.uint16, WINDOW_PRODUCTS) for matrix in matrices]
        masks, *products = map(_joined, zip(*map(self._unit.correlations.draw, draws), strict=True))
        low = MaskedWord(opened.astype(np.uint16), BooleanShares(masks.astype(np.uint16)), products)
        borrows = mask_exceeds(self._unit, low).words
        wrong_digits = partial(_wrong_digits, self._unit.is_master)
        wrong = in_blocks(wrong_digits, opened.reshape(-1), masks.reshape(-1), borrows.reshape(-1))
        self.clear(BooleanShares(wrong))

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
        """Open whether all of it holds. Two rounds, 24 bytes each way.

        The digests' bits are XOR shares of the places b where they differ. With weights w that nobody knows, sum w b is
        0 if they agree, and else uniform modulo 2^64, whatever they are. Opened are v = b xor rho, and sum w b, where
        w b = w rho + v (w - 2 w rho). Both units see that: masked bits, and the outcome.
        """
        mine = np.frombuffer(self._digest.digest(), dtype=np.uint8, count=DIGEST_BYTES)
        weights, masks, masked = self._unit.correlations.draw(WeighedBits((8 * DIGEST_BYTES,)))
        flipped = open_lone_bits(self._unit, BooleanShares(np.unpackbits(mine) ^ masks)).astype(np.uint64)
        weighed = masked + flipped * (weights - masked - masked)
        (outcome,) = open_shares(self._unit, Shares(weighed).sum())
        return not outcome

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


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _wrong_digits(is_master: bool, opened: Words, masks: Words, borrows: NDArray[np.uint8]) -> Words:
    """Compute this unit's XOR share of words that are zero exactly if c - r has no digits from 2^16 on. Local."""
    c = opened & _HIGH
    wrong = np.negative(borrows.astype(np.uint64))
    wrong &= c ^ (c + _HIGH)
    wrong ^= masks & _HIGH
    if is_master:
        wrong ^= c
    return wrong
