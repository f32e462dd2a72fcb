"""Where output goes: results to stdout, everything said meanwhile to stderr. Piped, both are plain text."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from privml.crypto.keygen import InsecureKeySizeWarning

WIDTH: Final = 100


def console(*, stderr: bool = False) -> Console:
    """A console of at most 100 columns, also where it is no terminal; it takes no text of the user for markup."""
    made = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    made.width = min(made.width, WIDTH) if made.is_terminal else WIDTH
    return made


def table(*columns: str, numbers: tuple[int, ...] = ()) -> Table:
    """An empty table; the columns in `numbers` are flushed right."""
    made = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        made.add_column(column, justify="right" if index in numbers else "left", vertical="top")
    return made


def headline(to: Console, text: str) -> None:
    """Begin a part of the output."""
    to.print()
    to.print(text, style="bold cyan")


def paragraph(to: Console, text: str, *, mark: str = "", style: str = "") -> None:
    """Print wrapped text two columns in, behind a mark such as "1. " if there is one."""
    margin = "  " + " " * len(mark)
    lines = textwrap.fill(text, to.width, initial_indent=f"  {mark}", subsequent_indent=margin)
    to.print(lines, style=style, soft_wrap=True)


@contextmanager
def key_size_warnings(to: Console) -> Iterator[None]:
    """Say loudly that a key is too small, where the library only warns."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", InsecureKeySizeWarning)
        yield
    for warning in caught:
        to.print(f"WARNING: {warning.message}", style="bold red")
