"""Every classifier learns and answers in lanes as it does without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from privml import Client, DataOwner, Provider
from privml.crypto.keygen import StrongKey
from privml.learner import classifier_names
from privml.roles.sources import CorrelationsFrom
from privml.units.lanes import Lanes
from privml.units.lanes.cluster import ClusterLanes
from privml.units.pair import Pair
from tests.privml.roles.test_sources import OPTIONS, authority
from tests.privml.roles.world import SCHEMA, columns
from tests.privml.units.lanes.clusters import two_clusters

COUNT = 2
TABLE, QUERIES, FEW = columns(400), columns(200, seed=2), columns(20, seed=3)
DIVIDED = {**OPTIONS, "logistic_regression": {"epochs": 2, "batch": 200}}
"""Batches that are worth dividing."""


def answers(name: str, key: StrongKey, lanes: int | Pair[Lanes] | None, source: CorrelationsFrom = "dealer") -> Any:
    with Provider.embedded(authority(key), lanes=lanes, correlations=source) as provider:
        card = provider.create_model("things", name, SCHEMA, options=DIVIDED.get(name, {}))
        DataOwner.join(provider, "alice").upload(card, TABLE)
        session = Client.join(provider, "carol").open_session(card)
        given = [session.predict(QUERIES).tolist(), session.predict(FEW).tolist()]
        own = provider.units.master.lanes
        assert lanes is None or (own is not None and own.traffic.messages_sent > 0)
    return given


@pytest.fixture(scope="module")
def clients() -> Iterator[Pair[Any]]:
    with two_clusters(COUNT) as clients:
        yield clients


@pytest.mark.parametrize("name", classifier_names())
def test_threads_and_clusters_give_what_one_unit_gives(name: str, clients: Pair[Any], strong_key: StrongKey) -> None:
    alone = answers(name, strong_key, None)
    assert answers(name, strong_key, 3) == alone
    lanes: Pair[Lanes] = Pair(*(ClusterLanes(COUNT, "dask", client=client) for client in clients))
    assert answers(name, strong_key, lanes) == alone


def test_lanes_make_their_correlations_themselves(strong_key: StrongKey) -> None:
    assert answers("naive_bayes", strong_key, COUNT, "ot") == answers("naive_bayes", strong_key, None)


def test_where_one_unit_lost_its_lanes_both_open_others(strong_key: StrongKey) -> None:
    with Provider.embedded(authority(strong_key), lanes=COUNT) as provider:
        card = provider.create_model("things", "naive_bayes", SCHEMA)
        DataOwner.join(provider, "alice").upload(card, TABLE)
        session = Client.join(provider, "carol").open_session(card)
        first = session.predict(QUERIES).tolist()
        lanes = provider.units.master.lanes
        assert lanes is not None
        lanes.close()
        assert session.predict(QUERIES).tolist() == first


def test_traffic_in_lanes_is_the_providers(strong_key: StrongKey) -> None:
    with Provider.embedded(authority(strong_key), lanes=COUNT) as provider:
        card = provider.create_model("things", "naive_bayes", SCHEMA)
        before = provider.statistics
        DataOwner.join(provider, "alice").upload(card, TABLE)
        lanes = provider.units.master.lanes
        assert lanes is not None
        assert (provider.statistics - before).bytes_sent > lanes.traffic.bytes_sent > 400 * 8 * SCHEMA.width
