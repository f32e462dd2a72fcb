"""The demonstration tells the truth: its numbers are compared with what the units hold and what crossed the borders."""

import io
import re
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.console import Console
from sklearn.naive_bayes import CategoricalNB

from privml import Authority, Provider
from privml.cli import main
from privml.cli.demo import data
from privml.cli.demo.peers import peer_of
from privml.cli.demo.plaintext import compare, plaintext_predictions
from privml.cli.demo.report import duration, size
from privml.cli.demo.stage import Stage, Step
from privml.cli.demo.story import Outcome, play
from privml.cli.learner_options import options_of
from privml.data.encoding import encode
from privml.errors import SettingError
from privml.learner import classifier_names
from privml.roles.endpoint import Endpoint
from privml.units.channel import ChannelStatistics
from privml.units.link import LINKS
from tests.privml.cli.sealed_only import install

SMALL = ("--key-bits", "512", "--insecure-test-key")


def demo(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["demo", *SMALL, *arguments])


@dataclass
class Played:
    scene: data.Scene
    outcome: Outcome
    stage: Stage
    provider: Provider
    sent: int


@pytest.fixture(scope="module")
def played() -> Played:
    """The story on 240 of river's pages, with a provider that counts what comes in by itself."""
    providers: list[Provider] = []
    sent = 0

    class Watched(Stage):
        def connect(self, provider: Provider) -> Endpoint:
            providers.append(provider)
            return super().connect(provider)

    with pytest.MonkeyPatch.context() as patch:
        for name in ("register", "upload", "withdraw", "open_session", "query", "close_session"):
            original = getattr(Provider, name)

            def count(self: Provider, message: bytes, original: Callable[..., object] = original) -> object:
                nonlocal sent
                sent += len(message)
                return original(self, message)

            patch.setattr(Provider, name, count)
        pages = data.phishing()
        scene = data.prepare(replace(pages, table=pages.table.rows(0, 240)), owners=4, seed=3)
        with Watched(Console(file=io.StringIO())) as stage:
            outcome = play(stage, scene, Authority.create(512, allow_insecure_test_size=True))
    return Played(scene, outcome, stage, providers[0], sent)


def test_the_answers_are_those_of_scikit_learn_on_what_the_model_holds(played: Played) -> None:
    schema = played.scene.schema
    questions = encode(schema, played.scene.test)
    for asked in played.outcome.rounds:
        tables = [encode(schema, table) for table in asked.holds]
        codes = np.concatenate([table.codes for table in tables])
        labels = np.concatenate([table.labels for table in tables if table.labels is not None])
        plain = CategoricalNB(min_categories=schema.cardinalities).fit(codes, labels).predict(questions.codes)
        assert [schema.classes[code] for code in plain] == list(asked.labels)
        assert (plaintext_predictions(schema, asked.holds, played.scene.test) == plain).all()


def test_the_model_holds_what_the_comparison_says(played: Played) -> None:
    before, after = compare(played.scene, played.outcome)
    assert played.outcome.withdrawn is not None
    for station in played.provider.stations:
        learner = station.models["demo"].learner
        assert sum(learner.chunks.values()) == after.holds  # type: ignore[attr-defined]
    assert before.holds == sum(len(part.table) for part in played.scene.early)
    assert after.holds == before.holds + len(played.scene.late.table) - played.outcome.withdrawn.rows
    assert (before.equal, after.equal) == (before.asked, after.asked) == (60, 60)


def test_a_wrong_answer_would_be_counted(played: Played) -> None:
    asked = played.outcome.rounds[-1]
    other = {"yes": "no", "no": "yes"}
    labels = np.array([other[label] if row < 7 else label for row, label in enumerate(asked.labels)], dtype=object)
    (changed,) = compare(played.scene, replace(played.outcome, rounds=(replace(asked, labels=labels),)))
    (true,) = compare(played.scene, replace(played.outcome, rounds=(asked,)))
    assert changed.equal == true.asked - 7
    assert changed.private_right != true.private_right
    assert changed.plaintext_right == true.plaintext_right


