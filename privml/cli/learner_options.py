"""Which classifier, and its options: `--option NAME=VALUE`, typed by the learner's constructor."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import click

from privml.data.cell import shortened
from privml.errors import SettingError
from privml.learner import classifier, classifier_names

F = TypeVar("F", bound=Callable[..., Any])

_WORDS: Final = {bool: "true or false", int: "a whole number", float: "a number", str: "a text", NoneType: "none"}
_TRUTH: Final = {"true": True, "yes": True, "false": False, "no": False}


class Installed(click.ParamType):  # type: ignore[type-arg]  # generic in new versions of click only
    """The name of an installed classifier; looked up when it is asked for."""

    name = "classifier"

    def get_metavar(self, *_: object, **__: object) -> str:
        """List what is installed, in the help."""
        return f"[{'|'.join(classifier_names())}]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Refuse a name that is not installed, and list those that are."""
        if value not in classifier_names():
            self.fail(f"{value!r} is not installed; there are: {', '.join(classifier_names()) or 'none'}", param, ctx)
        return str(value)


def learner_options(*, default: str | None) -> Callable[[F], F]:
    """Add `--classifier` and `--option`."""

    def add(command: F) -> F:
        option = click.option(
            "--option",
            "options",
            multiple=True,
            metavar="NAME=VALUE",
            help="An option of the classifier; a wrong name lists those there are. Repeatable.",
        )
        name = click.option(
            "--classifier", type=Installed(), default=default, show_default=True, help="What learns from the records."
        )
        return name(option(command))

    return add


@dataclass(frozen=True)
class LearnerOption:
    """An option of a learner, as its constructor declares it."""

    name: str
    hint: Any
    default: Any

    def __str__(self) -> str:
        default = "none" if self.default is None else json.dumps(self.default, default=str)
        return f"{self.name} ({_described(self.hint)}; {default} unless given)"

    def read(self, text: str) -> Any:
        """Return a value that the option takes.

        Raises
        ------
        SettingError
            It takes no such value.
        """
        try:
            return _read(self.hint, text)
        except ValueError:
            raise SettingError(f"option {self.name} is {_described(self.hint)}, not {shortened(text)}") from None


def options_of(name: str) -> dict[str, LearnerOption]:
    """All options of a classifier, by name."""
    constructor = classifier(name).__init__
    hints = get_type_hints(constructor)
    _self, _schema, *parameters = inspect.signature(constructor).parameters.values()
    return {
        parameter.name: LearnerOption(parameter.name, hints.get(parameter.name, Any), parameter.default)
        for parameter in parameters
        if parameter.kind in (parameter.KEYWORD_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    }


def read_options(name: str, given: Sequence[str]) -> dict[str, Any]:
    """Return the options of a classifier that texts such as ``alpha=0.5`` give.

    Raises
    ------
    SettingError
        A text is no such pair, an option is unknown or given twice, or takes no such value.
    """
    known = options_of(name)
    read: dict[str, Any] = {}
    for text in given:
        option, equals, value = text.partition("=")
        option = option.strip()
        if not equals:
            raise SettingError(f"an option is given as NAME=VALUE, for example alpha=0.5; not {shortened(text)}")
        if option not in known:
            listed = "; ".join(map(str, known.values())) or "none"
            raise SettingError(f"{name} has no option {shortened(option)}; its options: {listed}")
        if option in read:
            raise SettingError(f"option {option} is given twice")
        read[option] = known[option].read(value.strip())
    return read


def _described(hint: Any) -> str:
    if get_origin(hint) in (Union, UnionType):
        return " or ".join(_described(each) for each in get_args(hint))
    if get_origin(hint) is Literal:
        return " or ".join(map(str, get_args(hint)))
    return _WORDS.get(hint, "JSON")


def _read(hint: Any, text: str) -> Any:
    """Read a text as a type says; ValueError if it cannot be."""
    if get_origin(hint) in (Union, UnionType):
        return _first(sorted(get_args(hint), key=lambda each: each is str), text)
    if get_origin(hint) is Literal:
        return {str(value): value for value in get_args(hint)}[_one_of(text, get_args(hint))]
    if hint is bool:
        return _TRUTH[_one_of(text.lower(), _TRUTH)]
    if hint is NoneType:
        return {"none": None}[_one_of(text.lower(), ["none"])]
    if hint in (int, float, str):
        return hint(text)
    return json.loads(text)


def _first(hints: Sequence[Any], text: str) -> Any:
    """Read a text as the first of several types that takes it."""
    for hint in hints:
        try:
            return _read(hint, text)
        except ValueError:
            continue
    raise ValueError(text)


def _one_of(text: str, allowed: Sequence[Any] | Mapping[str, Any]) -> str:
    if text not in map(str, allowed):
        raise ValueError(text)
    return text
