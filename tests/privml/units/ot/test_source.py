"""The source: every kind obeys its law, as the dealer's does, and survives failures without using anything twice."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, mutually_broadcastable_shapes

from privml.errors import ChannelClosedError, DrawReusedError, PrivMLError, SecretExposureError, SettingError
from privml.units.channel import Channel, ChannelStatistics
from privml.units.correlations import (
    BitProducts,
    Correlation,
    DrawnMask,
    Field,
    MatrixTriple,
    OfOperands,
    OperandDigits,
    OperandMask,
    OperandProduct,
    OperandSquares,
    PieceMask,
    ProductTriple,
    RandomBits,
    RandomWord,
    TruncationMask,
    WeighedBits,
    Windows,
)
from privml.units.memory import memory_channels
from privml.units.ot import making, source
from privml.units.ot.link import TransferLink
from privml.units.pair import PairRunner
from privml.units.role import Role
from privml.units.unit import Unit
from tests.privml.units.links import caught
from tests.privml.units.ot.two_ends import check_law, draw, make_units, source_of
from tests.two_units import looks_uniform

shapes = array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=5)
dtypes = st.sampled_from([np.uint8, np.uint16, np.uint32, np.uint64])


def patterns(words: int) -> st.SearchStrategy[Any]:
    factors = st.tuples(st.integers(0, words - 1), st.integers(-7, 7))
    return st.lists(st.lists(factors, min_size=2, max_size=5, unique=True).map(tuple), max_size=4).map(tuple)


windows = st.integers(1, 11).flatmap(lambda count: st.builds(Windows, st.integers(-2, 64 - 6 * count), st.just(count)))

correlations: st.SearchStrategy[Correlation] = st.one_of(
    mutually_broadcastable_shapes(num_shapes=2, max_dims=3, max_side=4).map(lambda b: ProductTriple(*b.input_shapes)),
    st.builds(MatrixTriple, st.integers(0, 5), st.integers(0, 5), st.integers(0, 5)),
    st.builds(TruncationMask, shapes, st.integers(1, 62)),
    dtypes.flatmap(
        lambda dtype: st.builds(RandomBits, shapes, st.integers(1, 8 * np.dtype(dtype).itemsize), st.just(dtype))
    ),
    st.integers(1, 3).flatmap(lambda words: st.builds(BitProducts, shapes, dtypes, st.just(words), patterns(words))),
    st.builds(RandomWord, shapes, patterns(1)),
    st.builds(WeighedBits, shapes),
    st.builds(PieceMask, shapes, windows, st.integers(1, 4), st.integers(1, 3)),
)

LARGE: tuple[Correlation, ...] = (
    ProductTriple((700,), (700,)),
    ProductTriple((20, 1), (35,)),
    MatrixTriple(30, 20, 40),
    TruncationMask((700,), 20),
    RandomBits((700,), 1, np.uint8),
    RandomBits((200,), 16, np.uint16),
    BitProducts((1500,), np.uint8, 2, (((0, 0), (1, 3)), ((0, 0), (0, 1), (1, -2), (1, 5)))),
    RandomWord((400,), (((0, 0), (0, 1)), ((0, 0), (0, 1), (0, 2), (0, 3)))),
    WeighedBits((300,)),
    PieceMask((200,), Windows(9, 3), 6, 3),
)


@settings(max_examples=150)
@given(correlation=correlations)
def test_shares_add_up(runner: PairRunner, correlation: Correlation) -> None:
    check_law(correlation, draw(runner, correlation))


@pytest.mark.parametrize("correlation", LARGE, ids=repr)
def test_shares_add_up_across_batches(
    runner: PairRunner, correlation: Correlation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "TRANSFERS_AT_ONCE", 1 << 12)
    check_law(correlation, draw(runner, correlation))


@pytest.mark.parametrize("correlation", LARGE, ids=repr)
def test_what_a_unit_holds_and_receives_is_uniform(correlation: Correlation) -> None:
    units = make_units()
    with PairRunner(units) as fresh:
        draw(fresh, OperandMask((1, 1)))
        draw(fresh, RandomBits((1,), 1, np.uint8))
        seen = len(units[0].channel.received), len(units[1].channel.received)  # type: ignore[attr-defined]
        shares = draw(fresh, correlation)
    for share in (array for side in shares for array in side):
        assert looks_uniform(np.ascontiguousarray(share).reshape(-1).view(np.uint8))
    for unit, start in zip(units, seen, strict=True):
        frames = unit.channel.received[start:]  # type: ignore[attr-defined]
        assert frames
        assert all(looks_uniform(np.frombuffer(frame, dtype=np.uint8)) for frame in frames)


def test_additive_and_boolean_shares_are_independent(runner: PairRunner) -> None:
    correlation = RandomWord((4000,), ())
    for additive, boolean in draw(runner, correlation):
        assert 1800 < np.count_nonzero((additive ^ boolean) & np.uint64(1)) < 2200


@settings(max_examples=30)
@given(
    rows=st.integers(0, 4),
    columns=st.lists(st.integers(0, 2), unique=True).map(sorted),
    dtype=dtypes,
    wanted=patterns(1),
)
def test_digits_of_a_mask(runner: PairRunner, rows: int, columns: list[int], dtype: Any, wanted: Any) -> None:
    drawn = DrawnMask((rows, 3), source_of(runner._units[0]).position)
    (mask,) = check_law(OperandMask(drawn.shape), draw(runner, OperandMask(drawn.shape)))
    digits = OperandDigits(drawn, tuple(columns), dtype, wanted)
    check_law(digits, draw(runner, digits), mask)


@pytest.mark.parametrize("values", [(0, 0), (1, 2**64 - 1), (2**64 - 1, 2**64 - 1), (2**63, 2**63), (2**32 - 1, 1)])
def test_carries_run_as_far_as_they_must(
    runner: PairRunner, values: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = dict(zip(Role, values, strict=True))
    drawn = DrawnMask((2, 1), source_of(runner._units[0]).position)
    draw(runner, OperandMask(drawn.shape))
    monkeypatch.setattr(
        source.OtSource, "_operand", lambda self, drawn: np.full(drawn.shape, held[self._role], dtype=np.uint64)
    )
    digits = OperandDigits(drawn, (0,), np.uint16, ())
    check_law(digits, draw(runner, digits), np.full(drawn.shape, sum(values) % 2**64, dtype=np.uint64))


def test_digits_of_a_mask_are_shared_anew() -> None:
    units = make_units()
    with PairRunner(units) as fresh:
        masks = draw(fresh, OperandMask((500, 2)))
        draw(fresh, RandomBits((1,), 1, np.uint8))
        seen = [len(unit.channel.received) for unit in units]  # type: ignore[attr-defined]
        digits = draw(fresh, OperandDigits(DrawnMask((500, 2), 0), (0, 1), np.uint16, (((0, 0), (0, 1)),)))
    for unit, start, (mask,), (word, product) in zip(units, seen, masks, digits, strict=True):
        for share in (word, product, word ^ mask, word + mask, word ^ np.negative(mask)):
            assert looks_uniform(np.ascontiguousarray(share).reshape(-1).view(np.uint8))
        frames = unit.channel.received[start:]  # type: ignore[attr-defined]
        assert frames
        assert all(looks_uniform(np.frombuffer(frame, dtype=np.uint8)) for frame in frames)


def test_operand_keeps_its_mask(runner: PairRunner) -> None:
    operand = OperandMask((4, 3))
    number = source_of(runner._units[0]).position
    (mask,) = check_law(operand, draw(runner, operand))
    drawn = DrawnMask((4, 3), number)
    for correlation in (OperandSquares(drawn), OperandSquares(drawn, ((0, 2), (2, 3)))):
        check_law(correlation, draw(runner, correlation), mask)
    other = DrawnMask((4, 2), source_of(runner._units[0]).position)
    (factor,) = check_law(OperandMask(other.shape), draw(runner, OperandMask(other.shape)))
    product = OperandProduct(drawn, other, transpose_left=True)
    check_law(product, draw(runner, product), mask, factor)
    check_law(MatrixTriple(2, 2, 2), draw(runner, MatrixTriple(2, 2, 2)))
    assert caught(lambda: draw(runner, OperandSquares(DrawnMask((4, 3), 10**6)))).__class__ is SettingError


def test_what_cannot_be_made_is_refused_by_both() -> None:
    class Unknown:
        elementwise: ClassVar[bool] = True
        bases = (Field((1,)),)
        derived = ()

        def derive(self, *bases: Any) -> Any:
            return ()

    class UnknownOfOperands(Unknown, OfOperands):
        operands = ()

    refused: list[Correlation] = [Unknown(), UnknownOfOperands(), TruncationMask((2,), 0), TruncationMask((2,), 63)]
    for correlation in refused:
        with PairRunner(make_units()) as fresh, pytest.raises(SettingError):
            draw(fresh, correlation)


@pytest.mark.parametrize("correlation", [OperandMask((2, 2)), ProductTriple((2,), (2,))], ids=["mask", "product"])
def test_a_fork_draws_nothing_of_its_parents(correlation: Correlation, monkeypatch: pytest.MonkeyPatch) -> None:
    units = make_units()
    with PairRunner(units) as runner:
        draw(runner, correlation)
        monkeypatch.setattr("os.getpid", lambda: -1)
        assert caught(lambda: draw(runner, correlation)).__class__ is DrawReusedError


def test_sources_keep_their_secrets(runner: PairRunner) -> None:
    source_ = source_of(runner._units[0])
    with pytest.raises(SecretExposureError):
        source_.__reduce_ex__(2)
    assert repr(source_).startswith("OtSource(Master, position=")
    assert len(repr(source_)) < 60


class TestNumbersAndFailures:
    CORRELATION = ProductTriple((3,), (3,))

    def test_epoch_is_agreed_at_the_first_draw(self) -> None:
        units = make_units()
        with PairRunner(units) as runner:
            runner.run(Unit.align)
            assert source_of(units[0]).epoch == source_of(units[1]).epoch == bytes(16)
            draw(runner, self.CORRELATION)
            epoch = source_of(units[0]).epoch
            assert epoch == source_of(units[1]).epoch != bytes(16)
            runner.run(Unit.align)
            draw(runner, self.CORRELATION)
            assert source_of(units[0]).epoch == epoch

    def test_numbers_never_go_back(self) -> None:
        units = make_units()
        with PairRunner(units) as runner:
            draw(runner, self.CORRELATION)
            assert source_of(units[0]).position == 1
            with pytest.raises(DrawReusedError):
                source_of(units[0]).jump(0)

    def test_a_new_channel_is_found(self) -> None:
        units = make_units()
        with PairRunner(units) as runner:
            draw(runner, self.CORRELATION)
            replace_channels(units)
            runner.run(Unit.align)
            check_law(self.CORRELATION, draw(runner, self.CORRELATION))

    @pytest.mark.parametrize("frames", range(9))
    def test_cut_at_any_message_it_goes_on(self, frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
        units = make_units()
        operand = OperandMask((2, 2))
        with PairRunner(units) as runner:
            (mask,) = check_law(operand, draw(runner, operand))
            if frames >= 4:
                draw(runner, self.CORRELATION)
            cut_after(units[1], frames % 4, monkeypatch)
            with pytest.raises(PrivMLError):
                draw(runner, MatrixTriple(8, 300, 8))
            replace_channels(units)
            if source_of(units[0]).epoch != source_of(units[1]).epoch:
                pytest.skip("the very first message came through in one direction only")
            runner.run(Unit.align)
            assert source_of(units[0]).position == source_of(units[1]).position
            check_law(self.CORRELATION, draw(runner, self.CORRELATION))
            squares = OperandSquares(DrawnMask((2, 2), 0))
            check_law(squares, draw(runner, squares), mask)

    @pytest.mark.parametrize("frames", range(3))
    def test_a_failed_draw_leaves_no_link(self, frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
        units = make_units()
        with PairRunner(units) as runner:
            draw(runner, self.CORRELATION)
            cut_after(units[1], frames, monkeypatch)
            with pytest.raises(PrivMLError):
                draw(runner, MatrixTriple(8, 300, 8))
            replace_channels(units)
            # both know that they are out of step, even if nobody aligns them
            check_law(self.CORRELATION, draw(runner, self.CORRELATION))

    def test_two_units_of_one_direction_fail(self) -> None:
        with PairRunner(make_units((Role.MASTER, Role.MASTER))) as runner:
            try:
                shares = draw(runner, self.CORRELATION)
            except PrivMLError:
                return
            with pytest.raises(AssertionError):
                check_law(self.CORRELATION, shares)

    def test_links_are_never_continued(self, monkeypatch: pytest.MonkeyPatch) -> None:
        made = []

        def make(channel: Channel, is_master: bool, session: bytes) -> TransferLink:
            made.append(session)
            return TransferLink(channel, is_master, session)

        monkeypatch.setattr(source, "TransferLink", make)
        with PairRunner(make_units()) as runner:
            for _ in range(2):
                draw(runner, self.CORRELATION)
                draw(runner, self.CORRELATION)
                runner.run(Unit.align)
        assert len(made) == 4
        assert len(set(made)) == 2


def replace_channels(units: tuple[Unit, Unit]) -> None:
    for unit, channel in zip(units, memory_channels(timeout=20), strict=True):
        unit.channel.close()
        unit.channel = channel


def cut_after(unit: Unit, frames: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the unit's channel at its next frame but so many."""
    channel, send = unit.channel, unit.channel.send
    left = [frames]

    def failing(frame: Any) -> None:
        if left[0] == 0:
            channel.abort("cut")
            raise ChannelClosedError("cut")
        left[0] -= 1
        send(frame)

    def exchange(frame: Any) -> memoryview:
        failing(frame)
        return channel.receive()

    monkeypatch.setattr(channel, "send", failing)
    monkeypatch.setattr(channel, "exchange", exchange)


class TestStatistics:
    def test_they_are_what_the_channel_counted(self) -> None:
        units = make_units()
        with PairRunner(units) as runner:
            draw(runner, ProductTriple((3,), (3,)))
            draw(runner, OperandMask((2, 2)))
            before = [source_of(unit).statistics for unit in units]
            assert [unit.channel.statistics for unit in units] == [each.traffic for each in before]
            draw(runner, RandomWord((100,), (((0, 0), (0, 1)),)))
            for unit, earlier in zip(units, before, strict=True):
                statistics = source_of(unit).statistics
                assert statistics.traffic == unit.channel.statistics
                last = statistics - earlier
                assert last.draws == 1
                # one a bit, for each unit half of the values; a pair of bits takes no more
                assert last.transfers == 6400
                assert last.traffic.rounds == 2
                assert 0 < last.seconds < 20

    def test_failed_draws_count(self) -> None:
        units = make_units()
        with PairRunner(units) as runner:
            with pytest.raises(SettingError):
                draw(runner, TruncationMask((2,), 0))
            for unit in units:
                assert source_of(unit).statistics.traffic == unit.channel.statistics != ChannelStatistics()
