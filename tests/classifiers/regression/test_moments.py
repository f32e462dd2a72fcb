"""Moments are numpy's, and what no numbers can have is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from building_blocks.fixed_point.number import FixedPoint
from building_blocks.operand import fix_operand
from building_blocks.shares import Shares
from building_blocks.validation import Validation
from classifiers.regression.moments import MOST_RECORDS, Moments, check_statistics, layout_of, statistics
from classifiers.trial import Keys
from privml.data.encoding import EncodedTable, one_hot
from privml.units.unit import Unit
from tests.classifiers.regression.test_standardisation import SCHEMA, table
from tests.two_units import Run, join, outcome, run, split, suspicious

TOP = 2**16 - 1
PLACES = st.integers(1, 40).flatmap(lambda rows: arrays(np.int64, (rows, 3), elements=st.integers(0, TOP)))
Places = NDArray[np.int64]


def told(places: Places) -> Places:
    """What an owner of these numbers sends."""
    codes = np.stack([places[:, 0], np.zeros(len(places), np.int64), places[:, 1], places[:, 2]], axis=1)
    return statistics(SCHEMA, EncodedTable(codes, None, 0))


def passes(words: Any, records: int) -> Run[bool]:
    def program(unit: Unit, shares: Shares) -> bool:
        validation = Validation(unit)
        check_statistics(unit, validation, shares, records)
        return validation.passed()

    return run(program, split(words))


def valid(words: Any, records: int) -> bool:
    done = passes(words, records)
    assert done.master == done.secondary
    return done.master


class TestMoments:
    @given(PLACES)
    def test_statistics_are_sums(self, places: Places) -> None:
        expected = [*places.sum(axis=0), *(places.astype(object) ** 2).sum(axis=0), len(places)]
        assert told(places).tolist() == expected

    def test_units_add_up_the_same(self) -> None:
        codes = table(50)[0]
        numbers = np.array([0, 3, 4])

        def program(unit: Unit, *blocks: Shares) -> tuple[Shares, Shares]:
            found = Moments.of_records(unit, [fix_operand(unit, block) for block in blocks], numbers)
            assert found.records == 50
            return found.sums, found.squares

        done = run(program, split(one_hot(SCHEMA, codes[:20])), split(one_hot(SCHEMA, codes[20:])))
        sums, squares = outcome(done.master, done.secondary)
        expected = statistics(SCHEMA, EncodedTable(codes, None, 0))
        np.testing.assert_array_equal(np.concatenate([sums, squares, [50]]).astype(np.int64), expected)

    @pytest.mark.parametrize("records", [1, 3, 1000, 2**20, MOST_RECORDS])
    @pytest.mark.parametrize("spread", [0.0, 1e-4, 0.5, 1.0])
    def test_means_and_variances(self, records: int, spread: float) -> None:
        """Of numbers of which some are 0 and others at the top: any variance there can be."""
        high = np.array([0, records // 3, records // 2])
        sums, squares = high * round(spread * TOP), high * round(spread * TOP) ** 2

        def program(unit: Unit, words: Shares) -> tuple[FixedPoint, FixedPoint]:
            found = Moments.of_statistics(words, records)
            return found.mean(unit, 24), found.variance(unit, found.mean(unit, 16).shares, 28)

        done = run(program, split(np.concatenate([sums, squares, [records]])))
        mean, variance = outcome(done.master, done.secondary)
        expected = sums / records / 2**16
        np.testing.assert_allclose(mean, expected, atol=2.0**-24, rtol=records * 2.0**-44)
        exact = squares / records / 2**32 - expected**2
        np.testing.assert_allclose(variance, exact, atol=2.0**-27, rtol=records * 2.0**-29)

    def test_a_layout_holds_the_largest_chunk(self) -> None:
        parameters = Keys().parameters
        for rows in (1, 4096, 2**20):
            layout = layout_of(SCHEMA, rows)
            largest = [rows << 16] * 3 + [rows << 32] * 3 + [rows]
            assert layout.unpack(layout.pack(largest, parameters), parameters) == largest


class TestValidation:
    @given(PLACES)
    def test_moments_of_any_numbers_pass(self, places: Places) -> None:
        assert valid(told(places), len(places))

    @pytest.mark.parametrize("records", [1, 2, 7, 2**20])
    def test_the_ends_of_the_range_pass(self, records: int) -> None:
        for low, high in ((0, records), (records, 0), (records // 2, records - records // 2), (records - 1, 1)):
            ends = np.array([high * TOP] * 3 + [high * TOP**2] * 3 + [records])
            assert low + high == records
            assert valid(ends, records)

    @pytest.mark.parametrize(
        ("what", "place", "change"),
        [
            ("one record more", 6, 1),
            ("a sum that has other last digits than the squares'", 0, 1),
            ("a sum below zero", 2, -(2**16) * 30),
            ("a sum above all at the top", 1, 2**16 * 100),
            ("squares of less than no spread", 3, -2 * 10**9),
            ("squares of more than the limits allow", 4, 2**36),
            ("a sum of half the ring", 0, 2**62),
            ("squares of half the ring", 5, 2**62),
        ],
    )
    def test_others_are_refused(self, what: str, place: int, change: int) -> None:
        words = told(np.random.default_rng(1).integers(20_000, 30_000, (40, 3)))
        assert valid(words, 40)
        words[place] += change
        assert not valid(words, 40)

    @given(arrays(np.int64, (30, 3), elements=st.integers(0, TOP)), st.integers(30, 2**40))
    def test_less_than_the_squared_mean_is_refused(self, places: Places, less: int) -> None:
        """(sum z)^2 > n sum z^2 + n^2, which is what rounding the mean lets through at most."""
        words = told(places)
        spread = int(words[3]) - int(words[0]) ** 2 // 30
        words[3] -= spread + 2 * ((less + 1) // 2) + spread % 2
        assert not valid(words, 30)

    def test_without_that_check_they_would_pass(self, monkeypatch: pytest.MonkeyPatch) -> None:
        words = np.array([40 * 1000] * 3 + [40 * 1000**2 - 2 * 10**6] * 3 + [40])
        assert not valid(words, 40)
        monkeypatch.setattr(Moments, "spread", lambda self, unit, centre: self.sums * 0)
        assert valid(words, 40)

    def test_only_uniform_words_are_seen_and_messages_depend_on_shapes_only(self) -> None:
        words = told(np.random.default_rng(1).integers(20_000, 30_000, (40, 3)))
        done = [passes(each, 40) for each in (words, words * 0, words + 2**40)]
        for view in done[0].views:
            assert suspicious(view) == []
        assert [view.trace for view in done[0].views] == [view.trace for view in done[1].views]
        assert [view.trace for view in done[0].views] == [view.trace for view in done[2].views]
        assert [each.master for each in done] == [True, False, False]


def test_spread_is_exact_around_any_centre() -> None:
    places = np.random.default_rng(2).integers(0, TOP, (25, 3))
    centre = np.array([0, 2**15, TOP])

    def program(unit: Unit, words: Shares, around: Shares) -> Shares:
        return Moments.of_statistics(words, 25).spread(unit, around)

    done = run(program, split(told(places)), split(centre))
    np.testing.assert_array_equal(join(done), ((places - centre) ** 2).sum(axis=0))
