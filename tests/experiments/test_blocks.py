"""Small runs over a few blocks of the catalogue: what is written down, never how long anything took."""

import dataclasses
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from building_blocks.catalogue import BLOCKS, Block, Input
from building_blocks.catalogue.ciphertext_blocks import CIPHERTEXT_BLOCKS
from building_blocks.product import multiply
from experiments import blocks as experiment
from experiments.blocks import ciphertexts, figures, shares
from experiments.blocks.correlations import KINDS
from experiments.blocks.cost import affordable, within
from experiments.both_units import BothUnits, split
from experiments.cli import main
from experiments.record import Record, Scribe
from experiments.report import Report
from experiments.settings import Settings
from experiments.timing import Timing
from privml.errors import SettingError
from privml.units.link import LINKS

CHOSEN = ("multiply, fixed point", "less than, as integer", "multiply")
TINY = Settings(
    key_bits=512,
    repeats=1,
    batches=(1, 8, 32),
    budget=0.05,
    only=("multiply", "less than, as integer", "product"),
    ciphertexts=3,
    key_sizes=(512,),
    allow_insecure_test_size=True,
)


@pytest.fixture(scope="module")
def report() -> Report:
    return experiment.run(TINY)


def by_name(report: Report) -> dict[str, Record]:
    return {record.name: record for record in report.records}


def test_every_record_is_of_this_run(report: Report) -> None:
    assert {record.experiment for record in report.records} == {"blocks"}
    assert {record.seed for record in report.records} == {TINY.seed}
    assert {record.key_bits for record in report.records} == {512, None}
    assert len(by_name(report)) == len(report.records)


@pytest.mark.parametrize("section", [figures.DEALT, figures.TRANSFERRED])
def test_every_batch_of_every_block_has_all_figures(report: Report, section: str) -> None:
    found = by_name(report)
    for block in CHOSEN:
        for batch in TINY.batches:
            for figure in (
                "each", "rounds", "each way a value", "of it, correlations", "correlations, a value",
                *(f"each at {link.name}" for link in LINKS),
            ):  # fmt: skip
                assert f"{section}: {block}, batch of {batch}: {figure}" in found
            assert found[f"{section}: {block}, batch of {batch}: each"].peer == "numpy"


def test_correlations_are_counted_apart_from_the_block(report: Report) -> None:
    found = by_name(report)
    for block, rounds, size in (("multiply", 1, 16), ("less than, as integer", 4, 13.125)):
        for section in (figures.DEALT, figures.TRANSFERRED):
            start = f"{section}: {block}, batch of 32"
            assert found[f"{start}: rounds"].value == rounds
            assert found[f"{start}: each way a value"].value == size
            assert found[f"{start}: of it, correlations"].value > 0
    assert found[f"{figures.DEALT}: multiply, batch of 32: correlations, a value"].value == 8
    assert found[f"{figures.TRANSFERRED}: multiply, batch of 32: correlations, a value"].value > 64 * 8


def test_transfers_pay_for_their_messages_over_a_link(report: Report) -> None:
    found = by_name(report)
    slow = f"each at {LINKS[-1].name}"
    dealt, transferred = (
        found[f"{section}: multiply, batch of 1: {slow}"].value for section in (figures.DEALT, figures.TRANSFERRED)
    )
    assert dealt > LINKS[-1].round_trip * 1e6
    assert transferred > 2 * LINKS[-1].round_trip * 1e6


def test_each_kind_of_correlation_has_its_price_from_both_sources(report: Report) -> None:
    found = by_name(report)
    for kind in KINDS:
        dealt, transferred = (
            found[f"correlations by the piece: {kind}, {source}: each, one way"].value
            for source in ("dealer", "transfers")
        )
        assert 0 < dealt < transferred


def test_no_target_applies_to_small_batches_and_keys(report: Report) -> None:
    assert all(record.target is None and record.met is None for record in report.records)


def test_it_prints_within_100_columns(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.show()
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 100
    for block in CHOSEN:
        assert any(line.startswith(f" {block} ") for line in lines)


def test_the_catalogue_has_the_blocks_that_targets_are_about() -> None:
    assert {*shares.JUDGED, *shares.DEALER_FREE} <= {block.name for block in BLOCKS}
    names = {block.name for block in ciphertexts.ciphertext_blocks()}
    assert {*ciphertexts.JUDGED, *ciphertexts.PROTOTYPE} - names == {"two-step decryption"}


def test_targets_apply_to_their_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (shares, figures):
        monkeypatch.setattr(module, "BLOCK_BATCH", 8)
    done = experiment.run(dataclasses.replace(TINY, batches=(8,), only=("multiply", "less than, as integer")))
    judged = {record.name.partition(", batch")[0] for record in done.records if record.target is not None}
    assert judged == {
        f"{section}: {block}"
        for section in (figures.DEALT, figures.TRANSFERRED)
        for block in ("multiply", "less than, as integer")
    }
    assert {record.target for record in done.records} == {
        None, "<= 0.05 us", "<= 16 bytes", "<= 0.3 us", "<= 32 bytes", "<= 40 us", "<= 200 us",
    }  # fmt: skip


TWICE = Block("twice", lambda _, x: x + x, "2 x", "any", "exact", "", (Input(-9, 9),), lambda x: 2 * x)


def only(monkeypatch: pytest.MonkeyPatch, *blocks: Block) -> None:
    monkeypatch.setattr(experiment, "BLOCKS", blocks)
    monkeypatch.setattr(experiment, "KINDS", {})
    monkeypatch.setattr(experiment, "measure_correlations", lambda *_: None)
    monkeypatch.setattr(experiment, "ciphertext_blocks", list)


def test_a_new_block_appears_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, TWICE)
    found = by_name(experiment.run(dataclasses.replace(TINY, only=())))
    assert found[f"{figures.DEALT}: twice, batch of 32: rounds"].value == 0


