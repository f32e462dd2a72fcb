import stat
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from privml.cli import main
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey, combine
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keyfile import load_key
from privml.crypto.wire import loads
from privml.errors import KeyFileError

SMALL = ("--bits", "512", "--insecure-test-key")


def keygen(*arguments: str, **settings: str) -> Result:
    return CliRunner().invoke(main, ["keygen", *arguments], env={"PRIVML_PASSWORD": None, **settings})


def shares(folder: Path, password: str | None = None) -> tuple[KeyShare, KeyShare]:
    first, second = (load_key(folder / unit / "key.privml", KeyShare, password=password) for unit in UNITS)
    return first, second


UNITS = ("master", "secondary")


def test_the_shares_open_together_what_is_encrypted_with_the_parameters(tmp_path: Path) -> None:
    result = keygen(*SMALL, "--out", str(tmp_path / "a" / "keys"))
    assert result.exit_code == 0, result.output
    folder = tmp_path / "a" / "keys"
    parameters = loads((folder / "parameters.privml").read_bytes(), PublicParameters)
    master, secondary = shares(folder)
    t1s = Encryptor(WeakPrivateKey.generate(parameters).public_key, window=4).encrypt_vector([-42]).t1
    assert combine(parameters, t1s, secondary.halves(t1s), master.halves(t1s)) == [-42]
    assert parameters.digest.hex() in result.stdout


def test_only_the_owner_of_the_files_can_read_the_keys(tmp_path: Path) -> None:
    keygen(*SMALL, "--out", str(tmp_path / "keys"))
    for unit in UNITS:
        assert stat.S_IMODE((tmp_path / "keys" / unit / "key.privml").stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "keys" / unit).stat().st_mode) == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["keys"]


def test_it_says_what_belongs_where_and_to_delete_it_here(tmp_path: Path) -> None:
    output = keygen(*SMALL, "--out", str(tmp_path / "keys")).stdout
    for words in ("the Master unit, and nobody else", "the Secondary unit, and nobody else", "public", "delete both"):
        assert words in output
    assert "NOT encrypted" in output
    assert "\x1b" not in output


@pytest.mark.parametrize("made", ["directory", "file", "dangling link"])
def test_nothing_is_overwritten(tmp_path: Path, made: str) -> None:
    out = tmp_path / "keys"
    if made == "directory":
        out.mkdir()
    elif made == "file":
        out.write_text("mine")
    else:
        out.symlink_to(tmp_path / "nowhere")
    result = keygen(*SMALL, "--out", str(out))
    assert result.exit_code == 2
    assert "exists already" in result.stderr
    assert list(tmp_path.iterdir()) == [out]


def test_a_password_of_the_environment_encrypts(tmp_path: Path) -> None:
    result = keygen(*SMALL, "--out", str(tmp_path / "keys"), PRIVML_PASSWORD="correct horse")
    assert "encrypted under your password" in result.stdout
    shares(tmp_path / "keys", "correct horse")
    with pytest.raises(KeyFileError, match="encrypted"):
        shares(tmp_path / "keys")


def test_a_password_is_asked_for_twice_and_not_shown(tmp_path: Path) -> None:
    arguments = ["keygen", *SMALL, "--out", str(tmp_path / "keys"), "--password-prompt"]
    result = CliRunner().invoke(main, arguments, input="battery\nbattery\n", env={"PRIVML_PASSWORD": "another"})
    assert result.exit_code == 0, result.output
    assert "battery" not in result.output
    shares(tmp_path / "keys", "battery")


def test_an_empty_password_leaves_nothing_behind(tmp_path: Path) -> None:
    result = keygen(*SMALL, "--out", str(tmp_path / "keys"), PRIVML_PASSWORD="")
    assert result.exit_code == 2
    assert "a password is not empty" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bits", ["512", "1000", "4096", "-1"])
def test_another_size_is_refused_and_the_allowed_ones_are_named(tmp_path: Path, bits: str) -> None:
    result = keygen("--bits", bits, "--out", str(tmp_path / "keys"))
    assert result.exit_code == 2
    assert all(size in result.stderr for size in ("2048", "3072", "1024"))


def test_1024_bits_are_warned_about_loudly(tmp_path: Path) -> None:
    result = keygen("--bits", "1024", "--out", str(tmp_path / "keys"))
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("WARNING: a key of 1024 bits protects nothing today")
