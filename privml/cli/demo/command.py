"""The command: data in, the story played, tables out."""

from __future__ import annotations

from pathlib import Path

import click

from privml.cli.console import console, key_size_warnings
from privml.cli.csv_options import csv_options
from privml.cli.demo import data, report
from privml.cli.demo.extras import require
from privml.cli.demo.peers import peer_of
from privml.cli.demo.plaintext import compare
from privml.cli.demo.stage import Stage
from privml.cli.demo.story import play
from privml.cli.demo.views import views
from privml.cli.learner_options import learner_options, read_options
from privml.cli.worker_options import jobs_option
from privml.roles.authority import Authority


@click.command(
    short_help="Run the whole job on real data, and show what it cost and who saw what.",
    epilog="""\b
Examples:
  privml demo                                            river's Phishing, 3 owners, 2048 bits
  privml demo --owners 5 --key-bits 3072 --jobs 2
  privml demo --classifier logistic_regression --option epochs=10
  privml demo --data table.csv --target income
  privml demo --data bank.csv --target y --delimiter ';' --missing unknown
  privml demo > report.txt                               plain text; progress stays on the terminal
""",
)
@click.option(
    "--data",
    "file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE.csv",
    help="Your own table (.gz too) with a header, instead of river's Phishing.",
)
@click.option("--target", metavar="COLUMN", help="The column of the classes in FILE.csv.")
@learner_options(default="naive_bayes")
@click.option(
    "--owners", type=click.IntRange(2, 100), metavar="K", default=3, show_default=True, help="Data owners, 2 or more."
)
@click.option("--key-bits", type=int, metavar="B", default=2048, show_default=True, help="Key size: 2048 or 3072.")
@jobs_option
@click.option(
    "--seed",
    type=click.IntRange(0),
    metavar="S",
    default=0,
    show_default=True,
    help="Shuffles the rows; never the keys.",
)
@csv_options
@click.option("--insecure-test-key", is_flag=True, hidden=True, help="Allow 512 bits, for tests.")
def demo(
    *,
    file: Path | None,
    target: str | None,
    classifier: str,
    options: tuple[str, ...],
    owners: int,
    key_bits: int,
    jobs: int,
    seed: int,
    delimiter: str,
    missing: tuple[str, ...],
    leave_out: tuple[str, ...],
    insecure_test_key: bool,
) -> None:
    """Train a classifier on data that nobody shows to anybody, and ask it.

    Owners upload encrypted chunks, on both paths if the classifier has both. A client asks. One more owner joins,
    another withdraws a chunk, if the classifier can forget, and the client asks again. Then: how that compares with
    scikit-learn or river on the plain data, what it cost, and who saw what.
    """
    if (file is None) != (target is None):
        raise click.UsageError("--data and --target go together: a table, and its column of classes")
    require(peer_of(classifier).module, "river.datasets" if file is None else None)
    chosen = read_options(classifier, options)
    screen, stderr = console(), console(stderr=True)
    if file is None or target is None:
        table = data.phishing()
    else:
        table = data.from_csv(file, target, delimiter=delimiter, missing=missing, leave_out=leave_out)
    scene = data.prepare(table, owners=owners, seed=seed, classifier=classifier, options=chosen)
    report.introduce(screen, scene, key_bits)
    with Stage(stderr) as stage:
        with key_size_warnings(stderr), stage.step("authority makes the keys"):
            authority = Authority.create(key_bits, allow_insecure_test_size=insecure_test_key)
        outcome = play(stage, scene, authority, n_jobs=jobs)
    report.accuracy(screen, scene, outcome, compare(scene, outcome))
    report.cost(screen, stage.steps)
    views(screen, scene, outcome)
