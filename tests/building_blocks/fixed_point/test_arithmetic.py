"""Products and truncation of fixed-point numbers: exact or within a unit, and refused before anything is sent."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import mutually_broadcastable_shapes

from building_blocks.fixed_point.arithmetic import dot, matmul, multiply, truncate
from building_blocks.fixed_point.number import RANGE_BITS, FixedPoint
from privml.errors import RangeError, ScaleError, SettingError
from privml.units.unit import Unit
from tests.building_blocks.fixed_point.numbers import Both, integers_of, refused, share
from tests.two_units import Run, run

LARGEST = 2**RANGE_BITS - 1
few = settings(max_examples=40)
shapes = mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=3, min_side=0, max_side=4)


def integers(done: Run[FixedPoint]) -> np.ndarray[Any, np.dtype[np.int64]]:
    return integers_of((done.master, done.secondary))


def ends(bound: int, fraction_bits: int) -> Both:
    return share(np.array([bound, -bound]), fraction_bits, bound)


class TestTruncation:
    @few
    @given(
        value=st.integers(-LARGEST, LARGEST),
        bits=st.integers(0, 61),
        target=st.integers(0, 61),
    )
    def test_a_neighbour_in_the_tightest_range(self, value: int, bits: int, target: int) -> None:
        x = share(np.full(3, value), bits)
        if target > bits:
            refused(ScaleError, lambda unit, a: truncate(unit, a, target), x, match="refined")
            return
        done = run(lambda unit, a: truncate(unit, a, target), x)
        dropped = bits - target
        assert set(integers(done).tolist()) <= {value >> dropped, -(-value >> dropped)}
        assert done.master.fraction_bits == target
        assert done.master.bound == -(-abs(value) >> dropped)

    def test_nothing_is_sent_for_the_scale_it_has(self) -> None:
        done = run(lambda unit, a: truncate(unit, a, 20), ends(LARGEST, 20))
        assert done.views[0].sent == []
        assert integers(done).tolist() == [LARGEST, -LARGEST]

    @pytest.mark.parametrize("target", [-1, 62])
    def test_no_scale(self, target: int) -> None:
        refused(SettingError, lambda unit, a: truncate(unit, a, target), ends(5, 20), match=r"0\.\.61")


class TestProducts:
    @few
    @given(
        left=st.integers(0, 2**40),
        right=st.integers(0, 2**40),
        bits=st.tuples(st.integers(0, 40), st.integers(0, 40)),
    )
    def test_exact_where_they_fit_and_refused_elsewhere(self, left: int, right: int, bits: tuple[int, int]) -> None:
        x, y = ends(left, bits[0]), ends(right, bits[1])
        if sum(bits) >= RANGE_BITS:
            refused(SettingError, multiply, x, y, match="fractional bits")
        elif left * right > LARGEST:
            refused(RangeError, multiply, x, y, match="62 bits")
        else:
            done = run(multiply, x, y)
            assert integers(done).tolist() == [left * right] * 2
            assert (done.master.fraction_bits, done.master.bound) == (sum(bits), left * right)

    @few
    @given(broadcast=shapes, f=st.integers(0, 20))
    def test_any_shapes_that_go_together(self, broadcast: Any, f: int) -> None:
        generator = np.random.default_rng(0)
        x, y = (generator.integers(-(2**28), 2**28, shape) for shape in broadcast.input_shapes)
        done = run(lambda unit, a, b: multiply(unit, a, b, f), share(x, 10), share(y, 10))
        got, exact = integers(done), np.asarray(x * y)
        assert got.shape == exact.shape
        assert ((got == exact >> (20 - f)) | (got == -(-exact >> (20 - f)))).all()

    @pytest.mark.parametrize("product", [multiply, dot])
    def test_shapes_that_do_not_go_together(self, product: Any) -> None:
        x, y = share(np.zeros((2, 3), dtype=np.int64), 4, 9), share(np.zeros(4, dtype=np.int64), 4, 9)
        refused(SettingError, product, x, y, match=r"\(2, 3\) and \(4,\)")

    @pytest.mark.parametrize("product", [multiply, dot, matmul])
    @pytest.mark.parametrize(("target", "error"), [(9, ScaleError), (-1, SettingError), (62, SettingError)])
    def test_a_scale_that_it_cannot_be_truncated_to(self, product: Any, target: int, error: type[Exception]) -> None:
        x = share(np.ones((2, 2), dtype=np.int64), 4)
        refused(error, lambda unit, a: product(unit, a, a, target), x)


class TestSumsOfProducts:
    @pytest.mark.parametrize(
        ("left", "right"), [((5,), (5,)), ((3, 4), (4,)), ((3, 1), (2, 1, 6)), ((1,), (6,)), ((2, 0), (0,)), ((3,), ())]
    )
    def test_rows(self, left: tuple[int, ...], right: tuple[int, ...]) -> None:
        x, y = np.full(left, -(2**20)), np.full(right, 2**20)
        done = run(lambda unit, a, b: dot(unit, a, b, 5), share(x, 10, 2**20), share(y, 10, 2**20))
        np.testing.assert_array_equal(integers(done), (x * y).sum(-1) >> 15)
        # every number is as large as it may be: the range is reached, also where a single one meets a whole row
        count = np.broadcast_shapes(left, right)[-1]
        assert done.master.bound == count << 25

    @pytest.mark.parametrize(("count", "fits"), [(3, True), (4, False)])
    def test_the_number_of_products_counts(self, count: int, fits: bool) -> None:
        column, row = share(np.full((2, 1), 2**30), 0), share(np.full(count, 2**30), 0)
        matrices = share(np.full((2, count), 2**30), 0), share(np.full((count, 2), 2**30), 0)
        for program, inputs in ((dot, (column, row)), (matmul, matrices)):
            if fits:
                assert (integers(run(program, *inputs)) == count << 60).all()
            else:
                refused(RangeError, program, *inputs, match="62 bits")

    def test_matrices(self) -> None:
        generator = np.random.default_rng(0)
        x, y = generator.integers(-(2**25), 2**25, (3, 5)), generator.integers(-(2**25), 2**25, (5, 2))
        done = run(lambda unit, a, b: matmul(unit, a, b, 10), share(x, 20), share(y, 20))
        got, exact = integers(done), x @ y
        assert ((got == exact >> 30) | (got == -(-exact >> 30))).all()

    @pytest.mark.parametrize("shapes", [((), ()), ((2,), (2,)), ((2, 3), (2, 3)), ((), (2, 2))], ids=str)
    def test_what_is_no_matrix(self, shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
        x, y = (share(np.ones(shape, dtype=np.int64), 1) for shape in shapes)
        refused(SettingError, matmul, x, y, match=r"\(n, k\)")

    def test_what_has_no_rows(self) -> None:
        x = share(np.array(3), 1)
        refused(SettingError, dot, x, x, match="rows")


def test_a_range_that_is_declared_too_small_is_what_keeps_a_product_from_being_refused() -> None:
    """Refusals follow from declarations alone: whoever declares less than there is gets what wraps around."""
    wide, narrow = ends(2**40, 0), share(np.array([2**40, -(2**40)]), 0, 2**20)
    refused(RangeError, multiply, wide, wide)

    def program(unit: Unit, x: FixedPoint) -> Any:
        return multiply(unit, x, x).shares

    done = run(program, narrow)
    assert ((done.master.words + done.secondary.words).view(np.int64) != 2**80).all()
