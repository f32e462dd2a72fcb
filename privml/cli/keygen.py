"""`privml keygen`: the authority's one task, on a machine of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

from privml.cli.console import console, headline, key_size_warnings, paragraph, table
from privml.cli.new_directory import new_directory
from privml.cli.password import VARIABLE, password_of, password_option, protection
from privml.crypto.keyfile import save_key
from privml.crypto.wire import dumps
from privml.errors import SettingError
from privml.roles.authority import Authority
from privml.units.role import Role

PARAMETERS_FILE: Final = "parameters.privml"
KEY_FILE: Final = "key.privml"


@click.command(
    short_help="Make keys for the two units of a provider.",
    epilog=f"""\b
Examples:
  privml keygen --out keys --password-prompt
  privml keygen --bits 3072 --out keys
  {VARIABLE}=... privml keygen --out keys      for scripts; the variable, as options show up in `ps`
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
@password_option
@click.option("--insecure-test-key", is_flag=True, hidden=True, help="Allow 512 bits, for tests.")
def keygen(bits: int, out: Path, password_prompt: bool, insecure_test_key: bool) -> None:
    """Make the keys of a provider: public parameters, and one share of the strong key for each unit.

    The authority runs this once, on a machine that is neither unit's. Nothing is ever overwritten, and the strong key
    itself is never written: it is split, then forgotten.
    """
    if out.exists() or out.is_symlink():
        raise SettingError(f"{out} exists already, and keys are never overwritten; name a new directory")
    password = password_of(password_prompt, new=True)
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
    steps = (
        "Take each unit's folder to that unit's own machine. Two organisations run them, and they do not collude.",
        "Then delete both folders here. Whoever has both key files reads every upload, every model and every answer. "
        + protection(password),
        "Give the parameters to owners and clients, who make their own keys from them. All compare the fingerprint.",
    )
    for number, step in enumerate(steps, start=1):
        paragraph(screen, step, mark=f"{number}. ")


def _write(out: Path, authority: Authority, password: str | None) -> None:
    with new_directory(out) as folder:
        (folder / PARAMETERS_FILE).write_bytes(dumps(authority.parameters))
        for role, share in zip(Role, authority.hand_out(), strict=True):
            unit = folder / role.label.lower()
            unit.mkdir(mode=0o700)
            save_key(unit / KEY_FILE, share, password=password)
