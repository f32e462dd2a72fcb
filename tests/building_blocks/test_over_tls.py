"""Every block between two units that are linked by TLS, as two machines would be."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from privml.units.dealer import Dealer
from privml.units.role import Role
from privml.units.unit import Unit
from tests.building_blocks.cases import CASES, Case
from tests.privml.units.links import make_identities, tls_link
from tests.two_units import join, join_bits, run, split


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Unit]]:
    identities = make_identities(tmp_path_factory.mktemp("certificates"))
    dealer = Dealer()
    with tls_link(identities) as channels:
        yield [Unit(role, channel, dealer.source(role)) for role, channel in zip(Role, channels, strict=True)]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_blocks_give_the_same_over_tls(case: Case, units: list[Unit]) -> None:
    done = run(case.program, *(split(values[:50]) for values in case.second), units=units)
    got = join_bits(done) if case.boolean else join(done)
    expected = case.expected(*(values[:50] for values in case.second))
    assert np.abs(got.astype(np.float64) - expected.astype(np.float64)).max() <= case.tolerance
