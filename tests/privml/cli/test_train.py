"""Training on files: what is learned is what is in them, wherever it was cut off, and nothing that was said is lost."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from privml import Categorical, Continuous, Provider, Schema
from privml.cli import model_directory
from privml.cli.console import console
from privml.cli.csv_records import CsvRecords
from privml.cli.model_directory import ModelDirectory, Record, Source
from privml.cli.train.interrupt import interruptible
from privml.cli.train.training import learn
from privml.crypto.randomness import random_bytes
from privml.learner import classifier_names
from privml.roles.station import Station
from privml.store.unit_folder import UnitFolder
from tests.privml.cli.sealed_only import install
from tests.privml.cli.tables import (
    NEW,
    SMALL,
    counted,
    counts_in,
    held,
    predict,
    schema_in,
    snapshot,
    train,
    write_table,
)

ROWS = 150
CHUNKED = ("--chunk-rows", 16, "--save-every", 2)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_table(tmp_path / "table.csv", ROWS)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return tmp_path / "models" / "m"


@pytest.fixture
def begun(file: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model whose training was interrupted at the sixth of ten chunks, after four were saved."""
    with monkeypatch.context() as patch:
        interrupt_in(patch, Provider, "upload", 6)
        assert train(file, model, *NEW, *CHUNKED).exit_code == 130
    return model


def interrupt_in(
    patch: pytest.MonkeyPatch, owner: object, name: str, call: int, *, after: bool = False
) -> Callable[[], int]:
    """Press Ctrl-C, without any handler, before or after the so-manieth call of something."""
    original, calls = getattr(owner, name), 0

    def interrupted(*arguments: object, **named: object) -> object:
        nonlocal calls
        calls += 1
        if calls == call and not after:
            raise KeyboardInterrupt
        result = original(*arguments, **named)
        if calls == call:
            raise KeyboardInterrupt
        return result

    patch.setattr(owner, name, interrupted)
    return lambda: calls


def test_the_model_holds_the_file(file: Path, model: Path) -> None:
    result = train(file, model, *NEW, *CHUNKED)
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(held(model), counted(schema_in(model), [file]))
    assert "150 records of 1 file, in 10 encrypted chunks" in result.stdout
    for words in ("BOTH units", "NOT encrypted", f"privml predict FILE --model {model}"):
        assert words in " ".join(result.stdout.split())
    assert "proposed from table.csv: 2 features" in result.stderr
    assert "\x1b" not in result.output


