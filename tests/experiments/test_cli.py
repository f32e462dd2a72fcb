import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from experiments import crypto, naive_bayes
from experiments.cli import main
from experiments.record import Scribe
from experiments.report import Report
from experiments.settings import Settings


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch) -> list[Settings]:
    """What the experiments were run with, instead of running them."""
    seen: list[Settings] = []

    def run(settings: Settings) -> Report:
        seen.append(settings)
        report = Report(Scribe("trial", settings.key_bits, settings.seed))
        report.add("section", "rounds", 3, "rounds")
        return report

    monkeypatch.setattr(crypto, "run", run)
    monkeypatch.setattr(naive_bayes, "run", run)
    return seen


def invoke(*arguments: str) -> Any:
    return CliRunner().invoke(main, arguments)


def test_help_teaches() -> None:
    text = invoke("--help").output
    for part in ("python -m experiments naive_bayes --data DIR", "crypto", "naive_bayes", "targets", "peer_value"):
        assert part in text


def test_defaults_are_the_settings_of_the_targets(chosen: list[Settings]) -> None:
    assert invoke("crypto").exit_code == 0
    assert chosen == [Settings()]


def test_quick_takes_fewer_samples_with_the_same_keys(chosen: list[Settings]) -> None:
    invoke("crypto", "--quick")
    assert chosen[0].repeats < Settings().repeats
    assert chosen[0].key_bits == 2048


def test_options_arrive(chosen: list[Settings], tmp_path: Path) -> None:
    invoke("naive_bayes", "--data", str(tmp_path), "--key-bits", "3072", "--seed", "5", "--repeats", "2")
    (settings,) = chosen
    assert (settings.data, settings.key_bits, settings.seed, settings.repeats) == (tmp_path, 3072, 5, 2)


def test_json_is_an_array_of_records(chosen: list[Settings], tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    result = invoke("crypto", "--json", str(file))
    assert result.exit_code == 0
    assert [record["name"] for record in json.loads(file.read_text())] == ["section: rounds"]
    assert chosen


def test_a_folder_that_is_not_there_is_seen_before_the_run(chosen: list[Settings], tmp_path: Path) -> None:
    result = invoke("crypto", "--json", str(tmp_path / "nowhere" / "records.json"))
    assert (result.exit_code, chosen) == (2, [])


@pytest.mark.parametrize("bits", ["512", "999"])
def test_a_key_size_that_no_key_has_is_refused(bits: str) -> None:
    result = invoke("crypto", "--key-bits", bits)
    assert result.exit_code == 2
    assert "2048" in result.output


def test_a_folder_without_data_is_refused(tmp_path: Path) -> None:
    result = invoke("naive_bayes", "--data", str(tmp_path))
    assert result.exit_code == 1
    assert "none of the folders" in result.output


def test_all_targets_can_be_shown() -> None:
    text = invoke("targets").output
    assert "two-step decryption" in text
    assert "512 MiB" in text
