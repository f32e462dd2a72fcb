"""Correlations for permuting shared rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from privml.units.correlations.correlation import Array, Field, Shape
from privml.units.role import Role


@dataclass(frozen=True)
class Permutation:
    """a; a uniformly random permutation pi that one unit alone knows; and pi(a), shared.

    "Share translation" of Chase, Ghosh and Poburinnaya (ASIACRYPT 2020), with a fresh mask in either unit.

    Parameters
    ----------
    shape
        Of a.
    axis
        What is permuted along; each place of the axes before it has a permutation of its own, and what lies on the
        axes behind it moves together.
    owner
        Who knows pi, in the form of keys: see `order_of`.
    """

    elementwise: ClassVar[bool] = False

    shape: Shape
    axis: int
    owner: Role

    @property
    def bases(self) -> Sequence[Field]:
        """The mask, and two words a row as the permutation's keys."""
        return Field(self.shape), Field((2, *self.shape[: self.axis + 1]), owner=self.owner)

    @property
    def derived(self) -> Sequence[Field]:
        """The mask permuted."""
        return (Field(self.shape),)

    def derive(self, *bases: Array) -> Sequence[Array]:
        """Permute."""
        a, keys = bases
        return (permuted(a, order_of(keys)),)


def order_of(keys: Array) -> Array:
    """Sort places by two uniform words each: (2, ..., n) gives the order of the last axis, (..., n).

    The second words matter where first ones are equal. Only where two places agree in both is the order not uniform:
    a chance of n^2 / 2^129.
    """
    first, second = keys
    order = np.argsort(first, axis=-1)
    ascending = np.take_along_axis(first, order, axis=-1)
    if (ascending[..., 1:] == ascending[..., :-1]).any():
        order = np.lexsort((second, first), axis=-1)
    return order


def permuted(rows: Array, order: Array) -> Array:
    """Put row ``order[..., i]`` at place i: the axes before the last of `order` are a batch, those behind it a row."""
    count = order.shape[-1]
    batch = math.prod(order.shape[:-1])
    starts = count * np.arange(batch).reshape(*order.shape[:-1], 1)
    flat = rows.reshape(batch * count, math.prod(rows.shape[order.ndim :]))
    moved: Array = flat.take((order + starts).reshape(-1), axis=0)
    return moved.reshape(rows.shape)
