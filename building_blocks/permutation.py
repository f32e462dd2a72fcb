"""Shared rows in an order that nobody knows."""

from __future__ import annotations

import math

import numpy as np

from building_blocks.shares import Shares, concatenate
from privml.errors import SettingError, ValidationError
from privml.units.correlations import Permutation, order_of, permuted
from privml.units.role import Role
from privml.units.unit import Unit


def shuffle(unit: Unit, x: Shares, axis: int = 0) -> Shares:
    """Permute rows by a uniformly random permutation that neither unit knows.

    First by one that the Master knows, then by one that the Secondary knows. For each the other unit sends its share of
    x - a, so that the owner of the permutation pi knows x - a; pi(x - a), and shares of pi(a) from a correlation, make
    pi(x) (Chase, Ghosh and Poburinnaya, ASIACRYPT 2020).

    Parameters
    ----------
    x
        Any words, with one dimension or more.
    axis
        The axis of the rows. What lies on the axes behind it moves along; every place of the axes before it has a
        permutation of its own.

    Raises
    ------
    SettingError
        There is no such axis.

    Notes
    -----
    Exact. Two messages, one after the other: 8 bytes a value from the Secondary to the Master, then 8 back. Each unit
    sees one array under a fresh uniform mask. By a dealer the correlations cost 16 bytes of keys a row and 8 a value;
    by oblivious transfer each of the two takes sum of ceil(log2 i), i <= n, transfers of a row (`privml.units.ot`).
    """
    if not 0 <= axis < len(x.shape):
        raise SettingError(f"there is no axis {axis} to shuffle along in shape {x.shape}; count from 0")
    for owner in Role:
        x = _permute(unit, x, axis, owner)
    return x


def place(unit: Unit, places: Shares, x: Shares) -> Shares:
    """Put each row at its secret place: row i of x comes to place ``places[..., i]``.

    Rows and places are shuffled together, and the places opened: a permutation in an order that nobody knows, so
    uniformly random whatever it is. Rows are then moved in the open.

    Parameters
    ----------
    places
        A permutation of 0 .. n - 1 along the last axis. This must be known of it, e.g. from `rank`: what opens would
        tell that it is none, and which numbers occur.
    x
        Of the same shape, and any further axes, which move along.

    Raises
    ------
    SettingError
        The shapes do not fit.
    ValidationError
        The places turned out to be no permutation.

    Notes
    -----
    Exact. `shuffle`, then one round: for rows of k words 8 (k + 1) bytes a row one way, as much the other way, and 1
    byte a row each way (2 above 256 rows, 4 above 65,536). Both units see masked words and a uniform permutation.
    """
    axis = len(places.shape) - 1
    if axis < 0 or x.shape[: axis + 1] != places.shape:
        raise SettingError(f"rows of shape {x.shape} have no places of shape {places.shape}; the axes must agree")
    columns = x.reshape(*places.shape, math.prod(x.shape[axis + 1 :]))
    shuffled = shuffle(unit, concatenate([places[..., None], columns], axis=-1), axis)
    # sums of low bytes are the low bytes of the sum: no more is opened
    low = shuffled.words[..., 0].astype(np.min_scalar_type(max(places.shape[axis] - 1, 0)))
    (peer,) = unit.exchange(low)
    opened = low + peer
    order = np.argsort(opened, axis=-1)
    if (np.take_along_axis(opened, order, axis=-1) != np.arange(places.shape[axis])).any():
        # both units see it and raise alike
        error = ValidationError("the places that rows were to take are no permutation of 0 .. n - 1")
        error.agreed = True
        raise error
    return Shares(permuted(shuffled.words[..., 1:], order).reshape(x.shape))


def _permute(unit: Unit, x: Shares, axis: int, owner: Role) -> Shares:
    """Permute rows by a permutation that one unit knows. One message, to that unit."""
    mask, keys, permuted_mask = unit.correlations.draw(Permutation(x.shape, axis, owner))
    hidden = x.words - mask
    if unit.role is not owner:
        unit.send(hidden)
        return Shares(permuted_mask)
    (peer,) = unit.receive([hidden])
    return Shares(permuted(hidden + peer, order_of(keys)) + permuted_mask)
