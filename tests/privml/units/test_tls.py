"""What only a connection between processes can suffer: strangers, cuts, floods and silence."""

from __future__ import annotations

import selectors
import shutil
import socket
import ssl
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from privml.errors import (
    ChannelClosedError,
    ChannelEndedError,
    ChannelError,
    ChannelTimeoutError,
    FrameTooLargeError,
    KeyFileError,
    PeerIdentityError,
    PrivMLError,
    SettingError,
)
from privml.units import handshake
from privml.units.certificates import Certificate, UnitIdentity, create_identity
from privml.units.tls import Listener, TlsChannel, connect, listen
from tests.privml.units.links import (
    LOCALHOST,
    PATIENCE,
    Identities,
    caught,
    cut,
    make_identities,
    tls_link,
    together,
    wait_until,
)


@pytest.fixture(scope="module")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    return make_identities(tmp_path_factory.mktemp("identities"))


def meet(
    client: tuple[UnitIdentity, Certificate], server: tuple[UnitIdentity, Certificate]
) -> tuple[TlsChannel | BaseException, TlsChannel | BaseException]:
    """Let both connect, each with (its own identity, the certificate it pinned); return channels or errors, closed."""

    def attempt(make: Callable[[], TlsChannel]) -> TlsChannel | BaseException:
        try:
            channel = make()
        except PrivMLError as error:
            return error
        channel.close()
        return channel

    with listen((LOCALHOST, 0), *server) as listener:
        return together(
            lambda: attempt(lambda: connect(listener.address, *client)),
            lambda: attempt(lambda: listener.accept(timeout=PATIENCE)),
        )


# --- who the peer is


def test_the_pinned_peers_meet(identities: Identities) -> None:
    master, secondary, _ = identities
    ends = meet((master, secondary.certificate), (secondary, master.certificate))
    assert all(isinstance(end, TlsChannel) for end in ends)


def test_a_stranger_calls(identities: Identities) -> None:
    master, secondary, stranger = identities
    client, server = meet((stranger, secondary.certificate), (secondary, master.certificate))
    assert isinstance(server, PeerIdentityError)
    assert master.certificate.fingerprint in str(server)
    assert isinstance(client, PeerIdentityError)
    assert "does not accept this unit's" in str(client)


def test_a_stranger_listens(identities: Identities) -> None:
    master, secondary, stranger = identities
    client, server = meet((master, secondary.certificate), (stranger, master.certificate))
    assert isinstance(client, PeerIdentityError)
    assert secondary.certificate.fingerprint in str(client)
    assert isinstance(server, PeerIdentityError)
    assert "does not accept this unit's" in str(server)


def test_a_replaced_certificate_of_the_same_name_is_a_stranger(identities: Identities, tmp_path: Path) -> None:
    master, secondary, _ = identities
    replaced = create_identity(tmp_path, "secondary")
    assert replaced.certificate.name == secondary.certificate.name
    client, server = meet((master, secondary.certificate), (replaced, master.certificate))
    assert isinstance(client, PeerIdentityError)
    assert isinstance(server, PeerIdentityError)


@pytest.mark.parametrize("days", [-2, 30])
def test_a_certificate_outside_its_validity_is_refused(identities: Identities, tmp_path: Path, days: int) -> None:
    master = identities.master
    made = datetime.now(UTC) + timedelta(days=days)
    invalid = create_identity(tmp_path, "secondary", now=made, validity=timedelta(days=1))
    client, server = meet((master, invalid.certificate), (invalid, master.certificate))
    assert isinstance(client, PeerIdentityError)
    assert ("expired" if days < 0 else "not yet valid") in str(client)
    assert isinstance(server, PeerIdentityError)


