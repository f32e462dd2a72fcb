"""The command line: `privml demo`, `keygen`, `predict`, `schema` and `train`."""

from __future__ import annotations

import click

from privml.cli.commands import Commands
from privml.cli.demo import demo
from privml.cli.keygen import keygen
from privml.cli.predict import predict
from privml.cli.schema import schema
from privml.cli.train import train

__all__ = ["main"]


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="""\b
Examples:
  privml demo                                       the whole job on real data, in a few seconds
  privml schema table.csv --target income           what would become public about a table
  privml train table.csv --target income --classifier naive_bayes --model model
  privml predict table.csv --model model            ask the model, batch by batch
  privml keygen --out keys                          keys for the two units of a provider

`privml COMMAND --help` says more about each.""",
)
@click.version_option(package_name="privml", prog_name="privml", message="%(prog)s %(version)s")
def main() -> None:
    """Privacy-preserving machine learning as a service.

    Two units that never see the data train classifiers on it and answer encrypted queries.
    """


main.add_command(demo)
main.add_command(schema)
main.add_command(train)
main.add_command(predict)
main.add_command(keygen)
