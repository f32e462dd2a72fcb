"""Fixed-point numbers: exact in their range, of one scale, and never out of 62 bits."""

from __future__ import annotations

import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks.fixed_point.number import (
    RANGE_BITS,
    FixedPoint,
    decode,
    encode,
    fixed_public,
    largest_magnitude,
    require_range,
)
from building_blocks.shares import Shares
from privml.errors import RangeError, ScaleError, SettingError
from tests.building_blocks.fixed_point.numbers import Both, integers_of, share
from tests.two_units import make_units

LARGEST = 2**RANGE_BITS - 1

bounds = st.one_of(st.integers(0, 100), st.integers(0, LARGEST), st.integers(LARGEST - 100, LARGEST))


def on_both(operation: Callable[..., FixedPoint], *inputs: Both) -> Both:
    """What either unit does with its halves by itself."""
    master, secondary = (operation(*(both[side] for both in inputs)) for side in (0, 1))
    return master, secondary


def ends(bound: int, fraction_bits: int = 20) -> Both:
    return share(np.array([bound, -bound, 0]), fraction_bits, bound)


class TestRanges:
    """What could leave 62 bits is refused, and nothing else: at the ends of the ranges the bounds are reached."""

    @given(left=bounds, right=bounds)
    def test_sums_and_differences(self, left: int, right: int) -> None:
        x, y = ends(left), ends(right)
        for operation, reached in ((lambda a, b: a + b, left + right), (lambda a, b: a - b[[1, 0, 2]], left + right)):
            if left + right > LARGEST:
                with pytest.raises(RangeError, match="62 bits"):
                    on_both(operation, x, y)
            else:
                result = on_both(operation, x, y)
                assert integers_of(result).tolist() == [reached, -reached, 0]
                assert result[0].bound == reached

    @given(bound=bounds, factor=st.integers(-(2**63), 2**64 - 1))
    def test_public_factors(self, bound: int, factor: int) -> None:
        for operation in (lambda a: a * factor, lambda a: factor * a, lambda a: a * np.array([1, 1, 1]) * [[factor]]):
            if bound * abs(factor) > LARGEST:
                with pytest.raises(RangeError):
                    on_both(operation, ends(bound))
            else:
                result = on_both(operation, ends(bound))
                assert integers_of(result).reshape(-1).tolist() == [bound * factor, -bound * factor, 0]
                assert result[0].bound == bound * abs(factor)

    @given(bound=bounds, shape=st.sampled_from([(), (0,), (1,), (3,), (2, 3), (4, 0, 2)]), data=st.data())
    def test_sums_over_axes(self, bound: int, shape: tuple[int, ...], data: st.DataObject) -> None:
        axis = data.draw(st.sampled_from([None, *range(-len(shape), len(shape))]))
        count = int(np.prod(shape)) if axis is None else shape[axis]
        x = share(np.full(shape, bound), 5)
        x = on_both(lambda a: FixedPoint(a.shares, 5, bound), x)
        if bound * count > LARGEST:
            with pytest.raises(RangeError):
                on_both(lambda a: a.sum(axis), x)
        else:
            result = on_both(lambda a: a.sum(axis), x)
            np.testing.assert_array_equal(integers_of(result), np.full(shape, bound).sum(axis))
            assert result[0].bound == bound * count

    @given(bound=bounds, coarse=st.integers(0, 61), fine=st.integers(0, 80))
    def test_finer_scales(self, bound: int, coarse: int, fine: int) -> None:
        x = ends(bound, coarse)
        expected: type[Exception] | None = None
        if fine < coarse:
            expected = ScaleError
        elif fine >= RANGE_BITS or bound << (fine - coarse) > LARGEST:
            expected = SettingError
        if expected:
            with pytest.raises(expected):
                on_both(lambda a: a.refined(fine), x)
        else:
            result = on_both(lambda a: a.refined(fine), x)
            assert integers_of(result).tolist() == [v << (fine - coarse) for v in (bound, -bound, 0)]
            assert result[0].limit == x[0].limit

    @given(bound=bounds, factor=st.floats(-1e6, 1e6), more=st.integers(0, 41))
    def test_real_factors(self, bound: int, factor: float, more: int) -> None:
        rounded = round(factor * 2**more)
        if bound * abs(rounded) > LARGEST or abs(rounded) > LARGEST:
            with pytest.raises(RangeError):
                on_both(lambda a: a.scaled(factor, more), ends(bound))
        else:
            result = on_both(lambda a: a.scaled(factor, more), ends(bound))
            assert integers_of(result).tolist() == [bound * rounded, -bound * rounded, 0]
            assert (result[0].fraction_bits, result[0].bound) == (20 + more, bound * abs(rounded))

    def test_what_keeps_the_numbers_keeps_the_range(self) -> None:
        x = share(np.arange(-3, 3).reshape(2, 3), 4, 77)
        for operation, expected in (
            (lambda a: -a, -np.arange(-3, 3).reshape(2, 3)),
            (lambda a: a[1], np.arange(0, 3)),
            (lambda a: a[..., None], np.arange(-3, 3).reshape(2, 3, 1)),
            (lambda a: a.reshape(3, 2), np.arange(-3, 3).reshape(3, 2)),
            (lambda a: a.transposed, np.arange(-3, 3).reshape(2, 3).T),
        ):
            result = on_both(operation, x)
            np.testing.assert_array_equal(integers_of(result), expected)
            assert (result[0].bound, result[0].fraction_bits) == (77, 4)

    def test_an_empty_array_of_factors_leaves_nothing(self) -> None:
        result = on_both(lambda a: a * np.empty(0, dtype=np.int64), share(np.empty(0, dtype=np.int64), 3, LARGEST))
        assert (result[0].bound, result[0].shape) == (0, (0,))

    def test_matrices_in_a_batch_are_transposed_one_by_one(self) -> None:
        values = np.arange(24).reshape(2, 3, 4)
        result = on_both(lambda a: a.transposed, share(values, 0))
        np.testing.assert_array_equal(integers_of(result), values.swapaxes(1, 2))

    @pytest.mark.parametrize("shape", [(), (3,)])
    def test_what_is_no_matrix_is_not_transposed(self, shape: tuple[int, ...]) -> None:
        with pytest.raises(SettingError, match="two axes"):
            share(np.zeros(shape, dtype=np.int64), 0)[0].transposed  # noqa: B018 - a property

    def test_a_bound_of_numpys_does_not_wrap(self) -> None:
        x = FixedPoint(Shares(np.zeros(2, dtype=np.uint64)), 0, np.int64(2**61))  # type: ignore[arg-type]
        with pytest.raises(RangeError):
            x * 4
        with pytest.raises(TypeError):
            FixedPoint(x.shares, 0, 2.0**61)  # type: ignore[arg-type]

    @pytest.mark.parametrize("kind", [np.int64, np.int8, float])
    def test_scales_of_numpys_are_refused_since_they_wrap(self, kind: Any) -> None:
        x, message = share([1], 10, 2**40), "an int"
        with pytest.raises(SettingError, match=message):
            FixedPoint(x[0].shares, kind(10), 2**40)
        for refine in (lambda a: a.refined(kind(40)), lambda a: a.scaled(0.5, kind(40))):
            with pytest.raises(SettingError, match=message):
                on_both(refine, x)

    @pytest.mark.parametrize("fraction_bits", [-3, 62])
    def test_factors_have_a_scale(self, fraction_bits: int) -> None:
        with pytest.raises(SettingError, match=r"0\.\.61"):
            on_both(lambda a: a.scaled(0.5, fraction_bits), share([1], 10))


