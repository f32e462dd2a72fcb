"""Every building block, on correlations made by transfers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from privml.units.pair import Pair, PairRunner
from tests.building_blocks.cases import CASES, Case, Values
from tests.two_units import split

by_name = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def small(inputs: tuple[Values, ...]) -> tuple[Values, ...]:
    """Cut every long axis."""
    return tuple(values[tuple(slice(17) for _ in values.shape)] for values in inputs)


def execute(runner: PairRunner, case: Case, inputs: tuple[Values, ...]) -> Pair[Any]:
    shares = [split(values) for values in inputs]
    return runner.run(lambda unit: case.program(unit, *(both[0 if unit.is_master else 1] for both in shares)))


@by_name
def test_block_is_exact_to_its_bound(runner: PairRunner, case: Case) -> None:
    for inputs in (small(case.first), small(case.second)):
        done = execute(runner, case, inputs)
        mine, peer = done.master.words, done.secondary.words
        got = mine ^ peer if case.boolean else (mine + peer).view(np.int64)
        expected = case.expected(*inputs)
        assert got.shape == expected.shape
        if case.boolean:
            np.testing.assert_array_equal(got, expected)
        else:
            assert np.abs(got - expected).max() <= case.tolerance
