"""The catalogue names every block, and the page of all blocks says of each what it is and costs."""

from __future__ import annotations

import inspect
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from types import ModuleType

import numpy as np
import pytest

import building_blocks
from building_blocks import product, truncation
from building_blocks.catalogue import BLOCKS, Block, Input
from building_blocks.catalogue.ciphertext_blocks import CIPHERTEXT_BLOCKS, CiphertextBlock
from building_blocks.catalogue.figures import BATCHES, Cost, Keys
from building_blocks.catalogue.page import PAGE, ciphertext_row, replaced, row, table
from privml.crypto.dtpkc import KeyShare, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.units.unit import Unit
from tests.building_blocks.trials import each_block
from tests.two_units import outcome

LOCAL, OPENING, CONVERSION = "local", "opens what was masked", "between ciphertexts and shares: test_conversion.py"
NO_BLOCKS = {
    "shares.public": LOCAL,
    "shares.public_bits": LOCAL,
    "fixed_point.number.fixed_public": LOCAL,
    "boolean.invert": LOCAL,
    "boolean.compare_windows": LOCAL,
    "shares.open_shares": OPENING,
    "shares.open_bits": OPENING,
    "shares.open_lone_bits": OPENING,
    "boolean.open_masked": OPENING,
    "conversion.ciphertexts_to_shares": CONVERSION,
    "conversion.shares_to_ciphertext": CONVERSION,
    "conversion.integers_to_ciphertexts": CONVERSION,
    "conversion.bits_to_ciphertexts": CONVERSION,
}


def name_of(function: object) -> str:
    return f"{function.__module__}.{function.__name__}".removeprefix("building_blocks.")  # type: ignore[attr-defined]


def protocols(module: ModuleType) -> Iterator[str]:
    """The public functions of a module that both units run in step."""
    for name, function in inspect.getmembers(module, inspect.isfunction):
        parameters = list(inspect.signature(function).parameters.values())
        own = function.__module__ == module.__name__ and not name.startswith("_")
        if own and parameters and parameters[0].annotation in (Unit, "Unit"):
            yield name_of(function)


def missing(modules: list[ModuleType]) -> set[str]:
    """Protocols that have no entry."""
    described = {name_of(function) for block in BLOCKS for function in (block.function, *block.also)}
    described |= {name_of(block.function) for block in CIPHERTEXT_BLOCKS}
    return {name for module in modules for name in protocols(module)} - described - set(NO_BLOCKS)


def modules() -> list[ModuleType]:
    found = pkgutil.walk_packages(building_blocks.__path__, "building_blocks.")
    return [import_module(each.name) for each in found if "catalogue" not in each.name]


def test_every_block_is_in_the_catalogue() -> None:
    assert missing(modules()) == set()


def test_what_is_no_block_exists() -> None:
    assert set(NO_BLOCKS) <= {name for module in modules() for name in protocols(module)}


def test_a_block_without_an_entry_is_found() -> None:
    def new_block(unit: Unit) -> None: ...

    module = ModuleType("building_blocks.novelty")
    new_block.__module__, new_block.__name__ = module.__name__, "new_block"
    module.new_block = new_block  # type: ignore[attr-defined]
    assert missing([product, truncation, module]) == {"novelty.new_block"}


def test_names_are_unique() -> None:
    for blocks in (BLOCKS, CIPHERTEXT_BLOCKS):
        names = [block.name for block in blocks]
        assert len(set(names)) == len(names)


def test_samples_hold_the_ends_and_stay_in_range() -> None:
    generator = np.random.default_rng(0)
    for operand in (Input(-(2**63), 2**63 - 1), Input(5, 9), Input(-8, -2, shape=(3,)), Input(0, 1, batched=False)):
        values = operand.sample(100, generator)
        assert values.min() >= operand.low
        assert values.max() <= operand.high
        if operand.batched:
            assert {operand.low, operand.high} <= set(values.reshape(-1).tolist())
        assert operand.sample((2, 0), generator).shape == ((2, 0, *operand.shape) if operand.batched else operand.shape)


def test_halves_make_the_values() -> None:
    for operand in (Input(-4, 4), Input(-4, 4, fraction_bits=3), Input(0, 15, digits=4)):
        values = operand.sample(20, np.random.default_rng(0))
        joined = outcome(*operand.split(values))
        np.testing.assert_array_equal(joined * 2 ** (operand.fraction_bits or 0), values)
    assert outcome(*Input(0, 1, digits=1).split(np.array([1]))).dtype == np.uint8


ANEW = "the page is not up to date: run `python -m building_blocks.catalogue`"


@each_block
def test_the_page_says_of_each_block_what_it_is_and_costs(block: Block) -> None:
    assert row(block) in PAGE.read_text(encoding="utf-8").splitlines(), ANEW


@pytest.fixture(scope="module")
def keys(key_shares_2048: tuple[KeyShare, KeyShare], owner_key_2048: WeakPrivateKey) -> Keys:
    return Keys(key_shares_2048, (Encryptor(owner_key_2048.public_key), Encryptor(owner_key_2048.public_key)))


@pytest.mark.parametrize("block", CIPHERTEXT_BLOCKS, ids=lambda block: block.name)
def test_the_page_says_it_of_blocks_on_ciphertexts(block: CiphertextBlock, keys: Keys) -> None:
    assert ciphertext_row(block, keys) in PAGE.read_text(encoding="utf-8").splitlines(), ANEW


def test_the_page_has_one_row_a_block() -> None:
    rows = re.findall(r"^\| \[.*?\]\(", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(rows) == len(BLOCKS) + len(CIPHERTEXT_BLOCKS), ANEW


def test_another_bound_or_cost_makes_another_row() -> None:
    block = BLOCKS[0]
    slower = replace(block, program=lambda unit, x, y: block.run(unit, block.run(unit, x, y), y))
    assert len({row(block), row(replace(block, error="none")), row(slower)}) == 3


def test_tables_are_put_where_they_belong() -> None:
    page = "a\n<!-- x: begin -->\nold\n<!-- x: end -->\nb\n"
    once = replaced(page, "x", "new")
    assert once == page.replace("old", "new") == replaced(once, "x", "new")
    assert table(("p", "q"), ["| 1 | 2 |"]) == "| p | q |\n|---|---|\n| 1 | 2 |"


def test_what_a_value_costs_and_what_all_share() -> None:
    assert Cost.of(*(100 + 8 * batch for batch in BATCHES)) == Cost(8, 100)
