"""Small sweeps: that errors beyond the bound are found wherever they are, and said loudly."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from building_blocks.catalogue import BLOCKS, Block, Input
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.shares import BooleanShares, Shares
from experiments import accuracy
from experiments.accuracy.figures import BOUNDED, EXACT
from experiments.accuracy.sweep import landmarks, sweep
from experiments.accuracy.worst import Worst
from experiments.cli import main
from experiments.report import Report
from experiments.settings import Settings
from experiments.trial import Deviation, deviations, read
from privml.errors import SettingError
from privml.units.pair import Pair

FEW = Settings(points=64)


@pytest.fixture(scope="module")
def report() -> Report:
    return accuracy.run(FEW)


def test_every_block_of_the_catalogue_keeps_its_bound(report: Report) -> None:
    beyond = {r.name: r for r in report.records if r.name.endswith(": values beyond the bound")}
    sections = {block.name: EXACT if Worst(block).is_exact else BOUNDED for block in BLOCKS}
    assert set(beyond) == {f"{section}: {name}: values beyond the bound" for name, section in sections.items()}
    assert {(record.value, record.target, record.met) for record in beyond.values()} == {(0, "<= 0 values", True)}


def test_records_are_well_formed(report: Report) -> None:
    names = [record.name for record in report.records]
    assert len(set(names)) == len(names)
    assert {(record.experiment, record.key_bits) for record in report.records} == {("accuracy", None)}
    worst = [record for record in report.records if record.name.endswith(": worst error")]
    assert len(worst) == sum(not Worst(block).is_exact for block in BLOCKS)
    for record in worst:
        assert record.peer == "stated bound"
        assert record.ratio is None or 0 <= record.ratio <= 1


def test_it_prints_within_100_columns(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.show()
    printed = capsys.readouterr().out
    assert "truncate" in printed
    assert max(map(len, printed.splitlines())) <= 100


WIDE = Input(-(2**40), 2**40)
REAL = Input(-(2**30), 2**30, fraction_bits=20)


def doubling(reference: Callable[..., Any], operand: Input = WIDE, tolerance: Any = 0) -> Block:
    return Block("twice", lambda _, x: x + x, "2 x", "", "", "", (operand,), reference, tolerance=tolerance)


def tried(monkeypatch: pytest.MonkeyPatch, block: Block, points: int = 1 << 10) -> dict[str, Any]:
    monkeypatch.setattr(accuracy, "BLOCKS", (block,))
    records = accuracy.run(Settings(points=points)).records
    return {record.name.rpartition(": ")[2]: record for record in records}


@pytest.mark.parametrize("place", [2**40, -(2**40), 0, 1, -1, 2**33 - 1, -(2**17) - 1, 2**20 + 2**19, 2**30 + 2**22])
def test_a_single_wrong_value_at_an_edge_is_found(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    found = tried(monkeypatch, doubling(lambda x: 2 * x + (x == place)))
    assert found["values beyond the bound"].value >= 1
    assert found["values beyond the bound"].met is False


@pytest.mark.parametrize("octave", [8, 20, 39])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_small_wrong_interval_is_found_in_every_octave(
    monkeypatch: pytest.MonkeyPatch, octave: int, sign: int
) -> None:
    low, width = (2**octave * 11) // 8 + 1, 2**octave // 64
    found = tried(monkeypatch, doubling(lambda x: 2 * x + ((low <= sign * x) & (sign * x < low + width))))
    assert found["values beyond the bound"].met is False


def test_the_worst_error_and_its_place_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    block = doubling(lambda x: x / 2**19 + 0.25 * (x == 2**29), REAL, tolerance=0.5)
    found = tried(monkeypatch, block)
    worst = found["worst error"]
    assert (worst.value, worst.peer_value, worst.ratio) == (0.25, 0.5, pytest.approx(0.5))
    assert found["worst error, input 1"].value == 2**9
    assert found["values beyond the bound"].met is True


def test_a_tolerance_that_is_too_small_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    (truncate,) = (block for block in BLOCKS if block.name == "truncate")
    assert tried(monkeypatch, truncate)["values beyond the bound"].met is True
    wrong = tried(monkeypatch, dataclasses.replace(truncate, tolerance=0.5))
    assert wrong["values beyond the bound"].met is False
    assert wrong["worst error"].ratio == pytest.approx(2, rel=0.01)


def test_what_is_no_number_breaks_any_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    found = tried(monkeypatch, doubling(lambda x: np.where(x == 1, np.nan, x / 2**19), REAL, tolerance=1.0))
    assert found["values beyond the bound"].value >= 1
    assert "worst error" not in found


def test_a_broken_bound_ends_the_command_with_an_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    arguments = ["accuracy", "--quick", "--json", str(file)]
    monkeypatch.setattr(accuracy, "BLOCKS", (doubling(lambda x: 2 * x),))
    assert CliRunner().invoke(main, arguments).exit_code == 0
    monkeypatch.setattr(accuracy, "BLOCKS", (doubling(lambda x: 2 * x + (x == -1024)),))
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 1
    assert "missed" in result.output
    assert "-1024" in result.output
    assert [record["met"] for record in json.loads(file.read_text())] == [None, False]


def test_a_name_that_no_block_has() -> None:
    with pytest.raises(SettingError, match="no block is called nothing of the kind"):
        accuracy.run(Settings(only=("nothing of the kind",)))


def test_errors_are_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rounded = doubling(lambda x: x / 2**19 + 0.1, REAL, tolerance=0.5)
    monkeypatch.setattr(accuracy, "BLOCKS", (dataclasses.replace(rounded, name="Twice, more or less"), TWO))
    accuracy.run(Settings(points=100, plots=tmp_path))
    (file,) = tmp_path.iterdir()
    assert file.name == "twice-more-or-less.png"
    assert file.read_bytes().startswith(b"\x89PNG")


TWO = Block("two numbers", lambda _, x, y: (x + y, x), "", "", "", "", (WIDE, Input(-5, 5)), lambda x, y: (x + y, x))


class TestSweeps:
    @settings(max_examples=50)
    @given(data=st.data(), points=st.integers(1, 300), rows=st.integers(1, 100))
    def test_they_stay_in_range_and_have_their_shapes(self, data: st.DataObject, points: int, rows: int) -> None:
        ends = st.integers(-(2**63), 2**63 - 1)
        operands = []
        for _ in range(data.draw(st.integers(1, 3))):
            low, high = sorted((data.draw(ends), data.draw(ends)))
            shape = data.draw(st.sampled_from([(), (3,), (2, 2)]))
            operands.append(Input(low, high, shape=shape))
        operands.append(Input(0, 9, shape=(4,), batched=False))
        tried = 0
        for inputs in sweep(operands, points, rows, np.random.default_rng(1)):
            count = len(inputs[0])
            assert 1 <= count <= rows
            tried += count
            for values, operand in zip(inputs, operands, strict=True):
                assert values.dtype == np.int64
                assert values.shape == ((count, *operand.shape) if operand.batched else operand.shape)
                assert operand.low <= values.min()
                assert values.max() <= operand.high
        assert tried >= points

    @settings(max_examples=50)
    @given(low=st.integers(-(2**63), 2**63 - 1), length=st.integers(0, 400))
    def test_of_small_ranges_nothing_is_left_out(self, low: int, length: int) -> None:
        high = min(low + length, 2**63 - 1)
        batches = list(sweep([Input(low, high)], 300, 64, np.random.default_rng(1)))
        assert np.concatenate([x for (x,) in batches]).tolist() == list(range(low, high + 1))

    def test_of_several_small_ranges_all_combinations(self) -> None:
        batches = list(sweep([Input(-1, 2), Input(5, 7)], 50, 5, np.random.default_rng(1)))
        pairs = {(a, b) for x, y in batches for a, b in zip(x.tolist(), y.tolist(), strict=True)}
        assert pairs == {(a, b) for a in range(-1, 3) for b in range(5, 8)}
        assert sum(len(x) for x, _ in batches) == 12

    def test_all_pairs_of_landmarks_meet(self) -> None:
        operands = [Input(-(2**20), 2**20), Input(0, 2**30)]
        marks = [landmarks(each).tolist() for each in operands]
        batches = list(sweep(operands, 20_000, 1000, np.random.default_rng(1)))
        pairs = {(a, b) for x, y in batches for a, b in zip(x.tolist(), y.tolist(), strict=True)}
        assert {(a, b) for a in marks[0] for b in marks[1]} <= pairs
        assert any(0 < abs(a - b) <= 2 and a not in marks[0] for a, b in pairs)

    @settings(max_examples=50)
    @given(low=st.integers(-(2**63), -1), high=st.integers(1, 2**63 - 1))
    def test_landmarks(self, low: int, high: int) -> None:
        found = set(landmarks(Input(low, high)).tolist())
        assert {low, high, 0, 1, -1, low + 1, high - 1} <= found
        assert all(low <= value <= high for value in found)
        assert {2**k + d for k in range(63) for d in (-1, 0, 1) if 2**k + d <= high} <= found


class TestDeviations:
    def test_of_shares_they_are_distances_in_the_ring(self) -> None:
        words = np.array([2**64 - 1, 5], dtype=np.uint64)
        results = Pair(Shares(words), Shares(np.array([3, 2**64 - 9], dtype=np.uint64)))
        block = doubling(lambda _: np.array([2, -(2**63)]))
        (deviation,) = deviations(block, [np.zeros(2, np.int64)], results)
        assert deviation.error.tolist() == [0, 2.0**63 - 4]
        assert deviation.broken.tolist() == [False, True]

    def test_of_bits_all_lanes_count(self) -> None:
        results = Pair(*(BooleanShares(np.array([word], dtype=np.uint8)) for word in (0b101, 0b110)))
        assert read(results)[0].tolist() == [3]
        (deviation,) = deviations(doubling(lambda _: np.array([True])), [np.zeros(1, np.int64)], results)
        assert deviation.broken.all()

    def test_of_fixed_point_all_bits_count(self) -> None:
        large = np.array([2**61 + 1], dtype=np.uint64)
        results = Pair(*(FixedPoint(Shares(words), 1, 2**62 - 1) for words in (large, np.zeros_like(large))))
        assert read(results)[0][0] == np.longdouble(2**61 + 1) / 2

    def test_a_reference_is_no_better_known_than_floats_are(self) -> None:
        deviation = Deviation(*(np.array([x]) for x in (1.1, 1.0, 0.2)))
        assert not deviation.broken.any()
        assert Deviation(*(np.array([x]) for x in (1.3, 1.0, 0.2))).broken.all()

    def test_parts_have_tolerances_of_their_own(self) -> None:
        block = dataclasses.replace(TWO, tolerance=(0, 2))
        one = Shares(np.array([7], dtype=np.uint64))
        nothing = Shares(np.zeros(1, dtype=np.uint64))
        for first, second, broken in ((7, 5, [False, False]), (7, 4, [False, True]), (6, 7, [True, False])):
            wanted = dataclasses.replace(block, reference=lambda *_, a=first, b=second: (np.array([a]), np.array([b])))
            inputs = [np.zeros(1, np.int64)] * 2
            parts = deviations(wanted, inputs, Pair((one, one), (nothing, nothing)))
            assert [bool(part.broken[0]) for part in parts] == broken

    def test_another_form_than_the_references_is_refused(self) -> None:
        results = Pair(*(Shares(np.zeros(3, dtype=np.uint64)) for _ in range(2)))
        with pytest.raises(RuntimeError, match=r"twice gave arrays of the shapes \[\(3,\)\]"):
            deviations(doubling(lambda x: x), [np.zeros(2, np.int64)], results)
