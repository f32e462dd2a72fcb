"""What users may rely on. A name that is added, renamed or taken away is a decision, and changes this list."""

import inspect

import privml

PUBLIC = [
    "Authority",
    "Categorical",
    "Client",
    "ClientSession",
    "Continuous",
    "DataOwner",
    "ModelCard",
    "Numeric",
    "Ordinal",
    "PrivMLError",
    "Provider",
    "Receipt",
    "Schema",
    "propose_schema",
    "read_csv",
]


def test_public_names_are_these() -> None:
    assert privml.__all__ == PUBLIC


def test_every_public_name_is_there_and_documented() -> None:
    for name in PUBLIC:
        thing = getattr(privml, name)
        assert inspect.isclass(thing) or inspect.isfunction(thing)
        assert inspect.getdoc(thing)


def test_a_star_import_brings_nothing_else() -> None:
    names: dict[str, object] = {}
    exec("from privml import *", names)  # noqa: S102 - a star import is not allowed inside a function
    assert sorted(names.keys() - {"__builtins__"}) == sorted(PUBLIC)
