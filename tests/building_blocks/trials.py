"""Running blocks of the catalogue, and holding what comes out against what they state."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import pytest

from building_blocks.catalogue import BLOCKS, Block
from building_blocks.catalogue.block import Batch, Values
from privml.units.unit import Unit
from tests.two_units import Run, outcome, run

each_block = pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.name)


def sample(block: Block, batch: Batch) -> list[Values]:
    generator = np.random.default_rng(1)
    return [each.sample(batch, generator) for each in block.inputs]


def extremes(block: Block, batch: Batch) -> list[list[Values]]:
    """Every combination of the ends of the ranges, as constant batches: all low comes first, all high last."""
    ends = product(*((each.low, each.high) for each in block.inputs))
    return [[each.constant(v, batch) for each, v in zip(block.inputs, end, strict=True)] for end in ends]


def execute(block: Block, values: Sequence[Values], units: list[Unit] | None = None) -> Run[Any]:
    return run(block.run, *(each.split(v) for each, v in zip(block.inputs, values, strict=True)), units=units)


def require_right(block: Block, values: Sequence[Values], done: Run[Any]) -> None:
    """Check that the result is the reference, to the stated bound."""
    with np.errstate(over="ignore"):
        expected = block.reference(*values)
        tolerance = block.tolerance(*values) if callable(block.tolerance) else block.tolerance
    got = outcome(done.master, done.secondary)
    if not isinstance(got, tuple):
        got, expected, tolerance = (got,), (expected,), (tolerance,)
    elif not isinstance(tolerance, tuple):
        tolerance = (tolerance,) * len(got)
    for result, exact, allowed in zip(got, expected, tolerance, strict=True):
        assert result.shape == np.shape(exact)
        error = _distance(result, np.asarray(exact))
        assert (error <= allowed).all(), f"{error.max()} exceeds {np.max(allowed)}"


def _distance(result: Any, exact: Any) -> Any:
    """Absolute errors. Words are right or wrong, integers wrap around, real numbers are as good as float64 is."""
    if result.dtype.kind == "u":
        return (result != exact).astype(np.float64)
    if result.dtype.kind == "i" and exact.dtype.kind in "biu":
        with np.errstate(over="ignore"):
            return np.abs((result - exact.astype(np.int64)).astype(np.float64))
    return np.maximum(np.abs(result - exact) - 4 * np.spacing(np.abs(exact.astype(np.float64))), 0)
