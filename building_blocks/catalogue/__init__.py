"""All blocks on shares, described: `BLOCKS`. Whoever adds a block adds it here, or a test says so."""

from building_blocks.catalogue.basic import BASIC
from building_blocks.catalogue.block import Block, Input
from building_blocks.catalogue.comparisons import COMPARISONS
from building_blocks.catalogue.digits import DIGITS
from building_blocks.catalogue.fixed_products import FIXED_PRODUCTS
from building_blocks.catalogue.selections import SELECTIONS

BLOCKS: tuple[Block, ...] = (*BASIC, *FIXED_PRODUCTS, *DIGITS, *COMPARISONS, *SELECTIONS)

__all__ = ["BLOCKS", "Block", "Input"]
