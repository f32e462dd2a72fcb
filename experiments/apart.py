"""Both units in processes of their own, linked by TLS as when deployed: to see what one of them takes.

For measuring only: this process starts both, so it knows both key shares and all seeds.
"""

from __future__ import annotations

import multiprocessing
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from experiments.memory import peak
from privml.crypto.dtpkc import KeyShare, PublicParameters
from privml.crypto.envelope import SealedArray
from privml.crypto.keyfile import load_key, save_key
from privml.crypto.randomness import random_bytes
from privml.crypto.wire import Header, dumps, loads
from privml.errors import ProtocolError
from privml.roles.authority import Authority
from privml.roles.card import ModelCard
from privml.roles.station import Station
from privml.units.certificates import Certificate, create_identity, load_identity
from privml.units.dealer import Dealer
from privml.units.framing import TlsChannel
from privml.units.role import Role
from privml.units.tls import connect, listen
from privml.units.unit import Unit

HOST: Final = "127.0.0.1"
PROVIDER: Final = "apart"


class Deal(NamedTuple):
    """What makes two dealers the same."""

    epoch: bytes
    seeds: tuple[bytes, bytes]


class RepeatedDealer(Dealer):
    """The same deal in two processes: the Secondary's runs the dealer, the Master's takes its own seed."""

    def __init__(self, deal: Deal) -> None:
        self._deal(deal.epoch, dict(zip(Role, deal.seeds, strict=True)))


class ApartProvider:
    """A provider whose units run in processes of their own; owners and clients use it like any other endpoint.

    A context manager that starts and ends them.
    """

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._folder = tempfile.TemporaryDirectory()
        self._links: list[Connection[Any, Any]] = []
        self._processes: list[Any] = []
        self._cards: dict[str, ModelCard] = {}
        self.epoch = b""

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""
        return self._authority.parameters

    def __enter__(self) -> Self:
        folder = Path(self._folder.name)
        deal = Deal(random_bytes(16), (random_bytes(32), random_bytes(32)))
        # spawned, not forked: a fork would begin with all of this process' memory
        context = multiprocessing.get_context("spawn")
        for role, share in zip(Role, self._authority.hand_out(), strict=True):
            create_identity(folder, role.label)
            save_key(folder / f"{role.label}.share", share)
        for role in Role:
            here, there = context.Pipe()
            process = context.Process(target=_serve, args=(role.label, folder, deal, there), daemon=True)
            process.start()
            there.close()
            self._links.append(here)
            self._processes.append(process)
        self._links[1].send(self._links[0].recv())  # the port
        self.epoch = self._both("start")[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for link in self._links:
            link.close()
        for process in self._processes:
            process.join(10)
            process.terminate()
        self._folder.cleanup()

    def host(self, card: ModelCard) -> None:
        """Take on a model."""
        self._cards[card.model] = card
        self._both("host", dumps(card), dumps(card))

    def peaks(self) -> list[float | None]:
        """MiB that each unit's process held at its peak until now: the Master's, the Secondary's."""
        return self._both("peak")

    def card(self, model: str) -> ModelCard:
        """The public description of a model."""
        return self._cards[model]

    def register(self, message: bytes) -> None:
        """Register a public key with its proof."""
        self._both("register", message)

    def upload(self, message: bytes) -> None:
        """Take a chunk."""
        sealed = Header.parse(message).tag == SealedArray.wire_tag
        self._both("take_sealed" if sealed else "take_homomorphic", message)

    def withdraw(self, message: bytes) -> None:
        """Forget a chunk."""
        self._both("withdraw", message)

    def refresh(self, model: str) -> None:
        """Bring a model up to date."""
        self._both("refresh", model, model)

    def open_session(self, message: bytes) -> None:
        """Open a query session."""
        self._both("open_session", message)

    def close_session(self, message: bytes) -> None:
        """Close a query session."""
        self._both("close_session", message)

    def query(self, message: bytes) -> bytes:
        """Answer a query."""
        return bytes(self._both("answer", message)[0])

    def reveal(self, model: str, recipient: str) -> bytes:
        """Refuse: nothing measured here reveals a model."""
        raise ProtocolError(f"{model!r} is not revealed to {recipient!r} here")

    def _both(self, task: str, for_master: Any = None, for_secondary: Any = None) -> list[Any]:
        for link, argument in zip(self._links, (for_master, for_secondary), strict=True):
            link.send((task, argument))
        results = [link.recv() for link in self._links]
        for result in results:
            if isinstance(result, Exception):
                raise result
        return results


def _serve(label: str, folder: Path, deal: Deal, link: Connection[Any, Any]) -> None:
    """Run one unit until the link closes."""
    role = Role(label)
    with _channel(role, folder, link) as channel:
        channel.timeout = 600
        share = load_key(folder / f"{label}.share", KeyShare)
        station = Station(Unit(role, channel, RepeatedDealer(deal).source(role), share), PROVIDER)
        while True:
            try:
                task, argument = link.recv()
            except EOFError:
                return
            try:
                link.send(_perform(station, task, argument))
            except Exception as error:  # the process that asked raises it
                link.send(ProtocolError(f"the {label} unit failed at {task}: {error!r}"))


def _channel(role: Role, folder: Path, link: Connection[Any, Any]) -> TlsChannel:
    identity = load_identity(folder, role.label)
    (peer_role,) = (other for other in Role if other is not role)
    peer = Certificate.read(folder / f"{peer_role.label}.certificate.pem")
    if role is Role.MASTER:
        with listen((HOST, 0), identity, peer) as listener:
            link.send(listener.address[1])
            return listener.accept(timeout=60)
    return connect((HOST, link.recv()), identity, peer)


def _perform(station: Station, task: str, argument: Any) -> Any:
    if task == "start":
        station.start()
        return station.epoch
    if task == "host":
        station.host(loads(argument, ModelCard, station.parameters))
        return None
    if task == "peak":
        return peak()
    return getattr(station, task)(argument)