class TestDeclaring:
    @given(bound=bounds, fraction_bits=st.integers(0, 61), part=st.floats(0, 1))
    def test_a_smaller_range(self, bound: int, fraction_bits: int, part: float) -> None:
        x = ends(bound, fraction_bits)[0]
        limit = x.limit * part
        y = x.declared(limit)
        assert y.bound <= bound
        assert y.bound == bound or y.bound <= Fraction(limit) * 2**fraction_bits < y.bound + 1
        assert (y.fraction_bits, y.shares) == (fraction_bits, x.shares)

    @pytest.mark.parametrize("bound", [0, 1, 3 * 2**20, LARGEST])
    def test_the_same_range(self, bound: int) -> None:
        x = ends(bound)[0]
        assert x.declared(x.limit).bound == bound

    @pytest.mark.parametrize("limit", [3.0000001, -1.0, float("inf"), float("nan"), -float("inf")])
    def test_no_smaller_range(self, limit: float) -> None:
        with pytest.raises(RangeError, match="up to 3 cannot be declared"):
            ends(3 * 2**20)[0].declared(limit)


class TestScales:
    @given(one=st.integers(0, 61), other=st.integers(0, 61))
    def test_they_never_mix(self, one: int, other: int) -> None:
        x, y = ends(5, one)[0], ends(5, other)[0]
        if one == other:
            assert (x + y).fraction_bits == (x - y).fraction_bits == one
        else:
            for operation in (operator.add, operator.sub):
                with pytest.raises(ScaleError, match="refined"):
                    operation(x, y)

    @pytest.mark.parametrize("factor", [0.5, np.ones(3), 2**64, "3", [2**63, -1]], ids=repr)
    def test_factors_are_whole_numbers(self, factor: Any) -> None:
        with pytest.raises(SettingError, match="integers"):
            ends(5)[0] * factor

    @pytest.mark.parametrize("fraction_bits", [-1, 62, 64])
    def test_there_are_62(self, fraction_bits: int) -> None:
        with pytest.raises(SettingError, match=r"0\.\.61"):
            require_range(fraction_bits, 1)

    def test_bounds_are_magnitudes(self) -> None:
        require_range(3, 0)
        require_range(3, LARGEST)
        with pytest.raises(SettingError, match="not negative"):
            require_range(3, -1)
        with pytest.raises(RangeError, match="smaller range"):
            require_range(3, LARGEST + 1)


