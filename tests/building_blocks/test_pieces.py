"""Piecewise polynomials: exact modulo 2^64, at every knot, for any range; only slack permits the piece above."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks.pieces import Pieces, evaluate_pieces
from building_blocks.shares import Shares, ring
from privml.errors import SettingError
from privml.units.correlations import Windows
from privml.units.unit import Unit
from tests.two_units import join, run, split

Integers = NDArray[np.int64]


def pieces_of(knots: list[int], degree: int = 3, results: int = 1, slack: int = 0) -> Pieces:
    words = np.random.default_rng(len(knots)).integers(0, 2**64, (len(knots) + 1, results, degree + 1), dtype=np.uint64)
    return Pieces(tuple(knots), words, slack)


def at(pieces: Pieces, x: Integers, below: int = 0) -> Integers:
    """The results, of the piece that x + below lies in."""
    rows = pieces.coefficients[np.searchsorted(np.array(pieces.knots), x + below, side="right")]
    total = np.zeros(rows.shape[:-1], dtype=np.uint64)
    for m in range(pieces.degree, -1, -1):
        total = total * ring(x)[..., None] + rows[..., m]
    return total.view(np.int64)


def evaluated(pieces: Pieces, x: Integers, bound: int) -> Integers:
    return join(run(lambda unit, a: evaluate_pieces(unit, pieces, a, bound), split(x)))


def around(knots: list[int], bound: int, reach: int = 3) -> Integers:
    near = [knot + d for knot in knots for d in range(-reach, reach + 1)]
    return np.array([v for v in [*near, -bound, -bound + 1, bound - 1, bound, 0] if abs(v) <= bound])


WIDE = 2**62 - 1


@settings(max_examples=40)
@given(
    bound=st.sampled_from([3, 100, 2**14, 2**15 - 2, 2**15, 2**40, WIDE]),
    count=st.integers(1, 20),
    degree=st.integers(1, 4),
    results=st.integers(1, 3),
    data=st.data(),
)
def test_exact_for_every_word(bound: int, count: int, degree: int, results: int, data: st.DataObject) -> None:
    ends = min(bound, 2**61)
    knots = sorted(data.draw(st.sets(st.integers(-ends, ends), min_size=1, max_size=count)))
    pieces = pieces_of(knots, degree, results)
    x = np.concatenate([around(knots, bound), np.random.default_rng(0).integers(-bound, bound, 30, endpoint=True)])
    np.testing.assert_array_equal(evaluated(pieces, x, bound), at(pieces, x))


@pytest.mark.parametrize(
    ("bound", "expected"),
    [(2**14, Windows(0, 3)), (2**18, Windows(2, 3)), (2**27 - 7000, Windows(10, 3)), (2**32, Windows(10, 4))],
)
def test_with_slack_the_piece_above_may_begin_early(bound: int, expected: Windows) -> None:
    pieces = pieces_of([-5000, 0, 1234, 2258], slack=1024)
    assert pieces.windows(bound) == expected
    x = around(list(pieces.knots), bound, 1500)
    got, exact, early = evaluated(pieces, x, bound), at(pieces, x), at(pieces, x, 2**expected.lowest)
    assert ((got == exact) | (got == early)).all()
    if expected.lowest:
        assert (got != exact).any(), "the slack is there, and is used"


@pytest.mark.parametrize("bound", [2**26, 2**32, 2**40])
def test_slack_that_would_not_do_takes_more_digits(bound: int) -> None:
    pieces = pieces_of([0, 1 << 12], slack=1023)
    expected = {25: Windows(9, 3), 26: Windows(4, 4), 31: Windows(9, 4), 32: Windows(-2, 11)}
    assert {k: pieces.windows(2**k) for k in expected} == expected
    x = around(list(pieces.knots), bound)
    np.testing.assert_array_equal(evaluated(pieces, x, 2**32), at(pieces, x))


@pytest.mark.parametrize("knot", [0, 1, 5, 2**14])
def test_the_digits_hold_what_is_compared(knot: int) -> None:
    pieces = pieces_of([-knot], slack=2**62)
    for bound in [2**k + d for k in range(13, 58) for d in (-2, -1, 0, 1)]:
        windows = pieces.windows(bound)
        furthest, room = bound + knot, 2 ** (6 * windows.count - 1)
        # rounded away from zero, with a sign
        assert (furthest >> windows.lowest) + bool(windows.lowest) < room
        assert windows.lowest == 0 or (furthest >> (windows.lowest - 1)) + 1 >= room


@pytest.mark.parametrize("slack", [0, 2**53])
@pytest.mark.parametrize("lowest", [-(2**62), -(2**62) - 2**60, 1 - 2**62])
@pytest.mark.parametrize("bound", [WIDE, 2**62 - 2**48, 2**62 - 2**57])
def test_numbers_and_knots_as_far_apart_as_they_may_be(bound: int, lowest: int, slack: int) -> None:
    pieces = pieces_of([lowest, -(2**59), 7, 2**62], slack=slack)
    x = np.concatenate([around(list(pieces.knots), bound), np.linspace(-(2**61), 2**61, 50).astype(np.int64) | 1])
    if slack:
        x = x[(x < -(2**61)) | (np.abs(x) > 2**60) & (x < 2**61) | (x == bound)]
    np.testing.assert_array_equal(evaluated(pieces, x, bound), at(pieces, x))


@pytest.mark.parametrize("bound", [-1, 2**62])
def test_bounds_that_comparisons_do_not_take(bound: int) -> None:
    with pytest.raises(SettingError, match=r"below 2\^62"):
        evaluated(pieces_of([0]), np.array([1]), bound)


def test_knots_that_nothing_reaches() -> None:
    with pytest.raises(SettingError, match=r"at most 2\^62"):
        pieces_of([0, 2**62 + 1])


@pytest.mark.parametrize("bound", [100, 2**40])
@pytest.mark.parametrize("shape", [(), (0,), (2, 3), (2, 0, 3)], ids=str)
def test_any_shape(shape: tuple[int, ...], bound: int) -> None:
    pieces = pieces_of([-7, 4], results=2)
    x = np.resize(np.arange(-3, 3) * 3, shape)
    got = evaluated(pieces, x, bound)
    assert got.shape == (*shape, 2)
    np.testing.assert_array_equal(got, at(pieces, x))


def test_many_numbers_go_block_by_block() -> None:
    pieces = pieces_of([-7, 4])
    x = np.random.default_rng(0).integers(-20, 20, 3000)
    np.testing.assert_array_equal(evaluated(pieces, x, 20), at(pieces, x))


@pytest.mark.parametrize(
    ("bound", "rounds", "each"), [(100, 3, 8 + 5 / 8 * 5), (2**20, 3, 8 + 7 / 8 * 5), (2**40, 4, 8 + 29 / 8 * 5)]
)
def test_rounds_and_bytes(bound: int, rounds: int, each: float) -> None:
    pieces = pieces_of([-3, -2, 0, 5, 9])
    done = run(lambda unit, a: evaluate_pieces(unit, pieces, a, bound), split(np.zeros(800, dtype=np.int64)))
    assert len(done.views[0].sent) == rounds
    assert sum(map(len, done.views[0].sent)) == 800 * each


@pytest.mark.parametrize(("knots", "slack"), [((), 0), ((3, 3), 0), ((5, 2), 0), ((2, 5), 4)], ids=str)
def test_knots_that_do_not_ascend(knots: tuple[int, ...], slack: int) -> None:
    with pytest.raises(SettingError, match="ascend by the slack"):
        Pieces(knots, np.zeros((len(knots) + 1, 1, 2), dtype=np.uint64), slack)


@pytest.mark.parametrize("shape", [(2, 1, 2), (4, 1, 2), (3, 2), (3, 1, 1)], ids=str)
def test_shapes_that_do_not_fit(shape: tuple[int, ...]) -> None:
    with pytest.raises(SettingError, match="2 knots part 3 pieces"):
        Pieces((1, 2), np.zeros(shape, dtype=np.uint64))


def broken_signs(function: Callable[..., Any]) -> Callable[..., Any]:
    """The products' signs left as they were dealt."""

    def broken(self: Pieces, opened: Any, flipped: Any, powers: Any, products: Any) -> Any:
        return function(self, opened, np.zeros_like(flipped), powers, products)

    return broken


def test_a_bit_that_is_not_unmasked_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Pieces, "combine", broken_signs(Pieces.combine))
    pieces, x = pieces_of([0]), np.arange(-10, 10)

    def program(unit: Unit, a: Shares) -> Shares:
        return evaluate_pieces(unit, pieces, a, 10)

    assert (join(run(program, split(x))) != at(pieces, x)).any()
