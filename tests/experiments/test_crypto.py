"""Small runs of the experiment: what it writes down, never how long anything took."""

import dataclasses

import numpy as np
import pytest

from building_blocks.product import multiply
from experiments import crypto
from experiments.crypto import blocks as blocks_module
from experiments.crypto.blocks import Block, blocks, measure_blocks
from experiments.record import Scribe
from experiments.report import Report
from experiments.settings import BLOCK_BATCH, Settings

TINY = Settings(
    key_bits=512,
    repeats=1,
    batch=256,
    vector=4,
    converted=10,
    sealed=(1000, 20_000),
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


def test_no_target_applies_to_small_keys_and_batches(report: Report) -> None:
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
        "product, per value each way",
        "comparison to an integer bit: at 100 Mbit/s, 20 ms",
        "log2: rounds",
        "truncation",
        "select",
        "argmax of 4",
        "uint64 product",
    ):
        assert part in names, part


def test_rounds_and_bytes_are_those_of_the_blocks(report: Report) -> None:
    found = {record.name: record.value for record in report.records}
    blocks = "blocks on shares"
    assert (found[f"{blocks}: product: rounds"], found[f"{blocks}: product, per value each way"]) == (1, 16)
    assert found[f"{blocks}: truncation by 28 bits, per value each way"] == 8
    assert found["ciphertexts and shares: shares to ciphertexts: rounds"] == 2


def test_peers_are_compared_in_the_same_unit(report: Report) -> None:
    for record in report.records:
        if record.peer_value:  # of a single turn, the median quotient is that of the medians
            assert record.ratio == pytest.approx(record.value / record.peer_value)


def test_the_targets_of_blocks_apply_to_their_batch_with_any_key() -> None:
    small = Report(Scribe("crypto", 512, 1))
    measure_blocks(small, dataclasses.replace(TINY, batch=BLOCK_BATCH))
    judged = {record.name for record in small.records if record.target is not None}
    blocks = {name.removeprefix("blocks on shares: ").partition(",")[0] for name in judged}
    assert blocks == {"product", "comparison to an integer bit", "log2"}
    assert len(judged) == 6


def test_a_block_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Block(multiply, lambda a, b: a * b + 1, blocks(8, np.random.default_rng(1))["product"].inputs)
    monkeypatch.setattr(blocks_module, "blocks", lambda *_: {"wrong": wrong})
    with pytest.raises(RuntimeError, match="something else"):
        measure_blocks(Report(Scribe("crypto", 512, 1)), TINY)


def test_it_prints_within_100_columns(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.show()
    printed = capsys.readouterr().out
    assert "two-step decryption" in printed
    assert max(map(len, printed.splitlines())) <= 100
