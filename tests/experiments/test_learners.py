"""Small runs on data that ship with river and scikit-learn, and the readers on files of a few lines."""

import dataclasses
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from experiments import learners
from experiments.both_units import BothUnits
from experiments.cli import main
from experiments.learners import comparison, regression
from experiments.learners.comparison import limit_of, scores
from experiments.learners.data import Prepared, car_sized, read_stream, sources
from experiments.learners.options import BAYES, LEARNERS, REGRESSION, TREE, options_for
from experiments.learners.pair import LearnerPair
from experiments.learners.regression import BATCHES, EPOCHS, FEW_STEPS, SPU, TENSEAL
from experiments.learners.rivals import RIVALS, TwinTree
from experiments.learners.scales import PRIVATE_SCALES, PUBLIC
from experiments.peers import system
from experiments.peers.system import PeerError
from experiments.record import Record
from experiments.report import Report
from experiments.settings import Settings
from privml.data.continuous import Continuous
from privml.errors import SettingError

TINY = Settings(key_bits=512, repeats=1, records=200, growth=(50, 100), allow_insecure_test_size=True)

LEAVES = ", naive Bayes leaves"
"""What sections of trees with such leaves are called."""


@pytest.fixture(scope="module")
def plots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plots")


@pytest.fixture(scope="module")
def report(plots: Path) -> Report:
    return learners.run(dataclasses.replace(TINY, plots=plots))


def by_name(report: Report) -> dict[str, Record]:
    return {record.name: record for record in report.records}


def test_records_are_well_formed(report: Report) -> None:
    assert len(by_name(report)) == len(report.records)
    assert {record.experiment for record in report.records} == {"learners"}
    assert {record.key_bits for record in report.records} == {512, None}
    assert {record.seed for record in report.records} == {TINY.seed}


@pytest.mark.parametrize("learner", LEARNERS)
def test_every_learner_has_all_figures_beside_its_rival(report: Report, learner: str) -> None:
    found, section = by_name(report), f"Phishing: {learner}"
    for name in ("train + refresh", "a query, 200 in batches of 1000", "accuracy", "AUC"):
        record = found[f"{section}: {name}"]
        assert (record.peer, record.peer_value is not None) == (RIVALS[learner].name, True)
    for step in ("training", "all queries"):
        for figure in ("rounds", "Master to Secondary", "Secondary to Master"):
            assert found[f"{section}: {step}: {figure}"].value > 0
    assert found[f"{section}: accuracy"].value > 0.5
    assert f"Phishing, growth: {learner}: exponent over 50 to 100 records" in found
    apart = f"Phishing, each unit in a process of its own: {learner}"
    assert found[f"{apart}: Master: peak memory of the process"].value > 0


def test_predictions_are_those_of_the_same_learner_in_the_clear(report: Report) -> None:
    found = by_name(report)
    bayes = found[f"Phishing: {BAYES}: accuracy"]
    assert bayes.value == bayes.peer_value
    differing = [record for record in report.records if "predictions that differ from" in record.name]
    titles = [f"{title}{what}" for title in ("Phishing", "Breast cancer", "car-sized") for what in ("", LEAVES)]
    assert len(differing) == len(titles)
    assert {record.value for record in differing} == {0}
    for title in titles:
        twin = found[f"{title}: {TREE}: AUC, beside the {TwinTree.name}"]
        # naive Bayes leaves are so sure that the order of records is one of roundings to 2^-16
        assert twin.value == pytest.approx(twin.peer_value, abs=0.03 if LEAVES in title else 1e-3)
    divided = [record for record in report.records if "predictions that differ, 2 lanes" in record.name]
    assert [record.value for record in divided] == [0] * 6


def test_a_tree_that_grows_otherwise_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = options_for

    def other(name: str, *rest: object) -> dict[str, object]:
        return {**chosen(name, *rest), "tau": 0.0}  # type: ignore[arg-type]

    def twin(split: Prepared, options: object) -> TwinTree:
        other_twin = TwinTree(split.schema, {**_TWIN, "tau": 0.5})
        other_twin.fit(split.train)
        return other_twin

    monkeypatch.setattr(comparison, "options_for", other)
    monkeypatch.setattr(comparison, "_twin", twin)
    done = learners.run(dataclasses.replace(TINY, only=(f"car-sized: {TREE}",), records=None))
    record = by_name(done)[f"car-sized: {TREE}: predictions that differ from the {TwinTree.name}'s"]
    assert record.value > 0


_TWIN = {
    "depth": 6, "grace_period": 200, "batch": 1000,
    "criterion": "information_gain", "delta": 1e-7, "leaf_prediction": "majority",
}  # fmt: skip


