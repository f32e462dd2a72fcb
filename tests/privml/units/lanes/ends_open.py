"""A program that ends with its lanes open: the Master's workers are processes of loky, the Secondary's threads."""

from __future__ import annotations

from privml.units.dealer import Dealer
from privml.units.lanes.cluster import ClusterLanes
from privml.units.pair import Pair
from tests.privml.units.lanes.service import Service

if __name__ == "__main__":
    lanes = Pair(ClusterLanes(2, "loky", patience=20), ClusterLanes(2, "threading", patience=20))
    service = Service(lanes, dealer=Dealer())
    service.product(2)
    print("main ends")  # noqa: T201 - what the test looks for
