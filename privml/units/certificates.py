"""Self-signed certificates by which the two units know each other.

Each unit makes its own; the operators compare fingerprints by a way of their own (in person, by telephone) and each
unit pins the other's certificate. No third party issues anything: the authority, which dealt the correlated randomness,
could otherwise tap the link between the units.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from privml.errors import InsecureKeyFileError, KeyFileError, MalformedError, SettingError

# a peer whose clock is slow must not find the certificate not valid yet
_CLOCK_TOLERANCE = timedelta(hours=1)


@dataclass(frozen=True)
class Certificate:
    """A unit's certificate: public.

    Parameters
    ----------
    der
        Its DER bytes; two certificates are equal where these are.
    """

    der: bytes

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """Take a certificate from its PEM form.

        Raises
        ------
        MalformedError
            These are not the bytes of one certificate.
        """
        try:
            (certificate,) = x509.load_pem_x509_certificates(pem)
        except ValueError as error:
            raise MalformedError("this is not one certificate in PEM form") from error
        return cls(certificate.public_bytes(serialization.Encoding.DER))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a PEM file.

        Raises
        ------
        MalformedError
            The file does not hold one certificate.
        OSError
            The file cannot be read.
        """
        try:
            return cls.from_pem(path.read_bytes())
        except MalformedError as error:
            raise MalformedError(f"{path} does not hold one certificate in PEM form") from error

    @cached_property
    def _x509(self) -> x509.Certificate:
        return x509.load_der_x509_certificate(self.der)

    @property
    def pem(self) -> bytes:
        """The PEM form, for a file that the peer's operator is given."""
        return self._x509.public_bytes(serialization.Encoding.PEM)

    @property
    def name(self) -> str:
        """The name that the certificate's maker chose. It proves nothing: only the fingerprint does."""
        return self._x509.subject.rfc4514_string()

    @property
    def expires(self) -> datetime:
        """The end of its validity, in UTC."""
        return self._x509.not_valid_after_utc

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the DER bytes as 32 pairs of hexadecimal digits, the form in which operators compare it."""
        return fingerprint(self.der)


@dataclass(frozen=True)
class UnitIdentity:
    """A unit's own certificate, and where its private key lies.

    The key itself is only ever read by the TLS library.
    """

    certificate: Certificate
    certificate_path: Path
    key_path: Path


def fingerprint(der: bytes) -> str:
    """Return the SHA-256 of a certificate's DER bytes as "AB:CD:...", 32 pairs of hexadecimal digits."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(der)
    return digest.finalize().hex(":").upper()


def create_identity(
    directory: Path, name: str, *, validity: timedelta = timedelta(days=730), now: datetime | None = None
) -> UnitIdentity:
    """Make a unit's Ed25519 key and self-signed certificate.

    Writes ``<name>.certificate.pem``, to be given to the peer, and ``<name>.key.pem``, readable by its owner only and
    not encrypted, so that a unit can start by itself. Nothing is ever overwritten.

    Parameters
    ----------
    directory
        An existing directory.
    name
        Names the files and the certificate's subject; 1 to 64 characters, no path separator.
    validity
        From now on; positive. Both units need a new exchange of certificates before it ends.
    now
        The clock's time if None.

    Raises
    ------
    SettingError
        The name or the validity is not as said.
    KeyFileError
        One of the files exists.
    OSError
        The files cannot be written.
    """
    if not 1 <= len(name) <= 64 or Path(name).name != name:
        raise SettingError(f"a unit's name has 1 to 64 characters and no path separator, not {name!r}")
    if validity <= timedelta(0):
        raise SettingError(f"a certificate needs a positive validity, not {validity}")
    key = Ed25519PrivateKey.generate()
    certificate = Certificate(_self_signed(key, name, now or datetime.now(UTC), validity))
    identity = UnitIdentity(certificate, *_paths(directory, name))
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_new(identity.key_path, secret, 0o600)
    _write_new(identity.certificate_path, certificate.pem, 0o644)
    return identity


def load_identity(directory: Path, name: str) -> UnitIdentity:
    """Find the files that `create_identity` wrote.

    Raises
    ------
    InsecureKeyFileError
        Others than its owner may read the key file.
    KeyFileError
        The key is not that of the certificate, or no key.
    MalformedError
        The certificate's file does not hold one.
    OSError
        A file cannot be read.
    """
    certificate_path, key_path = _paths(directory, name)
    certificate = Certificate.read(certificate_path)
    # the modes that Windows reports say nothing about who may read
    if os.name == "posix" and stat.S_IMODE(key_path.stat().st_mode) & 0o077:
        raise InsecureKeyFileError(f"{key_path} must be readable by its owner only (chmod 600)")
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
    except (ValueError, TypeError) as error:
        raise KeyFileError(f"{key_path} does not hold a private key without password") from error
    if key.public_key() != x509.load_der_x509_certificate(certificate.der).public_key():
        raise KeyFileError(f"{key_path} is not the key of {certificate_path}")
    return UnitIdentity(certificate, certificate_path, key_path)


def _paths(directory: Path, name: str) -> tuple[Path, Path]:
    return directory / f"{name}.certificate.pem", directory / f"{name}.key.pem"


def _write_new(path: Path, content: bytes, mode: int) -> None:
    try:
        # with its mode from the start: between a write and a chmod, others could read
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    except FileExistsError as error:
        raise KeyFileError(f"{path} exists and is not overwritten") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _self_signed(key: Ed25519PrivateKey, name: str, now: datetime, validity: timedelta) -> bytes:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    public = key.public_key()
    usages = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        x509.CertificateBuilder(subject, subject, public, x509.random_serial_number())
        .not_valid_before(now - _CLOCK_TOLERANCE)
        .not_valid_after(now + validity)
        # not an authority: it can vouch for itself only
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )
    return builder.sign(key, None).public_bytes(serialization.Encoding.DER)