def test_what_the_model_holds_matters_to_the_comparison(played: Played) -> None:
    """With only a few of the records, scikit-learn would answer otherwise: equal predictions are no accident."""
    asked = played.outcome.rounds[-1]
    few = replace(asked, holds=(asked.holds[0].rows(0, 5),))
    (compared,) = compare(played.scene, replace(played.outcome, rounds=(few,)))
    assert compared.equal < compared.asked


def test_all_rounds_and_bytes_are_accounted_for(played: Played) -> None:
    steps, statistics = played.stage.steps, played.provider.statistics
    assert sum(step.traffic.rounds for step in steps) == statistics.rounds
    assert sum(step.traffic.bytes_sent for step in steps) == statistics.bytes_sent
    assert sum(step.traffic.bytes_received for step in steps) == statistics.bytes_received
    assert sum(step.sent for step in steps) == played.sent > 0


def test_both_paths_a_late_owner_and_a_withdrawal_are_in_the_story(played: Played) -> None:
    names = [step.name for step in played.stage.steps]
    assert Counter(part.path for part in played.scene.parts) == {"homomorphic": 1, "sealed": 3}
    assert names.index("client asks 60 questions") < names.index("dave registers a key")
    assert names.index("dave uploads, sealed") < names.index("alice withdraws a chunk")
    assert [len(receipts) for receipts in played.outcome.uploads.values()] == [4, 4, 4, 4]


def test_no_record_is_with_two_owners_or_among_the_questions(played: Played) -> None:
    pages = data.phishing()
    numbered = replace(pages.table, lines=np.arange(len(pages.table)))
    scene = data.prepare(replace(pages, table=numbered), owners=5, seed=1)
    tables = [*(part.table for part in scene.parts), scene.test]
    lines = np.concatenate([table.lines for table in tables if table.lines is not None])
    assert sorted(lines) == list(range(1250))
    assert [len(table) for table in tables] == [187, 187, 188, 187, 188, 313]


def test_the_command_prints_it_all_and_no_escape_codes() -> None:
    result = demo()
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    assert "\x1b" not in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100
    assert re.search(r"first owners' records +624 .* 313 of 313", result.stdout)
    assert re.search(r"less alice's withdrawn chunk +859 .* 313 of 313", result.stdout)
    for words in ("625 records and 626 questions", "4 encrypted chunks", "schema is PUBLIC", "1 Gbit/s", "20 ms"):
        assert words in " ".join(result.stdout.split())


