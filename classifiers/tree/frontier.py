"""Where a tree may have grown to: what is public about its structure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Frontier:
    """Nodes that may be split by now, of a complete binary tree whose nodes are numbered level by level from 0.

    Whether a node is split is secret, so a record goes on as if it were: from a node that is not, always to the left.
    It ends at one of the `ends`, and so does the leaf that it belongs to: the end is the leftmost one below. Hence a
    leaf keeps its place, however far the tree may have grown, until it is split itself; then its left child takes the
    place over, and the right child gets the one that no leaf had.

    Parameters
    ----------
    depth
        Levels of nodes that may be split.
    inner
        The nodes that may be split: whole levels, or exactly those that are if the structure is known.
    known
        Whether the structure is known.
    """

    depth: int
    inner: frozenset[int] = frozenset()
    known: bool = False

    @property
    def nodes(self) -> int:
        """How many nodes may ever be split."""
        return (1 << self.depth) - 1

    @property
    def places(self) -> int:
        """How many leaves there may be in the end: places are numbered from the left."""
        return 1 << self.depth

    @cached_property
    def levels(self) -> tuple[tuple[int, ...], ...]:
        """Nodes that a record may come to, level by level: the inner ones, and the ends."""
        found: list[tuple[int, ...]] = [(0,)]
        while children := tuple(child for node in found[-1] if node in self.inner for child in children_of(node)):
            found.append(children)
        return tuple(found)

    @cached_property
    def ends(self) -> tuple[int, ...]:
        """Nodes that a record may end at, in the order in which it may come to them."""
        return tuple(node for level in self.levels for node in level if node not in self.inner)

    @cached_property
    def end_places(self) -> list[int]:
        """Places of the ends."""
        return [self.place(node) for node in self.ends]

    @cached_property
    def growing(self) -> list[int]:
        """Which of the ends a leaf may have that can be split, by number; those further left first."""
        found = (number for number, end in enumerate(self.ends) if self._splittable(end))
        return sorted(found, key=self.end_places.__getitem__)

    @cached_property
    def growing_places(self) -> list[int]:
        """Places of these."""
        return [self.end_places[number] for number in self.growing]

    @cached_property
    def candidates(self) -> list[tuple[int, int]]:
        """Nodes that may be split next: (node, which of the growing ends its leaf has)."""
        return [(node, row) for row, number in enumerate(self.growing) for node in self._splittable(self.ends[number])]

    def place(self, node: int) -> int:
        """Place of a leaf: that of the leftmost node of the lowest level below it."""
        level = level_of(node)
        return (node + 1 - (1 << level)) << (self.depth - level)

    def grown(self, split: Iterable[int]) -> Frontier:
        """After leaves were examined: a level deeper, or by the nodes that were split if the structure is known."""
        new = split if self.known else (end for end in self.ends if level_of(end) < self.depth)
        return Frontier(self.depth, self.inner | set(new), self.known)

    def _splittable(self, end: int) -> list[int]:
        """Nodes that may be a leaf at this end and can be split: itself, and those that it is the leftmost below."""
        nodes = [end]
        while not self.known and nodes[-1] % 2:
            nodes.append(parent_of(nodes[-1]))
        return [node for node in nodes if level_of(node) < self.depth]


def level_of(node: int) -> int:
    """Level of a node; the root is alone on level 0."""
    return (node + 1).bit_length() - 1


def children_of(node: int) -> tuple[int, int]:
    """The child for records that pass the test, and the one for those that do not."""
    return 2 * node + 1, 2 * node + 2


def parent_of(node: int) -> int:
    """The parent of any node but the root; the root's own is itself."""
    return max(node - 1, 0) // 2
