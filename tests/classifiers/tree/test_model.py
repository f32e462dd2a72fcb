"""A revealed tree, for people."""

from __future__ import annotations

import builtins
import re
from typing import Any

import numpy as np
import pytest

from building_blocks.shares import ring
from classifiers.tree.model import DecisionTreeModel, TreeSplit
from privml import Categorical, Numeric, Schema
from privml.errors import DecryptionError, SettingError

SCHEMA = Schema(
    (Categorical('the "colour"', ("red", "green", "blue")), Numeric("age", (25, 37.5))), "buys", ("no", "yes")
)


def release() -> Any:
    """Two splits of a tree of depth two: if red, by age."""
    splits, chosen = [1, 1, 0], [0, 4, 0]
    counts = [[5, 1], [0, 7], [9, 9], [0, 0]]
    return ring(np.array([*splits, *chosen, *np.ravel(counts)]))


MODEL = DecisionTreeModel.read(SCHEMA, release())


def test_it_prints_itself() -> None:
    assert str(MODEL).splitlines() == [
        'if the "colour" = red',
        "|   if age <= 37.5",
        "|   |   buys: no (no 5, yes 1)",
        "|   else",
        "|   |   buys: yes (yes 7)",
        "else",
        "|   buys: no (no 9, yes 9)",
    ]


def test_its_parts() -> None:
    assert isinstance(MODEL.root, TreeSplit)
    assert [leaf.counts.tolist() for leaf in MODEL.leaves()] == [[5, 1], [0, 7], [9, 9]]
    assert [MODEL.label(leaf) for leaf in MODEL.leaves()] == ["no", "yes", "no"]
    np.testing.assert_allclose(next(MODEL.leaves()).proportions, [5 / 6, 1 / 6])


def test_graphviz() -> None:
    dot = MODEL.to_dot()
    assert dot.startswith("digraph tree {")
    assert dot.endswith("}")
    assert 'n0 [label="the \\"colour\\" = red"];' in dot
    assert 'n2 [label="no\\nno 5, yes 1", style=rounded];' in dot
    assert sorted(re.findall(r"n\d -> n\d", dot)) == ["n0 -> n1", "n0 -> n4", "n1 -> n2", "n1 -> n3"]


def test_a_picture() -> None:
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = MODEL.draw()
    texts = [text.get_text() for text in axes.texts]
    assert 'the "colour" = red' in texts
    assert "yes\nyes 7" in texts
    matplotlib.pyplot.close(axes.figure)


def test_a_picture_takes_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = builtins.__import__

    def without(name: str, *arguments: Any, **options: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return usual(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SettingError, match="matplotlib"):
        MODEL.draw()


def test_words_that_are_no_tree() -> None:
    with pytest.raises(DecryptionError, match="another model"):
        DecisionTreeModel.read(SCHEMA, release()[:-1])
    for place, word in ((0, 2), (3, 99), (3, 2**64 - 1)):
        spoilt = release()
        spoilt[place] = word
        with pytest.raises(DecryptionError, match="damaged"):
            DecisionTreeModel.read(SCHEMA, spoilt)
