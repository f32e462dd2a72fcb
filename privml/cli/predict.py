"""`privml predict`: ask a model that `privml train` made."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TextIO

import click
import numpy as np
from numpy.typing import NDArray

from privml.cli.console import console, paragraph
from privml.cli.csv_options import format_options, unknown_option
from privml.cli.csv_records import CsvRecords, Unknown
from privml.cli.model_directory import ModelDirectory
from privml.cli.password import password_of, password_option
from privml.cli.progress import bar
from privml.cli.worker_options import jobs_option, lanes_option
from privml.data.cell import MISSING
from privml.data.schema import Schema
from privml.data.table import Table, listed
from privml.errors import SettingError
from privml.roles.client import BATCH, Client, ClientSession


@click.command(
    short_help="Ask a model for the classes of a CSV file's records.",
    epilog="""\b
Examples:
  privml predict table.csv --model model > predictions.csv
  privml predict table.csv --model model --output predictions.csv
  privml predict table.csv --model model --probabilities      of a model trained with --allow-probabilities
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--model", required=True, type=click.Path(path_type=Path), metavar="DIR", help="What privml train made.")
@click.option("--probabilities", is_flag=True, help="Ask for the probability of every class, not for the class alone.")
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="CSV", help="A new file for the answers, instead of stdout."
)
@format_options
@unknown_option
@jobs_option
@lanes_option
@password_option
def predict(
    *,
    file: Path,
    model: Path,
    probabilities: bool,
    output: Path | None,
    delimiter: str,
    missing: tuple[str, ...],
    unknown: Literal["error", "ignore"],
    jobs: int,
    lanes: int,
    password_prompt: bool,
) -> None:
    """Ask the model in DIR about the records of FILE, a CSV table (.gz too) with a header.

    A client joins with a key of its own, opens a session, and asks batch by batch, in one-time pads; the units answer
    on shares. One line a record comes out, in the order of FILE. If FILE has the column of classes it is not sent, but
    the accuracy goes to stderr. Nothing in DIR changes.
    """
    stderr = console(stderr=True)
    password = password_of(password_prompt, new=False)
    with ModelDirectory.opened(model, password=password, n_jobs=jobs, lanes=lanes, shared=True) as directory:
        card = directory.card
        if probabilities and "probabilities" not in card.answers:
            raise SettingError(f"the model in {model} answers labels only; train one with --allow-probabilities")
        records = CsvRecords(file, card.schema, delimiter, missing, unknown)
        with bar(stderr, f"Checking {file.name}", None) as advance:
            rows = records.count(advance, labelled=False)
        if unused := records.unused():
            paragraph(stderr, f"Not in the schema, and so not read: {listed(unused)}.")
        for source in directory.record.sources:
            if not source.is_finished:
                left = f"{source.name} was learned up to record {source.taken} of {source.rows} only."
                paragraph(stderr, left, style="yellow")
        question = Question("probabilities" if probabilities else "label", card.schema)
        with (
            _opened(output) as out,
            Client.join(directory.provider, "client").open_session(card) as session,
            bar(stderr, "Asking", rows) as advance,
        ):
            writer = csv.writer(out, lineterminator="\n")
            writer.writerow(question.header)
            for table in records.tables(BATCH):
                writer.writerows(question.ask(session, table, unknown))
                advance(len(table))
    if question.known:
        share = question.right / question.known
        paragraph(stderr, f"Accuracy: {share:.2%} ({question.right} of {question.known})", style="bold")


class Question:
    """What is asked of every record; counts the answers that were right where the class is known."""

    def __init__(self, answer: Literal["label", "probabilities"], schema: Schema) -> None:
        self._answer = answer
        self._schema = schema
        self.right = 0
        self.known = 0

    @property
    def header(self) -> list[str]:
        """Names of the columns of the answers."""
        return ["prediction", *(f"P({name})" for name in self._schema.classes if self._answer == "probabilities")]

    def ask(self, session: ClientSession, table: Table, unknown: Unknown) -> list[tuple[str, ...]]:
        """Ask, and return a line for each record."""
        if self._answer == "label":
            labels = session.predict(table, unknown=unknown)
            lines: list[tuple[str, ...]] = [(label,) for label in labels]
        else:
            probabilities = session.predict_proba(table, unknown=unknown)
            labels = np.array(self._schema.classes, dtype=object)[probabilities.argmax(axis=1)]
            lines = [
                (label, *(f"{share:.6f}" for share in row)) for label, row in zip(labels, probabilities, strict=True)
            ]
        self._compare(table, labels)
        return lines

    def _compare(self, table: Table, labels: NDArray[Any]) -> None:
        """Count what was right; a class that is none of the schema's never is."""
        if self._schema.target not in table.names:
            return
        feature = self._schema.class_feature
        truth = feature.codes(table.column(self._schema.target), table.missing_texts)
        known = truth != MISSING
        self.known += int(known.sum())
        self.right += int((truth[known] == feature.codes(labels[known])).sum())


@contextmanager
def _opened(path: Path | None) -> Iterator[TextIO]:
    """Where the answers go: a new file, of which nothing stays if they do not all come, or stdout."""
    if path is None:
        yield sys.stdout
        return
    try:
        file = path.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise SettingError(f"{path} exists already; name a new file") from None
    try:
        with file:
            yield file
    except BaseException:
        path.unlink()
        raise