def test_targets_are_about_whole_data_sets(report: Report) -> None:
    judged = {record.name for record in report.records if record.target is not None}
    assert all(name.startswith("455 x 30, 25 steps") for name in judged)
    whole = dataclasses.replace(TINY, records=None)
    for title, learner, what in (
        ("Adult", REGRESSION, ""), ("Adult", REGRESSION, ", accuracy"), ("Adult", REGRESSION, ", rounds"),
        ("edin", REGRESSION, ""), ("edin", REGRESSION, ", AUC"), ("car-sized", TREE, ""),
        *(("Adult", TREE, what) for what in ("", ", differing predictions", ", accuracy", ", bytes", ", rounds")),
    ):  # fmt: skip
        assert limit_of(whole, title, learner, what) is not None
        assert limit_of(TINY, title, learner, what) is None
    assert limit_of(whole, "Bank", TREE) is None
    assert limit_of(whole, "Breast cancer", REGRESSION) is None  # the target is about 25 steps


def test_quoted_figures_are_said_to_be_quoted(report: Report) -> None:
    record = by_name(report)[f"{FEW_STEPS}: train + refresh, beside {SPU.name}"]
    assert (record.peer, record.peer_value, record.target) == ("SPU semi2k with compilation, quoted", 1.49, None)
    about = report.notes[FEW_STEPS]
    for each in (SPU, TENSEAL):
        assert f"{each.name} is quoted from another machine; --peers DIR installs it" in " ".join(about)
    assert EPOCHS * BATCHES == 25


def test_other_systems_take_turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(system, "interpreter", lambda requirement, folder: Path(sys.executable))
    for name in ("SPU", "TENSEAL"):
        fake = dataclasses.replace(getattr(regression, name), module="tests.experiments.peers.fake")
        monkeypatch.setattr(regression, name, fake)
    done = learners.run(dataclasses.replace(TINY, only=(FEW_STEPS,), peers=tmp_path))
    found = {name.removeprefix(f"{FEW_STEPS}: "): record for name, record in by_name(done).items()}
    for name, peer, value in (
        (f"train + refresh, beside {SPU.name}", SPU.name, 5.0),
        ("bytes to train, fuller direction", SPU.name, 2.0),
        ("a query, in batches of 4096", f"{TENSEAL.name}, server", 4e3 / 4096),
        ("a query, in batches of 4096, with its client", TENSEAL.name, 5e3 / 4096),
        ("a query, in batches of 4096: bytes, fuller direction", TENSEAL.name, 1000),
    ):
        assert found[name].peer == peer
        assert found[name].peer_value == pytest.approx(value)
    assert found[f"train + refresh, beside {SPU.name}"].target == "ratio <= 1/10"
    # the peer was asked for the same steps
    beside = found[f"AUC, beside {SPU.name}"]
    assert beside.value == pytest.approx(beside.peer_value, abs=1e-3)
    assert found[f"accuracy, beside {SPU.name}"].ratio == 1
    assert not [note for note in done.notes[FEW_STEPS] if "quoted" in note]


def test_a_peer_that_cannot_be_had_is_named_and_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def interpreter(requirement: str, folder: Path) -> Path:
        raise PeerError(f"no matching distribution found for {requirement} in {folder.name}")

    monkeypatch.setattr(system, "interpreter", interpreter)
    done = learners.run(dataclasses.replace(TINY, only=(FEW_STEPS,), peers=tmp_path))
    about = " ".join(done.notes[FEW_STEPS])
    for each in (SPU, TENSEAL):
        assert f"{each.name} is quoted from another machine; it cannot be measured here: no matching" in about
    record = by_name(done)[f"{FEW_STEPS}: train + refresh, beside {SPU.name}"]
    assert (record.peer, record.target) == ("SPU semi2k with compilation, quoted", None)


def test_private_scales_answer_as_the_same_in_public(report: Report) -> None:
    found = by_name(report)
    accuracy = found[f"{PRIVATE_SCALES}: accuracy"]
    assert (accuracy.peer, accuracy.ratio, accuracy.key_bits) == (PUBLIC, 1, 512)
    assert found[f"{PRIVATE_SCALES}: largest difference of a probability from that with {PUBLIC}"].value < 1e-3
    assert found[f"{PRIVATE_SCALES}: moments: verify, convert, check: rounds"].value > 0
    assert found[f"{PRIVATE_SCALES}: owners to the Master"].value > 0


def test_the_stream_is_drawn(report: Report, plots: Path) -> None:
    (file,) = plots.iterdir()
    assert file.name == "phishing-stream.png"
    assert file.read_bytes().startswith(b"\x89PNG")
    for learner, least in ((BAYES, 0.8), (TREE, 0.5)):
        record = by_name(report)[f"Phishing stream: {learner}: prequential accuracy"]
        assert (record.peer, least < record.value < 1) == ("river", True)


