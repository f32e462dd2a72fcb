"""Links and sources for a module's tests: making a link takes a tenth of a second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from privml.units.pair import PairRunner
from tests.privml.units.ot.two_ends import Ends, make_ends, make_units


@pytest.fixture(scope="module")
def ends() -> Ends:
    return make_ends()


@pytest.fixture(scope="module")
def runner() -> Iterator[PairRunner]:
    with PairRunner(make_units()) as runner:
        yield runner
