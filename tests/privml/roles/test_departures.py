"""What was withdrawn or evicted stays out: of older saves, of one unit's backup, and of messages sent again."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.errors import ClassifierError, DuplicateUploadError, UnknownUploadError
from privml.roles.hosted import Chunk
from privml.roles.station import Station
from privml.store.departures import DepartureLog
from privml.units.role import Role
from tests.privml.roles.world import Tap, columns, host, learned, part, plain, statistics, unharmed

TABLE, OTHER = columns(12), columns(9, seed=2)
LOG = "withdrawals.log"


@pytest.fixture
def withdrawn(alice: DataOwner, mallory: DataOwner, card: ModelCard, provider: Provider, tmp_path: Path) -> bytes:
    """Alice and mallory upload, the provider is saved, alice withdraws; after that nothing is saved any more."""
    mallory.upload(card, OTHER)
    alice.upload(card, TABLE)
    provider.save(tmp_path)
    message: bytes = alice.provider.last("upload")  # type: ignore[attr-defined]
    alice.withdraw(card, alice.receipts[0])
    return message


class TestOlderSaves:
    def test_a_withdrawn_chunk_does_not_come_back(self, withdrawn: bytes, tmp_path: Path, carol: Client) -> None:
        for _ in range(2):
            with Provider.load(tmp_path) as again:
                np.testing.assert_array_equal(learned(again), statistics(OTHER))
                with unharmed(again, DuplicateUploadError):
                    again.upload(withdrawn)
                Client.join(again, "carol", carol.key).predict(again.card("things"), OTHER)

    def test_it_does_without_the_record(self, withdrawn: bytes, tmp_path: Path) -> None:
        for role in Role:
            (tmp_path / role.label.lower() / LOG).unlink()
        with Provider.load(tmp_path) as again:
            np.testing.assert_array_equal(learned(again), statistics(OTHER, TABLE))

    @pytest.mark.parametrize("role", Role, ids=lambda role: role.label)
    def test_one_units_backup_is_not_enough(self, role: Role, withdrawn: bytes, tmp_path: Path) -> None:
        """The other unit still knows; afterwards both do."""
        (tmp_path / role.label.lower() / LOG).unlink()
        with Provider.load(tmp_path) as again:
            np.testing.assert_array_equal(learned(again), statistics(OTHER))
        logs = [DepartureLog(tmp_path / each.label.lower() / LOG).departures for each in Role]
        assert len(logs[0]) == 1
        assert logs[0] == logs[1]

    def test_a_chunk_that_the_save_has_never_heard_of(
        self, alice: DataOwner, card: ModelCard, provider: Provider, tap: Tap, tmp_path: Path
    ) -> None:
        """Uploaded and withdrawn after the save: a message that was recorded must not bring it."""
        provider.save(tmp_path)
        (receipt,) = alice.upload(card, TABLE)
        message = tap.last("upload")
        alice.withdraw(card, receipt)
        with Provider.load(tmp_path) as again:
            tap.inner = again
            DataOwner.join(tap, "alice", alice.key)
            with unharmed(again, DuplicateUploadError):
                again.upload(message)
            again.save(tmp_path / "elsewhere")
        with Provider.load(tmp_path / "elsewhere") as once_more, unharmed(once_more, DuplicateUploadError):
            once_more.upload(message)

    def test_nor_where_the_model_itself_is_made_again(
        self, alice: DataOwner, provider: Provider, tap: Tap, tmp_path: Path
    ) -> None:
        provider.save(tmp_path)
        card = host(provider)
        (receipt,) = alice.upload(card, TABLE)
        message = tap.last("upload")
        alice.withdraw(card, receipt)
        with Provider.load(tmp_path) as again:
            DataOwner.join(again, "alice", alice.key)
            assert host(again).digest == card.digest
            with unharmed(again, DuplicateUploadError):
                again.upload(message)

    def test_every_directory_of_a_provider_hears_of_it(
        self, alice: DataOwner, card: ModelCard, provider: Provider, tmp_path: Path
    ) -> None:
        alice.upload(card, TABLE)
        for name in ("one", "other"):
            provider.save(tmp_path / name)
        provider.save(tmp_path / "one")
        alice.withdraw(card, alice.receipts[0])
        for name in ("one", "other"):
            with Provider.load(tmp_path / name) as again:
                np.testing.assert_array_equal(learned(again), statistics())
                assert len((tmp_path / name / "master" / LOG).read_bytes().splitlines()) == 1

    def test_a_directory_that_was_deleted_needs_no_record_unless_it_is_the_last(
        self, alice: DataOwner, card: ModelCard, provider: Provider, tmp_path: Path
    ) -> None:
        alice.upload(card, TABLE, chunk_rows=6)
        for name in ("one", "other"):
            provider.save(tmp_path / name)
        shutil.rmtree(tmp_path / "one")
        alice.withdraw(card, alice.receipts[0])
        shutil.rmtree(tmp_path / "other")
        with pytest.raises(FileNotFoundError):
            alice.withdraw(card, alice.receipts[1])
        np.testing.assert_array_equal(learned(provider), statistics(part(TABLE, 6, 12)))
        provider.save(tmp_path / "third")
        alice.withdraw(card, alice.receipts[1])
        with Provider.load(tmp_path / "third") as again:
            np.testing.assert_array_equal(learned(again), statistics())


class TestWritingFirst:
    def test_what_cannot_be_recorded_is_not_confirmed(
        self, alice: DataOwner, card: ModelCard, provider: Provider, tmp_path: Path
    ) -> None:
        alice.upload(card, TABLE)
        provider.save(tmp_path)
        moved = tmp_path / "secondary" / "moved"
        (tmp_path / "secondary" / LOG).rename(moved)
        with pytest.raises(FileNotFoundError):
            alice.withdraw(card, alice.receipts[0])
        np.testing.assert_array_equal(learned(provider), statistics(TABLE))
        moved.rename(tmp_path / "secondary" / LOG)
        alice.withdraw(card, alice.receipts[0])
        np.testing.assert_array_equal(learned(provider), statistics())

    def test_it_is_on_the_disk_when_the_owner_hears_of_it(
        self, alice: DataOwner, card: ModelCard, provider: Provider, tmp_path: Path
    ) -> None:
        """The process ends right after: nothing but the files is left."""
        alice.upload(card, TABLE)
        provider.save(tmp_path / "saved")
        alice.withdraw(card, alice.receipts[0])
        shutil.copytree(tmp_path / "saved", tmp_path / "left")
        with Provider.load(tmp_path / "left") as again:
            np.testing.assert_array_equal(learned(again), statistics())


def test_a_model_that_forgets_nothing_says_so(
    alice: DataOwner, card: ModelCard, provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some learners keep no records to train on again."""

    def refuse(*_: object) -> None:
        raise ClassifierError("it cannot be withdrawn")

    alice.upload(card, TABLE)
    provider.save(tmp_path)
    monkeypatch.setattr(type(provider.stations.master.models["things"].learner), "withdraw", refuse)
    with unharmed(provider, ClassifierError, match="cannot be withdrawn"):
        alice.withdraw(card, alice.receipts[0])
    assert (tmp_path / "master" / LOG).read_bytes() == b""


