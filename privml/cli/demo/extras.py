"""What the demonstration compares with, and does not need otherwise."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from privml.cli.commands import Failure

_PACKAGES: Final = {"sklearn": "scikit-learn", "river": "river"}


def require(*modules: str | None) -> None:
    """Find out now, rather than after the keys were made, whether these modules are there.

    Raises
    ------
    Failure
        One is missing; it says how to install it.
    """
    for module in filter(None, modules):
        load(module)


def load(module: str) -> Any:
    """Import a module of an optional package.

    Raises
    ------
    Failure
        It is missing; it says how to install it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        package = _PACKAGES[module.partition(".")[0]]
        raise Failure(f"the demonstration needs {package} here: pip install 'privml[demo]'") from error
