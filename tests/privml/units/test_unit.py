"""What a protocol can do with its unit: frames, verdicts, and coming to the same draw."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from privml.crypto.dtpkc import KeyShare
from privml.crypto.fixed_base import Encryptor
from privml.errors import (
    DrawReusedError,
    EpochMismatchError,
    FrameSizeError,
    PrivMLError,
    ProtocolError,
    SettingError,
    UploadError,
)
from privml.units.correlations import ProductTriple
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import PairRunner
from privml.units.role import Role
from privml.units.unit import Unit
from tests.two_units import make_units, run

KIND = ProductTriple((2,), (2,))


def test_roles() -> None:
    master, secondary = make_units()
    assert master.is_master
    assert not secondary.is_master
    assert [role.label for role in Role] == ["Master", "Secondary"]


def test_arrays_of_any_shape_and_type_in_one_frame() -> None:
    arrays: list[NDArray[Any]] = [
        np.arange(6, dtype=np.uint64).reshape(2, 3),
        np.arange(3, dtype=np.uint8),
        np.zeros((0, 4), np.uint64),
    ]

    def program(unit: Unit) -> list[NDArray[Any]]:
        return unit.exchange(*[array + array.dtype.type(unit.is_master) for array in arrays])

    done = run(program)
    for received, plus in ((done.master, 0), (done.secondary, 1)):
        for got, array in zip(received, arrays, strict=True):
            np.testing.assert_array_equal(got, array + array.dtype.type(plus))
    assert [len(frame) for frame in done.views[0].sent] == [6 * 8 + 3]


def test_arrays_that_are_not_contiguous() -> None:
    matrix = np.arange(12, dtype=np.uint64).reshape(3, 4).T
    done = run(lambda unit: unit.exchange(matrix)[0])
    np.testing.assert_array_equal(done.master, matrix)


def test_one_way() -> None:
    words = np.arange(4, dtype=np.uint64)

    def program(unit: Unit) -> int:
        if unit.is_master:
            unit.send(words)
            return 0
        return int(unit.receive([words])[0].sum())

    assert run(program).secondary == 6


def test_frames_of_another_length_are_noticed() -> None:
    with pytest.raises(FrameSizeError, match="out of step"):
        run(lambda unit: unit.exchange(np.zeros(2 + unit.is_master, np.uint64)))


class TestVerdicts:
    def test_no_problem(self) -> None:
        done = run(lambda unit: unit.agree(None))
        assert done.views[0].sent == done.views[1].sent == [b"\0"]

    @pytest.mark.parametrize("finder", Role, ids=lambda role: role.label)
    def test_one_problem_stops_both_and_leaves_the_link(self, finder: Role) -> None:
        units = make_units()
        caught: list[PrivMLError] = []

        def program(unit: Unit) -> None:
            try:
                unit.agree(UploadError("too long") if unit.role is finder else None)
            except PrivMLError as error:
                caught.append(error)
                raise

        with PairRunner((units[0], units[1])) as runner:
            with pytest.raises(UploadError, match="too long"):
                runner.run(program)
            assert {type(error) for error in caught} == {UploadError, ProtocolError}
            assert all(error.agreed for error in caught)
            runner.run(lambda unit: unit.agree(None))

    def test_a_verdict_says_one_bit(self) -> None:
        """Which problem it is stays with the unit that found it."""
        units = make_units()
        with pytest.raises(UploadError):
            run(lambda unit: unit.agree(UploadError("a secret detail") if unit.is_master else None), units=units)
        assert units[1].channel.received == [b"\1"]  # type: ignore[attr-defined]

    def test_a_verdict_of_another_length(self) -> None:
        def program(unit: Unit) -> None:
            if unit.is_master:
                unit.agree(None)
            else:
                unit.channel.exchange(b"\0\0")

        with pytest.raises(FrameSizeError, match="verdict"):
            run(program)


class TestAligning:
    @pytest.mark.parametrize("positions", [(0, 0), (5, 2), (2, 5), (0, 1000)])
    def test_both_jump_to_the_larger_number(self, positions: tuple[int, int]) -> None:
        units = make_units()
        for unit, position in zip(units, positions, strict=True):
            unit.correlations.jump(position)
        run(lambda unit: unit.align(), units=units)
        assert [unit.correlations.position for unit in units] == [max(positions)] * 2

    def test_afterwards_shares_go_together_again(self) -> None:
        units = make_units()
        units[0].correlations.draw(KIND)
        run(lambda unit: unit.align(), units=units)
        done = run(lambda unit: unit.correlations.draw(KIND), units=units)
        a, b, c = (one + other for one, other in zip(done.master, done.secondary, strict=True))
        np.testing.assert_array_equal(a * b, c)

    def test_without_it_they_do_not(self) -> None:
        units = make_units()
        units[0].correlations.draw(KIND)
        done = run(lambda unit: unit.correlations.draw(KIND), units=units)
        a, b, c = (one + other for one, other in zip(done.master, done.secondary, strict=True))
        assert (a * b != c).all()

    def test_deals_of_different_epochs(self) -> None:
        dealers = Dealer(), Dealer()
        units = [make_units(dealer=dealer)[side] for side, dealer in enumerate(dealers)]
        channels = memory_channels(timeout=60)
        for unit, channel in zip(units, channels, strict=True):
            unit.channel = channel
        with pytest.raises(EpochMismatchError, match="different deals"):
            run(lambda unit: unit.align(), units=units)
        assert [unit.correlations.position for unit in units] == [0, 0]

    def test_a_frame_of_another_length(self) -> None:
        def program(unit: Unit) -> None:
            if unit.is_master:
                unit.align()
            else:
                unit.channel.exchange(bytes(23))

        with pytest.raises(FrameSizeError, match="epoch"):
            run(program)

    def test_going_back_is_refused_by_the_source(self) -> None:
        unit = make_units()[0]
        unit.correlations.jump(3)
        with pytest.raises(DrawReusedError):
            unit.correlations.jump(2)


class TestKeys:
    def test_programs_that_need_no_decryption_have_no_key(self) -> None:
        with pytest.raises(SettingError, match="Master unit was made without"):
            make_units()[0].strong_key()

    def test_the_rerandomiser_is_made_once_and_forms_no_t2(self, key_shares: tuple[KeyShare, KeyShare]) -> None:
        unit = make_units(key_shares)[0]
        encryptor: Encryptor = unit.rerandomiser()
        assert encryptor is unit.rerandomiser()
        assert not encryptor.with_t2
        assert encryptor.public_key.element == unit.strong_key().parameters.generator

    def test_a_unit_shows_no_secret(self, key_shares: tuple[KeyShare, KeyShare]) -> None:
        for unit, share in zip(make_units(key_shares), key_shares, strict=True):
            assert str(share.exponent)[:12] not in repr(unit)
