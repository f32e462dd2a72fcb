"""The password of key and state files: asked for, or from the environment; never an option, as those show in `ps`."""

from __future__ import annotations

import os
from typing import Final

import click

VARIABLE: Final = "PRIVML_PASSWORD"

password_option = click.option(
    "--password-prompt",
    is_flag=True,
    help=f"Ask for the password of the key files. {VARIABLE} gives one without asking.",
)


def password_of(prompt: bool, *, new: bool) -> str | None:
    """The password to use, None for none; a new one is asked for twice."""
    if prompt:
        return str(click.prompt("Password for the key files", hide_input=True, confirmation_prompt=new, err=True))
    return os.environ.get(VARIABLE)


def protection(password: str | None) -> str:
    """How files are protected, for messages."""
    how = "encrypted under your password" if password is not None else "NOT encrypted: there was no password"
    return f"The files have mode 0600 and are {how}."
