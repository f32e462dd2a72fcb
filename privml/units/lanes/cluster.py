"""Lanes whose workers joblib puts elsewhere: processes of this machine, or a cluster of Dask or Ray."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from privml.errors import ChannelError, LaneError, PrivMLError, SettingError
from privml.units.certificates import Certificate, create_identity
from privml.units.channel import checked_timeout
from privml.units.lanes.crew import Crew, Opening, Seat
from privml.units.lanes.hall import Hall
from privml.units.lanes.post import ChannelPost
from privml.units.lanes.worker import Address, Linked, Listening, Ticket, Welcome, serve
from privml.units.tls import listen

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from privml.units.tls import Listener
    from privml.units.unit import Unit

_COUNT_BYTES = 2
_ADDRESS_BYTES = 64
_GLANCE = 1.0
"""Seconds between two looks whether joblib still runs the workers that are waited for."""
_HANDSHAKE = 5.0
"""Seconds that a caller gets to show that it is a worker: others wait meanwhile."""


class _Called(Opening):
    """Workers that joblib runs, and the connections to them."""

    def __init__(self, patience: float) -> None:
        super().__init__()
        self.posts: list[ChannelPost] = []
        self.hall: Hall | None = None
        self._patience = patience

    def cut(self, reason: str) -> None:  # noqa: ARG002 - workers elsewhere are not told why
        """Cut the connections; workers then cut their links to each other."""
        for post in self.posts:
            post.cut()

    def part(self) -> None:
        """Close the connections, and wait for joblib."""
        for post in self.posts:
            post.channel.close()
        if self.hall is not None:
            self.hall.wait(self._patience)

    @property
    def trouble(self) -> BaseException | None:
        """What joblib raised."""
        return None if self.hall is None else self.hall.trouble


class ClusterLanes(Crew):
    """One unit's workers, each in a process that one of joblib's backends runs.

    The unit listens; each worker calls it over TLS 1.3, where either pins the other's certificate, made for these lanes
    alone. Over the units' own link the units then exchange the workers' certificates and addresses, and the two workers
    of a lane link up directly, again pinned. So joblib and its cluster carry one short-lived key to each worker and
    nothing else: no share, no seed. Whoever reads that key before the worker uses it can be the worker: have the
    cluster's own connections encrypted. Where a dealer deals, the Secondary's workers ask it through their unit. One
    round for certificates, one for addresses, two to agree that all is well.

    Parameters
    ----------
    count
        1 to 1024. The backend must have so many workers free at once.
    backend
        Of joblib: "dask", "ray", or "loky" for processes of this machine (where each unit is a process of its own: a
        process has one loky, and two units would wait for each other's workers).
    host
        This unit's address, as its workers reach it. Each of the Secondary's workers listens at the address by which
        it reaches its unit, where the Master's must be able to connect.
    patience
        Seconds in which workers must be there and linked.
    options
        More of `joblib.parallel_config`: for "dask" its `client`.

    Raises
    ------
    SettingError
        A number is out of range.
    """

    def __init__(
        self, count: int, backend: str, *, host: str = "127.0.0.1", patience: float = 60.0, **options: Any
    ) -> None:
        super().__init__(count)
        checked_timeout(patience)
        self._backend = backend
        self._host = host
        self._patience = patience
        self._options = options

    def _new_opening(self) -> _Called:
        return _Called(self._patience)

    def _open(self, unit: Unit, opening: _Called) -> list[Seat]:
        deadline = time.monotonic() + self._patience
        with tempfile.TemporaryDirectory(prefix="privml-lanes-") as folder:
            mine, workers = (create_identity(Path(folder), name) for name in ("unit", "worker"))
            own = self.count.to_bytes(_COUNT_BYTES, "big") + workers.certificate.der
            theirs = bytes(unit.channel.exchange(own))
            with listen(
                (self._host, 0), mine, workers.certificate, timeout=None, handshake_timeout=_HANDSHAKE
            ) as listener:
                ticket = Ticket.written(listener.address, mine, workers, self._patience)
                _in_step(unit, lambda: self._gather(opening, listener, theirs, ticket, deadline))
        return self._linked(unit, opening, Certificate(theirs[_COUNT_BYTES:]))

    def _linked(self, unit: Unit, opening: _Called, peer: Certificate) -> list[Seat]:
        """Tell every worker where its stream begins and who the other worker of its lane is."""
        branches = [branch.carried() for branch in unit.correlations.branches(self.count)]
        addresses: list[Address | None] = [None] * self.count
        places = np.zeros((self.count, _ADDRESS_BYTES), dtype=np.uint8)
        if unit.is_master:
            (places,) = unit.receive([places])
            addresses = [_read_address(place) for place in places]
        for post, (branch, _), address in zip(opening.posts, branches, addresses, strict=True):
            if unit.is_master and address is None:
                post.cut()  # there is nobody for it
            else:
                post.send(Welcome(unit.role, branch, peer.der, address))
        if not unit.is_master:
            for place, post in zip(places, opening.posts, strict=True):
                heard = post.receive()
                if isinstance(heard, Listening):
                    _write_address(place, heard.address)
            unit.send(places)
        _in_step(unit, lambda: _check_linked(opening))
        return [Seat(post, corrector) for post, (_, corrector) in zip(opening.posts, branches, strict=True)]

    def _gather(self, opening: _Called, listener: Listener, theirs: bytes, ticket: Ticket, deadline: float) -> None:
        """Let joblib run the workers, and wait for their calls."""
        count = int.from_bytes(theirs[:_COUNT_BYTES], "big")
        if count != self.count:
            raise SettingError(f"this unit has {self.count} lanes and the other {count}: make it the same number")
        opening.hall = Hall(serve, [ticket] * self.count, self._backend, self._options)
        while len(opening.posts) < self.count:
            if not opening.hall.open or time.monotonic() > deadline:
                raise LaneError(
                    f"{len(opening.posts)} of {self.count} workers came within {self._patience:g} seconds: the backend "
                    f"{self._backend!r} must have so many free at once, and reach {listener.address[0]}"
                ) from opening.trouble
            try:
                opening.posts.append(ChannelPost(listener.accept(timeout=_GLANCE)))
            except ChannelError:
                # nobody yet, or a stranger, or a worker that went away: it concerns this one caller
                continue


def _check_linked(opening: _Called) -> None:
    for place, post in enumerate(opening.posts):
        if not isinstance(post.receive(), Linked):
            raise LaneError(f"this unit's worker in lane {place} cannot reach the other unit's") from opening.trouble


def _in_step(unit: Unit, step: Callable[[], None]) -> None:
    """Do what may fail in one unit alone; then both go on, or both raise."""
    problem: PrivMLError | None = None
    try:
        step()
    except PrivMLError as error:
        problem = error
    unit.agree(problem)


def _write_address(place: NDArray[np.uint8], address: Address) -> None:
    text = f"{address[0]} {address[1]}".encode()
    place[: len(text)] = np.frombuffer(text, dtype=np.uint8)


def _read_address(place: NDArray[np.uint8]) -> Address | None:
    """Read what a worker of the other unit listens at; None if it does not."""
    host, _, port = place.tobytes().rstrip(b"\x00").decode("ascii", "replace").partition(" ")
    return (host, int(port)) if port.isdigit() else None
