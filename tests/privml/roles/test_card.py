import json
from dataclasses import replace
from typing import Any

import pytest

from privml import Categorical, ModelCard, Schema
from privml.crypto.dtpkc import PublicParameters
from privml.crypto.wire import dumps, loads
from privml.errors import MalformedError, ParameterMismatchError, SettingError, UnknownClassifierError
from tests.privml.roles.world import SCHEMA

OTHER = Schema(
    (Categorical("colour", ("red", "blue", "green")), *SCHEMA.features[1:]),
    target=SCHEMA.target,
    classes=SCHEMA.classes,
)
"""Two categories have changed places: same shape, another meaning."""


@pytest.fixture
def base(parameters: PublicParameters) -> ModelCard:
    return ModelCard(parameters, "cloud", "things", "naive_bayes", SCHEMA)


CHANGES: list[dict[str, Any]] = [
    {"provider": "fog"},
    {"model": "others"},
    {"schema": OTHER},
    {"options": {"alpha": 0.5}},
    {"answers": ("label", "probabilities")},
    {"recipients": (b"a" * 32,)},
    {"recipients": (b"b" * 32,)},
    {"sealed_rows": 1000},
    {"query_rows": 1000},
    {"new_records": 2},
    {"new_owners": 2},
    {"rows_per_client": 1000},
    {"chunk_rows": 4095},
]


def test_the_digest_commits_to_everything(base: ModelCard, other_parameters: PublicParameters) -> None:
    changed = [replace(base, **change) for change in (*CHANGES, {"parameters": other_parameters})]
    assert len({card.digest for card in (base, *changed)}) == len(changed) + 1


def test_defaults_and_given_options_are_the_same_card(base: ModelCard) -> None:
    assert replace(base, options={"alpha": 1.0}).digest == base.digest
    assert base.options == {"alpha": 1.0}


@pytest.mark.parametrize("change", [{}, *CHANGES], ids=str)
def test_cards_survive_the_wire(base: ModelCard, change: dict[str, Any]) -> None:
    card = replace(base, **change)
    again = loads(dumps(card), ModelCard, card.parameters)
    assert again == card
    assert again.digest == card.digest
    assert again.layout == card.layout


def test_a_card_of_other_parameters_is_refused(base: ModelCard, other_parameters: PublicParameters) -> None:
    with pytest.raises(ParameterMismatchError):
        loads(dumps(base), ModelCard, other_parameters)


@pytest.mark.parametrize(
    "change",
    [
        {"provider": ""},
        {"model": "two\nlines"},
        {"recipients": ("alice",)},
        {"recipients": (b"short",)},
        {"answers": ("counts",)},
        {"options": {"alpha": 0}},
        {"chunk_rows": 0},
        {"chunk_rows": (1 << 20) + 1},
        {"sealed_rows": 0},
        {"query_rows": 0},
        {"new_records": 0},
        {"new_owners": 0},
        {"rows_per_client": 0},
    ],
    ids=str,
)
def test_settings_out_of_range_are_refused(base: ModelCard, change: dict[str, Any]) -> None:
    with pytest.raises(SettingError):
        replace(base, **change)


def test_an_unknown_classifier_names_those_there_are(base: ModelCard) -> None:
    with pytest.raises(UnknownClassifierError, match="naive_bayes"):
        replace(base, classifier="oracle")


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        "{}",
        json.dumps({"provider": "cloud"}),
        '{"extra": 1}',
    ],
)
def test_descriptions_that_are_none_are_refused(base: ModelCard, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelCard, "to_fields", lambda self: [text])
    with pytest.raises(MalformedError, match="description"):
        loads(dumps(base), ModelCard, base.parameters)


@pytest.mark.parametrize(("name", "value"), [("chunk_rows", ""), ("options", {"beta": 1}), ("more", 1), ("model", 3)])
def test_descriptions_with_wrong_entries_are_refused(
    base: ModelCard, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = json.dumps(base._content() | {name: value})
    monkeypatch.setattr(ModelCard, "to_fields", lambda self: [text])
    with pytest.raises(MalformedError):
        loads(dumps(base), ModelCard, base.parameters)


def test_the_layout_has_room_for_the_largest_chunk(base: ModelCard) -> None:
    layout = replace(base, chunk_rows=64).layout
    assert layout.count == (SCHEMA.width + 1) * SCHEMA.class_count
    assert -(1 << (layout.value_bits - 1)) <= 64 < 1 << (layout.value_bits - 1)
