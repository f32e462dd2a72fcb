"""Networks of switches that carry rows into any order.

A Benes network (Bell System Technical Journal, 1964) without the switches that Waksman (J. ACM, 1968) and, for any
number of rows, Beauquier and Darrot (Parallel Processing Letters, 2002) leave out: sum of ceil(log2 i) over i <= n of
them, e.g. 17 for 8 rows and 1,568,929 for 100,000. Rows stay in their array: level l joins the places p and p + 2^l
where bit l of p is clear. The levels are passed upwards, then downwards again.

Switches are set after Nassimi and Sahni (IEEE Transactions on Computers, 1982): all loops of a level are followed at
once, by doubling, so that numpy can do it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import accumulate, pairwise, starmap
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Places = NDArray[np.intp]


class Network(NamedTuple):
    """Switches in the order in which rows pass them: each exchanges the rows at two places, or leaves them."""

    upper: Places
    lower: Places
    """The two places of each switch."""
    ends: tuple[int, ...]
    """Where the switches of each layer end: these have no row in common."""

    @property
    def size(self) -> int:
        """Number of switches."""
        return len(self.upper)

    def layers(self) -> Iterator[slice]:
        """Cut the switches into layers."""
        return starmap(slice, pairwise((0, *self.ends)))

    def part(self, start: int, stop: int) -> Network:
        """Return the switches from one number up to another, or to the end."""
        stop = min(stop, self.size)
        ends = (*(end - start for end in self.ends if start < end < stop), stop - start)
        return Network(self.upper[start:stop], self.lower[start:stop], ends)


def network(rows: int) -> Network:
    """Return the switches for so many rows."""
    layers = list(_layers(rows))
    upper = [first for _, _, first in layers]
    lower = [first + (1 << level) for level, _, first in layers]
    ends = accumulate(first.size for first in upper)
    return Network(np.concatenate([_NO_PLACES, *upper]), np.concatenate([_NO_PLACES, *lower]), tuple(ends))


def route(order: Array) -> NDArray[np.bool_]:
    """Set the network so that row ``order[..., i]`` comes to place i.

    Parameters
    ----------
    order
        Permutations of the rows along the last axis, each for a network of its own.

    Returns
    -------
    (switches, networks)
        Which switches cross; networks in C order.
    """
    rows = order.shape[-1]
    depth, networks = _depth(rows), math.prod(order.shape[:-1])
    size = 1 << depth
    # filled up with rows that stay where they are: no switch of the real ones then needs to know
    source = np.broadcast_to(np.arange(size), (networks, size)).copy()
    source[:, :rows] = order.reshape(networks, rows)
    source = (source + size * np.arange(networks)[:, None]).reshape(-1)
    crossing = {}
    for level in range(depth):
        leaving, arriving, source = _split(source, level, depth - level - 1)
        crossing[level, False], crossing[level, True] = leaving.reshape(-1, size), arriving.reshape(-1, size)
    found = [crossing[level, downwards][:, first].T for level, downwards, first in _layers(rows)]
    return np.concatenate([np.empty((0, networks), dtype=np.bool_), *found])


_NO_PLACES: Places = np.empty(0, dtype=np.intp)


def _layers(rows: int) -> Iterator[tuple[int, bool, Places]]:
    """Each layer's level, whether it is passed on the way back, and the upper places of its switches."""
    places = np.arange(rows)
    for downwards in (False, True):
        for level in range(_depth(rows))[:: -1 if downwards else 1]:
            # on the way back one switch of every even subnetwork need never cross: the last
            end = places + ((2 if downwards else 1) << level)
            first = places[(places >> level & 1 == 0) & (end < rows)]
            if first.size:
                yield level, downwards, first


def _depth(rows: int) -> int:
    return max(rows - 1, 0).bit_length()


def _split(source: Places, level: int, doublings: int) -> tuple[Array, Array, Places]:
    """Send every row through one of two subnetworks: those of places with bit `level` clear, and set.

    Two rows that meet in a switch, on the way in or on the way out, go different ways. So from a row to the one that
    leaves beside it, and from that to the one that arrives beside *it*, the way is the same again: these steps run
    through half of a loop, the other half goes the other way. The half with the loop's largest place of arrival takes
    the second: then the last switch of an even subnetwork, and what was filled up, stays straight.

    Returns
    -------
    tuple
        Whether a row takes the second way, by the place that it leaves from and by the place where it arrives; and the
        source of each place inside the subnetworks.
    """
    bit = 1 << level
    places = np.arange(source.size)
    arrival = np.empty_like(source)
    arrival[source] = places
    following = arrival[source ^ bit] ^ bit
    largest = places
    for _ in range(doublings):
        largest = np.maximum(largest, largest[following])
        following = following[following]
    second = largest > largest[places ^ bit]
    inside = np.empty_like(source)
    inside[places & ~bit | second << level] = source & ~bit | second << level
    return second[arrival], second, inside
