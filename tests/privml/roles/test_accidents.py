"""A unit fails at any moment of any job: the provider lives on, the model is as before, and no draw is used again."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.keygen import StrongKey
from privml.units.unit import Role
from tests.privml.roles.sabotage import Accident, sabotage
from tests.privml.roles.world import Tap, columns, expected_labels, host, joined, learned, new_provider, plain, statistics
from tests.two_units import RecordingSource

BASE, MORE, QUERIES = columns(20), columns(6, seed=1), columns(12, seed=2)


class World:
    """A provider with a trained model, and everybody there."""

    def __init__(self, strong_key: StrongKey) -> None:
        self.provider = new_provider(strong_key)
        for unit in self.provider.units:
            unit.correlations = RecordingSource(unit.correlations)
        self.tap = Tap(self.provider)
        self.card: ModelCard = host(self.provider, recipients=("alice",))
        self.alice = DataOwner.join(self.tap, "alice")
        self.carol = Client.join(self.tap, "carol")
        (self.receipt,) = self.alice.upload(self.card, BASE)
        self.alice.upload(self.card, BASE, path="homomorphic")

    def labels(self) -> list[str]:
        return list(self.carol.predict(self.card, QUERIES))

    def numbers_are_fresh(self) -> None:
        for unit in self.provider.units:
            source = unit.correlations
            assert isinstance(source, RecordingSource)
            words = [draw.reshape(-1)[0] for draw in source.drawn if draw.dtype == np.uint64 and draw.size]
            assert len(set(words)) == len(words)


def upload(world: World) -> None:
    world.alice.upload(world.card, MORE)


def upload_homomorphic(world: World) -> None:
    world.alice.upload(world.card, MORE, path="homomorphic")


def withdraw(world: World) -> None:
    world.alice.withdraw(world.card, world.receipt)


def refresh(world: World) -> None:
    world.provider.refresh(world.card.model)


def query(world: World) -> None:
    world.labels()


def reveal(world: World) -> None:
    world.alice.read_model(world.card)


JOBS = (upload, upload_homomorphic, withdraw, refresh, query, reveal)


@pytest.fixture(scope="module")
def world(strong_key: StrongKey) -> Iterator[World]:
    world = World(strong_key)
    with world.provider:
        yield world


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
@pytest.mark.parametrize("role", Role, ids=lambda role: role.label)
def test_a_failure_at_any_message_changes_nothing(job: Callable[[World], None], role: Role, strong_key: StrongKey) -> None:
    world = World(strong_key)
    before = learned(world.provider)
    expected = expected_labels(plain(BASE, BASE), QUERIES)
    at, failures = 0, 0
    while True:
        failed = False
        for after in (False, True):
            saboteur = sabotage(world.provider, role, at, after=after)
            try:
                job(world)
            except Accident:
                failed = True
                failures += 1
                assert world.provider.units[0].channel is not saboteur
                np.testing.assert_array_equal(learned(world.provider), before)
                assert world.labels() == expected
        if not failed:
            break
        at += 1 if at < 6 else 5  # the beginning and the end of a job are where it forks
    assert failures >= 4
    world.numbers_are_fresh()
    # and now it works
    fresh = World(strong_key)
    job(fresh)
    world.provider.close()
    fresh.provider.close()
