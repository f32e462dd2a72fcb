"""The link between two units of different processes: TLS 1.3, each side pinning the other's certificate."""

from __future__ import annotations

import socket
import ssl
import time
from typing import TYPE_CHECKING, Self

from privml.errors import ChannelClosedError, ChannelError, ChannelTimeoutError, SettingError
from privml.units.channel import checked_timeout
from privml.units.framing import TlsChannel
from privml.units.handshake import pinning_context, shake_hands

if TYPE_CHECKING:
    from types import TracebackType

    from privml.units.certificates import Certificate, UnitIdentity

__all__ = ["MAX_FRAME", "Listener", "TlsChannel", "connect", "listen"]

MAX_FRAME = 1 << 30
"""The largest frame in bytes, unless told otherwise. Both units need the same."""


def connect(
    address: tuple[str, int],
    identity: UnitIdentity,
    peer_certificate: Certificate,
    *,
    timeout: float | None = 60.0,
    handshake_timeout: float = 10.0,
    max_frame: int = MAX_FRAME,
) -> TlsChannel:
    """Connect to the unit that listens at an address.

    Parameters
    ----------
    address
        Host and port. The host's name is not checked against the certificate: pinning is stronger.
    identity
        This unit's own certificate and key.
    peer_certificate
        The one certificate that the peer may show.
    timeout
        Longest wait of a later call without any byte moving; None for ever.
    handshake_timeout
        Seconds until the channel must be there.
    max_frame
        Largest frame in bytes, sent or received.

    Raises
    ------
    PeerIdentityError
        The peer showed another certificate than the pinned one or none, the pinned one is not valid now, or the peer
        refused this unit's.
    ChannelTimeoutError
        The peer did not finish in time.
    ChannelClosedError
        Nobody listens there, or the peer went away meanwhile.
    ChannelError
        The peer speaks something else than TLS 1.3, or another version of the frame format.
    KeyFileError
        This unit's own certificate or key file cannot be used.
    SettingError
        A timeout or `max_frame` is not positive.
    """
    _check_settings(timeout, handshake_timeout, max_frame)
    context = pinning_context(ssl.PROTOCOL_TLS_CLIENT, identity, peer_certificate)
    deadline = time.monotonic() + handshake_timeout
    where = f"the unit at {address[0]} port {address[1]}"
    try:
        plain = socket.create_connection(address, handshake_timeout)
    except TimeoutError as error:
        raise ChannelTimeoutError(f"{where} did not answer in {handshake_timeout} seconds") from error
    except OSError as error:
        raise ChannelClosedError(f"{where} cannot be reached: {error}") from error
    connection = shake_hands(plain, context, peer_certificate, where, deadline)
    return TlsChannel(connection, timeout=timeout, max_frame=max_frame)


class Listener:
    """Waits for the peer at an address; see `listen`, which makes it. A context manager that closes itself.

    Attributes
    ----------
    address
        Host and port; the port that was found where 0 was asked for.
    """

    def __init__(
        self,
        server: socket.socket,
        context: ssl.SSLContext,
        peer_certificate: Certificate,
        *,
        timeout: float | None,
        handshake_timeout: float,
        max_frame: int,
    ) -> None:
        self.address: tuple[str, int] = server.getsockname()[:2]
        self._server = server
        self._context = context
        self._peer_certificate = peer_certificate
        self._timeout = timeout
        self._handshake_timeout = handshake_timeout
        self._max_frame = max_frame

    def accept(self, *, timeout: float | None = None) -> TlsChannel:
        """Wait for one caller and return the channel to it, if it is the peer.

        Any error but the last concerns this one caller: the listener goes on, and `accept` may be called again. A
        caller that says nothing holds the listener up for at most the handshake timeout; keep strangers away by a
        firewall.

        Parameters
        ----------
        timeout
            Seconds to wait for a caller; None for ever.

        Raises
        ------
        PeerIdentityError, ChannelError
            As for `connect`.
        ChannelTimeoutError
            Nobody called, or the caller did not finish in time.
        ChannelClosedError
            The caller went away, or the listener is closed.
        """
        checked_timeout(timeout)
        try:
            self._server.settimeout(timeout)
            plain, caller = self._server.accept()
        except TimeoutError as error:
            raise ChannelTimeoutError(f"the peer did not call in {timeout} seconds") from error
        except OSError as error:
            raise ChannelClosedError(f"this listener is closed, or its caller went away: {error}") from error
        deadline = time.monotonic() + self._handshake_timeout
        where = f"the caller from {caller[0]} port {caller[1]}"
        connection = shake_hands(plain, self._context, self._peer_certificate, where, deadline)
        return TlsChannel(connection, timeout=self._timeout, max_frame=self._max_frame)

    def close(self) -> None:
        """Stop listening. Channels accepted before go on. May be called twice."""
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def listen(
    address: tuple[str, int],
    identity: UnitIdentity,
    peer_certificate: Certificate,
    *,
    timeout: float | None = 60.0,
    handshake_timeout: float = 10.0,
    max_frame: int = MAX_FRAME,
) -> Listener:
    """Listen for the peer at an address of this machine; port 0 lets the operating system choose one.

    The parameters are those of `connect` and apply to every channel that the listener accepts.

    Raises
    ------
    ChannelError
        The address cannot be listened on.
    KeyFileError
        This unit's own certificate or key file cannot be used.
    SettingError
        A timeout or `max_frame` is not positive.
    """
    _check_settings(timeout, handshake_timeout, max_frame)
    context = pinning_context(ssl.PROTOCOL_TLS_SERVER, identity, peer_certificate)
    # a session resumed by a ticket would skip the certificates
    context.num_tickets = 0
    try:
        server = socket.create_server(address, family=socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    except OSError as error:
        raise ChannelError(f"cannot listen at {address[0]} port {address[1]}: {error}") from error
    return Listener(
        server, context, peer_certificate, timeout=timeout, handshake_timeout=handshake_timeout, max_frame=max_frame
    )


def _check_settings(timeout: float | None, handshake_timeout: float, max_frame: int) -> None:
    checked_timeout(timeout)
    checked_timeout(handshake_timeout)
    if max_frame < 1:
        raise SettingError(f"the largest frame has at least 1 byte, not {max_frame}")
