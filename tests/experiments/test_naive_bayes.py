"""A small run on the data that ship with river, and the readers on files of a few lines."""

from pathlib import Path

import pytest

from experiments import naive_bayes
from experiments.datasets import adult, bank, bcw, found, nursery, phishing
from experiments.report import Report
from experiments.settings import Settings
from privml.data.feature import Categorical, Numeric

TINY = Settings(key_bits=512, repeats=1, records=200, allow_insecure_test_size=True)


@pytest.fixture(scope="module")
def report() -> Report:
    return naive_bayes.run(TINY)


def test_predictions_are_those_of_the_plaintext_twin_on_every_path(report: Report) -> None:
    differing = [record for record in report.records if "predictions that differ" in record.name]
    assert [record.value for record in differing] == [0, 0, 0]
    accuracies = [record for record in report.records if record.name.endswith(": accuracy")]
    assert len(accuracies) == 2
    assert all(record.value == record.peer_value and 0.8 < record.value < 1 for record in accuracies)


def test_no_target_applies_to_another_data_set_and_key(report: Report) -> None:
    assert all(record.target is None for record in report.records)


def test_names_are_unique_within_the_array(report: Report) -> None:
    names = [record.name for record in report.records]
    assert len(set(names)) == len(names)


def test_every_step_has_rounds_bytes_and_both_links(report: Report) -> None:
    names = {record.name for record in report.records}
    sealed, homomorphic = "Phishing: sealed path", "Phishing: homomorphic path"
    steps = [f"{sealed}: {step}" for step in ("open and train", "refresh", "all queries in batches", "one query")]
    for step in (*steps, f"{homomorphic}: verify, convert, check and add", f"{homomorphic}: refresh"):
        for what in (
            "rounds", "Master to Secondary", "Secondary to Master", "at 1 Gbit/s, 1 ms", "at 100 Mbit/s, 20 ms"
        ):  # fmt: skip
            assert f"{step}: {what}" in names


def test_memory_of_each_unit_is_that_of_a_process_of_its_own(report: Report) -> None:
    section = "Phishing: each unit in a process of its own: "
    found = {
        record.name.removeprefix(section): record.value for record in report.records if record.name.startswith(section)
    }
    everybody = found["peak memory of the experiment's own process, everybody in it"]
    for role in ("Master", "Secondary with dealer"):
        whole, idle = found[f"{role}: peak memory of the process"], found[f"{role}: of it, before the first upload"]
        assert 0 < idle <= whole < everybody


def test_it_prints_within_100_columns(report: Report, capsys: pytest.CaptureFixture[str]) -> None:
    report.show()
    printed = capsys.readouterr().out
    assert "between the units" in printed
    assert max(map(len, printed.splitlines())) <= 100


def write_adult(folder: Path) -> None:
    def row(age: int, work: str, income: str) -> str:
        start = f"{age}, {work}, {age * 10}, HS-grad, {age % 16}, Divorced, Sales, Wife, Other, Female"
        return f"{start}, 0, 0, 40, ?, {income}\n"

    (folder / "adult").mkdir()
    train = "".join(row(age, "?" if age % 3 else "Private", ">50K" if age % 2 else "<=50K") for age in range(20, 60))
    test = "|1x3 Cross validator\n" + row(99, "Never-worked", ">50K.") + row(1, "Private", "<=50K.")
    (folder / "adult" / "adult.data").write_text(train)
    (folder / "adult" / "adult.test").write_text(test)


def test_adult_edges_come_from_training_rows_and_categories_from_all(tmp_path: Path) -> None:
    write_adult(tmp_path)
    data = adult(tmp_path, 1)
    age = data.schema.feature("age")
    assert isinstance(age, Numeric)
    assert age.cardinality == 8
    assert 20 <= min(age.edges) <= max(age.edges) < 60
    work = data.schema.feature("workclass")
    assert isinstance(work, Categorical)
    assert set(work.categories) == {"?", "Private", "Never-worked"}
    assert data.schema.classes == ("<=50K", ">50K")
    train, test = data.encoded()
    assert (len(train), len(test), train.ignored, test.ignored) == (40, 2, 0, 0)
    assert len(data.encoded(10)[0]) == 10


def test_the_other_readers(tmp_path: Path) -> None:
    (tmp_path / "nursery").mkdir()
    line = "usual,proper,complete,{n},convenient,convenient,nonprob,{h},{c}\n"
    rows = [line.format(n=n, h=h, c=c) for n in (1, 2, "more") for h, c in (("priority", "a"), ("not_recom", "b"))]
    (tmp_path / "nursery" / "nursery.data").write_text("".join(rows))
    (tmp_path / "bank").mkdir()
    rows = [
        '"age";"job";"y"\n',
        *(f'{age};"{"unknown" if age % 2 else "job"}";"{"yes" if age % 3 else "no"}"\n' for age in range(30)),
    ]
    (tmp_path / "bank" / "bank-full.csv").write_text("".join(rows))
    (tmp_path / "bcw").mkdir()
    rows = [
        f"{n},{n % 10 + 1},1,2,1,2,{'?' if n % 5 == 0 else 1},3,1,{n % 2 + 1},{2 if n % 3 else 4}\n" for n in range(40)
    ]
    (tmp_path / "bcw" / "breast-cancer-wisconsin.data").write_text("".join(rows))
    assert nursery(tmp_path, 1).schema.class_count == 2
    assert bank(tmp_path, 1).schema.names == ("age", "job")
    assert "sample" not in bcw(tmp_path, 1).schema.names
    assert [data.title for data in found(tmp_path, 1)] == ["Nursery", "Bank", "BCW"]


def test_a_split_follows_its_seed() -> None:
    first, again, other = phishing(1), phishing(1), phishing(2)
    column = first.train.names[0]
    assert (first.train.column(column) == again.train.column(column)).all()
    assert (first.train.column(column) != other.train.column(column)).any()
    assert (len(first.train), len(first.test)) == (875, 375)


def test_a_folder_without_data_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none of the folders adult"):
        found(tmp_path, 1)
    (tmp_path / "bcw").mkdir()
    with pytest.raises(FileNotFoundError, match="neither breast-cancer-wisconsin"):
        found(tmp_path, 1)
