"""What the demonstration compares with, and does not need otherwise."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

from privml.cli.commands import Failure

_MODULES: Final = {"scikit-learn": "sklearn.naive_bayes", "river": "river.datasets"}


def require(*packages: str | None) -> None:
    """Find out now, rather than after the keys were made, whether these packages are there.

    Raises
    ------
    Failure
        One is missing; it says how to install it.
    """
    for package in filter(None, packages):
        load(package)


def load(package: str) -> Any:
    """Import what is used of an optional package.

    Raises
    ------
    Failure
        It is missing; it says how to install it.
    """
    try:
        return import_module(_MODULES[package])
    except ImportError as error:
        raise Failure(f"the demonstration needs {package} here: pip install 'privml[demo]'") from error
