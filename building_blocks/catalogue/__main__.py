"""``python -m building_blocks.catalogue`` measures all blocks and writes the tables of `building_blocks/README.md`."""

from __future__ import annotations

import click

from building_blocks.catalogue import BLOCKS
from building_blocks.catalogue.ciphertext_blocks import CIPHERTEXT_BLOCKS
from building_blocks.catalogue.figures import Keys
from building_blocks.catalogue.page import CIPHERTEXT_HEADINGS, HEADINGS, PAGE, ciphertext_row, replaced, row, table


@click.command(help="Measure all blocks and write the tables of building_blocks/README.md.")
def main() -> None:
    """Rewrite what was measured; the text around it stays."""
    before = PAGE.read_text(encoding="utf-8")
    keys = Keys.generate()
    ciphertext_rows = (ciphertext_row(block, keys) for block in CIPHERTEXT_BLOCKS)
    after = replaced(before, "blocks", table(HEADINGS, map(row, BLOCKS)))
    after = replaced(after, "blocks on ciphertexts", table(CIPHERTEXT_HEADINGS, ciphertext_rows))
    PAGE.write_text(after, encoding="utf-8")
    click.echo(f"{PAGE}: {'as it was' if after == before else 'changed'}")


if __name__ == "__main__":
    main()