def test_only_their_owner_can_read_keys_and_shares_and_each_unit_has_a_folder(begun: Path) -> None:
    assert {path.stat().st_mode & 0o077 for path in begun.rglob("*.privml")} == {0}
    assert stat.S_IMODE((begun / "training.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(begun.stat().st_mode) == 0o700
    (units,) = begun.glob("units-*")
    assert sorted(path.name for path in units.iterdir()) == ["master", "secondary"]
    assert [path.name for path in begun.parent.iterdir()] == ["m"]


WHERE = {
    "before the units take a chunk": (Provider, "upload", 6, False),
    "after they took it, before anybody knows": (Provider, "upload", 6, True),
    "while they learn": (Station, "take_sealed", 11, False),
    "between the two units' states": (UnitFolder, "keep_state", 5, True),
    "after both states, before they count": (model_directory, "_replace", 3, False),
    "after they count, before the old ones go": (model_directory, "_replace", 3, True),
    "before anything of the file is saved": (Provider, "upload", 1, True),
    "while the model is brought up to date": (Provider, "refresh", 1, False),
}


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE.keys())
def test_wherever_it_is_cut_off_it_goes_on_and_the_model_is_the_same(
    where: tuple[object, str, int, bool], file: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner, name, call, after = where
    with monkeypatch.context() as patch:
        calls = interrupt_in(patch, owner, name, call, after=after)
        result = train(file, model, *NEW, *CHUNKED)
        assert result.exit_code == 130
        assert calls() >= call
        assert "--resume goes on" in " ".join(result.stderr.split())
    again = train(file, model, *NEW, *CHUNKED, "--resume")
    assert again.exit_code == 0, again.output
    np.testing.assert_array_equal(held(model), counted(schema_in(model), [file]))
    assert len(list(model.glob("units-*"))) == 1


def test_what_is_saved_is_not_uploaded_again(begun: Path, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = interrupt_in(monkeypatch, Provider, "upload", 99)
    result = train(file, begun, "--resume")  # the model knows the rest
    assert result.exit_code == 0, result.output
    assert calls() == 10 - 4
    assert "goes on after record 64 of 150" in result.stderr


@pytest.mark.parametrize("same_identifiers", [True, False])
def test_a_chunk_whose_confirmation_was_lost_counts_once(
    same_identifiers: bool, begun: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With an identifier of its own for every sending, the chunk would count twice."""
    if not same_identifiers:
        monkeypatch.setattr(Record, "upload_id", lambda *_: random_bytes(16))
    with ModelDirectory.opened(begun, password=None) as directory:
        source, records = directory.record.sources[0], CsvRecords(file, directory.card.schema)
        settings = {"save_every": 99, "screen": console(stderr=True), "is_time_to_stop": lambda: False}
        with monkeypatch.context() as patch:
            interrupt_in(patch, Provider, "upload", 2, after=True)
            with pytest.raises(KeyboardInterrupt):
                learn(directory, records, source, **settings)  # type: ignore[arg-type]
        learn(directory, records, source, **settings)  # type: ignore[arg-type]
        equal = np.array_equal(counts_in(directory.provider), counted(directory.card.schema, [file]))
    assert equal == same_identifiers


@pytest.fixture
def ctrl_c_works() -> Iterator[None]:
    """Also where the suite runs in the background of a shell, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c_works")
def test_the_first_interrupt_waits_for_the_chunk_and_saves_it(
    file: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload, sent = Provider.upload, 0

    def pressed(provider: Provider, message: bytes) -> None:
        nonlocal sent
        sent += 1
        if sent == 4:
            os.kill(os.getpid(), signal.SIGINT)
        upload(provider, message)

    monkeypatch.setattr(Provider, "upload", pressed)
    result = train(file, model, *NEW, "--chunk-rows", 16)
    assert result.exit_code == 130
    assert "Stopping when this chunk is through" in result.stderr
    assert held(model)[-1].sum() == 4 * 16
    assert train(file, model, "--resume").exit_code == 0
    np.testing.assert_array_equal(held(model), counted(schema_in(model), [file]))


@pytest.mark.usefixtures("ctrl_c_works")
def test_the_second_interrupt_does_not_wait() -> None:
    with interruptible(console(stderr=True)) as is_time_to_stop:
        assert not is_time_to_stop()
        os.kill(os.getpid(), signal.SIGINT)
        assert is_time_to_stop()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_is_ignored_stays_so() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interruptible(console(stderr=True)) as is_time_to_stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert not is_time_to_stop()
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_a_process_is_stopped_or_killed_and_another_goes_on(number: int, code: int, tmp_path: Path) -> None:
    file, model = write_table(tmp_path / "long.csv", 1600), tmp_path / "m"
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\nfrom privml.cli import main; main()"
    )
    arguments = ["train", file, "--model", model, *NEW, "--chunk-rows", "8", "--save-every", "1"]
    process = subprocess.Popen(  # noqa: S603 - this very program
        [sys.executable, "-c", program, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while saves(model) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(number)
    assert process.wait(timeout=60) == code
    assert 0 < held(model)[-1].sum() < 1600
    result = train(file, model, "--resume")
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(held(model), counted(schema_in(model), [file]))


@pytest.mark.parametrize("classifier", classifier_names())
def test_every_classifier_answers_as_if_it_had_never_been_interrupted(
    classifier: str, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = (*SMALL, "--target", "kind", "--classifier", classifier, "--allow-probabilities", *CHUNKED)
    assert train(file, tmp_path / "whole", *new).exit_code == 0
    with monkeypatch.context() as patch:
        interrupt_in(patch, Provider, "upload", 6, after=True)
        assert train(file, tmp_path / "parts", *new).exit_code == 130
    assert train(file, tmp_path / "parts", "--resume").exit_code == 0
    answers = []
    for name in ("whole", "parts"):
        result = predict(file, tmp_path / name, "--probabilities")
        assert result.exit_code == 0, result.output
        answers.append(np.array([line.split(",")[1:] for line in result.stdout.splitlines()[1:]], dtype=float))
    np.testing.assert_allclose(answers[0], answers[1], atol=2e-3)


@pytest.mark.skipif("logistic_regression" not in classifier_names(), reason="nothing else takes continuous features")
def test_continuous_features_enter_with_their_value(file: Path, model: Path) -> None:
    arguments = ("--target", "kind", "--classifier", "logistic_regression", "--continuous", "size=-1..40.5")
    result = train(file, model, *SMALL, *arguments)
    assert result.exit_code == 0, result.output
    assert schema_in(model).feature("size") == Continuous("size", -1, 40.5)
    assert predict(file, model).exit_code == 0


def saves(model: Path) -> int:
    record = model / "training.json"
    return int(json.loads(record.read_text())["save"]) if record.exists() else 0


def test_a_further_file_goes_on_with_the_model(file: Path, model: Path, tmp_path: Path) -> None:
    assert train(file, model, *NEW).exit_code == 0
    more = write_table(tmp_path / "more.csv", 70, seed=5)
    result = train(more, model, "--resume", *CHUNKED)
    assert result.exit_code == 0, result.output
    assert "220 records of 2 files, in 6 encrypted chunks" in result.stdout
    np.testing.assert_array_equal(held(model), counted(schema_in(model), [file, more]))


def test_a_file_counts_once(file: Path, model: Path) -> None:
    train(file, model, *NEW)
    before = snapshot(model)
    renamed = file.rename(file.with_name("again.csv"))
    result = train(renamed, model, "--resume")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "table.csv was learned before" in result.stderr
    assert snapshot(model) == before


def test_a_file_that_changed_or_another_one_is_refused_until_the_first_is_through(
    begun: Path, file: Path, tmp_path: Path
) -> None:
    before, content = snapshot(begun), file.read_text()
    file.write_text(content.replace("red", "blue", 1))
    other = write_table(tmp_path / "other.csv", 30, seed=8)
    for given in (file, other):
        result = train(given, begun, "--resume")
        assert result.exit_code == 2
        assert "learned up to record 64 of 150" in result.stderr
        assert "its digest differs" in result.stderr
    assert snapshot(begun) == before
    file.write_text(content)
    assert train(file, begun, "--resume").exit_code == 0
    assert train(other, begun, "--resume").exit_code == 0
    np.testing.assert_array_equal(held(begun), counted(schema_in(begun), [file, other]))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ((), "exists already; go on with its model by --resume"),
        (("--resume", "--target", "colour"), "--target: .* has kind, not colour"),
        (("--resume", "--option", "alpha=2"), "--option alpha: .* has 1.0, not 2.0"),
        (("--resume", "--option", "beta=2"), "no option 'beta'; its options: alpha"),
        (("--resume", "--continuous", "size=0..50"), "--continuous size"),
        (("--resume", "--allow-probabilities"), "--allow-probabilities"),
        (("--resume", "--classifier", "sealed_only"), "--classifier: .* has naive_bayes, not sealed_only"),
        (("--resume", "--chunk-rows", "17"), "--chunk-rows: table.csv was begun with 16, not 17"),
        (("--resume", "--missing", "?"), "--missing"),
        (("--resume", "--unknown", "ignore"), "--unknown"),
    ],
)
def test_another_model_or_another_way_is_refused_and_nothing_is_lost(
    arguments: tuple[str, ...], complaint: str, begun: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(monkeypatch)
    before = snapshot(begun)
    result = train(file, begun, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert_complaint(result.stderr, complaint)
    assert snapshot(begun) == before
    assert train(file, begun, *NEW, *CHUNKED, "--option", "alpha=1", "--resume").exit_code == 0


def assert_complaint(stderr: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        raise ValueError(stderr)


def test_another_schema_is_refused_and_the_same_is_not(begun: Path, file: Path, tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text((begun / "schema.json").read_text().replace("grey", "gray"))
    refused = train(file, begun, "--resume", "--schema", schema)
    assert refused.exit_code == 2
    assert "--schema" in refused.stderr
    assert train(file, begun, "--resume", "--schema", begun / "schema.json").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--classifier", "naive_bayes"), "needs --target"),
        (("--target", "kind"), "needs --classifier"),
        (("--target", "kind", "--classifier", "bayes"), "'bayes' is not installed; there are: .*naive_bayes"),
        (("--target", "sort", "--classifier", "naive_bayes"), "no column 'sort'"),
        ((*NEW, "--option", "alpha=-1"), "alpha lies in"),
        ((*NEW, "--option", "alpha=much"), "alpha is a number"),
        ((*NEW, "--continuous", "size=0..50"), "make continuous features Numeric"),
        ((*NEW, "--continuous", "width=0..50"), "no feature is named 'width'"),
        ((*NEW, "--continuous", "size=0"), "is no COLUMN=LOW..HIGH"),
        ((*NEW, "--continuous", "size=9..0"), "have no range"),
        ((*NEW, "--resume"), "holds no model"),
        ((*NEW, "--key-bits", "513"), "a key has 2048 or 3072 bits"),
        ((*NEW, "--schema", "OTHER", "--leave-out", "colour"), "with --schema, edit that file"),
        ((*NEW, "--schema", "OTHER"), "the schema is for 'sort', not 'kind'"),
        ((*SMALL, "--classifier", "naive_bayes", "--schema", "OTHER"), "no column 'sort'"),
    ],
)
def test_a_slip_leaves_nothing_behind(
    arguments: tuple[str, ...], complaint: str, file: Path, model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.json"
    colours = Categorical("colour", ("red", "green", "blue", "grey"))
    other.write_text(Schema((colours,), target="sort", classes=("k0", "k1")).to_json())
    result = train(file, model, *(str(other) if each == "OTHER" else each for each in arguments))
    assert (result.exit_code, result.stdout) == (2, "")
    assert_complaint(result.stderr, complaint)
    assert not model.exists()
    assert not model.parent.exists()


def test_a_record_that_does_not_fit_is_found_before_any_key_is_made(file: Path, model: Path) -> None:
    file.write_text(file.read_text() + "7,,k1\n")
    result = train(file, model, *NEW)
    assert result.exit_code == 2
    assert "line 152 of table.csv" in result.stderr
    assert not model.exists()
    ignoring = train(file, model, *NEW, "--unknown", "ignore")
    assert ignoring.exit_code == 0, ignoring.output
    assert held(model)[-1].sum() == ROWS + 1


def test_a_file_without_records(model: Path, file: Path, tmp_path: Path) -> None:
    train(file, model, *NEW)
    empty = tmp_path / "empty.csv"
    empty.write_text("size,colour,kind\n")
    result = train(empty, model, "--resume")
    assert (result.exit_code, result.stderr) == (2, "Error: empty.csv has no record\n")


def test_a_file_that_grows_while_it_is_read_is_refused(
    file: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = CsvRecords.count

    def grow(records: CsvRecords, *arguments: Callable[[int], None]) -> int:
        rows = check(records, *arguments)
        file.write_text(file.read_text() + "7,red,k1\n")
        return rows

    monkeypatch.setattr(CsvRecords, "count", grow)
    result = train(file, model, *NEW, *CHUNKED)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "table.csv changed while it was read" in result.stderr


def test_columns_that_are_left_out_or_unknown_are_not_read(tmp_path: Path, model: Path) -> None:
    file = tmp_path / "named.csv"
    file.write_text("name;size;kind\n" + "".join(f"n{row};{row % 3};{'ab'[row % 2]}\n" for row in range(100)))
    result = train(file, model, *NEW, "--delimiter", ";", "--leave-out", "name")
    assert result.exit_code == 0, result.output
    assert "not read: 'name'" in result.stderr
    assert schema_in(model).names == ("size",)


def test_a_password_encrypts_everything_and_opens_it_again(file: Path, model: Path) -> None:
    assert train(file, model, *NEW, PRIVML_PASSWORD="correct horse").exit_code == 0
    for password in ({}, {"PRIVML_PASSWORD": "battery"}):
        refused = train(file, model, "--resume", **password)
        assert refused.exit_code == 1
        assert "password" in refused.stderr
    again = train(file, model, "--resume", PRIVML_PASSWORD="correct horse")
    assert again.exit_code == 0, again.output


def test_two_cannot_train_one_model(begun: Path, file: Path) -> None:
    with ModelDirectory.opened(begun, password=None):
        result = train(file, begun, "--resume")
    assert result.exit_code == 2
    assert "is in use" in result.stderr


@pytest.mark.parametrize("content", ["{", "[]", '{"format": "privml-training-9"}', '{"format": "privml-training-1"}'])
def test_a_damaged_record_is_named(content: str, begun: Path, file: Path) -> None:
    (begun / "training.json").write_text(content)
    result = train(file, begun, "--resume")
    assert result.exit_code == 1
    assert "training.json is" in result.stderr


def test_identifiers_differ_by_model_file_and_chunk() -> None:
    def source(name: str) -> Source:
        return Source(name, name, {}, 100, 10)

    records = [Record(sources=[source("a"), source("b")]) for _ in range(2)]
    identifiers = {
        record.upload_id(source, chunk) for record in records for source in record.sources for chunk in range(5)
    }
    assert len(identifiers) == 2 * 2 * 5
    assert records[0].secret not in repr(records[0])


def test_lanes_change_nothing(tmp_path: Path) -> None:
    """Both commands divide chunks and batches of 150 records among two lanes."""
    file = write_table(tmp_path / "table.csv", 150)
    divided = []
    for name, lanes in (("alone", ()), ("lanes", ("--lanes", "2"))):
        model = tmp_path / name
        assert train(file, model, *NEW, *lanes).exit_code == 0
        np.testing.assert_array_equal(held(model), counted(schema_in(model), [file]))
        divided.append(predict(file, model, *lanes).stdout)
    assert divided[0] == divided[1]
