"""Options of commands that read a CSV file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option("--delimiter", default=",", show_default=True, metavar="CHAR", help="What separates cells."),
    click.option(
        "--missing",
        multiple=True,
        metavar="TEXT",
        help="A text that stands for an empty cell, such as '?'. Repeatable.",
    ),
    click.option(
        "--leave-out", multiple=True, metavar="COLUMN", help="A column that is no feature, such as a name. Repeatable."
    ),
)


def csv_options(command: F) -> F:
    """Add `--delimiter`, `--missing` and `--leave-out`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