def issue(directory: Path) -> tuple[Certificate, UnitIdentity]:
    """Make a certificate that may issue others, and one that it issued."""
    now = datetime.now(UTC)
    keys = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("issuer", "leaf")]
    made = []
    for key, name, ca in zip(keys, names, (True, False), strict=True):
        builder = (
            x509.CertificateBuilder(names[0], name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        made.append(Certificate(builder.sign(keys[0], None).public_bytes(serialization.Encoding.DER)))
    certificate_path, key_path = directory / "leaf.pem", directory / "leaf.key"
    certificate_path.write_bytes(made[1].pem)
    key_path.write_bytes(
        keys[1].private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made[0], UnitIdentity(made[1], certificate_path, key_path)


@pytest.mark.parametrize("impostor", ["client", "server"])
def test_a_certificate_issued_by_the_pinned_one_is_not_the_pinned_one(
    identities: Identities, tmp_path: Path, impostor: str
) -> None:
    issuer, leaf = issue(tmp_path)
    master, secondary, _ = identities
    if impostor == "server":
        ends = meet((master, issuer), (leaf, master.certificate))
    else:
        ends = meet((leaf, secondary.certificate), (secondary, issuer))[::-1]
    assert isinstance(ends[0], PeerIdentityError)
    assert "fingerprint" in str(ends[0])
    assert isinstance(ends[1], PeerIdentityError)
    assert "pinned another one" in str(ends[1])


def test_without_the_comparison_of_fingerprints_it_would_be_let_in(
    identities: Identities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    issuer, leaf = issue(tmp_path)
    master = identities.master
    monkeypatch.setattr("privml.units.handshake.hmac.compare_digest", lambda *_: True)
    ends = meet((master, issuer), (leaf, master.certificate))
    assert all(isinstance(end, TlsChannel) for end in ends)


def test_a_caller_without_certificate_is_refused(identities: Identities) -> None:
    master, secondary, _ = identities
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=secondary.certificate.der)

    def call(listener: Listener) -> bytes:
        with socket.create_connection(listener.address) as plain, context.wrap_socket(plain) as tls:
            return tls.recv(8)

    with listen((LOCALHOST, 0), secondary, master.certificate) as listener:
        server, client = together(lambda: caught(listener.accept), lambda: caught(lambda: call(listener)))
    assert isinstance(server, PeerIdentityError)
    assert isinstance(client, ssl.SSLError)


def test_older_tls_is_refused(identities: Identities) -> None:
    master, secondary, _ = identities
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cadata=secondary.certificate.der)
    context.load_cert_chain(master.certificate_path, master.key_path)
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    def call(listener: Listener) -> None:
        with socket.create_connection(listener.address) as plain, context.wrap_socket(plain):
            pass

    with listen((LOCALHOST, 0), secondary, master.certificate) as listener:
        server, client = together(lambda: caught(listener.accept), lambda: caught(lambda: call(listener)))
    assert isinstance(server, ChannelError)
    assert "TLS 1.3" in str(server)
    assert isinstance(client, ssl.SSLError)


def test_another_version_of_the_frames_is_refused(identities: Identities, monkeypatch: pytest.MonkeyPatch) -> None:
    master, secondary, _ = identities
    context = handshake.pinning_context(ssl.PROTOCOL_TLS_CLIENT, master, secondary.certificate)

    def call(listener: Listener) -> bytes:
        with socket.create_connection(listener.address) as plain, context.wrap_socket(plain) as tls:
            tls.sendall(b"privml\x02\x01")
            return tls.recv(8)

    with listen((LOCALHOST, 0), secondary, master.certificate) as listener:
        server, hello = together(lambda: caught(listener.accept), lambda: call(listener))
    assert isinstance(server, ChannelError)
    assert "another version" in str(server)
    assert hello == b"privml\x01\x01"


# --- what is no TLS at all


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.0\r\n\r\n", b"\x00" * 100, b"\x16\x03\x01\xff\xff" + b"x" * 100])
def test_a_caller_that_speaks_something_else(identities: Identities, garbage: bytes) -> None:
    master, secondary, _ = identities
    with listen((LOCALHOST, 0), secondary, master.certificate) as listener:
        with socket.create_connection(listener.address) as plain:
            plain.sendall(garbage)
            plain.shutdown(socket.SHUT_WR)
            with pytest.raises(ChannelError) as raised:
                listener.accept(timeout=PATIENCE)
        assert not isinstance(raised.value, PeerIdentityError | ChannelTimeoutError)
        # the listener goes on
        one, other = together(
            lambda: connect(listener.address, master, secondary.certificate), lambda: listener.accept(timeout=PATIENCE)
        )
    with one, other:
        one.send(b"x")
        assert bytes(other.receive()) == b"x"


def plain_server(answer: bytes | None) -> tuple[socket.socket, Callable[[], None]]:
    server = socket.create_server((LOCALHOST, 0))

    def serve() -> None:
        with server, server.accept()[0] as caller:
            if answer is not None:
                caller.sendall(answer)
            # who finds no TLS here may hang up without having read everything
            with suppress(ConnectionResetError):
                while caller.recv(4096):
                    pass

    return server, serve


def test_a_listener_that_speaks_something_else(identities: Identities) -> None:
    master, secondary, _ = identities
    server, serve = plain_server(b"220 mail.example.org ESMTP\r\n")
    address = server.getsockname()
    error, _ = together(lambda: caught(lambda: connect(address, master, secondary.certificate)), serve)
    assert isinstance(error, ChannelError)
    assert "does not speak TLS 1.3" in str(error)


def test_a_listener_that_says_nothing(identities: Identities) -> None:
    master, secondary, _ = identities
    server, serve = plain_server(None)
    address = server.getsockname()
    error, _ = together(
        lambda: caught(lambda: connect(address, master, secondary.certificate, handshake_timeout=0.1)), serve
    )
    assert isinstance(error, ChannelTimeoutError)


def test_a_caller_that_says_nothing_or_too_slowly(identities: Identities) -> None:
    master, secondary, _ = identities
    with (
        listen((LOCALHOST, 0), secondary, master.certificate, handshake_timeout=0.1) as listener,
        socket.create_connection(listener.address) as plain,
    ):
        plain.sendall(b"\x16\x03\x01")
        with pytest.raises(ChannelTimeoutError, match="handshake"):
            listener.accept(timeout=PATIENCE)


def test_an_introduction_cannot_be_stretched_byte_by_byte(identities: Identities) -> None:
    master, secondary, _ = identities
    context = handshake.pinning_context(ssl.PROTOCOL_TLS_CLIENT, master, secondary.certificate)

    def call(listener: Listener) -> None:
        # every byte in time, all of them too late
        with suppress(OSError), socket.create_connection(listener.address) as plain, context.wrap_socket(plain) as tls:
            for byte in b"privml\x01\x01":
                time.sleep(0.1)
                tls.send(bytes([byte]))

    with listen((LOCALHOST, 0), secondary, master.certificate, handshake_timeout=0.3) as listener:
        error, _ = together(lambda: caught(listener.accept), lambda: call(listener))
    assert isinstance(error, ChannelTimeoutError)


def test_a_caller_that_hangs_up(identities: Identities) -> None:
    master, secondary, _ = identities
    with listen((LOCALHOST, 0), secondary, master.certificate) as listener:
        socket.create_connection(listener.address).close()
        with pytest.raises(ChannelClosedError):
            listener.accept(timeout=PATIENCE)


def test_nobody_listens_and_nobody_calls(identities: Identities) -> None:
    master, secondary, _ = identities
    with listen((LOCALHOST, 0), secondary, master.certificate) as listener:
        with pytest.raises(ChannelTimeoutError, match="call"):
            listener.accept(timeout=0.02)
        with pytest.raises(ChannelError, match="cannot listen"):
            listen(listener.address, secondary, master.certificate)
    with pytest.raises(ChannelClosedError, match="cannot be reached"):
        connect(listener.address, master, secondary.certificate)
    with pytest.raises(ChannelClosedError):
        listener.accept(timeout=0.02)


def test_settings_and_key_files_are_checked_first(identities: Identities, tmp_path: Path) -> None:
    master, secondary, _ = identities
    with pytest.raises(SettingError):
        connect((LOCALHOST, 1), master, secondary.certificate, max_frame=0)
    with pytest.raises(SettingError):
        listen((LOCALHOST, 0), master, secondary.certificate, handshake_timeout=-1)
    mixed = UnitIdentity(master.certificate, master.certificate_path, secondary.key_path)
    with pytest.raises(KeyFileError):
        connect((LOCALHOST, 1), mixed, secondary.certificate)
    shutil.copy(master.certificate_path, tmp_path)
    with pytest.raises(KeyFileError):
        listen(
            (LOCALHOST, 0),
            UnitIdentity(master.certificate, master.certificate_path, tmp_path / "none"),
            secondary.certificate,
        )


# --- ends and cuts


def test_a_cut_never_looks_like_an_end(identities: Identities) -> None:
    with tls_link(identities) as (one, other):
        one.send(b"before")
        cut(one)
        assert bytes(other.receive()) == b"before"
        for _ in range(2):
            with pytest.raises(ChannelClosedError, match="cut") as raised:
                other.receive()
            assert not isinstance(raised.value, ChannelEndedError)


@pytest.mark.parametrize("sent", [b"\x00\x00", struct.pack(">QQ", 100, 1), struct.pack(">QQ", 100, 1) + b"x" * 99])
@pytest.mark.parametrize("politely", [False, True])
def test_the_peer_dies_inside_a_frame(identities: Identities, sent: bytes, politely: bool) -> None:
    with tls_link(identities) as (one, other):
        one._socket.send(sent)
        one.close() if politely else cut(one)
        with pytest.raises(ChannelClosedError) as raised:
            other.receive()
        assert not isinstance(raised.value, ChannelEndedError)
        assert other.statistics.messages_received == 0


def test_sending_to_a_peer_that_is_gone_ends_too(identities: Identities) -> None:
    with tls_link(identities) as (one, other):
        other.abort("test")

        def send_for_ever() -> None:
            while True:
                one.send(bytes(100_000))

        with pytest.raises(ChannelClosedError):
            send_for_ever()


@pytest.mark.parametrize("way", ["close", "abort"])
def test_what_came_in_before_this_side_left_is_not_handed_out(identities: Identities, way: str) -> None:
    with tls_link(identities) as (one, other):
        other.send(b"came in while this side was sending")
        wait_until(lambda: bool(one._read() and one._inbox))
        one.close() if way == "close" else one.abort("test")
        with pytest.raises(ChannelClosedError):
            one.receive()


def test_closing_during_another_threads_call_aborts(identities: Identities) -> None:
    with tls_link(identities) as (one, other):

        def close() -> None:
            wait_until(lambda: one.waiting)
            one.close()

        error, _ = together(lambda: caught(one.receive), close)
        assert isinstance(error, ChannelClosedError)
        with pytest.raises(ChannelClosedError) as raised:
            other.receive()
        assert not isinstance(raised.value, ChannelEndedError)


def test_an_interrupted_call_ends_the_channel(identities: Identities, monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_link(identities) as (one, other):

        def interrupt(_: float | None) -> list[tuple[selectors.SelectorKey, int]]:
            raise KeyboardInterrupt

        monkeypatch.setattr(one._selector, "select", interrupt)
        with pytest.raises(KeyboardInterrupt):
            one.receive()
        with pytest.raises(ChannelClosedError, match="KeyboardInterrupt"):
            one.send(b"x")
        with pytest.raises(ChannelClosedError):
            other.receive()


# --- sizes and stalls


def test_a_frame_beyond_the_maximum_is_not_sent(identities: Identities) -> None:
    with tls_link(identities, max_frame=1000) as (one, other):
        with pytest.raises(FrameTooLargeError, match="1001 bytes exceeds the maximum of 1000"):
            one.send(bytes(1001))
        one.send(bytes(1000))
        assert bytes(other.receive()) == bytes(1000)
        assert one.statistics.messages_sent == 1


@pytest.mark.parametrize("length", [1001, 2**64 - 1])
def test_a_frame_beyond_the_maximum_is_refused_before_memory_is_taken(identities: Identities, length: int) -> None:
    with tls_link(identities, max_frame=1000) as (one, other):
        one._socket.send(struct.pack(">QQ", length, 1))
        with pytest.raises(FrameTooLargeError, match=f"{length} bytes"):
            other.receive()
        with pytest.raises(ChannelClosedError):
            other.receive()
        with pytest.raises(ChannelClosedError):
            one.receive()


def test_an_impossible_depth_is_refused(identities: Identities) -> None:
    with tls_link(identities) as (one, other):
        one._socket.send(struct.pack(">QQ", 0, 7))
        with pytest.raises(ChannelError, match="depth 7"):
            other.receive()
        with pytest.raises(ChannelClosedError):
            other.receive()


def test_a_peer_that_takes_nothing_is_given_up(identities: Identities) -> None:
    with tls_link(identities, timeout=0.05) as (one, other):
        with pytest.raises(ChannelTimeoutError, match=r"0\.05"):
            one.send(bytes(50_000_000))
        with pytest.raises(ChannelClosedError, match="sending failed"):
            one.send(b"x")
        with pytest.raises(ChannelClosedError):
            other.receive()


def test_a_timeout_inside_a_frame_loses_nothing(identities: Identities) -> None:
    with tls_link(identities) as (one, other):
        frame = struct.pack(">QQ", 6, 1) + b"abcdef"
        other.timeout = 0.02
        for piece in (frame[:7], frame[7:16], frame[16:19]):
            one._socket.send(piece)
            with pytest.raises(ChannelTimeoutError):
                other.receive()
        one._socket.send(frame[19:])
        other.timeout = PATIENCE
        assert bytes(other.receive()) == b"abcdef"


class BlockingChannel(TlsChannel):
    """The mistake: it does not read while it waits to write."""

    def _write(self, view: memoryview) -> None:
        while view.nbytes:
            try:
                view = view[self._socket.send(view) :]
            except ssl.SSLWantWriteError:
                self._wait(selectors.EVENT_WRITE)


@pytest.mark.parametrize("defended", [True, False])
def test_large_exchanges_would_block_each_other_without_reading_meanwhile(
    identities: Identities, defended: bool
) -> None:
    frame = np.arange(2_500_000, dtype=np.uint64).data
    with tls_link(identities, timeout=PATIENCE if defended else 0.2) as ends:
        if not defended:
            for end in ends:
                end.__class__ = BlockingChannel
        one, other = ends
        errors = together(lambda: caught(lambda: one.exchange(frame)), lambda: caught(lambda: other.exchange(frame)))
    if defended:
        assert errors == (None, None)
    else:
        assert any(isinstance(error, ChannelTimeoutError) for error in errors)


def test_two_listeners_may_follow_each_other_on_one_port(identities: Identities) -> None:
    master, secondary, _ = identities
    with listen((LOCALHOST, 0), secondary, master.certificate) as first:
        address = first.address
        one, other = together(lambda: connect(address, master, secondary.certificate), first.accept)
    other.close()
    one.close()
    with listen(address, secondary, master.certificate) as second:
        assert second.address == address


def test_no_session_is_resumed(identities: Identities) -> None:
    with tls_link(identities) as (one, other):
        together(lambda: one.exchange(b"x"), lambda: other.exchange(b"x"))
        assert one._socket.version() == "TLSv1.3"
        session = one._socket.session
        assert session is None or not session.has_ticket


def test_nothing_readable_travels(identities: Identities) -> None:
    # a relay between the two sees every byte
    seen = bytearray()
    master, secondary, _ = identities
    secret = b"share of the Master unit " * 10
    with (
        listen((LOCALHOST, 0), secondary, master.certificate) as listener,
        socket.create_server((LOCALHOST, 0)) as relay,
    ):

        def forward() -> None:
            caller, server = relay.accept()[0], socket.create_connection(listener.address)
            with caller, server, selectors.DefaultSelector() as selector:
                selector.register(caller, selectors.EVENT_READ, server)
                selector.register(server, selectors.EVENT_READ, caller)
                while True:
                    for key, _ in selector.select():
                        assert isinstance(key.fileobj, socket.socket)
                        data = key.fileobj.recv(65536)
                        if not data:
                            return
                        seen.extend(data)
                        key.data.sendall(data)

        def receive() -> bytes:
            with listener.accept(timeout=PATIENCE) as other:
                return bytes(other.receive())

        def send() -> bytes:
            with connect(relay.getsockname(), master, secondary.certificate) as one:
                one.send(secret)
                with pytest.raises(ChannelEndedError):
                    one.receive()
            return secret

        (sent, received), _ = together(lambda: together(send, receive), forward)
    assert received == sent
    assert len(seen) > len(secret)
    assert secret[:8] not in seen
