"""Which leaves are examined when it is time: as many as records came for, and no more."""

from __future__ import annotations

import numpy as np

from building_blocks.comparison import bit_to_integer, sign
from building_blocks.selection import one_hot
from building_blocks.shares import Shares, public
from privml.units.unit import Unit


def turns(since: int, grace: int) -> int:
    """How many leaves are examined after so many records: as many as these can have made due, rounded up.

    In the long run no leaf waits: whoever is examined gives up `grace` records, so those that are due cannot pile up.
    """
    return -(-since // grace)


def take_turns(unit: Unit, waiting: Shares, grace: int, most: int) -> Shares:
    """Give a turn to each of the first leaves for which `grace` records or more wait, and to `most` of them at most.

    Parameters
    ----------
    waiting
        Records that wait at each place, of magnitude below 2^62; negative where there is nobody to take a turn.

    Returns
    -------
    Shares
        Places by turns, shape (places, min(places, most)): one-hot columns, zeros for a turn that nobody has.

    Notes
    -----
    Exact. 8 rounds, 13 bytes each way a place and 12 for each turn of it; or 4 and 13 if there is a turn for every
    place. Both units see masked words only: not how many leaves are due.
    """
    places = waiting.size
    enough = sign(unit, public(unit, np.full(places, grace - 1, dtype=np.int64)) - waiting)
    due = bit_to_integer(unit, enough)
    if most >= places:
        return due[:, None] * np.eye(places, dtype=np.uint64)
    earlier = Shares(np.cumsum(due.words, dtype=np.uint64)) - due
    # whoever is not due comes after all turns
    return one_hot(unit, earlier + (public(unit, np.ones(places, dtype=np.uint64)) - due) * places, most)
