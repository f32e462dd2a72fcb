"""From scores to what a client asked for, and how the client reads it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from building_blocks.comparison import bit_to_integer, sign
from building_blocks.fixed_point.number import FixedPoint, decode, fixed_public
from building_blocks.fixed_point.reciprocal import divide
from building_blocks.fixed_point.sigmoid import sigmoid
from building_blocks.fixed_point.softmax import softmax
from building_blocks.selection import argmax
from building_blocks.shares import Shares, Words
from classifiers.labels import read_labels
from privml.data.schema import Schema
from privml.units.unit import Unit

ANSWER_BITS: Final = 16
"""Fractional bits of probabilities and scores."""

WORKING_BITS: Final = 20
"""Fractional bits of probabilities that are normalised."""

SOFTENING: Final = 2.0**-14
"""Added to each logistic probability before they are normalised: more than it errs, so that none is negative."""


def labels(unit: Unit, scores: Shares) -> Shares:
    """The class of the largest score; of two classes, which have one score, the second where it is above 0."""
    if scores.shape[1] > 1:
        return argmax(unit, scores).index
    return bit_to_integer(unit, sign(unit, -scores[:, 0]))


def probabilities(unit: Unit, scores: FixedPoint, *, multinomial: bool) -> FixedPoint:
    """Probabilities of all classes, or of the second of two; every class against the rest: divided by their sum.

    The sum is not told, so that a client sees the probabilities and nothing else.
    """
    if multinomial:
        return softmax(unit, scores, ANSWER_BITS)
    if scores.shape[1] == 1:
        return sigmoid(unit, scores, ANSWER_BITS)
    against_the_rest = sigmoid(unit, scores, WORKING_BITS)
    softened = against_the_rest + fixed_public(unit, np.full(scores.shape, SOFTENING), WORKING_BITS)
    return divide(unit, softened, softened.sum(axis=1).reshape(-1, 1), ANSWER_BITS, limit=1)


def read(schema: Schema, words: Words, answer: str) -> NDArray[Any]:
    """Labels as the schema's texts and scores, shape (n,) for two classes; probabilities, and scores of more, (n, C).

    Raises
    ------
    DecryptionError
        A word stands for no class.
    """
    if answer == "label":
        return read_labels(schema, words)
    numbers = decode(words, ANSWER_BITS)
    if answer == "score":
        return numbers[:, 0] if numbers.shape[1] == 1 else numbers
    found = np.clip(numbers, 0, 1)
    if found.shape[1] == 1:
        return np.concatenate([1 - found, found], axis=1)
    return np.asarray(found / found.sum(axis=1, keepdims=True))
