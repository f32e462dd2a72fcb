"""``python -m building_blocks.catalogue`` measures all blocks and writes the tables of `building_blocks/README.md`."""

from __future__ import annotations

import click

from building_blocks.catalogue import BLOCKS
from building_blocks.catalogue.page import PAGE, replaced, table


@click.command(help="Measure all blocks and write the tables of building_blocks/README.md.")
def main() -> None:
    """Rewrite what was measured; the text around it stays."""
    before = PAGE.read_text(encoding="utf-8")
    after = replaced(before, "blocks", table(BLOCKS))
    PAGE.write_text(after, encoding="utf-8")
    click.echo(f"{PAGE}: {'as it was' if after == before else 'changed'}")


if __name__ == "__main__":
    main()
