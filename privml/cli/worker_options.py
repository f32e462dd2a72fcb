"""Options of commands that run both units: among how many threads their work is divided."""

from __future__ import annotations

import click

jobs_option = click.option(
    "--jobs", type=click.IntRange(1), metavar="J", default=1, show_default=True, help="Threads of each unit."
)
"""`--jobs`, as `Provider.embedded` takes `n_jobs`: for batches of big integers."""

lanes_option = click.option(
    "--lanes",
    type=click.IntRange(0, 64),
    metavar="L",
    default=0,
    show_default=True,
    help="Pairs of workers, one of each unit, among which large batches are divided; 0 for none.",
)
"""`--lanes`, as `Provider.load` takes `lanes`: threads of this process."""
