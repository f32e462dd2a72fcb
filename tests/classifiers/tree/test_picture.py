"""A revealed tree as a picture that can be read."""

from __future__ import annotations

import builtins
import importlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from classifiers.tree.binary_tests import BinaryTests
from classifiers.tree.nodes import TreeLeaf, TreeNode, TreeSplit
from classifiers.tree.picture import Picture
from privml import Categorical, Schema
from privml.errors import SettingError

SCHEMA = Schema(
    (
        Categorical("a feature whose name is long", ("i", "ii", "iii")),
        Categorical("b", ("$1 to $2", "a long one", "x")),
    ),
    "y",
    ("no", "yes"),
)
TESTS = BinaryTests(SCHEMA)


def text(node: TreeNode) -> str:
    return str(node.test) if isinstance(node, TreeSplit) else f"class\n{node.counts[0]}"


def tree(generator: np.random.Generator, levels: int) -> TreeNode:
    """Down to a level that is reached by chance, and on the left side for certain."""
    if levels == 0:
        return TreeLeaf(np.array([int(10 ** generator.integers(0, 8))]))
    test = TESTS[int(generator.integers(0, len(TESTS)))]
    return TreeSplit(test, tree(generator, levels - 1), tree(generator, int(generator.integers(0, levels))))


@pytest.fixture(name="plt")
def pyplot() -> Iterator[Any]:
    pytest.importorskip("matplotlib").use("Agg")
    pyplot = importlib.import_module("matplotlib.pyplot")
    yield pyplot
    pyplot.close("all")


def boxes(axes: Any) -> dict[str, Any]:
    axes.figure.canvas.draw()
    texts = [each for each in axes.texts if each.get_bbox_patch() is not None]
    return {f"{index} {each.get_text()}": each.get_bbox_patch().get_window_extent() for index, each in enumerate(texts)}


def overlaps(axes: Any) -> list[tuple[str, str]]:
    found = list(boxes(axes).items())
    return [(one, other) for i, (one, box) in enumerate(found) for other, next_ in found[:i] if box.overlaps(next_)]


@pytest.mark.parametrize("levels", range(5))
@pytest.mark.parametrize("own", [True, False], ids=["axes of its own", "given axes"])
def test_no_box_covers_another(levels: int, own: bool, plt: Any) -> None:
    root = tree(np.random.default_rng(levels), levels)
    axes = None if own else plt.figure(figsize=(12, 3)).subplots(1, 2)[1]
    drawn = Picture(root, text).draw(axes)
    assert overlaps(drawn) == []
    whole = drawn.get_window_extent()
    assert all(whole.x0 <= box.x0 and box.x1 <= whole.x1 for box in boxes(drawn).values())
    assert any(key.endswith(text(root)) for key in boxes(drawn))


def test_in_a_picture_of_any_size_they_would(plt: Any) -> None:
    root, small = tree(np.random.default_rng(4), 4), Picture(TreeLeaf(np.array([1])), text)
    picture = Picture(root, text)
    picture._width, picture._height = small._width, small._height
    assert overlaps(picture.draw(plt.figure(figsize=(6.4, 4.8)).subplots()))


def test_it_takes_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return usual(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingError, match="matplotlib"):
        Picture(TreeLeaf(np.array([1])), text).draw()
