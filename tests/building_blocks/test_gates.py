from __future__ import annotations

from functools import reduce
from itertools import combinations
from operator import and_, xor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from building_blocks.gates import BLOCK, Gate, Variable, canonical, lexicographic, run_of
from privml.units.correlations import shifted
from tests.two_units import run, split_bits

variables = st.builds(Variable, st.integers(0, 1), st.integers(0, 6), st.just(0))
monomials = st.lists(variables, min_size=1, max_size=4, unique=True).map(tuple)
polynomials = st.lists(st.lists(monomials, min_size=1, max_size=3), min_size=1, max_size=3)


def plain(words: list[NDArray[Any]], variable: Variable) -> NDArray[Any]:
    word = words[variable.word]
    return ~shifted(~word, variable.shift) if variable.fill else shifted(word, variable.shift)


def plainly(words: list[NDArray[Any]], polynomial: Any) -> NDArray[Any]:
    return reduce(xor, (reduce(and_, (plain(words, v) for v in monomial)) for monomial in polynomial))


def evaluate(gate: Gate, words: list[NDArray[Any]]) -> list[NDArray[Any]]:
    done = run(lambda unit, *shared: gate.evaluate(unit, shared), *(split_bits(word) for word in words))
    return [a.words ^ b.words for a, b in zip(done.master, done.secondary, strict=True)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint64])
@given(polynomials=polynomials, size=st.sampled_from([1, 5]), seed=st.integers(0, 2**32))
def test_gate_is_its_polynomials(dtype: type[np.unsignedinteger[Any]], polynomials: Any, size: int, seed: int) -> None:
    generators = [np.random.default_rng(seed + k) for k in range(2)]
    words = [generator.integers(0, 2**64, size, dtype=np.uint64).astype(dtype) for generator in generators]
    for got, polynomial in zip(evaluate(Gate(2, polynomials), words), polynomials, strict=True):
        np.testing.assert_array_equal(got, plainly(words, polynomial))


@pytest.mark.parametrize("step", [1, 4, 16])
@pytest.mark.parametrize("direction", [1, -1])
@pytest.mark.parametrize("fill", [0, 1])
@pytest.mark.parametrize("size", [1, 9])
def test_runs_in_both_directions_and_with_both_fills(step: int, direction: int, fill: int, size: int) -> None:
    word = np.random.default_rng(step).integers(0, 2**63, size, dtype=np.uint64) | np.uint64(0xFFFF00000000FFFF)
    polynomial = [run_of(0, direction * step, fill=fill)]
    (got,) = evaluate(Gate(1, [polynomial]), [word])
    np.testing.assert_array_equal(got, plainly([word], polynomial))


def test_lexicographic_is_the_decision_of_the_first_position_that_does_not_pass_it_on() -> None:
    for generate, propagate in ((g, p) for g in range(16) for p in range(16)):
        words = [np.array([generate], dtype=np.uint8), np.array([propagate], dtype=np.uint8)]
        expected = 0
        for lane in (3, 2, 1, 0):
            expected ^= (generate >> lane) & 1
            if not (propagate >> lane) & 1:
                break
        assert (plainly(words, lexicographic(0, 1, 1))[0] >> 3) & 1 == expected


def test_large_arrays_are_computed_in_blocks_alike() -> None:
    words = [np.random.default_rng(k).integers(0, 2**63, (3, BLOCK), dtype=np.uint64) for k in range(2)]
    polynomial = [(Variable(0), Variable(1, 1))]
    (got,) = evaluate(Gate(2, [polynomial]), words)
    np.testing.assert_array_equal(got, plainly(words, polynomial))


@given(st.lists(variables, min_size=1, max_size=4, unique=True))
def test_canonical_patterns_differ_by_a_shift_only(chosen: list[Variable]) -> None:
    pattern, shift = canonical(tuple(chosen))
    assert min(by for _, by in pattern) == 0
    assert sorted((word, by + shift) for word, by in pattern) == sorted((v.word, v.shift) for v in chosen)


def test_the_dealer_deals_each_product_of_masks_once() -> None:
    gate = Gate(1, [[run_of(0, 1)]])
    subsets = {canonical(s)[0] for size in (2, 3, 4) for s in combinations(run_of(0, 1), size)}
    assert set(gate.patterns) == subsets
    assert len(gate.patterns) == 7
