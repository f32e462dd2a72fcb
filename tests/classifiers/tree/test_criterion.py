"""Criteria: exactly alike on shares and in the clear, and close to what they are called."""

from __future__ import annotations

import numpy as np
import pytest

from classifiers.tree.criterion import CRITERIA, Criterion, split_margin
from classifiers.tree.curve import FRACTION_BITS, MOST
from classifiers.tree.examiner import OUT_OF_THE_QUESTION
from tests.two_units import join, run, split


def sets(classes: int, most: int, count: int = 60) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Class counts of sets: empty, pure, even, large, and any."""
    rng = np.random.default_rng(most + classes)
    found = rng.integers(0, most // classes + 1, (count, classes))
    found[:4] = 0
    found[1, 0] = most
    found[2] = most // classes
    found[3, -1] = 1
    return found


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
@pytest.mark.parametrize(("classes", "most"), [(2, 1), (2, 7), (3, 100), (2, 32_561), (5, MOST - 1)])
def test_shares_have_the_same_purity(criterion: Criterion, classes: int, most: int) -> None:
    counts = sets(classes, most)
    found = join(run(lambda unit, x: criterion.purity(unit, x, most), split(counts)))
    np.testing.assert_array_equal(found, criterion.plain(counts))
    assert found[0] == 0


def test_information() -> None:
    counts = sets(4, 10_000)
    total = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(total, 1)
    entropy = -(shares * np.log2(np.where(shares > 0, shares, 1))).sum(axis=1)
    found = CRITERIA["information_gain"].plain(counts) / 2.0**FRACTION_BITS
    assert (np.abs(found + total[:, 0] * entropy) <= 5 * np.sqrt(total[:, 0]) / 32).all()


def test_gini() -> None:
    counts = sets(4, 10_000)
    total = counts.sum(axis=1)
    expected = (counts**2).sum(axis=1) / np.maximum(total, 1)
    found = CRITERIA["gini"].plain(counts) / 2.0**FRACTION_BITS
    np.testing.assert_allclose(found, expected, atol=2**-7)


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
def test_to_split_off_nothing_gains_nothing(criterion: Criterion) -> None:
    """Exactly: else it could be the best of splits that are no good."""
    counts = sets(3, 5000)
    np.testing.assert_array_equal(criterion.plain(counts) + criterion.plain(counts * 0), criterion.plain(counts))


@pytest.mark.parametrize("criterion", CRITERIA.values(), ids=CRITERIA)
@pytest.mark.parametrize("classes", [2, 64])
def test_scores_leave_room_for_what_is_done_with_them(criterion: Criterion, classes: int) -> None:
    """Two best are told apart below 2^61, and what is out of the question is further off than any lead."""
    largest = np.stack([np.full(classes, MOST // classes), np.eye(classes, dtype=np.int64)[0] * MOST])
    assert np.abs(criterion.plain(largest)).max() < OUT_OF_THE_QUESTION
    margin = split_margin(criterion, classes, 5e-324, 0.0)
    assert 0 <= int(margin.plain(np.array([MOST]))[0]) < 2 * OUT_OF_THE_QUESTION
