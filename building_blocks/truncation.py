"""Division of shared fixed-point numbers by a power of two."""

from __future__ import annotations

import numpy as np

from building_blocks.shares import Shares, open_shares, public
from privml.errors import SettingError
from privml.units.correlations import TruncationMask
from privml.units.unit import Unit

OFFSET_BIT = 62
LOW_63 = np.uint64((1 << 63) - 1)


def truncate(unit: Unit, x: Shares, fraction_bits: int) -> Shares:
    """Shift signed values right by f bits: [x / 2^f], the floor or the ceiling, for |x| < 2^62.

    x' = x + 2^62 is opened under a mask, c = x' + r. As x' < 2^63, the carry out of bit 63 shows in the top bits:
    v = msb(c) xor msb(r), linear in the shared msb(r), and floor(x'/2^f) = (c mod 2^63 >> f) + v 2^{63-f}
    - [(r mod 2^63) >> f] - (0 or 1). (The carry trick of Dalskov, Escudero and Keller, PoPETs 2020, on a 64-bit ring.)

    Parameters
    ----------
    x
        Signed integers with |x| < 2^62. Outside, the result is wrong by a multiple of 2^{64-f}.
    fraction_bits
        f, in 1..62.

    Returns
    -------
    Shares
        The floor or the ceiling of x / 2^f: unbiased, since the chance of the ceiling is the dropped fraction; so
        exact where nothing is dropped.

    Notes
    -----
    One round, 8 bytes each way a value. Both units see c, uniform because r is, and used once.
    """
    if not 1 <= fraction_bits <= OFFSET_BIT:
        raise SettingError(f"a truncation drops 1..{OFFSET_BIT} bits; got {fraction_bits}")
    r, r_shifted, r_top = map(Shares, unit.correlations.draw(TruncationMask(x.shape, fraction_bits)))
    offset = np.full(x.shape, 1 << OFFSET_BIT, dtype=np.uint64)
    (c,) = open_shares(unit, x + public(unit, offset) + r)
    c_top = c >> np.uint64(63)
    carry = public(unit, c_top) + r_top - r_top * (c_top << np.uint64(1))
    kept = Shares((c & LOW_63) >> np.uint64(fraction_bits)) - Shares(offset >> np.uint64(fraction_bits))
    return public(unit, kept.words) + carry * np.uint64(1 << (63 - fraction_bits)) - r_shifted
