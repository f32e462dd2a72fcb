"""`privml keygen`: the authority's one task, on a machine of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

import click

from privml.cli.console import console, headline, key_size_warnings, paragraph, table
from privml.crypto.keyfile import save_key
from privml.crypto.wire import dumps
from privml.errors import SettingError
from privml.roles.authority import Authority
from privml.units.role import Role

PASSWORD_VARIABLE: Final = "PRIVML_PASSWORD"  # noqa: S105 - the name of the variable
PARAMETERS_FILE: Final = "parameters.privml"
KEY_FILE: Final = "key.privml"


@click.command(
    short_help="Make keys for the two units of a provider.",
    epilog=f"""\b
Examples:
  privml keygen --out keys --password-prompt
  privml keygen --bits 3072 --out keys
  {PASSWORD_VARIABLE}=... privml keygen --out keys      for scripts; the variable, as options show up in `ps`
""",
)
@click.option(
    "--bits",
    type=int,
    metavar="B",
    default=2048,
    show_default=True,
    help="Key size: 2048 (112-bit security) or 3072 (128-bit). 1024 only to repeat published experiments.",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="DIR", help="A new directory for the files."
)
@click.option(
    "--password-prompt",
    is_flag=True,
    help=f"Ask for a password that encrypts the key files. {PASSWORD_VARIABLE} gives one without asking.",
)
@click.option("--insecure-test-key", is_flag=True, hidden=True, help="Allow 512 bits, for tests.")
def keygen(bits: int, out: Path, password_prompt: bool, insecure_test_key: bool) -> None:
    """Make the keys of a provider: public parameters, and one share of the strong key for each unit.

    The authority runs this once, on a machine that is neither unit's. Nothing is ever overwritten, and the strong key
    itself is never written: it is split, then forgotten.
    """
    if out.exists() or out.is_symlink():
        raise SettingError(f"{out} exists already, and keys are never overwritten; name a new directory")
    password = _password(password_prompt)
    screen, stderr = console(), console(stderr=True)
    with key_size_warnings(stderr), stderr.status(f"Making keys of {bits} bits"):
        authority = Authority.create(bits, allow_insecure_test_size=insecure_test_key)
    digest = authority.parameters.digest.hex()
    _write(out, authority, password)

    headline(screen, f"Keys of {bits} bits")
    files = table("File", "Belongs to")
    files.add_row(str(out / PARAMETERS_FILE), "everybody: it is public")
    for role in Role:
        files.add_row(str(out / role.label.lower() / KEY_FILE), f"the {role.label} unit, and nobody else")
    screen.print(files)
    paragraph(screen, f"Fingerprint of the parameters: {digest}")
    headline(screen, "What to do now")
    protected = "encrypted under your password" if password is not None else "NOT encrypted: there was no password"
    steps = (
        "Take each unit's folder to that unit's own machine. Two organisations run them, and they do not collude.",
        "Then delete both folders here. Whoever has both key files reads every upload, every model and every answer. "
        f"The files have mode 0600 and are {protected}.",
        "Give the parameters to owners and clients, who make their own keys from them. All compare the fingerprint.",
    )
    for number, step in enumerate(steps, start=1):
        paragraph(screen, step, mark=f"{number}. ")


def _password(prompt: bool) -> str | None:
    if prompt:
        return str(click.prompt("Password for the key files", hide_input=True, confirmation_prompt=True, err=True))
    return os.environ.get(PASSWORD_VARIABLE)


def _write(out: Path, authority: Authority, password: str | None) -> None:
    """Write all files or none: into a directory beside, which takes its name at the end."""
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        (beside / PARAMETERS_FILE).write_bytes(dumps(authority.parameters))
        for role, share in zip(Role, authority.hand_out(), strict=True):
            folder = beside / role.label.lower()
            folder.mkdir(mode=0o700)
            save_key(folder / KEY_FILE, share, password=password)
        # refuses a directory that has come to hold something meanwhile
        beside.rename(out)
    except BaseException:
        shutil.rmtree(beside)
        raise
