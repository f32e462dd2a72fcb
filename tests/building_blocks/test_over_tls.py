"""Every block between two units that are linked by TLS, as two machines would be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from building_blocks.catalogue import Block
from privml.units.dealer import Dealer
from privml.units.role import Role
from privml.units.unit import Unit
from tests.building_blocks.trials import each_block, execute, require_right, sample
from tests.privml.units.links import make_identities, tls_link


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Unit]]:
    identities = make_identities(tmp_path_factory.mktemp("certificates"))
    dealer = Dealer()
    with tls_link(identities) as channels:
        yield [Unit(role, channel, dealer.source(role)) for role, channel in zip(Role, channels, strict=True)]


@each_block
def test_blocks_give_the_same_over_tls(block: Block, units: list[Unit]) -> None:
    values = sample(block, 50)
    require_right(block, values, execute(block, values, units))
