"""The provider, with both units in this process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self, Unpack

from privml.crypto.dtpkc import PublicKey, PublicParameters
from privml.crypto.envelope import SealedArray
from privml.crypto.randomness import random_bytes
from privml.crypto.wire import Header
from privml.data.schema import Schema
from privml.errors import KeyFileError, ProtocolError, SettingError
from privml.roles.authority import Authority
from privml.roles.card import Limits, ModelCard
from privml.roles.hosted import Chunk
from privml.roles.in_step import StationsInStep
from privml.roles.participant import Participant
from privml.roles.sources import CorrelationsFrom, dealer_of
from privml.roles.station import Station
from privml.store.unit_folder import UnitFolder
from privml.units.dealer import Dealer
from privml.units.lanes import Lanes
from privml.units.pair import Pair
from privml.units.role import Role

_SAVE_BYTES = 16


class Provider(StationsInStep):
    """Both units of a provider, embedded in this process: for experiments, tests, and to learn the library.

    What the two units say to each other goes over a channel as it would between two machines, and is counted. Here one
    process holds both shares, so it protects nobody from whoever runs it; the units of a service run apart.

    Made by `embedded` or `load`. A context manager that closes itself.
    """

    @classmethod
    def embedded(
        cls,
        authority: Authority,
        name: str = "provider",
        *,
        n_jobs: int = 1,
        lanes: int | Pair[Lanes] | None = None,
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
        lanes
            Among whom each unit divides work on many records: so many threads of its own, or lanes that were made for
            both units (`privml.units.lanes`), e.g. on two Dask clusters. They are closed with the provider.
        correlations
            Correlated randomness from the authority's "dealer", or made by the units by oblivious transfer, "ot".

        Raises
        ------
        SettingError
            Correlations come from elsewhere.
        """
        # before the authority gives its key away
        dealer = dealer_of(correlations, authority.dealer)
        return cls(name, authority.hand_out(), dealer, n_jobs, lanes)

    @classmethod
    def load(
        cls,
        directory: Path | str,
        *,
        password: str | None = None,
        n_jobs: int = 1,
        lanes: int | Pair[Lanes] | None = None,
        correlations: CorrelationsFrom = "dealer",
    ) -> Self:
        """Restore what `save` wrote, with correlated randomness made anew; parameters as for `embedded`.

        What was withdrawn or evicted since is not in the models, even if the state is of an older save.

        Raises
        ------
        KeyFileError
            A unit's key, state or record of withdrawals cannot be opened, is the other unit's, or of another save:
            shares of different times do not go together.
        FileNotFoundError
            There is none.
        """
        folders = Pair(*(UnitFolder(directory, role, password) for role in Role))
        shares = Pair(*(folder.key() for folder in folders))
        states = Pair(*(folder.state(share) for folder, share in zip(folders, shares, strict=True)))
        if states.master["save"] != states.secondary["save"]:
            raise KeyFileError(f"{folders.secondary.path} holds the state of another save than {folders.master.path}")
        dealer = dealer_of(correlations, Dealer)
        provider = cls(states.master["provider"], (shares.master, shares.secondary), dealer, n_jobs, lanes)
        for station, state in zip(provider.stations, states, strict=True):
            station.restore(state)
        logs = dict(zip(Role, (folder.departures() for folder in folders), strict=True))
        provider._run(lambda station: station.catch_up(logs[station.role]))
        return provider

    def save(self, directory: Path | str, *, password: str | None = None) -> None:
        """Write each unit's key share and state to a folder of its own, readable by their owner only.

        Open sessions and correlated randomness are not saved: they die with the process. From now on, whatever is
        withdrawn or evicted is recorded there too before it is confirmed, so the directory must stay where it is until
        there is another save elsewhere.

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
        folders = Pair(*(UnitFolder(directory, role, password) for role in Role))
        for folder, share in zip(folders, self._shares, strict=True):
            folder.keep_key(share)
        with self._turn:
            save = random_bytes(_SAVE_BYTES)
            states = [{**station.state(), "save": save} for station in self.stations]
            for folder, station in zip(folders, self.stations, strict=True):
                station.keep_log(folder.departures())
        for folder, state in zip(folders, states, strict=True):
            folder.keep_state(state)

    def __repr__(self) -> str:
        return f"Provider({self.name!r}, models: {', '.join(self.stations.master.models) or 'none'})"

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""
        return self.stations.master.parameters

    @property
    def epoch(self) -> bytes:
        """Names this run of the provider; sessions are bound to it."""
        return self.stations.master.epoch

    def create_model(
        self,
        name: str,
        classifier: str,
        schema: Schema,
        *,
        options: Mapping[str, Any] | None = None,
        answers: Sequence[str] = ("label",),
        recipients: Iterable[Participant | PublicKey | str] = (),
        **limits: Unpack[Limits],
    ) -> ModelCard:
        """Host a new model on both units and return its public description.

        Parameters
        ----------
        name, classifier, schema, options, answers
            See `ModelCard`.
        recipients
            To whom the model itself may be revealed: participants, public keys, or names that are registered. The card
            names their keys, so that nobody else can come by a name.
        limits
            The numbers of the card, see `ModelCard`. **Set `new_records` and `new_owners`**: by default a model changes
            its answers with every record, and answers before and after one show it.

        Raises
        ------
        SettingError
            A parameter is out of range, or there is a model of this name.
        RegistrationError
            A recipient's name is not registered.
        UnknownClassifierError
            The classifier is not installed.
        """
        unknown = sorted(limits.keys() - Limits.__annotations__.keys())
        if unknown:
            raise SettingError(
                f"a card has no {' or '.join(unknown)}; it has {', '.join(Limits.__annotations__)}. What is the "
                "classifier's goes into options={...}"
            )
        keys = tuple(self._key_of(recipient).digest for recipient in recipients)
        described = self.parameters, self.name, name, classifier, schema, options or {}, tuple(answers), keys
        card = ModelCard(*described, **limits)
        for station in self.stations:
            station.host(card)
        return card

    def _key_of(self, recipient: Participant | PublicKey | str) -> PublicKey:
        if isinstance(recipient, str):
            return self.stations.master.registry.key_of(recipient)
        return recipient.key.public_key if isinstance(recipient, Participant) else recipient

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

    def chunks(self, model: str) -> Mapping[str, Chunk]:
        """The chunks that a model holds, by their names: whose they are, and how many records."""
        return self.stations.master.hosted(model).present

    def evict(self, model: str, chunk: str) -> None:
        """Forget a chunk, named as in `chunks`, because the operators of both units want it; it cannot come back.

        Raises
        ------
        UnknownUploadError
            The model holds no such chunk.
        """
        self._run(lambda station: station.evict(model, chunk))

    def refresh(self, model: str) -> None:
        """Bring a model up to date, as far as its card lets it change its answers; a query does so by itself.

        Raises
        ------
        NotFittedError
            It holds too little to answer at all.
        """
        self._run(lambda station: station.refresh(model))

    def open_session(self, message: bytes) -> None:
        """Open a client's query session."""
        self._run_on(message, Station.open_session)

    def close_session(self, message: bytes) -> None:
        """Close a session at its client's request."""
        self._run_on(message, Station.close_session)

    def query(self, message: bytes) -> bytes:
        """Answer a query of an open session; the same query sent again gets the same bytes."""
        again = self.stations.master.sessions.repeated(message)
        return again if again is not None else _from_master(self._run_on(message, Station.answer))

    def reveal(self, model: str, recipient: str) -> bytes:
        """Encrypt a model for a recipient whose key its card names; only that recipient can read it.

        Raises
        ------
        AuthorisationError
            The card does not name the recipient's key.
        """
        return _from_master(self._run(lambda station: station.reveal(model, recipient)))


def _from_master(results: Pair[bytes | None]) -> bytes:
    if results.master is None:
        raise ProtocolError("the Master gave no result")
    return results.master
