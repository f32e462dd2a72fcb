"""All blocks on shares, described: `BLOCKS`. Whoever adds a block adds it here, or a test says so."""

from building_blocks.catalogue.basic import BASIC
from building_blocks.catalogue.bit_scans import BIT_SCANS
from building_blocks.catalogue.block import Block, Input
from building_blocks.catalogue.comparisons import COMPARISONS
from building_blocks.catalogue.digits import DIGITS
from building_blocks.catalogue.exponentials import EXPONENTIALS
from building_blocks.catalogue.fixed_products import FIXED_PRODUCTS
from building_blocks.catalogue.logarithms import LOGARITHMS
from building_blocks.catalogue.operands import OPERANDS
from building_blocks.catalogue.orderings import ORDERINGS
from building_blocks.catalogue.polynomials import POLYNOMIALS
from building_blocks.catalogue.quotients import QUOTIENTS
from building_blocks.catalogue.selections import SELECTIONS

BLOCKS: tuple[Block, ...] = (
    *BASIC,
    *OPERANDS,
    *FIXED_PRODUCTS,
    *DIGITS,
    *COMPARISONS,
    *SELECTIONS,
    *POLYNOMIALS,
    *LOGARITHMS,
    *EXPONENTIALS,
    *QUOTIENTS,
    *BIT_SCANS,
    *ORDERINGS,
)

__all__ = ["BLOCKS", "Block", "Input"]
