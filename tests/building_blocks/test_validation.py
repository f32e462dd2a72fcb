"""Validation lets pass what holds and nothing else, and one bit is all that opens."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from building_blocks.operand import fix_operand, fix_operands, squares
from building_blocks.shares import BooleanShares, Shares
from building_blocks.validation import DIGEST_BYTES, Validation
from privml.errors import SettingError, ValidationError
from privml.units.correlations import Correlation, WeighedBits
from privml.units.dealer import DealtSource
from privml.units.role import Role
from privml.units.unit import Unit
from tests.two_units import Run, run, split, split_bits, suspicious

GROUPS = [slice(0, 2), slice(2, 5)]
Words = np.ndarray[Any, np.dtype[np.uint64]]
words = st.one_of(st.integers(0, 3), st.sampled_from([2**63, 2**64 - 1, 2**32, 2**62]), st.integers(0, 2**64 - 1))


def verdict(program: Callable[..., None], *shared: Any) -> Run[bool]:
    def checked(unit: Unit, *mine: Any) -> bool:
        validation = Validation(unit)
        program(unit, validation, *mine)
        return validation.passed()

    done = run(checked, *shared)
    assert done.master is done.secondary
    return done


def zero(unit: Unit, validation: Validation, x: Shares) -> None:
    validation.zero(x)


def one_hot(complete: bool) -> Callable[[Unit, Validation, Shares], None]:
    def program(unit: Unit, validation: Validation, x: Shares) -> None:
        validation.one_hot(fix_operand(unit, x), GROUPS, complete=complete)

    return program


def within(low: int, high: int) -> Callable[[Unit, Validation, Shares], None]:
    return lambda unit, validation, x: validation.within(x, low, high)


def short(*columns: int) -> Callable[..., None]:
    def program(unit: Unit, validation: Validation, *matrices: Shares) -> None:
        validation.short(fix_operands(unit, *matrices), columns)

    return program


@settings(max_examples=50)
@given(st.lists(words, max_size=6))
@example([])
@example([0, 0, 2**63])
@example([1, 2**64 - 1])
def test_zeros_are_zeros_alone(values: list[int]) -> None:
    assert verdict(zero, split(np.array(values, dtype=np.uint64))).master is not any(values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint64])
@pytest.mark.parametrize("value", [0, 1, 128])
def test_bits_that_are_not_set(value: int, dtype: type[np.unsignedinteger[Any]]) -> None:
    shared = split_bits(np.array([0, value, 0], dtype=dtype))
    done = verdict(lambda unit, validation, x: validation.clear(x), shared)
    assert done.master is (value == 0)


@settings(max_examples=80)
@given(st.lists(st.lists(words, min_size=5, max_size=5), max_size=4), st.booleans())
@example([[1, 0, 0, 0, 1]], True)
@example([[1, 0, 0, 0, 0]], True)
@example([[1, 0, 0, 0, 0], [0, 0, 0, 0, 0]], False)
@example([[2**63, 2**63, 1, 0, 0]], False)
@example([[2**63 + 1, 2**63, 1, 0, 0]], True)
@example([[2, 2**64 - 1, 1, 0, 0]], True)
@example([[1, 1, 0, 1, 0]], False)
def test_one_hot_rows(rows: list[list[int]], complete: bool) -> None:
    x = np.array(rows, dtype=np.uint64).reshape(-1, 5)
    sums = [[sum(row[group]) for group in GROUPS] for row in rows]
    expected = all(value in (0, 1) for row in rows for value in row)
    expected = expected and all(total in ((1,) if complete else (0, 1)) for row in sums for total in row)
    assert verdict(one_hot(complete), split(x)).master is expected


@settings(max_examples=60)
@given(words, st.sampled_from([(0, 0), (0, 10), (-5, 5), (0, 2**62 - 1), (-(2**62), -1), (2**63 - 2**61, 2**63 - 1)]))
def test_ranges(value: int, limits: tuple[int, int]) -> None:
    low, high = limits
    for candidate in (value, low % 2**64, high % 2**64, (low - 1) % 2**64, (high + 1) % 2**64):
        expected = (candidate - low) % 2**64 <= high - low
        done = verdict(within(low, high), split(np.array([candidate], dtype=np.uint64)))
        assert done.master is expected


@pytest.mark.parametrize("limits", [(1, 0), (0, 2**62), (-(2**62), 2**62)])
def test_ranges_that_are_none(limits: tuple[int, int]) -> None:
    with pytest.raises(SettingError, match="range"):
        verdict(within(*limits), split(np.zeros(1, dtype=np.uint64)))


NEAR_2_16 = [0, 1, 2**15, 2**16 - 1, 2**16, 2**16 + 1, 2**17 - 1, 2**17, 2**32, 2**63]
short_or_not = st.one_of(
    words, st.integers(0, 2**17), st.sampled_from([sign * x % 2**64 for x in NEAR_2_16 for sign in (1, -1)])
)


@settings(max_examples=100)
@given(st.lists(short_or_not, max_size=3))
@example([])
@example(NEAR_2_16[:4])
@example([2**64 - 1])
@example([2**64 - 2**16])
def test_words_of_sixteen_bits(values: list[int]) -> None:
    column = np.array(values, dtype=np.uint64).reshape(-1, 1)
    for _ in range(5):  # whether it borrows hangs on the mask
        assert verdict(short(0), split(column)).master is all(value < 2**16 for value in values)


def test_every_word_of_sixteen_bits_and_none_next_to_them() -> None:
    everything = np.arange(2**16, dtype=np.uint64).reshape(-1, 8)
    assert verdict(short(*range(8)), split(everything)).master
    for value in (2**16, 2**64 - 1):
        everything[-1, -1] = value
        assert not verdict(short(*range(8)), split(everything)).master


@pytest.mark.parametrize("place", [(0, 0, 1), (1, 0, 0), (1, 2, 1)])
def test_short_words_in_some_columns_of_some_matrices(place: tuple[int, int, int]) -> None:
    matrices = [np.full((rows, 4), 2**40) for rows in (1, 3)]
    for matrix in matrices:
        matrix[:, [1, 3]] = 5
    assert verdict(short(1, 3), *map(split, matrices)).master
    index, row, column = place
    matrices[index][row, 1 + 2 * column] = -5
    assert not verdict(short(1, 3), *map(split, matrices)).master


def test_short_words_cost_a_round_and_a_byte() -> None:
    (view, _) = verdict(short(*range(5)), split(np.zeros((100, 5), dtype=np.int64))).views
    assert [len(frame) for frame in view.sent] == [8 * 500, 500, 16, 8]


def test_columns_outside_the_groups_may_hold_anything() -> None:
    def program(unit: Unit, validation: Validation, x: Shares) -> None:
        validation.one_hot(fix_operand(unit, x), [slice(0, 2), slice(3, 5)], complete=True)

    assert verdict(program, split(np.array([[1, 0, 77, 0, 1]], dtype=np.uint64))).master
    assert not verdict(program, split(np.array([[1, 0, 77, 0, 2]], dtype=np.uint64))).master


def test_one_invalid_value_among_many_is_found() -> None:
    rows = np.zeros((3000, 5), dtype=np.uint64)
    rows[:, [1, 3]] = 1
    assert verdict(one_hot(True), split(rows)).master
    rows[2999, 4] = 2**63
    assert not verdict(one_hot(True), split(rows)).master


def test_many_checks_make_one_verdict() -> None:
    def program(unit: Unit, validation: Validation, x: Shares) -> None:
        validation.zero(x - x)
        validation.within(x, 0, 3)
        validation.zero(x[:1])

    assert verdict(program, split(np.array([0, 3]))).master
    assert not verdict(program, split(np.array([0, 4]))).master
    assert not verdict(program, split(np.array([1, 3]))).master


def test_both_units_refuse_in_step_and_go_on() -> None:
    def program(unit: Unit, x: Shares) -> list[bytes]:
        validation = Validation(unit)
        validation.zero(x)
        with pytest.raises(ValidationError, match="not what they must be") as caught:
            validation.require("the words are not what they must be")
        assert caught.value.agreed
        return [bytes(unit.channel.exchange(unit.role.label.encode()))]

    done = run(program, split(np.array([0, 1])))
    assert (done.master, done.secondary) == ([b"Secondary"], [b"Master"])


ROWS = 4000


def batch(rows: Sequence[int]) -> Words:
    return np.tile(np.array(rows, dtype=np.uint64), (ROWS, 1))


@pytest.mark.parametrize("rows", [(1, 0, 0, 0, 1), (7, 2**63, 1, 1, 1)], ids=["valid", "invalid"])
def test_units_see_uniform_words(rows: Sequence[int]) -> None:
    def program(unit: Unit, validation: Validation, x: Shares) -> None:
        one_hot(True)(unit, validation, x)
        validation.within(x, 0, 1)
        short(1, 2)(unit, validation, x)

    for view in verdict(program, split(batch(rows))).views:
        assert view.received
        assert suspicious(view) == []


@pytest.mark.parametrize("check", [one_hot(False), short(0, 3)], ids=["one-hot", "short"])
def test_the_trace_is_the_same_whatever_is_checked(check: Callable[..., None]) -> None:
    traces = {verdict(check, split(batch(rows))).views[0].trace for rows in [(1, 0, 0, 1, 0), (2**63, 9, 9, 9, 9)]}
    assert len(traces) == 1


@pytest.mark.parametrize("row", [(1, 1, 0, 0, 2), (0, 2**16, 0, 0, 0)], ids=["two", "large"])
def test_invalid_data_show_one_bit_only(row: Sequence[int]) -> None:
    """All that a unit receives after the operand is opened is masked anew in every run; the outcome is any word."""
    seen = []
    for _ in range(200):
        (view, _) = verdict(both_checks, split(np.array([row], dtype=np.uint64))).views
        outcome = sum(int.from_bytes(frames[-1], "little") for frames in (view.sent, view.received)) % 2**64
        seen.append(b"".join(view.received[1:]) + outcome.to_bytes(8, "little"))
    assert not uneven_bits(seen).any()


def test_weights_that_are_no_secret_would_show_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The law above fails for an outcome that counts the places where the digests differ."""

    def counted(self: DealtSource, correlation: Correlation) -> list[Any]:
        shares = draw(self, correlation)
        if not isinstance(correlation, WeighedBits):
            return shares
        weight = np.full(correlation.shape, self._role is Role.MASTER, dtype=np.uint64)
        return [weight, np.zeros_like(shares[1]), np.zeros_like(shares[2])]

    draw = DealtSource.draw
    monkeypatch.setattr(DealtSource, "draw", counted)
    with pytest.raises(AssertionError):
        test_invalid_data_show_one_bit_only((1, 1, 0, 0, 2))


