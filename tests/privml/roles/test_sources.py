"""The whole job without a dealer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from privml import Authority, Client, DataOwner, Provider
from privml.crypto.keygen import StrongKey
from privml.errors import AuthorisationError, SettingError
from privml.learner import classifier_names
from privml.units.dealer import Dealer
from privml.units.ot.source import OtSource
from tests.privml.roles.world import SCHEMA, columns, expected_labels, host, plain

TABLE, QUERIES = columns(20), columns(12, seed=2)


def authority(strong_key: StrongKey) -> Authority:
    return Authority(strong_key.parameters, StrongKey(strong_key.parameters, *strong_key.factors))


def test_a_provider_whose_units_make_their_correlations(
    strong_key: StrongKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dealer, "corrections", None)
    expected = expected_labels(plain(TABLE), QUERIES)
    with Provider.embedded(authority(strong_key), correlations="ot") as provider:
        assert all(isinstance(unit.correlations, OtSource) for unit in provider.units)
        card = host(provider)
        DataOwner.join(provider, "alice").upload(card, TABLE)
        session = Client.join(provider, "carol").open_session(card)
        assert session.predict(QUERIES).tolist() == expected
        before = provider.units.master.correlations.position
        provider._reconnect()
        assert session.predict(QUERIES).tolist() == expected
        assert provider.units.master.correlations.position > before
        provider.save(tmp_path)
    with Provider.load(tmp_path, correlations="ot") as provider:
        assert Client.join(provider, "erin").predict(provider.card("things"), QUERIES).tolist() == expected


OPTIONS: dict[str, dict[str, Any]] = {
    "decision_tree": {"depth": 2, "batch": 10, "grace_period": 10, "delta": 0.1, "tau": 0.5},
    "logistic_regression": {"epochs": 2, "batch": 10},
}


@pytest.mark.parametrize("name", classifier_names())
def test_every_classifier_learns_and_answers_with_either_source(name: str, strong_key: StrongKey) -> None:
    answers = []
    for source in ("dealer", "ot"):
        with Provider.embedded(authority(strong_key), correlations=source) as provider:
            card = provider.create_model("things", name, SCHEMA, options=OPTIONS.get(name, {}))
            DataOwner.join(provider, "alice").upload(card, TABLE)
            answers.append(Client.join(provider, "carol").predict(card, QUERIES).tolist())
    assert answers[0] == answers[1]


def test_there_are_two_sources(strong_key: StrongKey) -> None:
    keys = authority(strong_key)
    wrong: Any = "thin air"
    with pytest.raises(SettingError, match="thin air"):
        Provider.embedded(keys, correlations=wrong)
    with Provider.embedded(keys) as provider:
        assert not any(isinstance(unit.correlations, OtSource) for unit in provider.units)
    with pytest.raises(AuthorisationError):
        Provider.embedded(keys)
