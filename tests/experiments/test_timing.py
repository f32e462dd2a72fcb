from functools import partial

import pytest

from experiments.timing import Timing, Work, exponent, line, measure


def test_works_take_turns_after_a_warm_up() -> None:
    calls: list[str] = []
    work = {name: Work(partial(calls.append, name), prepare=lambda: None) for name in "ab"}
    timings = measure(work, repeats=3)
    assert calls == ["a", "b", "a", "b", "a", "b", "a", "b"]
    assert {len(timing.samples) for timing in timings.values()} == {3}
    assert all(timing.median > 0 for timing in timings.values())


def test_short_work_is_repeated_within_a_sample() -> None:
    calls: list[None] = []
    measure({"short": Work(lambda: calls.append(None))}, repeats=1)
    assert len(calls) > 100


def test_a_sample_of_many_pieces_is_not_repeated_as_if_it_were_one() -> None:
    calls: list[int] = []
    measure({"long": Work(lambda: calls.append(sum(range(300_000))), pieces=1e9)}, repeats=1)
    assert len(calls) < 100


def test_preparation_comes_before_every_sample() -> None:
    order: list[str] = []
    measure({"work": Work(lambda: order.append("run"), prepare=lambda: order.append("prepare"))}, repeats=2)
    assert order == ["prepare", "run"] * 3


def test_median_and_spread() -> None:
    timing = Timing((1.0, 2.0, 3.0, 4.0, 100.0))
    assert timing.median == 3.0
    assert timing.spread == pytest.approx(1 / 3)
    assert (timing * 2).median == 6.0


def test_a_machine_that_slows_down_changes_no_ratio() -> None:
    ours, theirs = Timing((1.0, 1.0, 2.0, 4.0)), Timing((10.0, 10.0, 20.0, 40.0))
    assert ours.ratio(theirs) == pytest.approx(0.1)


def test_fits() -> None:
    assert line([1, 2, 3], [5, 7, 9]) == pytest.approx((3, 2))
    assert exponent([10, 100, 1000], [2, 20, 200]) == pytest.approx(1)
    assert exponent([10, 100, 1000], [2, 200, 20_000]) == pytest.approx(2)