def test_a_table_of_ones_own_with_gaps_and_unseen_categories(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rows = ["id;size;colour;kind"]
    for row in range(120):
        kind = rng.integers(3)
        colour = f"rare{row}" if row % 17 == 0 else ("red", "green", "blue", "?")[(kind + rng.integers(2)) % 4]
        rows.append(f"x{row};{kind * 10 + rng.normal():.3f};{colour};k{kind}")
    file = tmp_path / "table.csv"
    file.write_text("\n".join(rows) + "\n")
    arguments = ("--target", "kind", "--delimiter", ";", "--missing", "?", "--leave-out", "id", "--owners", "2")
    result = demo("--data", str(file), *arguments, "--seed", "4")
    assert result.exit_code == 0, result.output
    assert result.stdout.count("30 of 30") == 2
    assert "numeric features in bins: 1" in result.stdout


def test_too_few_rows_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    file.write_text("a,b\n" + "1,x\n2,y\n" * 5)
    result = demo("--data", str(file), "--target", "b")
    assert result.exit_code == 2
    assert result.stderr == "Error: 3 owners need at least 16 rows; table.csv has 10\n"
    data.prepare(replace(data.phishing(), table=data.phishing().table.rows(0, 16)), owners=3, seed=0)
    with pytest.raises(SettingError):
        data.prepare(replace(data.phishing(), table=data.phishing().table.rows(0, 15)), owners=3, seed=0)


def test_a_classifier_that_takes_no_statistics_and_cannot_forget(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    result = demo("--classifier", "sealed_only", "--option", "depth=2")
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    assert re.search(r"and carol's +937 ", result.stdout)
    for words in (
        "PrivML: sealed only",
        "mere guessing",
        "could not: what was learned is learned",
        "may make more public",
    ):
        assert words in said
    for words in ("homomorphic", "alice withdraws", "withdrawn chunk", "encrypted chunks", "sums of counts"):
        assert words not in said


def test_a_step_that_fails_is_none() -> None:
    with Stage(Console(file=io.StringIO(), force_terminal=True)) as stage:
        with pytest.raises(ZeroDivisionError), stage.step("nothing"):
            _ = 1 // 0
        assert stage.steps == []


@pytest.mark.parametrize("classifier", classifier_names())
def test_every_installed_classifier_plays_and_is_about_as_good_as_its_peer(classifier: str) -> None:
    options = ("--option", "retain=true") if "retain" in options_of(classifier) else ()
    result = demo("--classifier", classifier, *options)
    assert result.exit_code == 0, result.output
    assert peer_of(classifier).module is not None, "an installed classifier needs a peer of its own here"
    shares = re.findall(r"(\d+\.\d+)% +(\d+\.\d+)% +\d+ of 313", result.stdout)
    assert len(shares) == 2
    assert all(float(private) > float(plain) - 5 for private, plain in shares)
    assert "less alice's withdrawn chunk" in result.stdout


def test_options_are_checked_before_any_key_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Authority, "create", None)
    for option in ("alpha=-1", "alpha=much", "beta=1"):
        assert demo("--option", option).exit_code == 2


@pytest.mark.parametrize("arguments", [("--target", "b"), ("--owners", "1"), ("--jobs", "0"), ("--key-bits", "768")])
def test_wrong_options_are_exit_code_2(arguments: tuple[str, ...]) -> None:
    result = demo(*arguments)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


@pytest.mark.parametrize(("package", "module"), [("river", "river.datasets"), ("scikit-learn", "sklearn.naive_bayes")])
def test_a_missing_extra_is_named_with_what_to_install(
    monkeypatch: pytest.MonkeyPatch, package: str, module: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    result = demo()
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: the demonstration needs {package} here: pip install 'privml[demo]'\n"


def test_a_small_key_is_warned_about_while_the_bars_run() -> None:
    result = CliRunner().invoke(main, ["demo", "--key-bits", "1024"])
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("WARNING: a key of 1024 bits")


def test_bars_move_on_a_terminal() -> None:
    screen = io.StringIO()
    with Stage(Console(file=screen, force_terminal=True, width=100)) as stage:
        with stage.step("alice uploads", 20) as advance:
            advance(10)
        assert stage.steps[0].name == "alice uploads"
    assert "20/20" in screen.getvalue()


def test_the_estimate_adds_latency_and_the_fuller_direction() -> None:
    step = Step("s", 2.0, ChannelStatistics(rounds=10, bytes_sent=10**6, bytes_received=5 * 10**6), 7)
    fast, slow = (link.seconds(step.seconds, step.traffic) for link in LINKS)
    assert fast == pytest.approx(2.0 + 10 * 0.001 + 0.04)
    assert slow == pytest.approx(2.0 + 10 * 0.020 + 0.4)


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "-"), (1, "1 B"), (999, "999 B"), (1000, "1.0 kB"), (2_500_000, "2.5 MB"), (3 * 10**12, "3000.0 GB")],
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.0004, "0.4 ms"), (0.05, "50.0 ms"), (0.1, "0.10 s"), (75.0, "75.00 s")]
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert duration(seconds) == text
