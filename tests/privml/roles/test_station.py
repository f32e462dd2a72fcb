"""One unit's half of the provider, and that it believes nobody, the other half included."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.keygen import StrongKey
from privml.crypto.randomness import random_bytes
from privml.crypto.registry import KeyRegistration
from privml.crypto.wire import MAGIC, dumps
from privml.errors import (
    FrameSizeError,
    ParameterMismatchError,
    PrivMLError,
    ProtocolError,
    RegistrationError,
    SessionError,
    SettingError,
    ValidationError,
)
from privml.roles import station as station_module
from privml.roles.station import EPOCH_BYTES, Station
from privml.units.memory import MemoryChannel
from privml.units.pair import PairRunner
from privml.units.role import Role
from privml.units.unit import Unit
from tests.privml.roles.world import Tap, columns, learned, new_provider, statistics
from tests.two_units import make_units

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer as Buffer


def test_an_epoch_comes_from_both_units_and_never_again(strong_key: StrongKey) -> None:
    epochs = set()
    for _ in range(3):
        with new_provider(strong_key) as provider:
            assert provider.stations.master.epoch == provider.stations.secondary.epoch == provider.epoch
            epochs.add(provider.epoch)
    assert len(epochs) == 3


@pytest.mark.parametrize("constant", Role)
def test_one_honest_unit_makes_the_epoch_fresh(
    constant: Role, strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A unit that was restored with its machine, random numbers and all, cannot bring an old epoch back alone."""
    real = random_bytes
    name = f"privml-{constant.label.lower()}"
    monkeypatch.setattr(
        station_module,
        "random_bytes",
        lambda count: bytes(count) if threading.current_thread().name == name else real(count),
    )
    epochs = [new_provider(strong_key).epoch for _ in range(2)]
    assert epochs[0] != epochs[1]


def test_an_epoch_of_another_length(key_shares: tuple[object, object]) -> None:
    units = make_units(key_shares)  # type: ignore[arg-type]
    station = Station(units[0], "cloud")

    def program(unit: Unit) -> None:
        if unit.is_master:
            station.start()
        else:
            unit.channel.exchange(bytes(EPOCH_BYTES - 1))

    with PairRunner((units[0], units[1])) as runner, pytest.raises(FrameSizeError):
        runner.run(program)


def test_a_station_needs_its_share_of_the_key() -> None:
    with pytest.raises(SettingError, match="share"):
        Station(make_units()[0], "cloud")


class Tampering(MemoryChannel):
    """The Master's end, which forwards something else to the Secondary."""

    change: Callable[[bytes], bytes]

    def send(self, frame: Buffer) -> None:
        content = bytes(memoryview(frame))
        super().send(self.change(content) if content.startswith(MAGIC) else content)


def tamper(provider: Provider, change: Callable[[bytes], bytes]) -> None:
    channel = provider.units.master.channel
    assert isinstance(channel, MemoryChannel)
    channel.__class__ = Tampering
    assert isinstance(channel, Tampering)
    channel.change = change


def flip(position: int) -> Callable[[bytes], bytes]:
    return lambda frame: frame[:position] + bytes([frame[position] ^ 1]) + frame[position + 1 :]


@pytest.mark.parametrize("position", [-1, -40, -300, 60, 90])
@pytest.mark.parametrize("path", ["sealed", "homomorphic"])
def test_the_secondary_checks_uploads_itself(
    path: str, position: int, alice: DataOwner, card: ModelCard, provider: Provider
) -> None:
    """Not because Masters lie, but because a mistake in one unit must not be enough."""
    tamper(provider, flip(position))
    with pytest.raises(PrivMLError) as caught:
        alice.upload(card, columns(5), path=path)  # type: ignore[arg-type]
    assert caught.value.agreed
    assert "Secondary" in caught.value.__notes__[0]
    np.testing.assert_array_equal(learned(provider), statistics())


def test_the_secondary_checks_registrations_withdrawals_and_openings_itself(
    alice: DataOwner, carol: Client, card: ModelCard, provider: Provider
) -> None:
    (receipt,) = alice.upload(card, columns(5))
    tamper(provider, flip(-1))
    calls: list[Callable[[], object]] = [
        lambda: DataOwner.join(provider, "bob"),
        lambda: alice.withdraw(card, receipt),
        lambda: carol.open_session(card),
    ]
    for call in calls:
        with pytest.raises(PrivMLError) as caught:
            call()
        assert caught.value.agreed
    assert "bob" not in provider.stations.secondary.registry
    np.testing.assert_array_equal(learned(provider), statistics(columns(5)))


def test_a_master_that_forwards_nothing(provider: Provider) -> None:
    tamper(provider, lambda frame: b"")
    with pytest.raises((SessionError, ProtocolError)):
        DataOwner.join(provider, "bob")
    assert "bob" not in provider.stations.secondary.registry


def test_registrations_of_another_deployment(provider: Provider, other_parameters: object) -> None:
    key = WeakPrivateKey.generate(other_parameters)  # type: ignore[arg-type]
    with pytest.raises(ParameterMismatchError):
        provider.register(dumps(KeyRegistration.create(key, "bob")))


def test_after_a_failure_both_units_jump_to_the_same_draw(
    alice: DataOwner, card: ModelCard, provider: Provider
) -> None:
    alice.upload(card, columns(5))
    provider.units.master.correlations.jump(1000)
    provider._reconnect()
    assert [unit.correlations.position for unit in provider.units] == [1000, 1000]
    alice.upload(card, columns(5))
    np.testing.assert_array_equal(learned(provider), 2 * statistics(columns(5)))


def test_without_that_they_draw_past_each_other(alice: DataOwner, card: ModelCard, provider: Provider) -> None:
    provider.units.master.correlations.jump(1000)
    with suppress(ValidationError):  # all they compute is random, whether the records look valid too
        alice.upload(card, columns(5))
    assert (learned(provider) != statistics(columns(5))).any()


def test_only_the_last_query_is_kept(
    alice: DataOwner, carol: Client, card: ModelCard, tap: Tap, provider: Provider
) -> None:
    alice.upload(card, columns(5))
    with carol.open_session(card) as session:
        session.predict(columns(2))
        first = tap.last("query")
        session.predict(columns(2))
        master = provider.stations.master
        assert master.sessions.repeated(first) is None
        assert master.sessions.repeated(tap.last("query")) == tap.answers[-1]
        assert provider.stations.secondary.sessions.repeated(tap.last("query")) is None
    assert master.sessions.repeated(tap.last("query")) is None


def test_a_registration_that_the_secondary_refuses_is_kept_by_neither(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    secondary = provider.stations.secondary.registry
    key = WeakPrivateKey.generate(provider.parameters)

    def refuse(registration: KeyRegistration) -> None:
        raise RegistrationError("not here")

    with monkeypatch.context() as patch:
        patch.setattr(secondary, "check", refuse)
        with pytest.raises(RegistrationError, match="not here"):
            provider.register(dumps(KeyRegistration.create(key, "zoe")))
    for station in provider.stations:
        assert "zoe" not in station.registry
