"""The command: find out what is wanted, learn it, say where it is."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import click
from rich.console import Console

from privml.cli.console import console, headline, key_size_warnings, paragraph
from privml.cli.csv_options import csv_options, unknown_option
from privml.cli.csv_records import CsvRecords
from privml.cli.learner_options import learner_options
from privml.cli.model_directory import SCHEMA_FILE, ModelDirectory, Source
from privml.cli.password import VARIABLE, password_of, password_option, protection
from privml.cli.train.continuous_option import ContinuousRange
from privml.cli.train.interrupt import interruptible
from privml.cli.train.plan import MAX_CHUNK_ROWS, Plan
from privml.cli.train.training import learn, new_source, old_source
from privml.cli.worker_options import jobs_option, lanes_option
from privml.data.continuous import Continuous
from privml.data.table import listed
from privml.errors import SettingError


@click.command(
    short_help="Train a model on a CSV file, with both units in this process.",
    epilog=f"""\b
Examples:
  privml train table.csv --target income --classifier naive_bayes --model model
  privml train table.csv --target income --classifier naive_bayes --model model --resume
  privml train next-month.csv --model model --resume                  the model learns one more file
  privml train table.csv --schema schema.json --classifier naive_bayes --option alpha=0.5 --model model
  privml train table.csv --target income --classifier logistic_regression --continuous age=0..120 --model model
  {VARIABLE}=... privml train ...      encrypts all keys and shares; the same password opens them again
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, type=click.Path(path_type=Path), metavar="DIR", help="Where the model is kept.")
@click.option("--target", metavar="COLUMN", help="The column of the classes, for a new model.")
@learner_options(default=None)
@click.option(
    "--schema",
    "schema_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="JSON",
    help="The schema that all agreed on, as `privml schema` writes it; one is proposed from FILE otherwise.",
)
@click.option(
    "--continuous",
    type=ContinuousRange(),
    multiple=True,
    metavar="COLUMN=LOW..HIGH",
    help="Numbers that enter with their value, not with their bin, if the classifier takes that. Limits are public. "
    "Repeatable.",
)
@click.option(
    "--allow-probabilities", is_flag=True, help="Let clients ask for probabilities too; they give more of it away."
)
@csv_options
@unknown_option
@click.option("--resume", is_flag=True, help="Go on with the model in DIR: with the same FILE, or with a further one.")
@click.option(
    "--chunk-rows",
    type=click.IntRange(1, MAX_CHUNK_ROWS),
    metavar="N",
    help="Records to an encrypted chunk.  [default: 8192]",
)
@click.option(
    "--save-every", type=click.IntRange(1), metavar="N", default=16, show_default=True, help="Chunks between two saves."
)
@click.option("--key-bits", type=int, metavar="B", default=2048, show_default=True, help="Key size: 2048 or 3072.")
@jobs_option
@lanes_option
@password_option
@click.option("--insecure-test-key", is_flag=True, hidden=True, help="Allow 512 bits, for tests.")
def train(
    *,
    file: Path,
    model: Path,
    target: str | None,
    classifier: str | None,
    options: tuple[str, ...],
    schema_file: Path | None,
    continuous: tuple[Continuous, ...],
    allow_probabilities: bool,
    delimiter: str,
    missing: tuple[str, ...],
    leave_out: tuple[str, ...],
    unknown: Literal["error", "ignore"],
    resume: bool,
    chunk_rows: int | None,
    save_every: int,
    key_bits: int,
    jobs: int,
    lanes: int,
    password_prompt: bool,
    insecure_test_key: bool,
) -> None:
    """Train a model on FILE, a CSV table (.gz too) with a header, and keep it in DIR.

    The first call makes the keys, both units of a provider and an owner's key. The owner encrypts the records chunk by
    chunk, and the units learn from them on shares. After every few chunks everything is saved. Ctrl-C stops after the
    chunk at hand; the same command with --resume goes on there, also after a crash, and no chunk is lost or counted
    twice. Both units run here, so this protects nobody from whoever runs it: it is for learning and experiments.
    """
    stderr = console(stderr=True)
    plan = Plan(target, classifier, options, schema_file, continuous, leave_out, allow_probabilities)
    if not resume and (model.exists() or model.is_symlink()):
        raise SettingError(f"{model} exists already; go on with its model by --resume, or name a new directory")
    password = password_of(password_prompt, new=not resume)
    source = None
    if not resume:
        plan.learner()  # a slip shows before a long file is read
        schema = plan.schema(file, delimiter=delimiter, missing=missing, screen=stderr)
        plan.check_new(schema)
        source = new_source(CsvRecords(file, schema, delimiter, missing, unknown), chunk_rows, stderr)
        with key_size_warnings(stderr), stderr.status(f"Making keys of {key_bits} bits"):
            plan.create(model, schema, key_bits=key_bits, test=insecure_test_key, password=password)
    with ModelDirectory.opened(model, password=password, n_jobs=jobs, lanes=lanes) as directory:
        records = CsvRecords(file, directory.card.schema, delimiter, missing, unknown)
        if resume:
            plan.check_same(directory.card, model)
            source = old_source(directory.record, records, chunk_rows)
        if source is not None and source.is_finished:
            paragraph(stderr, f"{source.name} was learned before, all of it: a file counts once.")
            return
        if source is None:
            source = new_source(records, chunk_rows, stderr)
        if source not in directory.record.sources:
            directory.record.sources.append(source)
        _say_what_is_not_read(stderr, records, source)
        _learn(directory, records, source, save_every, stderr)
        _report(console(), directory, protection(password))


def _say_what_is_not_read(screen: Console, records: CsvRecords, source: Source) -> None:
    if unused := records.unused():
        paragraph(screen, f"Not in the schema, and so not read: {listed(unused)}.")
    if source.taken:
        paragraph(screen, f"{source.name} goes on after record {source.taken} of {source.rows}.")


def _learn(directory: ModelDirectory, records: CsvRecords, source: Source, save_every: int, screen: Console) -> None:
    try:
        with interruptible(screen) as is_time_to_stop:
            learn(directory, records, source, save_every=save_every, screen=screen, is_time_to_stop=is_time_to_stop)
    except KeyboardInterrupt:
        paragraph(screen, "What was saved is kept; the same command with --resume goes on from there.", style="yellow")
        raise


def _report(screen: Console, directory: ModelDirectory, protected: str) -> None:
    record, card, path = directory.record, directory.card, directory.path
    headline(screen, f"{card.classifier}, for {card.schema.target}")
    files = _several(len(record.sources), "file")
    chunks = _several(sum(source.chunks for source in record.sources), "encrypted chunk")
    paragraph(screen, f"It has learned from {_several(record.rows, 'record')} of {files}, in {chunks}.")
    paragraph(screen, f"{path / SCHEMA_FILE} is its schema, which is public.")
    paragraph(
        screen,
        f"{path} holds the keys and shares of BOTH units and the owner's key: whoever can read all of it can read all "
        f"records. {protected}",
        style="yellow",
    )
    screen.print(f"  Ask it: privml predict FILE --model {path}", soft_wrap=True)  # to be copied as it is


def _several(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
