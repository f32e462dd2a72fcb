"""How two units come to trust a fresh connection.

After TLS's own handshake each side sends 8 bytes: the name and version of the frame format, and whether it accepts the
peer. In TLS 1.3 a client's handshake ends before the server has looked at its certificate; so neither side has a
channel before the other said yes, and either learns that it was refused.
"""

from __future__ import annotations

import hashlib
import hmac
import socket
import ssl
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from privml.errors import ChannelClosedError, ChannelError, ChannelTimeoutError, KeyFileError, PeerIdentityError

if TYPE_CHECKING:
    from privml.units.certificates import Certificate, UnitIdentity

_HELLO = b"privml\x01"
_ACCEPTED, _REFUSED = b"\x01", b"\x00"
# seconds in which a stranger that was refused may still read why
_LINGER = 0.5
# seconds without a message after which a connection is looked after
_KEEPALIVE = 60
# what OpenSSL says where one side did not like the other's certificate: alerts received, or no certificate at all
_IDENTITY_REASONS = ("CERTIFICATE", "UNKNOWN_CA", "DECRYPT_ERROR", "ACCESS_DENIED")


def pinning_context(side: int, identity: UnitIdentity, peer_certificate: Certificate) -> ssl.SSLContext:
    """Return the settings of one side: TLS 1.3, certificates on both sides, the peer's the only one that is trusted.

    Parameters
    ----------
    side
        `ssl.PROTOCOL_TLS_CLIENT` or `ssl.PROTOCOL_TLS_SERVER`.

    Raises
    ------
    KeyFileError
        This unit's own certificate or key file cannot be used.
    """
    context = ssl.SSLContext(side)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=peer_certificate.der)
    try:
        context.load_cert_chain(identity.certificate_path, identity.key_path)
    except (ssl.SSLError, OSError) as error:
        raise KeyFileError(f"{identity.certificate_path} and {identity.key_path} cannot be used: {error}") from error
    return context


def shake_hands(
    plain: socket.socket, context: ssl.SSLContext, pinned: Certificate, where: str, deadline: float
) -> ssl.SSLSocket:
    """Return the connection once both sides accepted each other; else close it and raise.

    Parameters
    ----------
    plain
        The connected socket, which this function takes over.
    where
        Names the peer in messages.
    deadline
        On the clock of `time.monotonic`, for all of it: a stranger must not stretch it byte by byte.

    Raises
    ------
    PeerIdentityError, ChannelTimeoutError, ChannelClosedError, ChannelError
        As for `privml.units.tls.connect`.
    """
    server_side = context.protocol == ssl.PROTOCOL_TLS_SERVER
    connection: socket.socket = plain
    try:
        # frames are small and wait for each other; a peer that vanished must be noticed in an idle night too
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if hasattr(socket, "TCP_KEEPIDLE"):
            # by default the first look is after two hours
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE)
        connection = tls = context.wrap_socket(
            plain, server_side=server_side, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        tls.settimeout(_remaining(deadline))
        tls.do_handshake()
        _introduce(tls, pinned, where, deadline)
    except ChannelError:
        connection.close()
        raise
    except OSError as error:  # SSLError is one
        if server_side and isinstance(error, ssl.SSLError):
            _linger(connection)
        connection.close()
        raise _translated(error, pinned, where) from error
    except BaseException:
        connection.close()
        raise
    return tls


def _introduce(tls: ssl.SSLSocket, pinned: Certificate, where: str, deadline: float) -> None:
    """Compare the peer's certificate with the pinned one and exchange hellos, the server's first.

    A client that spoke first could lose the server's refusal: closing a connection with unread bytes resets it.
    """
    shown = tls.getpeercert(binary_form=True) or b""
    accepted = hmac.compare_digest(hashlib.sha256(shown).digest(), hashlib.sha256(pinned.der).digest())
    own = _HELLO + (_ACCEPTED if accepted else _REFUSED)
    peer = b""
    if tls.server_side:
        tls.sendall(own)
    while len(peer) < len(own):
        tls.settimeout(_remaining(deadline))
        received = tls.recv(len(own) - len(peer))
        if not received:
            raise ChannelClosedError(f"{where} went away before it introduced itself")
        peer += received
    if not tls.server_side:
        tls.sendall(own)
    if not accepted:
        raise PeerIdentityError(_stranger(pinned, where, "the chain of certificates holds, the fingerprint does not"))
    if peer[:-1] != _HELLO:
        raise ChannelError(f"{where} speaks another version of PrivML's frames")
    if peer[-1:] != _ACCEPTED:
        raise PeerIdentityError(f"{where} does not accept this unit's certificate: it pinned another one")


def _translated(error: OSError, pinned: Certificate, where: str) -> ChannelError:
    if isinstance(error, ssl.SSLCertVerificationError):
        return PeerIdentityError(_stranger(pinned, where, error.verify_message))
    if isinstance(error, TimeoutError):
        return ChannelTimeoutError(f"{where} did not finish the TLS handshake in time")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError) or not isinstance(error, ssl.SSLError):
        return ChannelClosedError(f"{where} went away during the TLS handshake: {error}")
    reason = error.reason or ""
    if any(word in reason for word in _IDENTITY_REASONS):
        return PeerIdentityError(f"{where} showed no certificate or does not accept this unit's ({reason})")
    return ChannelError(f"{where} does not speak TLS 1.3 ({reason or error})")


def _stranger(pinned: Certificate, where: str, detail: str) -> str:
    return (
        f"{where} is not the pinned peer, or its certificate is not valid now: expected {pinned.fingerprint}, {detail}"
    )


def _linger(connection: socket.socket) -> None:
    """Let the peer read the alert: closing at once, with bytes of it unread, would reset the connection instead."""
    deadline = time.monotonic() + _LINGER
    with suppress(OSError):
        # the plain socket's methods: what still comes is no longer for OpenSSL
        socket.socket.shutdown(connection, socket.SHUT_WR)
        while (remaining := deadline - time.monotonic()) > 0:
            connection.settimeout(remaining)
            if not socket.socket.recv(connection, 4096):
                return


def _remaining(deadline: float) -> float:
    remaining = deadline - time.monotonic()
    if remaining <= 0:
        raise TimeoutError
    return remaining
