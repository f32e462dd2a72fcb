import os
import re
from pathlib import Path

import msgpack
import pytest

from privml.crypto import protected_file
from privml.crypto.dtpkc import KeyShare, WeakPrivateKey
from privml.crypto.keyfile import _KINDS, load_key, save_key
from privml.crypto.keygen import StrongKey, generate
from privml.errors import InsecureKeyFileError, KeyFileError, SettingError

PASSWORD = "correct horse é \ud800"


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lowest cost that files may have, so that tests are quick."""
    monkeypatch.setattr(protected_file, "_SCRYPT_COST", 15)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "key"


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_keys_come_back(
    path: Path,
    owner_key: WeakPrivateKey,
    key_shares: tuple[KeyShare, KeyShare],
    strong_key: StrongKey,
    password: str | None,
) -> None:
    save_key(path, owner_key, password=password)
    assert load_key(path, WeakPrivateKey, password=password) == owner_key
    for number, share in enumerate(key_shares):
        save_key(path.with_suffix(f".{number}"), share, password=password)
        assert load_key(path.with_suffix(f".{number}"), KeyShare, password=password) == share
    save_key(path.with_suffix(".strong"), strong_key, password=password)
    back = load_key(path.with_suffix(".strong"), StrongKey, password=password)
    assert (back.parameters, back.factors) == (strong_key.parameters, strong_key.factors)


@pytest.mark.parametrize("mask", [0, 0o022, 0o077])
def test_only_the_owner_can_read_the_file(path: Path, owner_key: WeakPrivateKey, mask: int) -> None:
    before = os.umask(mask)
    try:
        save_key(path, owner_key)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o610, 0o601, 0o666])
def test_a_file_that_others_can_touch_is_refused(path: Path, owner_key: WeakPrivateKey, mode: int) -> None:
    save_key(path, owner_key)
    path.chmod(mode)
    with pytest.raises(InsecureKeyFileError, match=f"{mode:04o}"):
        load_key(path, WeakPrivateKey)
    path.chmod(0o400)
    assert load_key(path, WeakPrivateKey) == owner_key


def test_keys_are_never_overwritten(path: Path, owner_key: WeakPrivateKey, client_key: WeakPrivateKey) -> None:
    save_key(path, owner_key)
    with pytest.raises(FileExistsError):
        save_key(path, client_key)
    assert load_key(path, WeakPrivateKey) == owner_key
    dangling = path.with_name("link")
    dangling.symlink_to(path.with_name("nowhere"))
    with pytest.raises(FileExistsError):
        save_key(dangling, client_key)


def test_half_a_key_does_not_stay(path: Path, owner_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="no space"):
        save_key(path, owner_key)
    assert not path.exists()


def test_a_file_holds_what_its_name_says(
    path: Path, owner_key: WeakPrivateKey, key_shares: tuple[KeyShare, KeyShare]
) -> None:
    save_key(path, owner_key)
    with pytest.raises(KeyFileError, match="share of the strong key"):
        load_key(path, KeyShare)
    with pytest.raises(KeyFileError):
        load_key(path, StrongKey)


def numbers_in(content: bytes, key: WeakPrivateKey) -> bool:
    theta = int(key.theta)
    return theta.to_bytes((theta.bit_length() + 7) // 8, "big") in content


def test_a_password_hides_the_key(path: Path, owner_key: WeakPrivateKey) -> None:
    save_key(path, owner_key, password=PASSWORD)
    assert not numbers_in(path.read_bytes(), owner_key)
    plain = path.with_name("plain")
    save_key(plain, owner_key)
    assert numbers_in(plain.read_bytes(), owner_key)


def test_passwords_that_do_not_open(path: Path, owner_key: WeakPrivateKey) -> None:
    save_key(path, owner_key, password=PASSWORD)
    with pytest.raises(KeyFileError, match="password is wrong"):
        load_key(path, WeakPrivateKey, password=PASSWORD + "!")
    for missing in (None, ""):
        with pytest.raises(KeyFileError, match="is encrypted"):
            load_key(path, WeakPrivateKey, password=missing)
    plain = path.with_name("plain")
    save_key(plain, owner_key)
    with pytest.raises(KeyFileError, match="not encrypted"):
        load_key(plain, WeakPrivateKey, password=PASSWORD)
    with pytest.raises(SettingError):
        save_key(path.with_name("empty"), owner_key, password="")
    assert not path.with_name("empty").exists()


def test_equal_keys_make_different_files(path: Path, owner_key: WeakPrivateKey) -> None:
    contents = []
    for name in ("one", "two"):
        save_key(path.with_name(name), owner_key, password=PASSWORD)
        contents.append(path.with_name(name).read_bytes())
    assert contents[0] != contents[1]


def rewrite(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)


def test_damage_anywhere_is_found(path: Path, owner_key: WeakPrivateKey) -> None:
    save_key(path, owner_key)
    content = path.read_bytes()
    for position in range(len(content)):
        rewrite(path, content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(KeyFileError):
            load_key(path, WeakPrivateKey)
    for spoilt in (b"", content[:-1], content + b"\0", content[:30], bytes(1 << 15)):
        rewrite(path, spoilt)
        with pytest.raises(KeyFileError):
            load_key(path, WeakPrivateKey)


def test_damage_to_an_encrypted_file_is_found(path: Path, owner_key: WeakPrivateKey) -> None:
    save_key(path, owner_key, password=PASSWORD)
    content = path.read_bytes()
    # Magic, version, kind of protection, cost, salt, nonce, ciphertext, tag: the header is authenticated too.
    for position in (0, 7, 9, 10, 11, 12, 28, 45, len(content) - 1):
        rewrite(path, content[:position] + bytes([content[position] ^ 1]) + content[position + 1 :])
        with pytest.raises(KeyFileError):
            load_key(path, WeakPrivateKey, password=PASSWORD)


def test_a_foreign_file_cannot_exhaust_memory(path: Path, owner_key: WeakPrivateKey) -> None:
    save_key(path, owner_key, password=PASSWORD)
    content = bytearray(path.read_bytes())
    content[11] = 40  # a scrypt cost of 2^40
    rewrite(path, bytes(content))
    with pytest.raises(KeyFileError, match="unknown way"):
        load_key(path, WeakPrivateKey, password=PASSWORD)


@pytest.mark.parametrize(
    "content", [b"", b"\xc0", b"\x90", b"\x93\x01\x02\x03", msgpack.packb([b"\1" * 64, b"\5", b"\7"]), b"\xc1"]
)
def test_numbers_that_are_no_key_are_refused(path: Path, content: bytes) -> None:
    protected_file.write_protected(path, _KINDS[WeakPrivateKey], content)
    with pytest.raises(KeyFileError, match="numbers that are no"):
        load_key(path, WeakPrivateKey)


def test_errors_tell_no_secret(path: Path, owner_key: WeakPrivateKey) -> None:
    save_key(path, owner_key)
    content = path.read_bytes()
    parameters = owner_key.parameters
    wrong = msgpack.packb([int(n).to_bytes(128, "big") for n in (parameters.modulus, parameters.generator, 1 << 511)])
    path.unlink()
    protected_file.write_protected(path, _KINDS[WeakPrivateKey], wrong)
    with pytest.raises(KeyFileError) as error:
        load_key(path, WeakPrivateKey)
    assert error.value.__cause__ is None
    assert not re.search(r"[0-9a-f]{20}", str(error.value).replace(str(path), ""))
    assert content != path.read_bytes()


def test_an_erased_key_is_not_saved(path: Path) -> None:
    strong = generate(512, allow_insecure_test_size=True)[1]
    strong.erase()
    with pytest.raises(SettingError):
        save_key(path, strong)
    assert not path.exists()
