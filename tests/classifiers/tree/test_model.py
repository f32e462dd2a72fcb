"""A revealed tree, for people."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from building_blocks.shares import ring
from classifiers.tree.model import DecisionTreeModel
from classifiers.tree.nodes import TreeSplit
from privml import Categorical, Numeric, Schema
from privml.errors import DecryptionError

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


def test_it_answers() -> None:
    codes = np.array([[0, 0], [0, 2], [0, -1], [1, 0], [-1, 0]])
    assert MODEL.predict(codes).tolist() == ["no", "yes", "yes", "no", "no"]
    np.testing.assert_allclose(MODEL.predict_proba(codes)[:, 1], [1 / 6, 1, 1, 1 / 2, 1 / 2])
    assert MODEL.predict(codes[:0]).shape == (0,)


def test_graphviz() -> None:
    dot = MODEL.to_dot()
    assert dot.startswith("digraph tree {")
    assert dot.endswith("}")
    assert 'n0 [label="the \\"colour\\"\\n= red"];' in dot
    assert 'n2 [label="no\\nno 5\\nyes 1", style=rounded];' in dot
    assert sorted(re.findall(r"n\d -> n\d", dot)) == ["n0 -> n1", "n0 -> n4", "n1 -> n2", "n1 -> n3"]


def test_words_that_are_no_tree() -> None:
    with pytest.raises(DecryptionError, match="another model"):
        DecisionTreeModel.read(SCHEMA, release()[:-1])
    for place, word in ((0, 2), (3, 99), (3, 2**64 - 1)):
        spoilt = release()
        spoilt[place] = word
        with pytest.raises(DecryptionError, match="damaged"):
            DecisionTreeModel.read(SCHEMA, spoilt)
