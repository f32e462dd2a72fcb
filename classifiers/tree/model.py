"""A revealed tree, as its recipient reads it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import Words, signed
from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.frontier import Frontier, children_of
from classifiers.tree.nodes import TreeLeaf, TreeNode, TreeSplit, nodes_of
from classifiers.tree.picture import Picture
from privml.data.schema import Schema
from privml.errors import DecryptionError


@dataclass(frozen=True)
class DecisionTreeModel:
    """A revealed tree. Printed, it is its rules; `to_dot` and `draw` make pictures of it.

    It answers as majority leaves do. What leaves of naive Bayes answer by, the values that each of them saw, is not
    revealed.

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
        return (node for node, _ in nodes_of(self.root) if isinstance(node, TreeLeaf))

    def label(self, leaf: TreeLeaf) -> str:
        """Return the class that most records of a leaf have, the first of several."""
        return self.schema.classes[int(leaf.counts.argmax())]

    def predict(self, codes: NDArray[np.int64]) -> NDArray[Any]:
        """Return the class of each record by name, shape (n,): that of most records of its leaf.

        Parameters
        ----------
        codes
            Shape (n, F), as `privml.data.encoding.encode` gives them; -1 where a cell was left out.
        """
        found = np.empty(len(codes), dtype=object)
        for leaf, rows in self._reached(codes):
            found[rows] = self.label(leaf)
        return found

    def predict_proba(self, codes: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the proportions of the classes in each record's leaf, shape (n, C); see `predict`."""
        found = np.empty((len(codes), self.schema.class_count))
        for leaf, rows in self._reached(codes):
            found[rows] = leaf.proportions
        return found

    def to_dot(self) -> str:
        """Return the tree in Graphviz' language."""
        lines = ["digraph tree {", '  node [shape=box, fontname="sans-serif"];']
        count = 0

        def add(node: TreeNode) -> int:
            nonlocal count
            number, count = count, count + 1
            style = "" if isinstance(node, TreeSplit) else ", style=rounded"
            lines.append(f"  n{number} [label={_quoted(self._boxed(node))}{style}];")
            if isinstance(node, TreeSplit):
                for answer, child in (("yes", node.passing), ("no", node.failing)):
                    lines.append(f'  n{number} -> n{add(child)} [label="{answer}"];')
            return number

        add(self.root)
        return "\n".join([*lines, "}"])

    def draw(self, axes: Any = None) -> Any:
        """Draw the tree by matplotlib and return the axes: new ones of its size, or given ones, in letters that fit.

        Raises
        ------
        SettingError
            matplotlib is not installed.
        """
        return Picture(self.root, self._boxed).draw(axes)

    def _reached(self, codes: NDArray[np.int64]) -> Iterator[tuple[TreeLeaf, NDArray[np.int64]]]:
        """Leaves, and which records come to each."""
        waiting: list[tuple[TreeNode, NDArray[np.int64]]] = [(self.root, np.arange(len(codes)))]
        while waiting:
            node, rows = waiting.pop()
            if isinstance(node, TreeLeaf):
                yield node, rows
            else:
                cells = codes[rows, self.schema.names.index(node.test.feature.name)]
                passes = (node.test.passing.start <= cells) & (cells < node.test.passing.stop)
                waiting += [(node.passing, rows[passes]), (node.failing, rows[~passes])]

    def _lines(self, node: TreeNode, level: int) -> Iterator[str]:
        indent = "|   " * level
        if isinstance(node, TreeLeaf):
            yield f"{indent}{self.schema.target}: {self.label(node)} ({', '.join(self._counted(node))})"
            return
        yield f"{indent}if {node.test}"
        yield from self._lines(node.passing, level + 1)
        yield f"{indent}else"
        yield from self._lines(node.failing, level + 1)

    def _counted(self, leaf: TreeLeaf) -> list[str]:
        """Counts of the classes that occur."""
        each = zip(self.schema.classes, leaf.counts.tolist(), strict=True)
        return [f"{name} {count}" for name, count in each if count] or ["no record"]

    def _boxed(self, node: TreeNode) -> str:
        """What a box of a picture says, in short lines."""
        if isinstance(node, TreeLeaf):
            return "\n".join([self.label(node), *self._counted(node)])
        name = node.test.feature.name
        return f"{name}\n{str(node.test).removeprefix(name).lstrip()}"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
