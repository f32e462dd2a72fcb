from typing import Any

import pytest

from privml.cli.learner_options import options_of, read_options
from privml.errors import SettingError
from tests.privml.cli.sealed_only import install


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("depth=5", 5),
        ("rate=0.5", 0.5),
        ("rate=none", None),
        ("prune=true", True),
        ("prune=No", False),
        (" criterion = entropy ", "entropy"),
        ('weights={"a": 2}', {"a": 2}),
        ("weights=balanced", "balanced"),
        ("weights=None", None),
    ],
)
def test_values_have_the_constructors_types(text: str, value: Any) -> None:
    (read,) = read_options("sealed_only", [text]).values()
    assert (read, type(read)) == (value, type(value))


def test_the_options_are_the_constructors_own() -> None:
    assert list(options_of("naive_bayes")) == ["alpha"]
    assert list(options_of("sealed_only")) == ["depth", "rate", "prune", "criterion", "weights"]
    assert read_options("naive_bayes", []) == {}


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (
            ["depht=5"],
            "no option 'depht'; its options: depth .a whole number; 3 unless given.; rate .a number or none;",
        ),
        (["depth=5.5"], "depth is a whole number, not '5.5'"),
        (["rate=fast"], "rate is a number or none"),
        (["prune=1"], "prune is true or false"),
        (["criterion=gain"], "criterion is gini or entropy"),
        (["depth=1", "depth=1"], "given twice"),
        (["depth"], "NAME=VALUE"),
    ],
)
def test_what_it_does_not_take_is_refused(given: list[str], complaint: str) -> None:
    with pytest.raises(SettingError, match=complaint):
        read_options("sealed_only", given)
