"""`privml schema`: what a table would look like to everybody else."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from privml.cli.console import console, headline, paragraph, table
from privml.cli.csv_options import csv_options
from privml.data.proposal import Proposal, propose_schema
from privml.data.readers import read_csv
from privml.errors import SettingError


@click.command(
    short_help="Propose a schema from a CSV table, and say what it makes public.",
    epilog="""\b
Examples:
  privml schema table.csv --target income
  privml schema table.csv --target income --out schema.json
  privml schema table.csv --target income --bins 5 --digits 2 --min-count 20 > schema.json
  privml schema bank.csv.gz --target y --delimiter ';' --missing unknown --leave-out customer_id
""",
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--target", required=True, metavar="COLUMN", help="The column of the classes.")
@click.option(
    "--bins",
    type=int,
    metavar="N",
    default=8,
    show_default=True,
    help="Quantile bins of a column of numbers.",
)
@click.option(
    "--max-values",
    type=int,
    metavar="N",
    default=16,
    show_default=True,
    help="Most distinct numbers of a column that is not binned.",
)
@click.option(
    "--max-categories", type=int, metavar="N", default=64, show_default=True, help="Most categories of a column."
)
@click.option(
    "--min-count",
    type=int,
    metavar="N",
    default=1,
    show_default=True,
    help="Leave out categories of fewer rows: they may name people.",
)
@click.option("--digits", type=int, metavar="N", help="Round bin edges to so many significant digits.")
@csv_options
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="JSON", help="A new file for the schema, instead of stdout."
)
def schema(
    *,
    file: Path,
    target: str,
    bins: int,
    max_values: int,
    max_categories: int,
    min_count: int,
    digits: int | None,
    delimiter: str,
    missing: tuple[str, ...],
    leave_out: tuple[str, ...],
    out: Path | None,
) -> None:
    """Propose a schema from FILE, a CSV table (.gz too) with a header.

    All owners and clients of a model share one schema, and it is PUBLIC. Read what would become known, edit the JSON,
    and agree on it. The table is for your eyes: it goes to stderr where the JSON goes to stdout.
    """
    proposal = propose_schema(
        read_csv(file, delimiter=delimiter, missing_values=missing),
        target,
        bins=bins,
        max_values=max_values,
        max_categories=max_categories,
        min_count=min_count,
        digits=digits,
        leave_out=leave_out,
    )
    text = proposal.schema.to_json(indent=2) + "\n"
    if out is None:
        _show(console(stderr=True), file, proposal)
        click.echo(text, nl=False)
        return
    try:
        with out.open("x", encoding="utf-8") as created:
            created.write(text)
    except FileExistsError:
        raise SettingError(f"{out} exists already; name a new file, as it may hold your own changes") from None
    screen = console()
    _show(screen, file, proposal)
    paragraph(screen, f"Written to {out}", style="bold")


def _show(screen: Console, file: Path, proposal: Proposal) -> None:
    found = proposal.schema
    headline(screen, f"Schema of {file.name}: {len(found.features)} features in {found.width} one-hot columns")
    features = table("Feature", "Kind", "Values", "All of this becomes public", numbers=(2,))
    for feature in found.features:
        features.add_row(feature.name, feature.kind, str(feature.cardinality), _listed(feature.labels))
    features.add_row(found.target, "class", str(found.class_count), _listed(found.classes), style="bold")
    screen.print(features)
    headline(screen, "What to know before anybody else sees it")
    for note in proposal.notes:
        paragraph(screen, note, mark="- ")
    screen.print()


def _listed(labels: tuple[str, ...], limit: int = 160) -> str:
    """All labels, or the first ones that fit."""
    text = ", ".join(labels)
    if len(text) <= limit:
        return text
    return f"{text[:limit].rpartition(', ')[0] or text[:limit]}, ..."
