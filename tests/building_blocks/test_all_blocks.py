"""What holds for every block: it is right, neither unit sees anything, and its trace tells public shapes only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from privml.crypto.prg import Stream
from privml.units import dealer
from privml.units.correlations import Field
from tests.building_blocks.cases import CASES, Case, Values
from tests.two_units import Run, join, join_bits, looks_uniform, run, split, suspicious

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def execute(case: Case, inputs: tuple[Values, ...]) -> Run[Any]:
    return run(case.program, *(split(values) for values in inputs))


def result(case: Case, done: Run[Any]) -> NDArray[Any]:
    return join_bits(done) if case.boolean else join(done)


@by_name
def test_result_is_exact_to_the_stated_bound(case: Case) -> None:
    for inputs in (case.first, case.second):
        got, expected = result(case, execute(case, inputs)), case.expected(*inputs)
        assert got.shape == expected.shape
        if case.boolean:
            np.testing.assert_array_equal(got, expected)
        else:
            assert np.abs(got - expected).max() <= case.tolerance


@by_name
def test_no_unit_sees_anything_but_uniform_words(case: Case) -> None:
    for inputs in (case.first, case.second):
        done = execute(case, inputs)
        for view in done.views:
            assert view.received
            assert suspicious(view) == []


@by_name
def test_trace_depends_on_shapes_only(case: Case) -> None:
    first, second = execute(case, case.first), execute(case, case.second)
    for one, other in zip(first.views, second.views, strict=True):
        assert one.trace == other.trace


@by_name
def test_rounds_and_bytes_are_those_the_docstring_states(case: Case) -> None:
    done = execute(case, case.second)
    view = done.views[0]
    assert len(view.sent) == case.rounds
    assert sum(map(len, view.sent)) / len(case.second[0]) == pytest.approx(case.bytes_each_way, rel=0.01)


class TestPlantedLeaks:
    """The search for leaks finds them where they are."""

    CASE = next(case for case in CASES if case.name == "truncate")
    PRODUCT = next(case for case in CASES if case.name == "multiply")

    def leaks(self, case: Case) -> bool:
        return any(suspicious(view) for inputs in (case.first, case.second) for view in execute(case, inputs).views)

    def test_a_missing_mask(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dealer, "expand", lambda _, fields: [np.zeros(f.shape, dtype=f.dtype) for f in fields])
        assert self.leaks(self.CASE)

    def test_a_mask_that_is_too_short(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expand, short = dealer.expand, np.uint64(2**40 - 1)
        monkeypatch.setattr(dealer, "expand", lambda stream, fields: [a & short for a in expand(stream, fields)])
        assert self.leaks(self.CASE)

    def test_a_mask_that_the_peer_knows(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dealer, "Stream", lambda seed, number: Stream(bytes(32), number))
        assert self.leaks(self.CASE)

    def test_a_mask_used_for_two_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expand = dealer.expand

        def repeated(stream: Stream, fields: Sequence[Field]) -> list[NDArray[Any]]:
            arrays = expand(stream, fields)
            for words in arrays:
                words[1::2] = words[::2]
            return arrays

        monkeypatch.setattr(dealer, "expand", repeated)
        done = execute(self.CASE, self.CASE.second)
        mine, theirs = (np.frombuffer(frames[0], np.uint64) for frames in (done.views[0].sent, done.views[0].received))
        opened = mine + theirs
        assert not looks_uniform((opened[1::2] - opened[::2]).view(np.uint8))

    def test_a_draw_used_twice(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dealer, "Stream", lambda seed, number: Stream(seed, 0))

        def twice(unit: Any, x: Any, y: Any) -> Any:
            return self.CASE.program(unit, x) + self.CASE.program(unit, y)

        done = run(twice, split(self.CASE.first[0]), split(self.CASE.second[0]))
        assert suspicious(done.views[0])

    def test_none_without_a_plant(self) -> None:
        assert not self.leaks(self.CASE)
        assert not self.leaks(self.PRODUCT)


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)], ids=str)
@pytest.mark.parametrize("case", [case for case in CASES if case.first[0].ndim == 1], ids=lambda case: case.name)
def test_batches_of_any_shape(case: Case, shape: tuple[int, ...]) -> None:
    inputs = tuple(np.broadcast_to(values[:1].reshape(()), shape) for values in case.second)
    got, expected = result(case, execute(case, inputs)), np.asarray(case.expected(*inputs))
    assert got.shape == expected.shape
    assert np.all(np.abs(got.astype(np.float64) - expected.astype(np.float64)) <= case.tolerance)
