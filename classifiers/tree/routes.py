"""How records find their way through a tree on shares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from building_blocks.operand import Operand, multiply_operands
from building_blocks.product import multiply
from building_blocks.shares import Shares, concatenate, public, stack
from classifiers.tree.frontier import Frontier
from privml.units.unit import Unit


@dataclass(frozen=True)
class Routes:
    """Where records go on at the inner nodes of a tree."""

    columns: dict[int, int]
    """Column of each inner node."""
    passing: Operand
    """Values that pass the node's test, one-hot columns by nodes; none where it is not split."""
    unsplit: Shares
    """Whether the node is not split: then everything passes."""


def descend(unit: Unit, frontier: Frontier, routes: Routes, features: Operand) -> Shares:
    """Which end each record comes to, one-hot, shape (n, ends). A round for each level; 16 bytes a record and node.

    Records and routes are open under masks, so that all nodes' tests are made without a message.
    """
    passed = multiply_operands(unit, features, routes.passing) + routes.unsplit
    reach = public(unit, np.ones((features.shape[0], 1), dtype=np.uint64))
    ended = []
    for level in frontier.levels:
        inner = [position for position, node in enumerate(level) if node in frontier.inner]
        ended.append(reach[:, [position for position, node in enumerate(level) if node not in frontier.inner]])
        if not inner:
            break
        tests = passed[:, [routes.columns[level[position]] for position in inner]]
        # everybody comes to the root
        left = tests if level == (0,) else multiply(unit, reach[:, inner], tests)
        reach = Shares(stack([left, reach[:, inner] - left], axis=2).words.reshape(features.shape[0], -1))
    return concatenate(ended, axis=1)
