"""A revealed tree, as its recipient reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import Words, signed
from classifiers.tree.binary_tests import BinaryTest, BinaryTests
from classifiers.tree.frontier import Frontier, children_of
from privml.data.schema import Schema
from privml.errors import DecryptionError, SettingError


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


@dataclass(frozen=True)
class DecisionTreeModel:
    """A revealed tree. Printed, it is its rules; `to_dot` and `draw` make pictures of it.

    Attributes
    ----------
    schema
        Features and classes.
    root
        Where every record begins.
    """

    schema: Schema
    root: TreeNode

    @classmethod
    def read(cls, schema: Schema, words: Words) -> Self:
        """Read a release: whether each node is split, the number of its test, and the leaves' counts.

        Raises
        ------
        DecryptionError
            The words are no tree of this schema.
        """
        classes, tests = schema.class_count, BinaryTests(schema)
        places = (words.size + 2) // (2 + classes)
        depth = places.bit_length() - 1
        frontier = Frontier(depth)
        if words.size != 2 * frontier.nodes + frontier.places * classes:
            raise DecryptionError(f"{words.size} words are no tree of {classes} classes: they belong to another model")
        splits, chosen, flat = np.split(signed(words), [frontier.nodes, 2 * frontier.nodes])
        counts = flat.reshape(frontier.places, classes)

        def node(number: int) -> TreeNode:
            if number >= frontier.nodes or not splits[number]:
                return TreeLeaf(counts[frontier.place(number)])
            if splits[number] != 1 or not 0 <= chosen[number] < len(tests):
                raise DecryptionError("a node of the tree makes no test of the schema: it was damaged")
            passing, failing = children_of(number)
            return TreeSplit(tests[int(chosen[number])], node(passing), node(failing))

        return cls(schema, node(0))

    def __str__(self) -> str:
        return "\n".join(self._lines(self.root, 0))

    def leaves(self) -> Iterator[TreeLeaf]:
        """All leaves, those of records that pass first."""
        waiting = [self.root]
        while waiting:
            node = waiting.pop()
            if isinstance(node, TreeLeaf):
                yield node
            else:
                waiting += [node.failing, node.passing]

    def label(self, leaf: TreeLeaf) -> str:
        """Return the class that most records of a leaf have, the first of several."""
        return self.schema.classes[int(leaf.counts.argmax())]

    def to_dot(self) -> str:
        """Return the tree in Graphviz' language."""
        lines = ["digraph tree {", '  node [shape=box, fontname="sans-serif"];']
        count = 0

        def add(node: TreeNode) -> int:
            nonlocal count
            number, count = count, count + 1
            text = str(node.test) if isinstance(node, TreeSplit) else f"{self.label(node)}\n{self._described(node)}"
            style = "" if isinstance(node, TreeSplit) else ", style=rounded"
            lines.append(f"  n{number} [label={_quoted(text)}{style}];")
            if isinstance(node, TreeSplit):
                for answer, child in (("yes", node.passing), ("no", node.failing)):
                    lines.append(f'  n{number} -> n{add(child)} [label="{answer}"];')
            return number

        add(self.root)
        return "\n".join([*lines, "}"])

    def draw(self, axes: Any = None) -> Any:
        """Draw the tree by matplotlib, on given axes or on new ones, and return them.

        Raises
        ------
        SettingError
            matplotlib is not installed.
        """
        if axes is None:
            try:
                from matplotlib import pyplot as plt  # noqa: PLC0415 - an optional dependency
            except ImportError as error:
                raise SettingError(
                    "drawing a tree needs matplotlib; `to_dot` needs nothing: pip install matplotlib"
                ) from error
            axes = plt.figure().subplots()
        axes.set_axis_off()
        self._draw(axes, self.root, 0, 0)
        return axes

    def _lines(self, node: TreeNode, level: int) -> Iterator[str]:
        indent = "|   " * level
        if isinstance(node, TreeLeaf):
            yield f"{indent}{self.schema.target}: {self.label(node)} ({self._described(node)})"
            return
        yield f"{indent}if {node.test}"
        yield from self._lines(node.passing, level + 1)
        yield f"{indent}else"
        yield from self._lines(node.failing, level + 1)

    def _described(self, leaf: TreeLeaf) -> str:
        """Counts of the classes that occur."""
        each = zip(self.schema.classes, leaf.counts.tolist(), strict=True)
        return ", ".join(f"{name} {count}" for name, count in each if count) or "no record"

    def _draw(self, axes: Any, node: TreeNode, level: int, left: int) -> tuple[float, int]:
        """Draw a subtree from so many leaves to the left on, and return its middle and where the next one begins."""
        if isinstance(node, TreeLeaf):
            text, x, end = f"{self.label(node)}\n{self._described(node)}", float(left), left + 1
        else:
            first, middle = self._draw(axes, node.passing, level + 1, left)
            second, end = self._draw(axes, node.failing, level + 1, middle)
            text, x = str(node.test), (first + second) / 2
            for child, answer in ((first, "yes"), (second, "no")):
                axes.plot([x, child], [-level, -level - 1], color="0.6", zorder=1)
                axes.text((x + child) / 2, -level - 0.5, answer, ha="center", va="center", fontsize="small")
        box = {"boxstyle": "round" if isinstance(node, TreeLeaf) else "square", "facecolor": "white"}
        axes.text(x, -level, text, ha="center", va="center", bbox=box, zorder=2)
        return x, end


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