def both_checks(unit: Unit, validation: Validation, x: Shares) -> None:
    (opened,) = fix_operands(unit, x)
    validation.one_hot(opened, GROUPS, complete=True)
    validation.short([opened], range(5))


def uneven_bits(runs: Sequence[bytes]) -> Any:
    """Which bits are not as often set as clear, over many runs: 5.6 standard deviations for 200."""
    bits = np.unpackbits(np.frombuffer(b"".join(runs), dtype=np.uint8).reshape(len(runs), -1), axis=1)
    return np.abs(bits.mean(axis=0) - 0.5) > 0.2


@pytest.mark.parametrize("place", range(8 * DIGEST_BYTES))
def test_digests_that_differ_in_one_bit_differ(place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    class Digest:
        def update(self, data: memoryview) -> None:
            self.bits = np.zeros(256, dtype=np.uint8)
            self.bits[place] = data[0] & 1

        def digest(self) -> bytes:
            return np.packbits(self.bits).tobytes()

    monkeypatch.setattr("hashlib.sha256", Digest)
    for value in (0, 1):
        ends = tuple(BooleanShares(np.array([end], dtype=np.uint8)) for end in (0, value))
        assert verdict(lambda unit, validation, x: validation.clear(x), ends).master is not value


def test_digests_are_never_sent() -> None:
    digests: list[bytes] = []

    def program(unit: Unit, validation: Validation, x: Shares) -> None:
        validation.zero(x)
        digests.append(validation._digest.digest())

    done = verdict(program, split(np.array([5, 6])))
    said = b"".join(done.views[0].sent + done.views[1].sent)
    assert len(set(digests)) == 2
    assert not any(digest[start : start + 8] in said for digest in digests for start in range(0, 32, 8))


@pytest.mark.parametrize("broken", ["_borrow", "_HIGH"])
def test_short_words_need_the_borrow_and_all_digits(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    column = split(np.full((64, 1), 2**48))
    if broken == "_HIGH":
        monkeypatch.setattr("building_blocks.validation._HIGH", np.uint64(2**32 - 2**16))
        assert verdict(short(0), column).master
    else:
        monkeypatch.setattr("building_blocks.comparison._borrow", lambda unit, x, first: x.mask & 0)
        assert not verdict(short(0), split(np.full((64, 1), 2**15))).master


@pytest.mark.parametrize("broken", ["sums", "signs"])
def test_checks_with_a_part_left_out_are_noticed(broken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws above fail for a check that forgets the sums, or the signs."""
    if broken == "sums":
        monkeypatch.setattr("building_blocks.validation.column_sums", lambda x, groups: Shares(x.words[:, :0]))
        monkeypatch.setattr("building_blocks.validation.squares", lambda unit, x, groups: _bits_alone(unit, x))
        assert verdict(one_hot(False), split(np.array([[1, 1, 1, 0, 0]], dtype=np.uint64))).master
    else:
        monkeypatch.setattr(Validation, "clear", lambda self, x: None)
        assert verdict(within(0, 3), split(np.array([9]))).master


def _bits_alone(unit: Unit, x: Any) -> tuple[Shares, Shares]:
    of_values, _ = squares(unit, x)
    return of_values, Shares(of_values.words[:, :0])
