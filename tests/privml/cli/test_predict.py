"""Predictions are the model's own, one a record, and asking changes nothing."""

import csv
import io
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from click.testing import Result
from sklearn.naive_bayes import CategoricalNB

from privml import Provider, Schema
from privml.cli.demo.peers import peer_of
from privml.data.encoding import encode
from privml.data.readers import read_csv
from privml.learner import classifier_names
from tests.privml.cli.tables import NEW, SMALL, predict, schema_in, snapshot, train, write_table

ROWS = 150


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two models of one table, one of labels only."""
    folder = tmp_path_factory.mktemp("predict")
    file = write_table(folder / "table.csv", ROWS)
    for name, options in (("labels", ()), ("both", ("--allow-probabilities",))):
        assert train(file, folder / name, *NEW, *options).exit_code == 0
    return folder


@pytest.fixture
def questions(tmp_path: Path) -> Path:
    return write_table(tmp_path / "questions.csv", 60, seed=3)


def peer(schema: Schema, file: Path) -> CategoricalNB:
    table = encode(schema, read_csv(file))
    return CategoricalNB(min_categories=schema.cardinalities).fit(table.codes, table.labels)


def lines(result: Result) -> list[list[str]]:
    assert result.exit_code == 0, result.output
    return list(csv.reader(io.StringIO(result.stdout)))


def test_labels_are_those_of_scikit_learn_and_their_accuracy_is_counted(
    folder: Path, questions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("privml.cli.predict"), "BATCH", 16)
    schema = schema_in(folder / "labels")
    asked = encode(schema, read_csv(questions))
    expected = peer(schema, folder / "table.csv").predict(asked.codes)
    result = predict(questions, folder / "labels")
    assert lines(result) == [["prediction"], *([schema.classes[code]] for code in expected)]
    right = int((expected == asked.labels).sum())
    assert result.stderr == f"  Accuracy: {right / 60:.2%} ({right} of 60)\n"


def test_probabilities_have_a_column_a_class(folder: Path, questions: Path) -> None:
    schema = schema_in(folder / "both")
    header, *rows = lines(predict(questions, folder / "both", "--probabilities"))
    assert header == ["prediction", "P(k0)", "P(k1)", "P(k2)"]
    shares = np.array([row[1:] for row in rows], dtype=float)
    expected = peer(schema, folder / "table.csv").predict_proba(encode(schema, read_csv(questions)).codes)
    np.testing.assert_allclose(shares, expected, atol=1e-5)
    assert [row[0] for row in rows] == [schema.classes[best] for best in expected.argmax(axis=1)]


def test_a_model_of_labels_says_how_to_get_probabilities(folder: Path, questions: Path) -> None:
    result = predict(questions, folder / "labels", "--probabilities")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "answers labels only; train one with --allow-probabilities" in result.stderr


def test_the_classes_need_not_be_known_and_columns_may_be_more_and_in_another_order(
    folder: Path, questions: Path
) -> None:
    expected = lines(predict(questions, folder / "labels"))
    table = read_csv(questions)
    rows = zip(table.column("colour"), range(60), table.column("size"), strict=True)
    questions.write_text("colour,id,size\n" + "".join(f"{colour},{row},{size}\n" for colour, row, size in rows))
    result = predict(questions, folder / "labels")
    assert lines(result) == expected
    assert result.stderr == "  Not in the schema, and so not read: 'id'.\n"


def test_accuracy_is_of_known_classes_and_a_class_of_nobody_is_wrong(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "some.csv"
    file.write_text("size,colour,kind\n1,red,k0\n1,red,\n1,red,k9\n1,red,?\n")
    result = predict(file, folder / "labels", "--missing", "?")
    assert lines(result) == [["prediction"], *[["k0"]] * 4]
    assert result.stderr == "  Accuracy: 50.00% (1 of 2)\n"


def test_a_file_gets_the_same_and_is_not_overwritten(folder: Path, questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    result = predict(questions, folder / "labels", "--output", out)
    assert (result.exit_code, result.stdout) == (0, "")
    assert out.read_bytes().decode() == predict(questions, folder / "labels").stdout
    before = out.read_bytes()
    again = predict(questions, folder / "labels", "--output", out)
    assert again.exit_code == 2
    assert f"{out} exists already" in again.stderr
    assert out.read_bytes() == before


def test_of_answers_that_do_not_all_come_no_file_stays(
    folder: Path, questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("privml.cli.predict"), "BATCH", 16)
    query, asked = Provider.query, 0

    def fail(provider: Provider, message: bytes) -> bytes:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise KeyboardInterrupt
        return query(provider, message)

    monkeypatch.setattr(Provider, "query", fail)
    result = predict(questions, folder / "labels", "--output", tmp_path / "out.csv")
    assert result.exit_code == 130
    assert asked == 3
    assert not (tmp_path / "out.csv").exists()


def test_a_record_that_does_not_fit_is_found_before_anything_is_asked(folder: Path, questions: Path) -> None:
    questions.write_text(questions.read_text() + "1,purple,k1\n")
    result = predict(questions, folder / "labels")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'purple'" in result.stderr
    assert len(lines(predict(questions, folder / "labels", "--unknown", "ignore"))) == 62


def test_asking_changes_nothing(folder: Path, questions: Path) -> None:
    before = snapshot(folder)
    lines(predict(questions, folder / "labels"))
    assert snapshot(folder) == before


def test_a_model_that_was_interrupted_answers_and_says_so(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, sent = Provider.upload, 0

    def interrupted(provider: Provider, message: bytes) -> None:
        nonlocal sent
        sent += 1
        if sent == 3:
            raise KeyboardInterrupt
        upload(provider, message)

    file, model = folder / "table.csv", tmp_path / "m"
    with monkeypatch.context() as patch:
        patch.setattr(Provider, "upload", interrupted)
        assert train(file, model, *NEW, "--chunk-rows", 50, "--save-every", 1).exit_code == 130
    result = predict(file, model)
    assert len(lines(result)) == ROWS + 1
    assert "table.csv was learned up to record 100 of 150 only" in result.stderr


def test_there_is_no_model(questions: Path, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere"):
        result = predict(questions, path)
        assert result.exit_code == 2
        assert f"{path} holds no model" in result.stderr


@pytest.mark.parametrize("classifier", classifier_names())
def test_every_installed_classifier_answers_about_as_well_as_its_peer(classifier: str, tmp_path: Path) -> None:
    file, questions = write_table(tmp_path / "table.csv", 600), write_table(tmp_path / "asked.csv", 200, seed=1)
    arguments = ("--target", "kind", "--classifier", classifier, "--chunk-rows", 200)
    trained = train(file, tmp_path / "m", *SMALL, *arguments)
    assert trained.exit_code == 0, trained.output
    schema = schema_in(tmp_path / "m")
    (_, *answers), asked = lines(predict(questions, tmp_path / "m")), encode(schema, read_csv(questions))
    table = encode(schema, read_csv(file))
    assert table.labels is not None
    assert asked.labels is not None
    plain = peer_of(classifier).predict(schema, table.codes, table.labels, asked.codes)
    private = np.array([schema.classes.index(label) for (label,) in answers])
    assert (private == asked.labels).mean() >= (plain == asked.labels).mean() - 0.1
