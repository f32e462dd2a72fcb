"""The nodes of a revealed tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from classifiers.tree.binary_tests import BinaryTest


@dataclass(frozen=True)
class TreeLeaf:
    """A leaf.

    Attributes
    ----------
    counts
        Records of each class that came to it, with those that its parent had seen on its side, shape (C,).
    """

    counts: NDArray[np.int64]

    @property
    def proportions(self) -> NDArray[np.float64]:
        """Proportions of the classes."""
        return np.asarray(self.counts / max(int(self.counts.sum()), 1))


@dataclass(frozen=True)
class TreeSplit:
    """A node with a test: those that pass it go on at `passing`, the others, unknown cells among them, at `failing`."""

    test: BinaryTest
    passing: TreeNode
    failing: TreeNode


TreeNode = TreeLeaf | TreeSplit


def nodes_of(root: TreeNode) -> Iterator[tuple[TreeNode, int]]:
    """All nodes and their levels, each before those below it, those that pass first."""
    waiting = [(root, 0)]
    while waiting:
        node, level = waiting.pop()
        yield node, level
        if isinstance(node, TreeSplit):
            waiting += [(node.failing, level + 1), (node.passing, level + 1)]
