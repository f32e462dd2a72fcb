"""What `privml train` keeps of a model, and `privml predict` reads.

::

    DIR/schema.json               the schema, public; for people: the units have it on the model's card
    DIR/training.json             which files were learned up to where, and which folder of units belongs to that
    DIR/owner.privml              the owner's private key
    DIR/units-000007/master/      as `Provider.save` writes them
    DIR/units-000007/secondary/

A save writes a new folder of units, then replaces the record, which is when the save counts, then deletes the old
folder. So whenever it stops, the record and the units that it names belong together.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from privml.cli.csv_records import CsvRecords
from privml.cli.new_directory import new_directory
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.envelope import IDENTIFIER_BYTES
from privml.crypto.keyfile import load_key, save_key
from privml.crypto.randomness import random_bytes
from privml.crypto.transcript import encode
from privml.errors import KeyFileError, SettingError
from privml.roles.card import ModelCard
from privml.roles.data_owner import DataOwner
from privml.roles.provider import Provider

MODEL: Final = "model"
OWNER: Final = "owner"
SCHEMA_FILE: Final = "schema.json"
_RECORD_FILE: Final = "training.json"
_OWNER_FILE: Final = "owner.privml"
_FORMAT: Final = "privml-training-1"


@dataclass
class Source:
    """A file that is learned from, and how far."""

    name: str
    sha256: str
    reading: dict[str, Any]
    """How its cells are read; see `reading_of`."""
    rows: int
    chunk_rows: int
    chunks: int = 0
    """Chunks that the saved units have taken."""

    @property
    def taken(self) -> int:
        """Records that the saved units have taken."""
        return min(self.rows, self.chunks * self.chunk_rows)

    @property
    def is_finished(self) -> bool:
        """Whether that is all of them."""
        return self.taken == self.rows


@dataclass
class Record:
    """What was learned. Private: digests say something about the files.

    Attributes
    ----------
    secret
        From which identifiers of uploads derive: a chunk has the same one whenever it is sent.
    save
        Number of the folder of units.
    """

    secret: str = field(default_factory=lambda: random_bytes(32).hex(), repr=False)
    save: int = 0
    sources: list[Source] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """Records learned from all files."""
        return sum(source.taken for source in self.sources)

    def upload_id(self, source: Source, chunk: int) -> bytes:
        """Identifier of a chunk of a file."""
        place = encode("privml-train", 1, bytes.fromhex(self.secret), self.sources.index(source), chunk)
        return hashlib.sha256(place).digest()[:IDENTIFIER_BYTES]


def reading_of(records: CsvRecords) -> dict[str, Any]:
    """Everything that decides what the cells of a file mean."""
    return {"delimiter": records.delimiter, "missing": sorted(records.missing), "unknown": records.unknown}


class ModelDirectory:
    """A directory of a model with its provider, loaded. Made by `opened`; `create` makes a new one on the disk.

    Parameters
    ----------
    path
        The directory.
    record
        As it was read.
    provider
        As the record's units say.
    password
        Of all files.
    """

    def __init__(self, path: Path, record: Record, provider: Provider, password: str | None) -> None:
        self.path = path
        self.record = record
        self.provider = provider
        self._password = password

    @property
    def card(self) -> ModelCard:
        """The model's public description."""
        return self.provider.card(MODEL)

    @staticmethod
    def create(path: Path, provider: Provider, password: str | None) -> None:
        """Write the directory of a provider that hosts the model, with an owner's key made for it: all or nothing."""
        owner = DataOwner.join(provider, OWNER)
        with new_directory(path) as folder:
            (folder / SCHEMA_FILE).write_text(provider.card(MODEL).schema.to_json(indent=2) + "\n", encoding="utf-8")
            save_key(folder / _OWNER_FILE, owner.key, password=password)
            ModelDirectory(folder, Record(), provider, password).save()

    @classmethod
    @contextmanager
    def opened(
        cls, path: Path, *, password: str | None, n_jobs: int = 1, lanes: int = 0, shared: bool = False
    ) -> Iterator[Self]:
        """Load a directory, which nobody else may change meanwhile.

        Parameters
        ----------
        path, password, n_jobs, lanes
            The directory, its password, threads of each unit, and lanes of threads, 0 for none.
        shared
            It is for reading only: others may read it too, and once it is loaded nothing depends on it.

        Raises
        ------
        SettingError
            There is no such directory, or somebody else is training it.
        KeyFileError
            A file is damaged, or the password is wrong.
        """
        with _held(path, fcntl.LOCK_SH if shared else fcntl.LOCK_EX) as release:
            record = _read(path / _RECORD_FILE)
            units = _units(path, record.save)
            with Provider.load(units, password=password, n_jobs=n_jobs, lanes=lanes or None) as provider:
                if shared:
                    release()
                yield cls(path, record, provider, password)

    def owner(self) -> DataOwner:
        """The owner, with the key that was made with the directory."""
        key = load_key(self.path / _OWNER_FILE, WeakPrivateKey, password=self._password)
        return DataOwner(OWNER, key, self.provider)

    def save(self) -> None:
        """Keep the units as they are and the record that goes with them; a crash leaves the last save or this one."""
        number = self.record.save + 1
        units = _units(self.path, number)
        if units.exists():  # a save that never counted
            shutil.rmtree(units)
        self.provider.save(units, password=self._password)
        _replace(self.path / _RECORD_FILE, {"format": _FORMAT, **asdict(self.record), "save": number})
        self.record.save = number
        for old in self.path.glob("units-*"):
            if old != units:
                shutil.rmtree(old)


def _units(path: Path, number: int) -> Path:
    return path / f"units-{number:06d}"


@contextmanager
def _held(path: Path, how: int) -> Iterator[Any]:
    """Lock a directory as long as this lasts, or until it is released."""
    if not (path / _RECORD_FILE).is_file():
        raise SettingError(f"{path} holds no model; `privml train --model {path}` makes one")
    descriptor = os.open(path, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SettingError(f"{path} is in use: another privml trains this model right now") from None
        yield lambda: fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def _read(path: Path) -> Record:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != _FORMAT:
            raise KeyFileError(f"{path} is of another version of privml")
        return Record(**content | {"sources": [Source(**source) for source in content["sources"]]})
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        if isinstance(error, KeyFileError):
            raise
        raise KeyFileError(f"{path} is damaged: {error}") from error


def _replace(path: Path, content: dict[str, Any]) -> None:
    """Write JSON that only its owner can read, in one step."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
