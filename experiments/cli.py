"""The command line of the experiments."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.console import Console

from experiments import accuracy, blocks, crypto, learners, naive_bayes
from experiments.record import write_json
from experiments.report import WIDTH, Report, target_table
from experiments.settings import Settings
from privml.errors import PrivMLError, SettingError

Command = TypeVar("Command", bound=Callable[..., Any])
QUICK: dict[str, Any] = {
    "repeats": 3,
    "vector": 16,
    "converted": 100,
    "growth": (1000, 2000, 4000, 8000, 10_000),
    "batches": (1, 100, 1000),
    "budget": 1.0,
    "ciphertexts": 16,
    "points": 1 << 13,
}

QUICK_RECORDS = 2000

HELP = """Measure PrivML against its targets, each figure beside its peer in the same run.

\b
Begin with
    python -m experiments crypto --quick
    python -m experiments blocks --only log2
    python -m experiments accuracy --quick
    python -m experiments naive_bayes
    python -m experiments naive_bayes --data DIR --json bayes.json
    python -m experiments learners --data DIR --only Adult

Tables go to stdout, progress to stderr. A time is the median of several runs after a warm-up; ours and its peer take
turns in the same run, so that their ratio holds on a machine that is busy now and then. "ours/peer" is our figure
divided by the peer's in the same turn: below 1 where ours takes less. "target" is what the project has set itself; it
is left out where the settings are not those that it is about (another key size, smaller batches).

\b
--json FILE writes an array of records
    {experiment, name, value, unit, peer, peer_value, ratio, target, met, key_bits, seed, commit, machine}
with ratio = ours / peer's (of times the median over the turns), and null for what there is not.
"""


@click.group(help=HELP, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Run experiments."""


OPTIONS: dict[str, Callable[[Command], Command]] = {
    "only": click.option(
        "--only", multiple=True, metavar="TEXT", help="Blocks with this in their names; may be given again."
    ),
    "json": click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write the records to this file.",
    ),
    "key bits": click.option(
        "--key-bits", type=int, default=Settings.key_bits, show_default=True, help="2048 or 3072; 1024 warns."
    ),
    "seed": click.option("--seed", type=int, default=Settings.seed, show_default=True, help="Of public test data."),
    "repeats": click.option("--repeats", type=click.IntRange(1), help="Samples of every time.  [default: 7, quick: 3]"),
    "quick": click.option(
        "--quick", is_flag=True, help="Fewer samples and smaller sizes: a first look, not a figure to quote."
    ),
    "small keys": click.option(
        "--allow-insecure-test-size",
        is_flag=True,
        help="Allow keys of 512 bits, to try the experiments themselves.",
    ),
}


def _options(*names: str) -> Callable[[Command], Command]:
    """Add options that several experiments have."""

    def add(command: Command) -> Command:
        for name in reversed(names):
            command = OPTIONS[name](command)
        return command

    return add


@main.command("crypto")
@_options("json", "key bits", "seed", "repeats", "quick", "small keys")
def crypto_command(json_file: Path | None, **options: Any) -> None:
    """Cryptosystem, uploads and conversions.

    Takes about two minutes, with --quick less than one. Peers: python-paillier, one big-integer product, one modular
    power, numpy.
    """
    _run(crypto.run, json_file, **options)


@main.command("blocks")
@_options("only")
@click.option(
    "--budget", type=click.FloatRange(min=0, min_open=True),
    help="Seconds for a run on correlations by transfers; longer ones take smaller batches.  [default: 20, quick: 1]",
)  # fmt: skip
@click.option(
    "--key-size", "key_sizes", type=int, multiple=True, default=Settings.key_sizes, show_default=True,
    help="Of the keys for blocks on ciphertexts; may be given again.",
)  # fmt: skip
@_options("json", "seed", "repeats", "quick", "small keys")
def blocks_command(json_file: Path | None, **options: Any) -> None:
    """Every block of the catalogue: on shares with both sources of correlations, and on ciphertexts; peer: numpy.

    Takes about half an hour, most of it for correlations by oblivious transfer; with --quick two minutes.
    """
    _run(blocks.run, json_file, **options)


