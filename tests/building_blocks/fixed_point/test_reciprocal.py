from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from building_blocks.fixed_point import normalisation
from building_blocks.fixed_point import reciprocal as module
from building_blocks.fixed_point.power import POWER_ERROR
from building_blocks.fixed_point.reciprocal import divide, reciprocal
from privml.errors import RangeError, SettingError
from tests.building_blocks.fixed_point.functions import Integers, compute, magnitudes, number


def worst_reciprocal(x: Integers, bits: int, fraction_bits: int, result_bits: int) -> float:
    """The worst error, as a part of the bound on it."""
    got = compute(lambda unit, a: reciprocal(unit, number(a, fraction_bits, bits), result_bits), x)
    exact = np.longdouble(2) ** fraction_bits / x
    return float((np.abs(got - exact) / (POWER_ERROR * exact + 2 * 2.0**-result_bits)).max())


def test_exhaustively_over_fourteen_bits() -> None:
    assert worst_reciprocal(np.arange(1, 2**14), 14, 6, 20) <= 1


@pytest.mark.parametrize("bits", [1, 2, 3, 16, 17, 31, 32, 44, 61, 62])
def test_dense_sweeps_and_the_ends(bits: int) -> None:
    for fraction_bits, result_bits in ((0, 0), (7, 20), (10, 20), (10, 21), (20, 20), (33, 28)):
        assert worst_reciprocal(magnitudes(bits, 1000), bits, fraction_bits, result_bits) <= 1


def test_of_zero_is_zero() -> None:
    for result_bits in (4, 40):
        zeros = np.zeros(50, dtype=np.int64)
        assert not compute(lambda unit, a, f=result_bits: reciprocal(unit, number(a, 8, 40), f), zeros).any()


def test_a_result_beyond_sixty_two_bits_is_refused() -> None:
    with pytest.raises(RangeError, match="62 bits"):
        compute(lambda unit, a: reciprocal(unit, number(a, 30, 40), 32), np.array([1]))


@pytest.mark.parametrize("function", [reciprocal, lambda unit, x, f: divide(unit, x, x, f)], ids=["1/x", "x/x"])
@pytest.mark.parametrize("fraction_bits", [np.int64(25), np.int8(45), -1])
def test_scales_that_are_none_are_refused(function: Any, fraction_bits: Any) -> None:
    with pytest.raises(SettingError, match=r"0\.\.61"):
        compute(lambda unit, a: function(unit, number(a, 10, 40), fraction_bits), np.array([5]))


class TestDivide:
    def worst(
        self, x: Integers, y: Integers, scales: tuple[int, int, int], bits: tuple[int, int], **known: Any
    ) -> float:
        (f, g, h), (x_bits, y_bits) = scales, bits
        got = compute(lambda unit, a, b: divide(unit, number(a, f, x_bits), number(b, g, y_bits), h, **known), x, y)
        exact = (x / np.longdouble(2) ** f) / (y / np.longdouble(2) ** g)
        return float((np.abs(got - exact) / (POWER_ERROR * np.abs(exact) + 3 * 2.0**-h)).max())

    @pytest.mark.parametrize("scales", [(0, 0, 0), (0, 0, 12), (20, 20, 18), (20, 0, 12), (0, 16, 2), (20, 0, 40)])
    @pytest.mark.parametrize(
        "bits", [(1, 1), (8, 8), (20, 44), (31, 31), (32, 62), (33, 61), (40, 54), (42, 52), (42, 30), (12, 62)]
    )
    def test_numerators_of_every_size_over_denominators_of_every_size(
        self, scales: tuple[int, int, int], bits: tuple[int, int]
    ) -> None:
        if bits[0] + scales[2] + scales[1] - scales[0] > 60:
            pytest.skip("the quotient leaves 62 bits: that is refused")
        y = magnitudes(bits[1], 300)
        generator = np.random.default_rng(0)
        x = generator.choice(magnitudes(bits[0], 300), (4, y.size)) * np.array([[1], [-1], [1], [-1]])
        x[2:] = [[2 ** bits[0] - 1], [1 - 2 ** bits[0]]]
        assert self.worst(x.reshape(-1), np.tile(y, 4), scales, bits) <= 1

    @given(data=st.data(), bits=st.sampled_from([(30, 44), (42, 52), (20, 30)]))
    def test_probabilities(self, data: st.DataObject, bits: tuple[int, int]) -> None:
        y = data.draw(st.lists(st.integers(1, 2 ** bits[1] - 1), min_size=3, max_size=3))
        x = [data.draw(st.integers(-min(each, 2 ** bits[0] - 1), min(each, 2 ** bits[0] - 1))) for each in y]
        for result_bits in (20, 28, 40):
            assert self.worst(np.array(x), np.array(y), (0, 0, result_bits), bits, limit=1) <= 1

    def test_zero_over_anything_and_anything_over_zero(self) -> None:
        x, y = np.array([0, 0, 5, -(2**29)]), np.array([7, 0, 0, 0])
        for result_bits in (0, 20):
            assert not compute(
                lambda unit, a, b, f=result_bits: divide(unit, number(a, 0, 30), number(b, 0, 40), f), x, y
            ).any()

    @pytest.mark.parametrize("result_bits", [8, 30])
    def test_shapes_broadcast(self, result_bits: int) -> None:
        x, y = np.arange(12).reshape(3, 4), np.array([[3], [5], [9]])
        got = compute(lambda unit, a, b: divide(unit, number(a, 0, 10), number(b, 0, 10), result_bits), x, y)
        assert got.shape == (3, 4)
        np.testing.assert_allclose(got.astype(float), x / y, atol=3 * 2.0**-result_bits + 1e-7)

    @pytest.mark.parametrize(
        ("bits", "result_bits", "message"),
        [
            ((43, 10), 0, "42 bits"),
            ((42, 53), 0, "at most 52; got 53"),
            ((33, 62), 0, "at most 61"),
            ((30, 10), 32, "62"),
        ],
    )
    def test_ranges_that_do_not_fit_are_refused(self, bits: tuple[int, int], result_bits: int, message: str) -> None:
        one = np.array([1])
        with pytest.raises(RangeError, match=message):
            compute(
                lambda unit, a, b: divide(unit, number(a, 0, bits[0]), number(b, 0, bits[1]), result_bits), one, one
            )

    @pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
    def test_limits_are_positive(self, limit: float) -> None:
        one = np.array([1])
        with pytest.raises(SettingError, match="positive"):
            compute(lambda unit, a, b: divide(unit, number(a, 0, 8), number(b, 0, 8), 8, limit), one, one)

    def test_the_bound_without_the_shorter_copy_is_exceeded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        weights = normalisation.shift_weights
        monkeypatch.setattr(
            module, "shift_weights", lambda bits, places, dropped: weights(bits, places, dropped) * (places < dropped)
        )
        y = magnitudes(50, 300)
        assert self.worst(np.full(y.size, 2**42 - 1), y, (0, 0, 0), (42, 50)) > 1

    def test_the_bound_of_a_wrong_polynomial_is_exceeded(self, monkeypatch: pytest.MonkeyPatch) -> None:
        *kept, last = module.RECIPROCAL
        monkeypatch.setattr(module, "RECIPROCAL", (*kept, last + 1e-4))
        y = magnitudes(30, 300)
        assert self.worst(np.full(y.size, 2**30 - 1), y, (0, 0, 20), (30, 30)) > 1
