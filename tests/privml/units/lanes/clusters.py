"""Dask clusters of this machine, one for each unit."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from distributed import Client, LocalCluster

from privml.units.pair import Pair


@contextmanager
def two_clusters(workers: int) -> Iterator[Pair[Any]]:
    """A client of the Master's cluster and one of the Secondary's, each of so many processes."""
    with ExitStack() as stack:
        clients = []
        for _ in range(2):
            cluster = stack.enter_context(
                LocalCluster(  # type: ignore[no-untyped-call]
                    n_workers=workers, threads_per_worker=1, dashboard_address=":0", silence_logs=logging.CRITICAL
                )
            )
            clients.append(stack.enter_context(Client(cluster, set_as_default=False)))  # type: ignore[no-untyped-call]
        yield Pair(*clients)
