"""The provider, with both units in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from privml.crypto.dtpkc import KeyShare, PublicParameters
from privml.crypto.envelope import SealedArray
from privml.crypto.keyfile import load_key, save_key
from privml.crypto.randomness import random_bytes
from privml.crypto.wire import Header
from privml.data.schema import Schema
from privml.errors import KeyFileError, PrivMLError, ProtocolError
from privml.roles.authority import Authority
from privml.roles.card import ModelCard
from privml.roles.sources import CorrelationsFrom, dealer_of, source_of
from privml.roles.station import Station
from privml.store.unit_state import read_state, write_state
from privml.units.channel import ChannelStatistics
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import Pair, PairRunner
from privml.units.role import Role
from privml.units.unit import Unit

T = TypeVar("T")
_SAVE_BYTES = 16


class Provider:
    """Both units of a provider, embedded in this process: for experiments, tests, and to learn the library.

    What the two units say to each other goes over a channel as it would between two machines, and is counted. Here one
    process holds both shares, so it protects nobody from whoever runs it; the units of a service run apart.

    Made by `embedded` or `load`. A context manager that closes itself.
    """

    def __init__(self, name: str, shares: tuple[KeyShare, KeyShare], dealer: Dealer | None, n_jobs: int) -> None:
        self.name = name
        self._shares = shares
        seats = zip(Role, memory_channels(), shares, strict=True)
        self.units = Pair(
            *(Unit(role, end, source_of(role, dealer, lambda: self.units), share, n_jobs) for role, end, share in seats)
        )
        self.stations = Pair(*(Station(unit, name) for unit in self.units))
        self._runner = PairRunner(self.units)
        self._turn = threading.Lock()
        self._run(lambda station: station.start())

    @classmethod
    def embedded(
        cls,
        authority: Authority,
        name: str = "provider",
        *,
        n_jobs: int = 1,
        correlations: CorrelationsFrom = "dealer",
    ) -> Self:
        """Set up both units with the shares of a fresh key.

        Parameters
        ----------
        authority
            Hands out the shares of its strong key, and deals correlated randomness.
        name
            Name of the provider; everything that owners and clients send is bound to it.
        n_jobs
            Threads of each unit for batches of big-integer powers.
        correlations
            Correlated randomness from the authority's "dealer", or made by the units by oblivious transfer, "ot".

        Raises
        ------
        SettingError
            Correlations come from elsewhere.
        """
        # before the authority gives its key away
        dealer = dealer_of(correlations, authority.dealer)
        return cls(name, authority.hand_out(), dealer, n_jobs)

    @classmethod
    def load(
        cls,
        directory: Path | str,
        *,
        password: str | None = None,
        n_jobs: int = 1,
        correlations: CorrelationsFrom = "dealer",
    ) -> Self:
        """Restore what `save` wrote, with correlated randomness made anew; parameters as for `embedded`.

        Raises
        ------
        KeyFileError
            A unit's key or state cannot be opened, is the other unit's, or of another save: shares of different times
            do not go together.
        FileNotFoundError
            There is none.
        """
        directory = Path(directory)
        folders = Pair(*(directory / role.label.lower() for role in Role))
        shares = Pair(*(load_key(folder / "key.privml", KeyShare, password=password) for folder in folders))
        states = [
            read_state(folder / "state.privml", share.parameters, password=password)
            for folder, share in zip(folders, shares, strict=True)
        ]
        for folder, role, state in zip(folders, Role, states, strict=True):
            if (state["role"], state["save"]) != (role.label, states[0]["save"]):
                raise KeyFileError(f"{folder} holds the {state['role']} unit's state of another save than {folders[0]}")
        provider = cls(
            states[0]["provider"], (shares.master, shares.secondary), dealer_of(correlations, Dealer), n_jobs
        )
        for station, state in zip(provider.stations, states, strict=True):
            station.restore(state)
        return provider

    def save(self, directory: Path | str, *, password: str | None = None) -> None:
        """Write each unit's key share and state to a folder of its own, readable by their owner only.

        Open sessions and correlated randomness are not saved: they die with the process.

        Parameters
        ----------
        directory
            Gets the folders "master" and "secondary", which belong on different machines.
        password
            Encrypts the files; always the same one for a directory.

        Raises
        ------
        KeyFileError
            The directory holds another provider's keys, or was written with another password. Nothing was changed.
        """
        folders = Pair(*(Path(directory) / role.label.lower() for role in Role))
        for folder, share in zip(folders, self._shares, strict=True):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._keep_key(folder / "key.privml", share, password)
        with self._turn:
            save = random_bytes(_SAVE_BYTES)
            states = [{**station.state(), "save": save} for station in self.stations]
        for folder, state in zip(folders, states, strict=True):
            write_state(folder / "state.privml", state, password=password)

    @staticmethod
    def _keep_key(path: Path, share: KeyShare, password: str | None) -> None:
        if not path.exists():
            save_key(path, share, password=password)
        elif load_key(path, KeyShare, password=password) != share:
            raise KeyFileError(f"{path} is of another provider; save this one to a directory of its own")

    def __repr__(self) -> str:
        return f"Provider({self.name!r}, models: {', '.join(self.stations.master.models) or 'none'})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop both units."""
        self._runner.close()
        for unit in self.units:
            unit.channel.close()

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""
        return self.stations.master.parameters

    @property
    def epoch(self) -> bytes:
        """Names this run of the provider; sessions are bound to it."""
        return self.stations.master.epoch

    @property
    def statistics(self) -> ChannelStatistics:
        """What the units said to each other so far, as the Master counts it."""
        return self.units.master.channel.statistics

    def create_model(
        self,
        name: str,
        classifier: str,
        schema: Schema,
        *,
        options: Mapping[str, Any] | None = None,
        answers: Sequence[str] = ("label",),
        recipients: Sequence[str] = (),
        chunk_rows: int = 4096,
    ) -> ModelCard:
        """Host a new model on both units and return its public description; see `ModelCard` for the parameters.

        Raises
        ------
        SettingError
            A parameter is out of range, or there is a model of this name.
        UnknownClassifierError
            The classifier is not installed.
        """
        card = ModelCard(
            self.parameters,
            self.name,
            name,
            classifier,
            schema,
            options or {},
            tuple(answers),
            tuple(recipients),
            chunk_rows,
        )
        for station in self.stations:
            station.host(card)
        return card

    def card(self, model: str) -> ModelCard:
        """The public description of a model.

        Raises
        ------
        ClassifierError
            There is none of this name.
        """
        return self.stations.master.hosted(model).card

    def register(self, message: bytes) -> None:
        """Register a public key with its proof."""
        self._run_on(message, Station.register)

    def upload(self, message: bytes) -> None:
        """Take a sealed or a homomorphic chunk, and learn from it."""
        sealed = Header.parse(message).tag == SealedArray.wire_tag
        self._run_on(message, Station.take_sealed if sealed else Station.take_homomorphic)

    def withdraw(self, message: bytes) -> None:
        """Forget a chunk at its owner's signed request."""
        self._run_on(message, Station.withdraw)

    def refresh(self, model: str) -> None:
        """Bring a model up to date; a query does so by itself where needed."""
        self._run(lambda station: station.refresh(model))

    def open_session(self, message: bytes) -> None:
        """Open a client's query session."""
        self._run_on(message, Station.open_session)

    def query(self, message: bytes) -> bytes:
        """Answer a query of an open session; the same query sent again gets the same bytes."""
        again = self.stations.master.repeated(message)
        return again if again is not None else _from_master(self._run_on(message, Station.answer))

    def reveal(self, model: str, recipient: str) -> bytes:
        """Encrypt a model for a recipient that its card names; only that recipient can read it.

        Raises
        ------
        AuthorisationError
            The card does not name the recipient.
        """
        return _from_master(self._run(lambda station: station.reveal(model, recipient)))

    def _run_on(self, message: bytes, method: Callable[[Station, bytes | None], T]) -> Pair[T]:
        """Run a method of both stations; the message arrives at the Master."""
        return self._run(lambda station: method(station, message if station.unit.is_master else None))

    def _run(self, program: Callable[[Station], T]) -> Pair[T]:
        # one at a time, its failure included: nobody else may find the units between two links
        with self._turn:
            try:
                return self._run_both(program)
            except BaseException as error:
                if not (isinstance(error, PrivMLError) and error.agreed):
                    self._reconnect()
                raise

    def _run_both(self, program: Callable[[Station], T]) -> Pair[T]:
        stations = {station.unit.role: station for station in self.stations}
        return self._runner.run(lambda unit: program(stations[unit.role]))

    def _reconnect(self) -> None:
        """Link the units anew after a failure that left them out of step; no draw is used twice."""
        for unit, channel in zip(self.units, memory_channels(), strict=True):
            unit.channel.close()
            unit.channel = channel
        self._run_both(Station.resume)


def _from_master(results: Pair[bytes | None]) -> bytes:
    if results.master is None:
        raise ProtocolError("the Master gave no result")
    return results.master
