"""A worker of a lane in a process of its own, wherever joblib put it."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from privml.errors import LaneError
from privml.units.certificates import Certificate, UnitIdentity, load_identity
from privml.units.lanes.lane import Lane, work
from privml.units.lanes.post import ChannelPost, CorrectorByPost
from privml.units.role import Role
from privml.units.tls import connect, listen
from privml.units.unit import Unit

if TYPE_CHECKING:
    from privml.units.correlations import Branch
    from privml.units.framing import TlsChannel

Address = tuple[str, int]

_NAME = "worker"


@dataclass(frozen=True)
class Ticket:
    """What joblib carries to a worker: where its unit waits, and a certificate by which the unit knows it.

    The key is good for these lanes only, and for no longer than they are open. No seed and no share is in it.
    """

    unit_address: Address
    unit_certificate: bytes
    files: dict[str, bytes] = field(repr=False)
    patience: float

    @classmethod
    def written(cls, address: Address, unit: UnitIdentity, worker: UnitIdentity, patience: float) -> Self:
        """Write it for a worker that is to be known by an identity."""
        paths = worker.certificate_path, worker.key_path
        return cls(address, unit.certificate.der, {path.name: path.read_bytes() for path in paths}, patience)

    def identity(self, folder: Path) -> UnitIdentity:
        """Unpack the worker's identity into a folder that only it can read."""
        for name, content in self.files.items():
            path = folder / name
            path.touch(0o600)
            path.write_bytes(content)
        return load_identity(folder, _NAME)


@dataclass(frozen=True)
class Welcome:
    """What a unit tells a worker once it knows it: where its stream begins, and who the lane's other worker is.

    The Master's worker is told the address at which the Secondary's listens.
    """

    role: Role
    branch: Branch = field(repr=False)
    peer_certificate: bytes
    peer_address: Address | None


@dataclass(frozen=True)
class Listening:
    """The address at which the Secondary's worker waits for the Master's."""

    address: Address


@dataclass(frozen=True)
class Linked:
    """The worker has its link to the lane's other worker."""


def serve(ticket: Ticket) -> None:
    """Be a worker until the unit lets it go; what joblib runs.

    Raises
    ------
    LaneError
        The unit is gone, or the lane's other worker cannot be reached.
    """
    with ExitStack() as stack:
        # the key's file is gone before there is any work: a worker may be killed
        with tempfile.TemporaryDirectory(prefix="privml-lane-") as folder:
            identity = ticket.identity(Path(folder))
            certificate = Certificate(ticket.unit_certificate)
            patience = ticket.patience
            control = connect(ticket.unit_address, identity, certificate, timeout=None, handshake_timeout=patience)
            post = ChannelPost(stack.enter_context(control))
            welcome = _received(post, Welcome)
            channel = stack.enter_context(_meet(welcome, identity, post, control.local_host, patience))
        post.send(Linked())
        source = welcome.branch.corrected_by(CorrectorByPost(post)).source(lambda: channel)
        work(Lane(Unit(welcome.role, channel, source)), post)


def _meet(welcome: Welcome, identity: UnitIdentity, post: ChannelPost, host: str, patience: float) -> TlsChannel:
    """Link this worker to the lane's other one. It waits for messages of that one as long as that one computes."""
    peer = Certificate(welcome.peer_certificate)
    if welcome.peer_address is not None:
        return connect(welcome.peer_address, identity, peer, timeout=None, handshake_timeout=patience)
    with listen((host, 0), identity, peer, timeout=None, handshake_timeout=patience) as listener:
        post.send(Listening(listener.address))
        return listener.accept(timeout=patience)


def _received(post: ChannelPost, kind: type[Any]) -> Any:
    message = post.receive()
    if not isinstance(message, kind):
        raise LaneError("the unit whose worker this is has left")
    return message
