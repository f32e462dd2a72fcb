"""A provider outlives its process: each unit's state in a folder of its own."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.dtpkc import KeyShare
from privml.crypto.keyfile import load_key
from privml.crypto.keygen import StrongKey
from privml.errors import (
    InsecureKeyFileError,
    KeyFileError,
    RegistrationError,
    SessionError,
    UploadError,
)
from privml.store import unit_folder
from privml.units.role import Role
from tests.privml.roles.world import (
    Tap,
    columns,
    expected_labels,
    joined,
    learned,
    new_provider,
    part,
    plain,
    statistics,
    unharmed,
)


@pytest.fixture
def trained(alice: DataOwner, mallory: DataOwner, card: ModelCard) -> ModelCard:
    alice.upload(card, columns(20), chunk_rows=8)
    alice.upload(card, columns(20, seed=4), path="homomorphic", chunk_rows=9)
    return card


@pytest.mark.parametrize(("refreshed", "password"), [(True, "correct horse"), (False, None), (True, None)])
def test_the_same_answers(
    refreshed: bool,
    password: str | None,
    trained: ModelCard,
    provider: Provider,
    carol: Client,
    tmp_path: Path,
) -> None:
    queries = columns(20, seed=1)
    expected = expected_labels(plain(columns(20), columns(20, seed=4)), queries)
    if refreshed:
        provider.refresh("things")
    provider.save(tmp_path / "cloud", password=password)
    with Provider.load(tmp_path / "cloud", password=password) as again:
        card = again.card("things")
        assert card == trained
        assert card.digest == trained.digest
        assert Client("carol", carol.key, again).predict(card, queries).tolist() == expected
        np.testing.assert_array_equal(learned(again), learned(provider))


def test_life_goes_on(trained: ModelCard, provider: Provider, alice: DataOwner, tap: Tap, tmp_path: Path) -> None:
    """Uploads, withdrawals, old identities: as if nothing had been in between, and an upload is still taken once."""
    provider.save(tmp_path)
    old = tap.last("upload")
    with Provider.load(tmp_path) as again:
        tap.inner = again
        alice.withdraw(trained, alice.receipts[0])
        alice.withdraw(trained, alice.receipts[-1])
        alice.upload(trained, columns(3, seed=7))
        alice.upload(trained, columns(3, seed=7), path="homomorphic")
        with unharmed(again, UploadError):
            again.upload(old)
        with pytest.raises(RegistrationError, match="another key"):
            DataOwner.join(again, "mallory")
        left = joined(part(columns(20), 8, 20), part(columns(20, seed=4), 0, 18), *[columns(3, seed=7)] * 2)
        np.testing.assert_array_equal(learned(again), statistics(left))


def test_sessions_and_correlated_randomness_die_with_the_process(
    trained: ModelCard, provider: Provider, carol: Client, tap: Tap, tmp_path: Path
) -> None:
    session = carol.open_session(trained)
    provider.save(tmp_path)
    with Provider.load(tmp_path) as again:
        assert again.epoch != provider.epoch
        sources = [each.units.master.correlations for each in (again, provider)]
        assert sources[0].epoch != sources[1].epoch
        tap.inner = again
        with unharmed(again, SessionError):
            session.predict(columns(1))


def test_saving_again_keeps_the_key_and_replaces_the_state(
    trained: ModelCard, provider: Provider, alice: DataOwner, tmp_path: Path
) -> None:
    provider.save(tmp_path)
    alice.upload(trained, columns(5, seed=9))
    provider.save(tmp_path)
    with Provider.load(tmp_path) as again:
        np.testing.assert_array_equal(learned(again), learned(provider))


def test_nothing_secret_is_in_the_wrong_folder(trained: ModelCard, provider: Provider, tmp_path: Path) -> None:
    provider.save(tmp_path)
    shares = [load_key(tmp_path / role.label.lower() / "key.privml", KeyShare) for role in Role]
    for role, other in zip(Role, reversed(shares), strict=True):
        content = b"".join(file.read_bytes() for file in (tmp_path / role.label.lower()).iterdir())
        exponent = int(other.exponent)
        assert exponent.to_bytes((exponent.bit_length() + 7) // 8, "big") not in content
    modes = {path.stat().st_mode & 0o077 for path in tmp_path.rglob("*")}
    assert modes == {0}


@pytest.mark.parametrize(("written", "read"), [("right", "wrong"), ("right", None), (None, "any")])
def test_a_wrong_password(written: str | None, read: str | None, provider: Provider, tmp_path: Path) -> None:
    provider.save(tmp_path, password=written)
    with pytest.raises(KeyFileError, match="password"):
        Provider.load(tmp_path, password=read)


def test_another_password_is_refused_before_anything_is_written(provider: Provider, tmp_path: Path) -> None:
    """Else key and state would be under different ones, and nothing could be loaded any more."""
    provider.save(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.privml")}
    with pytest.raises(KeyFileError, match="password"):
        provider.save(tmp_path, password="late idea")
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.privml")} == before
    Provider.load(tmp_path).close()


def test_another_providers_directory_is_left_alone(provider: Provider, strong_key: StrongKey, tmp_path: Path) -> None:
    """Else its keys would stand beside the state of this one."""
    provider.save(tmp_path)
    with new_provider(strong_key, "fog") as other, pytest.raises(KeyFileError, match="another provider"):
        other.save(tmp_path)
    with Provider.load(tmp_path) as again:
        assert again.name == "cloud"


def test_files_that_others_can_read(provider: Provider, tmp_path: Path) -> None:
    provider.save(tmp_path)
    for name in ("key.privml", "state.privml"):
        file = tmp_path / "secondary" / name
        file.chmod(0o640)
        with pytest.raises(InsecureKeyFileError):
            Provider.load(tmp_path)
        file.chmod(0o600)


@pytest.mark.parametrize(
    ("damage", "password"),
    [
        (lambda data: data[:-1], None),
        (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], None),
        (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], "pw"),
        (lambda data: data + b"x", None),
        (lambda _: b"", None),
    ],
    ids=["truncated", "one bit", "one bit of an encrypted one", "longer", "empty"],
)
def test_damaged_files(
    damage: Callable[[bytes], bytes], password: str | None, provider: Provider, tmp_path: Path
) -> None:
    provider.save(tmp_path, password=password)
    file = tmp_path / "master" / "state.privml"
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(KeyFileError):
        Provider.load(tmp_path, password=password)


def test_a_state_of_another_version(provider: Provider, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(unit_folder, "FORMAT", 1)
        provider.save(tmp_path)
    with pytest.raises(KeyFileError, match="another version"):
        Provider.load(tmp_path)


def test_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Provider.load(tmp_path / "nowhere")


def test_states_of_different_saves_do_not_go_together(
    trained: ModelCard, provider: Provider, alice: DataOwner, tmp_path: Path
) -> None:
    """One unit was restored from an older backup: its shares and the other's add up to noise."""
    provider.save(tmp_path / "old")
    alice.upload(trained, columns(5, seed=9))
    provider.save(tmp_path / "new")
    shutil.copy(tmp_path / "old" / "master" / "state.privml", tmp_path / "new" / "master" / "state.privml")
    with pytest.raises(KeyFileError, match="another save"):
        Provider.load(tmp_path / "new")


def test_swapped_folders(trained: ModelCard, provider: Provider, tmp_path: Path) -> None:
    provider.save(tmp_path)
    (tmp_path / "master").rename(tmp_path / "third")
    (tmp_path / "secondary").rename(tmp_path / "master")
    (tmp_path / "third").rename(tmp_path / "secondary")
    with pytest.raises(KeyFileError, match="Secondary unit's"):
        Provider.load(tmp_path)


def test_registrations_are_verified_anew(
    trained: ModelCard,
    provider: Provider,
    mallory: DataOwner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever writes to the file still cannot put a key there whose theta nobody knows."""
    (real,) = (r for r in provider.stations.master.registry.registrations() if r.identity == "mallory")
    object.__setattr__(real, "identity", "alice2")
    provider.save(tmp_path)
    with pytest.raises(RegistrationError):
        Provider.load(tmp_path)