def test_a_block_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, dataclasses.replace(TWICE, reference=lambda x: 2 * x + (x == 9)))
    with pytest.raises(RuntimeError, match="twice computed something else"):
        experiment.run(dataclasses.replace(TINY, only=()))


def test_a_block_on_ciphertexts_that_computes_something_else_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    (product,) = (block for block in CIPHERTEXT_BLOCKS if block.name == "product")
    wrong = dataclasses.replace(product, reference=lambda x, y: x * y + 1)
    monkeypatch.setattr(experiment, "BLOCKS", ())
    monkeypatch.setattr(experiment, "measure_correlations", lambda *_: None)
    monkeypatch.setattr(experiment, "ciphertext_blocks", lambda: [wrong])
    with pytest.raises(RuntimeError, match="product computed something else"):
        experiment.run(TINY)


def test_transfers_that_would_take_too_long_are_made_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    product = next(block for block in BLOCKS if block.name == "square")
    only(monkeypatch, product)
    done = experiment.run(dataclasses.replace(TINY, only=(), budget=1e-9))
    found = by_name(done)
    assert f"{figures.DEALT}: square, batch of 32: each" in found
    assert f"{figures.TRANSFERRED}: square, batch of 8: each" in found
    assert f"{figures.TRANSFERRED}: square, batch of 32: each" not in found
    assert "square" in done.notes[figures.TRANSFERRED][-1]


def test_results_that_take_too_much_memory_are_made_in_smaller_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    only(monkeypatch, TWICE)
    monkeypatch.setattr(shares, "MOST_WORDS", 10)
    found = by_name(experiment.run(dataclasses.replace(TINY, only=())))
    assert f"{figures.DEALT}: twice, batch of 10: each" in found
    assert f"{figures.DEALT}: twice, batch of 32: each" not in found


def test_batches_within_a_budget() -> None:
    assert affordable(100_000, 1e-4, 20) == 100_000
    assert affordable(100_000, 1e-3, 20) == 10_000
    assert [within(1000, most) for most in (1e9, 1000, 999, 10, 9.9, 0.1)] == [1000, 1000, 100, 10, 1, 1]


def test_a_name_that_no_block_has() -> None:
    with pytest.raises(SettingError, match="no block is called nothing of the kind"):
        experiment.run(dataclasses.replace(TINY, only=("nothing of the kind",)))


def test_the_prototypes_figures_are_quoted_where_there_are_any() -> None:
    done = Report(Scribe("blocks", 512, 1))
    settings = dataclasses.replace(TINY, ciphertexts=128)
    for bits in (512, 1024, 2048):
        ciphertexts._write(done.at(bits), settings, f"{bits}", "product", Timing((0.007,)))
        ciphertexts._write(done.at(bits), settings, f"{bits}", "key switch", Timing((0.007,)))
    found = {record.name: (record.peer_value, record.target, record.met) for record in done.records}
    assert found == {
        "512: product, each": (None, None, None),
        "512: key switch, each": (None, None, None),
        "1024: product, each": (16.0, None, None),
        "1024: key switch, each": (None, None, None),
        "2048: product, each": (None, "<= 6 ms", False),
        "2048: product, against the prototype, quoted": (90.0, "ratio <= 1/10", True),
        "2048: key switch, each": (None, None, None),
    }


def test_what_transfers_say_is_not_the_blocks_own() -> None:
    generator = np.random.default_rng(1)
    inputs = [split(np.arange(5), generator) for _ in range(2)]
    with BothUnits() as dealt, BothUnits(correlations="ot") as transferring:
        (_, one), (_, other) = (both.observe(multiply, *inputs) for both in (dealt, transferring))
        assert one == other
        assert (dealt.is_dealt, transferring.is_dealt) == (True, False)
        assert dealt.making.traffic.bytes_sent == 5 * 8
        assert transferring.making.transfers >= 5 * 64 * 2
        assert transferring.making.traffic.rounds > 1


def test_options_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def run(settings: Settings) -> Report:
        seen.append(settings)
        done = Report(Scribe("trial", 2048, 1))
        done.add("section", "rounds", 3, "rounds")
        return done

    monkeypatch.setattr(experiment, "run", run)
    arguments = ["blocks", "--only", "log2", "--only", "ln", "--budget", "3", "--key-size", "3072", "--repeats", "2"]
    assert CliRunner().invoke(main, arguments).exit_code == 0
    assert CliRunner().invoke(main, ["blocks"]).exit_code == 0
    assert CliRunner().invoke(main, ["blocks", "--quick"]).exit_code == 0
    chosen, default, quick = seen
    assert (chosen.only, chosen.budget, chosen.key_sizes, chosen.repeats) == (("log2", "ln"), 3, (3072,), 2)
    assert default == Settings()
    assert max(quick.batches) < 100_000
    assert quick.budget < Settings().budget
