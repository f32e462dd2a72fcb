"""Small runs of the experiment: what it writes down, never how long anything took."""

import pytest

from experiments import crypto
from experiments.report import Report
from experiments.settings import Settings

TINY = Settings(
    key_bits=512,
    repeats=1,
    vector=4,
    converted=10,
    sealed=(1000, 20_000),
    stream=2560,
    matrix=16,
    allow_insecure_test_size=True,
)


@pytest.fixture(scope="module")
def report() -> Report:
    return crypto.run(TINY)


def test_every_record_is_of_this_run(report: Report) -> None:
    assert {record.experiment for record in report.records} == {"crypto"}
    assert {record.seed for record in report.records} == {TINY.seed}
    assert {record.key_bits for record in report.records} == {512, None}


def test_names_are_unique_within_the_array(report: Report) -> None:
    names = [record.name for record in report.records]
    assert len(set(names)) == len(names)


def test_no_target_applies_to_small_keys(report: Report) -> None:
    assert all(record.target is None and record.met is None for record in report.records)


def test_all_that_the_targets_speak_of_is_there(report: Report) -> None:
    names = " | ".join(record.name for record in report.records)
    for part in (
        "T1 alone, with tables",
        "(T1, T2), from a filled pool",
        "addition of ciphertexts",
        "two-step decryption",
        "weak decryption",
        "n_jobs=2",
        "safe prime",
        "one proof for a chunk",
        "sealing: slope",
        "check of the proof",
        "ciphertexts to shares",
        "shares to ciphertexts: rounds",
        "shares to ciphertexts: at 100 Mbit/s, 20 ms",
        "uint64 product",
    ):
        assert part in names, part


def test_a_ciphertext_leaves_in_two_rounds(report: Report) -> None:
    found = {record.name: record.value for record in report.records}
    assert found["ciphertexts and shares: shares to ciphertexts: rounds"] == 2


def test_peers_are_compared_in_the_same_unit(report: Report) -> None:
    for record in report.records:
        if record.peer_value:  # of a single turn, the median quotient is that of the medians
            assert record.ratio == pytest.approx(record.value / record.peer_value)


def test_it_prints_within_100_columns(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.show()
    printed = capsys.readouterr().out
    assert "two-step decryption" in printed
    assert max(map(len, printed.splitlines())) <= 100
