"""Options of commands that read a CSV file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_FORMAT = (
    click.option("--delimiter", default=",", show_default=True, metavar="CHAR", help="What separates cells."),
    click.option(
        "--missing",
        multiple=True,
        metavar="TEXT",
        help="A text that stands for an empty cell, such as '?'. Repeatable.",
    ),
)
_LEAVE_OUT = click.option(
    "--leave-out", multiple=True, metavar="COLUMN", help="A column that is no feature, such as a name. Repeatable."
)

unknown_option = click.option(
    "--unknown",
    type=click.Choice(["error", "ignore"]),
    default="error",
    show_default=True,
    help="Refuse a file with empty cells or values that the schema does not list, or leave such cells out.",
)
"""`--unknown`, as `privml.data.encoding.encode` takes it."""


def format_options(command: F) -> F:
    """Add `--delimiter` and `--missing`."""
    for option in reversed(_FORMAT):
        command = option(command)
    return command


def csv_options(command: F) -> F:
    """Add `--delimiter`, `--missing` and `--leave-out`."""
    return format_options(_LEAVE_OUT(command))