def test_it_prints_within_100_columns(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.show()
    printed = capsys.readouterr().out
    assert "between the units" in printed
    assert "learners that are not installed: none" in " ".join(printed.split())
    assert max(map(len, printed.splitlines())) <= 100


def test_learners_that_are_not_installed_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learners, "classifier_names", lambda: ["logistic_regression", "naive_bayes"])
    done = learners.run(dataclasses.replace(TINY, only=("Breast cancer: naive", TREE)))
    assert {record.name.partition(": ")[2].partition(": ")[0] for record in done.records} == {"naive_bayes"}
    assert "not installed: decision_tree" in done.notes["Breast cancer: naive_bayes"][-1]


def test_a_name_that_nothing_has() -> None:
    with pytest.raises(SettingError, match="nothing is called decision_bush"):
        learners.run(dataclasses.replace(TINY, only=("decision_bush",)))


def test_the_command(tmp_path: Path) -> None:
    file = tmp_path / "records.json"
    arguments = ["learners", "--quick", "--repeats", "1", "--only", "car-sized", "--json", str(file)]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    assert {record["name"].partition(": ")[0] for record in json.loads(file.read_text())} == {
        "car-sized", "car-sized, naive Bayes leaves"
    }  # fmt: skip


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none of the folders adult, nursery, bank, bcw, helr, elec2"):
        sources(tmp_path, 1)
    (tmp_path / "helr").mkdir()
    (tmp_path / "elec2").mkdir()
    with pytest.raises(FileNotFoundError, match=r"neither edin.txt nor edin.txt.gz"):
        learners.run(dataclasses.replace(TINY, data=tmp_path, only=("edin",)))
    # before anything is measured
    with pytest.raises(FileNotFoundError, match=r"neither elec.csv nor elec.csv.gz"):
        learners.run(dataclasses.replace(TINY, data=tmp_path, only=("car-sized", "stream")))


def test_medical_data_in_five_folds(tmp_path: Path) -> None:
    (tmp_path / "helr").mkdir()
    lines = [f"{row}\t{row % 2}\t{row / 7}\t{int(row % 3 == 0)}\r\n" for row in range(60)]
    (tmp_path / "helr" / "edin.txt").write_text("".join(lines))
    (source,) = (each for each in sources(tmp_path, 1) if each.title == "edin")
    by_value, by_bin = (source.prepared(learner, None) for learner in (REGRESSION, TREE))
    assert len(by_value) == len(by_bin) == 5
    assert [feature.kind for feature in by_value[0].schema.features] == ["continuous", "categorical", "continuous"]
    assert [feature.kind for feature in by_bin[0].schema.features] == ["numeric", "categorical", "numeric"]
    assert sum(len(split.test) for split in by_value) == 60
    first = by_value[0].schema.features[0]
    assert isinstance(first, Continuous)
    assert (first.low, first.high) == (0, 59)


def test_the_stream_in_its_order(tmp_path: Path) -> None:
    (tmp_path / "elec2").mkdir()
    rows = "".join(f"{row / 50},{row % 20 / 20},{int(row > 25)}\n" for row in range(50))
    (tmp_path / "elec2" / "elec.csv").write_text(f"period,nswprice,class\n{rows}")
    schema, table = read_stream(tmp_path, 1)
    assert (schema.names, len(table)) == (("period", "nswprice"), 50)
    assert np.asarray(table.labels).tolist() == [int(row > 25) for row in range(50)]


def test_as_many_records_as_the_cars() -> None:
    (data,) = car_sized(1)
    assert (len(data.train), data.schema.cardinalities, data.schema.class_count) == (1728, (4, 4, 4, 3, 3, 3), 4)


def test_scores() -> None:
    truth = np.array([0, 1, 1, 0])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [0.7, 0.3]])
    assert scores(truth, np.array([0, 1, 0, 0]), probabilities) == comparison.Scores(0.75, 1.0)
    assert scores(truth, truth, probabilities[:, ::-1]).auc == 0
    assert scores(np.zeros(4, dtype=np.int64), truth, probabilities).auc is None
    three = np.eye(4)[[0, 1, 2, 0]]  # nobody is of the last class
    assert scores(np.array([0, 1, 2, 0]), np.array([0, 1, 2, 0]), three).auc == 1


def test_chunks_and_batches_make_the_same_predictions() -> None:
    (split,) = sources(None, 1)[0].prepared(BAYES, 100)
    generator = np.random.default_rng(1)
    with BothUnits() as both:
        whole, parts = (LearnerPair(both, BAYES, split.schema, {}, generator) for _ in range(2))
        cost = whole.learn(split.train)
        parts.learn(split.train, chunk=30)
        assert cost.traffic.rounds > 0
        labels = whole.classes(split.test.codes)
        assert (parts.ask(split.test.codes, batch=7)[0] == np.array(split.schema.classes)[labels]).all()
