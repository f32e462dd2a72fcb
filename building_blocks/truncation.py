"""Division of shared fixed-point numbers by a power of two."""

from __future__ import annotations

import numpy as np

from building_blocks.shares import Shares, open_shares
from privml.errors import SettingError
from privml.units.correlations import TruncationMask
from privml.units.unit import Unit

OFFSET_BIT = 62
OFFSET = np.uint64(1 << OFFSET_BIT)
CARRY = np.uint64(1 << 63)
TOP = np.uint64(63)
ONE = np.uint64(1)


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
    # arrays without dimensions would become scalars, which warn where they wrap around
    r, r_shifted, r_top = unit.correlations.draw(TruncationMask((x.size,), fraction_bits))
    hidden = x.words.reshape(-1) + r
    if unit.is_master:
        hidden += OFFSET
    (c,) = open_shares(unit, Shares(hidden))
    # 2^{63-f} (1 - 2 msb(c)), and the public part: c shifted, with its top bit
    weight = CARRY >> np.uint64(fraction_bits)
    kept = r_top * (weight - (c >> TOP) * (weight << ONE))
    kept -= r_shifted
    if unit.is_master:
        kept += c >> np.uint64(fraction_bits)
        kept -= OFFSET >> np.uint64(fraction_bits)
    return Shares(kept.reshape(x.shape))