@main.command("accuracy")
@_options("only")
@click.option(
    "--plot", "plots", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder for a picture of the errors of every block that has any.",
)  # fmt: skip
@_options("json", "seed", "quick")
def accuracy_command(json_file: Path | None, **options: Any) -> None:
    """The worst error of every block of the catalogue on a million values and more, beside the bound that it states.

    Ends with status 1 if a block breaks its bound. Takes some minutes, with --quick seconds.
    """
    report = _run(accuracy.run, json_file, **options)
    if any(record.met is False for record in report.records):
        raise click.exceptions.Exit(1)


@main.command("naive_bayes")
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with adult/, nursery/, bank/ or bcw/ (files of the UCI repository, possibly gzipped).",
)  # fmt: skip
@_options("json", "key bits", "seed", "repeats", "quick", "small keys")
def naive_bayes_command(json_file: Path | None, **options: Any) -> None:
    """Naive Bayes from sealed and homomorphic uploads to encrypted answers; peer: scikit-learn's CategoricalNB.

    With --data, on every data set found there; Adult, if it is among them, in every detail. Without, on the Website
    Phishing data that ship with river.
    """
    _run(naive_bayes.run, json_file, **options)


@main.command("learners")
@click.option(
    "--data", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with adult/, nursery/, bank/, bcw/, helr/ or elec2/ (files as published, possibly gzipped).",
)  # fmt: skip
@click.option(
    "--only", multiple=True, metavar="TEXT",
    help="Parts with this in their names, like 'Adult', 'decision_tree', 'growth'; may be given again.",
)  # fmt: skip
@click.option(
    "--plot", "plots", type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder for a picture of the accuracy on the stream.",
)  # fmt: skip
@click.option(
    "--peers", type=click.Path(file_okay=False, path_type=Path),
    help="Install SPU and TenSEAL in this folder (1 GB), unless they are there, and measure them too.",
)  # fmt: skip
@_options("json", "key bits", "seed", "repeats", "quick", "small keys")
def learners_command(json_file: Path | None, *, quick: bool, **options: Any) -> None:
    """Every installed learner between two units; peers: scikit-learn, river, the tree's plaintext twin.

    With --data, on every data set found there; Elec2, if it is among them, as a stream. Without, on the Website
    Phishing data that ship with river. Always on Breast Cancer Wisconsin, which ships with scikit-learn. Takes about
    six minutes with all of them, with --quick one. With --peers, logistic regression beside SPU and TenSEAL too.
    """
    # a first look: few records of everything
    _run(learners.run, json_file, quick=quick, records=QUICK_RECORDS if quick else None, **options)


@main.command("targets")
def targets_command() -> None:
    """Show all targets, also those of experiments to come."""
    Console(width=WIDTH).print(target_table())


def _run(
    experiment: Callable[[Settings], Report],
    json_file: Path | None,
    *,
    quick: bool,
    **options: Any,
) -> Report:
    if json_file is not None and not json_file.parent.is_dir():
        raise click.UsageError(f"--json: there is no folder {json_file.parent}")
    # what was not asked for is as the settings have it
    chosen = (QUICK if quick else {}) | {name: value for name, value in options.items() if value is not None}
    try:
        report = experiment(Settings(**chosen))
    except SettingError as error:
        raise click.UsageError(str(error)) from error
    except (PrivMLError, FileNotFoundError) as error:
        raise click.ClickException(str(error)) from error
    # before the tables: whoever reads them may stop reading
    if json_file is not None:
        write_json(json_file, report.records)
        Console(stderr=True).print(f"{len(report.records)} records written to {json_file}", markup=False)
    report.show()
    return report
