"""The thread in which joblib runs workers, until they are let go."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import joblib


class Hall:
    """Runs as many workers as there are lanes, by one of joblib's backends.

    Attributes
    ----------
    trouble
        What joblib raised, if it did.
    """

    def __init__(
        self, serve: Callable[..., None], tickets: Sequence[Any], backend: str, options: dict[str, Any]
    ) -> None:
        self.trouble: BaseException | None = None
        self._thread = threading.Thread(
            # a daemon: lanes that were forgotten must not keep the process from ending
            target=self._run,
            args=(serve, tickets, backend, options),
            name="privml-lanes",
            daemon=True,
        )
        self._thread.start()

    @property
    def open(self) -> bool:
        """Whether joblib still runs workers."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait until all are gone, but no longer than this."""
        self._thread.join(seconds)

    def _run(self, serve: Callable[..., None], tickets: Sequence[Any], backend: str, options: dict[str, Any]) -> None:
        tasks = (joblib.delayed(serve)(ticket) for ticket in tickets)
        try:
            with joblib.parallel_config(backend=backend, **options):
                # all at once and one by one: the workers of all lanes are there at the same time; a single job would
                # be run by joblib itself, in this thread
                joblib.Parallel(n_jobs=max(len(tickets), 2), batch_size=1, pre_dispatch="all")(tasks)
        except BaseException as error:  # the unit raises it, if it misses a worker
            self.trouble = error