class TestRealNumbers:
    @given(value=st.floats(-(2.0**40), 2.0**40), fraction_bits=st.integers(0, 21))
    def test_they_are_rounded_to_the_nearest(self, value: float, fraction_bits: int) -> None:
        integer = encode(value, fraction_bits)
        assert abs(int(integer) - value * 2**fraction_bits) <= 0.5
        assert decode(np.asarray(integer).view(np.uint64), fraction_bits) == integer / 2**fraction_bits

    @given(integer=st.integers(-(2**53), 2**53), fraction_bits=st.integers(0, 61))
    def test_multiples_of_the_unit_are_exact(self, integer: int, fraction_bits: int) -> None:
        assert encode(decode(np.array(integer).view(np.uint64), fraction_bits), fraction_bits) == integer

    @pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 2.0**42, -(2.0**42), 1e308])
    def test_what_does_not_fit(self, value: float) -> None:
        with pytest.raises(RangeError, match="not finite"):
            encode([0.0, value], 20)
        with pytest.raises(RangeError):
            ends(1)[0].scaled(value, 20)

    def test_the_largest_that_fits(self) -> None:
        assert encode(np.nextafter(2.0**42, 0), 20) == 2**62 - 2**9

    @pytest.mark.parametrize("values", [1.5, [0.25, -3.0], np.zeros((2, 0))], ids=str)
    def test_known_to_both(self, values: Any) -> None:
        halves = [fixed_public(unit, values, 10) for unit in make_units()]
        np.testing.assert_array_equal(integers_of((halves[0], halves[1])), np.asarray(values) * 1024)
        assert halves[0].bound == largest_magnitude(np.asarray(np.asarray(values) * 1024, dtype=np.int64))

    def test_the_largest_magnitude_is_exact(self) -> None:
        for array, expected in (
            (np.array([-(2**63), 5]), 2**63),
            (np.array([2**64 - 1], dtype=np.uint64), 2**64 - 1),
            (np.array([True]), 1),
            (np.empty((3, 0), dtype=np.int64), 0),
            (-7, 7),
        ):
            assert largest_magnitude(array) == expected


def test_its_text_shows_no_share() -> None:
    text = repr(ends(12345)[0])
    assert text == "FixedPoint(shape=(3,), fraction_bits=20, limit=0.0117731)"


def test_integers_are_taken_exactly() -> None:
    values = np.array([2**61 - 1, -(2**53) - 1, 0])
    assert encode(values, 0).tolist() == values.tolist()
    assert encode(np.array([2**53 + 1]), 5).tolist() == [(2**53 + 1) << 5]
    with pytest.raises(RangeError):
        encode(np.array([2**53 + 1]), 10)


def test_what_has_no_scale_is_not_added() -> None:
    x = FixedPoint(Shares(np.zeros(1, dtype=np.uint64)), 4, 1)
    for other in (1, 1.5, x.shares):
        for operation in (operator.add, operator.sub):
            with pytest.raises(ScaleError, match="fixed_public"):
                operation(x, other)
