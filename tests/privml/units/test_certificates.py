from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from privml.errors import InsecureKeyFileError, KeyFileError, MalformedError, SettingError
from privml.units.certificates import Certificate, create_identity, fingerprint, load_identity


def test_an_identity_is_found_again(tmp_path: Path) -> None:
    made = create_identity(tmp_path, "master")
    assert load_identity(tmp_path, "master") == made
    assert Certificate.read(made.certificate_path) == made.certificate
    assert Certificate.from_pem(made.certificate.pem) == made.certificate
    assert made.certificate.name == "CN=master"


@pytest.mark.skipif(os.name != "posix", reason="file modes say nothing elsewhere")
def test_only_the_owner_can_read_the_key(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        identity = create_identity(tmp_path, "master")
    finally:
        os.umask(previous)
    assert stat.S_IMODE(identity.key_path.stat().st_mode) == 0o600
    identity.key_path.chmod(0o640)
    with pytest.raises(InsecureKeyFileError, match="chmod 600"):
        load_identity(tmp_path, "master")


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    identity = create_identity(tmp_path, "master")
    key = identity.key_path.read_bytes()
    with pytest.raises(KeyFileError, match="exists"):
        create_identity(tmp_path, "master")
    assert identity.key_path.read_bytes() == key


def test_two_identities_of_one_name_differ(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = create_identity(tmp_path / "a", "master"), create_identity(tmp_path / "b", "master")
    assert one.certificate.name == other.certificate.name
    assert one.certificate.fingerprint != other.certificate.fingerprint


def test_the_fingerprint_is_sha256_of_the_der_bytes(tmp_path: Path) -> None:
    certificate = create_identity(tmp_path, "master").certificate
    assert bytes.fromhex(certificate.fingerprint.replace(":", "")) == hashlib.sha256(certificate.der).digest()
    assert fingerprint(b"abc").startswith("BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23")


def test_validity(tmp_path: Path) -> None:
    now = datetime(2031, 5, 1, 12, tzinfo=UTC)
    certificate = create_identity(tmp_path, "master", validity=timedelta(days=10), now=now).certificate
    assert certificate.expires == now + timedelta(days=10)


def test_the_certificate_vouches_for_itself_only(tmp_path: Path) -> None:
    certificate = x509.load_der_x509_certificate(create_identity(tmp_path, "master").certificate.der)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    assert constraints.critical
    assert not constraints.value.ca
    certificate.verify_directly_issued_by(certificate)


@pytest.mark.parametrize("name", ["", "a/b", "../up", ".", "x" * 65])
def test_names_that_are_no_file_names_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SettingError, match="name"):
        create_identity(tmp_path, name)


def test_a_validity_is_positive(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="validity"):
        create_identity(tmp_path, "master", validity=timedelta(0))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    one, other = create_identity(tmp_path, "one"), create_identity(tmp_path, "other")
    one.key_path.write_bytes(other.key_path.read_bytes())
    with pytest.raises(KeyFileError, match="not the key of"):
        load_identity(tmp_path, "one")


def test_a_damaged_key_is_refused(tmp_path: Path) -> None:
    create_identity(tmp_path, "one").key_path.write_bytes(b"nothing")
    with pytest.raises(KeyFileError, match="private key"):
        load_identity(tmp_path, "one")


@pytest.mark.parametrize(
    "content", [b"", b"garbage", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_a_certificate_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "peer.pem"
    path.write_bytes(content)
    with pytest.raises(MalformedError, match=r"peer\.pem"):
        Certificate.read(path)


def test_a_file_with_two_certificates_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "peer.pem"
    path.write_bytes(b"".join(create_identity(tmp_path, name).certificate.pem for name in ("one", "other")))
    with pytest.raises(MalformedError):
        Certificate.read(path)