class TestEviction:
    def _chunk(self, provider: Provider, owner: str) -> str:
        return next(name for name, chunk in provider.chunks("things").items() if chunk.owner == owner)

    def test_the_operators_take_a_chunk_out(
        self, alice: DataOwner, mallory: DataOwner, carol: Client, card: ModelCard, provider: Provider, tap: Tap
    ) -> None:
        mallory.upload(card, OTHER)
        alice.upload(card, TABLE, path="homomorphic")
        assert list(provider.chunks("things").values()) == [Chunk("mallory", 9), Chunk("alice", 12)]
        provider.evict("things", self._chunk(provider, "alice"))
        np.testing.assert_array_equal(learned(provider), statistics(OTHER))
        assert list(provider.chunks("things").values()) == [Chunk("mallory", 9)]
        with unharmed(provider, UnknownUploadError, match="evicted"):
            alice.withdraw(card, alice.receipts[0])
        with unharmed(provider, DuplicateUploadError):
            provider.upload(tap.last("upload"))
        expected = plain(OTHER).predict_proba([[0, 0, 0]])
        with carol.open_session(card) as session:
            got = session.predict_proba({"colour": ["red"], "shape": ["round"], "size": ["s"]})
        np.testing.assert_allclose(got, expected, atol=2e-6)
        alice.upload(card, TABLE)  # she may try again

    def test_it_lasts(self, alice: DataOwner, card: ModelCard, provider: Provider, tmp_path: Path) -> None:
        alice.upload(card, TABLE)
        provider.save(tmp_path)
        provider.evict("things", self._chunk(provider, "alice"))
        with Provider.load(tmp_path) as again:
            np.testing.assert_array_equal(learned(again), statistics())
            with unharmed(again, UnknownUploadError, match="evicted"):
                DataOwner("alice", alice.key, again).withdraw(card, alice.receipts[0])

    def test_what_is_not_there(self, alice: DataOwner, card: ModelCard, provider: Provider) -> None:
        alice.upload(card, TABLE)
        with unharmed(provider, UnknownUploadError):
            provider.evict("things", "alice/none")
        with unharmed(provider, ClassifierError):
            provider.evict("nothing", self._chunk(provider, "alice"))

    def test_both_operators_must_mean_the_same(self, alice: DataOwner, card: ModelCard, provider: Provider) -> None:
        alice.upload(card, TABLE, chunk_rows=6)
        names = dict(zip(Role, provider.chunks("things"), strict=True))
        evict: Callable[[Station], None] = lambda station: station.evict("things", names[station.role])  # noqa: E731
        with unharmed(provider, PermissionError, match="different chunks"):
            provider._run(evict)
