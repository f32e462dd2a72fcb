"""Comparisons with many public numbers, by tables of a mask's windows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks import windows as windows_module
from building_blocks.gates import Variable
from building_blocks.shares import BooleanShares, Shares, open_shares
from building_blocks.windows import MaskedWindows
from privml.units.correlations import PieceMask, Windows
from privml.units.unit import Unit
from tests.two_units import join_bits, run, split

Words = NDArray[np.uint64]
EVERY = [Windows(0, 3), Windows(7, 3), Windows(40, 4), Windows(0, 2), Windows(0, 5), Windows(-2, 11)]


def compared(windows: Windows, x: Words, thresholds: Words) -> tuple[NDArray[Any], Any]:
    """Whether each number is below each threshold, as far as the windows show it; and the run."""

    def program(unit: Unit, a: Shares) -> BooleanShares:
        r, _, _, _, tables = unit.correlations.draw(PieceMask(a.shape, windows, 1, 1))
        (opened,) = open_shares(unit, a + Shares(r))
        return BooleanShares(MaskedWindows(windows, tables).negative(unit, opened, thresholds))

    done = run(program, split(x))
    shape = len(x), len(thresholds)
    return np.unpackbits(join_bits(done), count=len(x) * len(thresholds)).reshape(shape), done


@pytest.mark.parametrize("windows", EVERY, ids=repr)
@given(data=st.data())
def test_exact_where_the_windows_hold_the_difference(windows: Windows, data: st.DataObject) -> None:
    digits = min(6 * windows.count, 64)
    low = max(windows.lowest, 0)
    number = st.integers(-(2 ** (digits - 2)), 2 ** (digits - 2) - 1)
    x = np.array(data.draw(st.lists(number, min_size=1, max_size=20)), dtype=np.int64)
    near = st.sampled_from(x.tolist()).flatmap(lambda v: st.integers(max(v - 1, -(2 ** (digits - 2))), v))
    thresholds = np.array(data.draw(st.lists(near | number, min_size=1, max_size=9)), dtype=np.int64)
    # without digits below the windows nothing is rounded; with some, by one at most
    found, _ = compared(windows, (x << low).view(np.uint64), (thresholds << low).view(np.uint64))
    expected = x[:, None] < thresholds
    if low:
        expected = np.where(x[:, None] == thresholds, found, expected)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("count", [0, 1, 511, 512, 513, 1500])
def test_blocks_of_numbers_fit_together(count: int) -> None:
    x = np.random.default_rng(count).integers(-1000, 1000, count)
    thresholds = np.array([-400, 0, 333])
    found, _ = compared(Windows(0, 3), x.view(np.uint64), thresholds.view(np.uint64))
    np.testing.assert_array_equal(found, x[:, None] < thresholds)


@pytest.mark.parametrize(("windows", "bits"), [(Windows(0, 3), [4]), (Windows(0, 4), [6]), (Windows(-2, 11), [24, 4])])
def test_rounds_and_bytes(windows: Windows, bits: list[int]) -> None:
    x = np.zeros(800, dtype=np.uint64)
    _, done = compared(windows, x, np.arange(3, dtype=np.uint64))
    assert [len(frame) for frame in done.views[0].sent] == [6400, *(each * 2400 // 8 for each in bits)]


def test_windows_that_are_equal_pass_a_borrow_on(monkeypatch: pytest.MonkeyPatch) -> None:
    x, thresholds = np.arange(-200, 200), np.array([0, 64, -64])
    decided = windows_module._borrow(3)

    class Deaf(type(decided)):  # type: ignore[misc]
        """The lowest window is never asked."""

        def evaluate(self, unit: Unit, words: Any) -> Any:
            return decided.evaluate(unit, [*words[:-1], BooleanShares(np.zeros_like(words[-1].words))])

    monkeypatch.setattr(windows_module, "_borrow", lambda count: Deaf(2, [[(Variable(0),)]]))
    found, _ = compared(Windows(0, 3), x.view(np.uint64), thresholds.view(np.uint64))
    assert (found != (x[:, None] < thresholds)).any()
