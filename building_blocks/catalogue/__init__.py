"""All blocks on shares, described: `BLOCKS`. Whoever adds a block adds it here, or a test says so."""

from building_blocks.catalogue.basic import BASIC
from building_blocks.catalogue.block import Block, Input

BLOCKS: tuple[Block, ...] = (*BASIC,)

__all__ = ["BLOCKS", "Block", "Input"]
