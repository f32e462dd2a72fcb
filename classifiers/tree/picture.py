"""A revealed tree as a picture."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final

from classifiers.tree.nodes import TreeLeaf, TreeNode, TreeSplit, nodes_of
from privml.errors import SettingError

LETTERS: Final = 10
"""Points of the letters, if there is room."""


class Picture:
    """Boxes side by side, a level below the other, so that none covers another.

    Parameters
    ----------
    root
        The tree.
    text
        What a node's box says, in lines.
    """

    def __init__(self, root: TreeNode, text: Callable[[TreeNode], str]) -> None:
        self._root = root
        self._text = text
        nodes = list(nodes_of(root))
        lines = [(node, text(node).split("\n")) for node, _ in nodes]
        # there are two leaves at least below a split, and its box may be as wide as theirs together
        widest = max(len(line) / (1 if isinstance(node, TreeLeaf) else 2) for node, each in lines for line in each)
        highest = max(len(each) for _, each in lines)
        self._leaves = sum(isinstance(node, TreeLeaf) for node, _ in nodes)
        self._levels = 1 + max(level for _, level in nodes)
        self._width = self._leaves * (0.65 * math.ceil(widest) + 3) * LETTERS / 72
        self._height = self._levels * (1.5 * highest + 4) * LETTERS / 72

    def draw(self, axes: Any = None) -> Any:
        """Draw by matplotlib and return the axes: new ones that are large enough, or given ones, in letters that fit.

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
            axes = plt.figure(figsize=(self._width, self._height)).add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.set(xlim=(-0.5, self._leaves - 0.5), ylim=(0.5 - self._levels, 0.5))
        room, dots = axes.get_window_extent(), axes.figure.dpi
        self._letters = LETTERS * min(1, room.width / dots / self._width, room.height / dots / self._height)
        self._draw(axes, self._root, 0, 0)
        return axes

    def _draw(self, axes: Any, node: TreeNode, level: int, left: int) -> tuple[float, int]:
        """Draw a subtree from so many leaves to the left on, and return its middle and where the next one begins."""
        # a $ is a character like any other
        look = {"ha": "center", "va": "center", "fontsize": self._letters, "parse_math": False}
        if isinstance(node, TreeSplit):
            first, middle = self._draw(axes, node.passing, level + 1, left)
            second, end = self._draw(axes, node.failing, level + 1, middle)
            x = (first + second) / 2
            for child, answer in ((first, "yes"), (second, "no")):
                axes.plot([x, child], [-level, -level - 1], color="0.6", zorder=1)
                axes.text((x + child) / 2, -level - 0.5, answer, **look)
        else:
            x, end = float(left), left + 1
        box = {"boxstyle": "round" if isinstance(node, TreeLeaf) else "square", "facecolor": "white"}
        axes.text(x, -level, self._text(node), bbox=box, zorder=2, **look)
        return x, end
