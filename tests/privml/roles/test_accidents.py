"""A unit fails at any moment of any job: the provider lives on, the model is as before, and no draw is used again."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import numpy as np
import pytest

from classifiers.naive_bayes import NaiveBayes
from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.keygen import StrongKey
from privml.errors import ChannelClosedError, ProtocolError
from privml.roles.journal import Journal
from privml.units.pair import PairRunner
from privml.units.role import Role
from tests.privml.roles.sabotage import AccidentError, sabotage
from tests.privml.roles.world import Tap, columns, expected_labels, host, learned, new_provider, plain
from tests.two_units import RecordingSource

BASE, MORE, QUERIES = columns(20), columns(6, seed=1), columns(12, seed=2)


class World:
    """A provider with a trained model, and everybody there."""

    def __init__(self, strong_key: StrongKey) -> None:
        self.provider = new_provider(strong_key)
        for unit in self.provider.units:
            unit.correlations = RecordingSource(unit.correlations)
        self.tap = Tap(self.provider)
        self.alice = DataOwner.join(self.tap, "alice")
        self.card: ModelCard = host(self.provider, recipients=(self.alice,))
        self.carol = Client.join(self.tap, "carol")
        (self.receipt,) = self.alice.upload(self.card, BASE)
        self.alice.upload(self.card, BASE, path="homomorphic")

    def forget_the_table(self) -> None:
        """So that the next job has to bring the model up to date."""
        for station in self.provider.stations:
            learner = station.models[self.card.model].learner
            assert isinstance(learner, NaiveBayes)
            learner.stale = True

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


def evict(world: World) -> None:
    world.provider.evict(world.card.model, next(iter(world.provider.chunks(world.card.model))))


def reveal(world: World) -> None:
    world.alice.read_model(world.card)


JOBS = (upload, upload_homomorphic, withdraw, evict, refresh, query, reveal)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
@pytest.mark.parametrize("role", Role, ids=lambda role: role.label)
def test_a_failure_at_any_message_changes_nothing(
    job: Callable[[World], None], role: Role, strong_key: StrongKey
) -> None:
    world = World(strong_key)
    before, expected = learned(world.provider), expected_labels(plain(BASE, BASE), QUERIES)
    failures = 0
    for at in (0, 1, 2, 3, 4, 5, 6, 8, 11, 20, 29):  # where a job begins, and here and there in it
        for after in (False, True):
            world.forget_the_table()
            saboteur = sabotage(world.provider, role, at, after=after)
            try:
                job(world)
            except AccidentError:
                failures += 1
            else:
                break  # the job has no such message
            assert world.provider.units[list(Role).index(role)].channel is not saboteur
            np.testing.assert_array_equal(learned(world.provider), before)
        else:
            assert world.labels() == expected
            continue
        break
    assert failures >= 4
    world.numbers_are_fresh()
    world.provider.close()


@pytest.mark.parametrize("job", JOBS, ids=lambda job: job.__name__)
def test_after_a_failure_the_same_job_works(job: Callable[[World], None], strong_key: StrongKey) -> None:
    """The last message of a job is the worst moment: one unit has already done it."""
    counts = []
    for role in Role:
        undisturbed, disturbed = World(strong_key), World(strong_key)
        watch = sabotage(undisturbed.provider, role, 10**6, after=True)
        job(undisturbed)
        sabotage(disturbed.provider, role, watch.passed - 1, after=True)
        with pytest.raises(AccidentError):
            job(disturbed)
        job(disturbed)
        counts += [learned(undisturbed.provider), learned(disturbed.provider)]
        assert disturbed.labels() == undisturbed.labels()
    assert all((each == counts[0]).all() for each in counts)


@pytest.mark.parametrize("job", [upload, withdraw], ids=lambda job: job.__name__)
def test_without_the_journal_a_failure_ruins_the_model(
    job: Callable[[World], None], strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the journal is for: one unit learned, the other did not, and their shares are noise from then on."""
    monkeypatch.setattr(Journal, "settle", lambda self, channel: None)
    monkeypatch.setattr(Journal, "change", lambda self, hosted, chunk="": nullcontext())
    ruined = 0
    for role in Role:
        watched, world = World(strong_key), World(strong_key)
        watch = sabotage(watched.provider, role, 10**6, after=True)
        job(watched)
        before = learned(world.provider)
        sabotage(world.provider, role, watch.passed - 1, after=True)
        with pytest.raises(AccidentError):
            job(world)
        try:
            ruined += (learned(world.provider) != before).any() or world.labels() != watched.labels()
        except ProtocolError:
            ruined += 1  # they do not even take the same steps
    assert ruined


def test_an_interrupted_caller_leaves_a_living_provider(strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(strong_key)
    with monkeypatch.context() as patch:
        patch.setattr(PairRunner, "_await", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        patch.setattr(Provider, "_reconnect", lambda self: None)
        with pytest.raises(KeyboardInterrupt):
            upload(world)
    with pytest.raises(ChannelClosedError):  # nobody linked the units anew, which the next call finds and does
        world.labels()
    assert world.labels() == expected_labels(plain(BASE, BASE), QUERIES)


def test_units_of_different_times_refuse_to_settle(strong_key: StrongKey) -> None:
    world = World(strong_key)
    world.provider.stations.master._journal = Journal()
    with pytest.raises(ProtocolError, match="different times"):
        world.provider._run(lambda station: station.resume())


def test_many_clients_at_once_and_failures_among_them(strong_key: StrongKey) -> None:
    """Whoever meets a failure has it alone; the others' answers are right."""
    world = World(strong_key)
    expected = expected_labels(plain(BASE, BASE), QUERIES)
    clients = [Client.join(world.provider, f"client {number}") for number in range(4)]
    accidents: list[BaseException] = []

    def ask(client: Client) -> None:
        for round_ in range(6):
            if client is clients[0] and round_ % 2:
                sabotage(world.provider, Role.SECONDARY, 5, after=True)
            try:
                assert list(client.predict(world.card, QUERIES)) == expected
            except AccidentError as error:
                accidents.append(error)

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(ask, client) for client in clients]:
            future.result()
    assert accidents
    world.numbers_are_fresh()
