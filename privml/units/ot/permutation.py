"""Rows of one unit, in an order that the other unit chooses, shared between them.

The rows pass a network of switches (Mohassel and Sadeghian, EUROCRYPT 2013), shared from the first switch on. One whose
setting is c = 0 or 1 adds c (b - t) to the upper row t and takes it off the lower row b. Whoever owns the permutation
knows c and multiplies its own part of b - t. For the giver's part d there is one correlated transfer: the giver sends
H0 - H1 + d and keeps -H0 as its share of c d; the owner adds c times that to the key H_c that it chose.

The giver's shares follow from its rows and keys alone, so a network takes two messages, however deep it is. The giver
sees settings under uniformly random bits, the owner sees rows under keys that it does not know.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from privml.units.correlations import Array
from privml.units.ot.link import TransferLink
from privml.units.ot.switching_network import Network, network, route

Words = NDArray[np.uint64]


def owner_shares(link: TransferLink, order: Array, width: int, limit: int) -> Words:
    """Arrange the giver's rows: row ``order[:, i]`` comes to place i.

    Parameters
    ----------
    order
        Permutations of n rows, (networks, n).
    width
        Words in a row.
    limit
        Words of keys to a batch of transfers, about.

    Returns
    -------
    Words
        This unit's shares, (width, n, networks).

    Notes
    -----
    Two messages a batch. Each of the network's switches, about n log2 n - n of them, costs 16 1/8 bytes from the owner
    to the giver, and 8 bytes back for each word of a row.
    """
    count, rows = order.shape
    shares = np.zeros((width, rows, count), dtype=np.uint64)
    for several, start, switches in _batches(network(rows), shares.shape, limit):
        if start == 0:
            crossing = route(order[several])
        settings = crossing[start : start + switches.size]
        pads = link.choose(np.packbits(settings, bitorder="little"))
        form = (width, *settings.shape)
        keys = pads.words(0, width)[:, : settings.size].reshape(form)
        corrections = link.receive(form)
        crossed = np.negative(settings.astype(np.uint64))
        for layer in switches.layers():
            upper, lower = switches.upper[layer], switches.lower[layer]
            top, bottom = shares[:, upper, several], shares[:, lower, several]
            moved = (bottom - top + corrections[:, layer] & crossed[layer]) + keys[:, layer]
            shares[:, upper, several], shares[:, lower, several] = top + moved, bottom - moved
    return shares


def giver_shares(link: TransferLink, rows: Words, limit: int) -> Words:
    """Let the owner arrange rows of this unit, (width, n, networks). Returns this unit's shares, in the same form."""
    shares = np.array(rows, order="C")
    for several, _, switches in _batches(network(rows.shape[1]), rows.shape, limit):
        form = (len(rows), switches.size, several.stop - several.start)
        size = form[1] * form[2]
        keys, others = (words[:, :size].reshape(form) for words in link.accept(size).words(0, len(rows)))
        corrections = keys - others
        for layer in switches.layers():
            upper, lower = switches.upper[layer], switches.lower[layer]
            top, bottom = shares[:, upper, several], shares[:, lower, several]
            corrections[:, layer] += bottom - top
            shares[:, upper, several], shares[:, lower, several] = top - keys[:, layer], bottom + keys[:, layer]
        link.send(corrections)
    return shares


def _batches(switches: Network, form: tuple[int, int, int], limit: int) -> Iterator[tuple[slice, int, Network]]:
    """Cut the transfers for shares of a form in batches: as many networks as there is room for, or a part of one.

    Yields which networks, the number of their first switch in the batch, and the switches from there.
    """
    width, _, networks = form
    room = max(1, limit // max(1, width))
    together = max(1, min(networks, room // max(1, switches.size)))
    for first in range(0, networks if width else 0, together):
        several = slice(first, min(first + together, networks))
        for start in range(0, switches.size, room // together):
            yield several, start, switches.part(start, start + room // together)
