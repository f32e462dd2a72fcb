"""The folder of one unit: its share of the key, its state, and what left its models for good."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from privml.crypto.dtpkc import KeyShare
from privml.crypto.keyfile import load_key, save_key
from privml.errors import KeyFileError
from privml.store.departures import DepartureLog
from privml.store.unit_state import read_state, write_state
from privml.units.role import Role

FORMAT: Final = 3


class UnitFolder:
    """One unit's folder below a provider's directory.

    Parameters
    ----------
    directory
        The provider's.
    role
        Whose folder it is.
    password
        Encrypts key and state; always the same one for a directory.
    """

    def __init__(self, directory: Path | str, role: Role, password: str | None) -> None:
        self.role = role
        self.path = Path(directory) / role.label.lower()
        self._password = password

    def keep_key(self, share: KeyShare) -> None:
        """Write the share where there is none yet.

        Raises
        ------
        KeyFileError
            There is another one, or it is under another password.
        """
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.path / "key.privml"
        if not path.exists():
            save_key(path, share, password=self._password)
        elif load_key(path, KeyShare, password=self._password) != share:
            raise KeyFileError(f"{path} is of another provider; save this one to a directory of its own")

    def key(self) -> KeyShare:
        """Read the share; KeyFileError if it cannot be opened."""
        return load_key(self.path / "key.privml", KeyShare, password=self._password)

    def keep_state(self, state: Mapping[str, Any]) -> None:
        """Write a state in place of the one before."""
        write_state(self.path / "state.privml", {"format": FORMAT, **state}, password=self._password)

    def state(self, share: KeyShare) -> dict[str, Any]:
        """Read the state.

        Raises
        ------
        KeyFileError
            It cannot be opened, is the other unit's, or was written by another version.
        """
        state = read_state(self.path / "state.privml", share.parameters, password=self._password)
        if state.get("format") != FORMAT:
            raise KeyFileError(f"{self.path} holds the state of another version of PrivML")
        if state["role"] != self.role.label:
            raise KeyFileError(f"{self.path} holds the {state['role']} unit's state")
        return state

    def departures(self) -> DepartureLog:
        """Open the record of what was withdrawn or evicted."""
        return DepartureLog(self.path / "withdrawals.log")
