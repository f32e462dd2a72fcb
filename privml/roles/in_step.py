"""Both units' stations in this process, run in step."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from privml.crypto.dtpkc import KeyShare
from privml.errors import PrivMLError, SettingError
from privml.roles.sources import source_of
from privml.roles.station import Station
from privml.units.channel import ChannelStatistics
from privml.units.dealer import Dealer
from privml.units.lanes import Lanes, thread_lanes
from privml.units.memory import memory_channels
from privml.units.pair import Pair, PairRunner
from privml.units.role import Role
from privml.units.unit import Unit

T = TypeVar("T")


class StationsInStep:
    """Both units with their stations, one job at a time; after a failure they are linked anew.

    A context manager that closes itself.

    Parameters
    ----------
    name
        Name of the provider.
    shares
        The Master's and the Secondary's share of the strong key.
    dealer
        Of correlated randomness; None if the units make it.
    n_jobs
        Threads of each unit for batches of big-integer powers.
    lanes
        Workers among which each unit divides work on many records: a number of threads, or the units' own, or none.
    """

    def __init__(
        self,
        name: str,
        shares: tuple[KeyShare, KeyShare],
        dealer: Dealer | None,
        n_jobs: int,
        lanes: int | Pair[Lanes] | None,
    ) -> None:
        own = thread_lanes(lanes) if isinstance(lanes, int) else lanes or (None, None)
        counts = [each.count if each is not None else 0 for each in own]
        if counts[0] != counts[1]:
            raise SettingError(
                f"the Master has {counts[0]} lanes and the Secondary {counts[1]}: make it the same number"
            )
        self.name = name
        self._shares = shares
        seats = zip(Role, memory_channels(), shares, own, strict=True)
        self.units = Pair(
            *(
                Unit(role, end, source_of(role, dealer, lambda: self.units), share, n_jobs, own_lanes)
                for role, end, share, own_lanes in seats
            )
        )
        self.stations = Pair(*(Station(unit, name) for unit in self.units))
        self._runner = PairRunner(self.units)
        self._turn = threading.Lock()
        self._run(lambda station: station.start())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop both units, and let the workers of their lanes go."""
        self._runner.close()
        self._close_lanes()
        for unit in self.units:
            unit.channel.close()

    @property
    def statistics(self) -> ChannelStatistics:
        """What the units said to each other so far, in all lanes, as the Master counts it."""
        master = self.units.master
        own = master.channel.statistics
        return own if master.lanes is None else own + master.lanes.traffic

    def _run_on(self, message: bytes, method: Callable[[Station, bytes | None], T]) -> Pair[T]:
        """Run a method of both stations; the message arrives at the Master."""
        return self._run(lambda station: method(station, message if station.unit.is_master else None))

    def _run(self, program: Callable[[Station], T]) -> Pair[T]:
        # one at a time, its failure included: nobody else may find the units between two links
        with self._turn:
            try:
                return self._run_both(program)
            except BaseException as error:
                if not (isinstance(error, PrivMLError) and error.agreed):
                    self._reconnect()
                raise

    def _run_both(self, program: Callable[[Station], T]) -> Pair[T]:
        stations = {station.unit.role: station for station in self.stations}
        return self._runner.run(lambda unit: program(stations[unit.role]))

    def _reconnect(self) -> None:
        """Link the units anew after a failure that left them out of step; no draw is used twice."""
        self._close_lanes()
        for unit, channel in zip(self.units, memory_channels(), strict=True):
            unit.channel.close()
            unit.channel = channel
        self._run_both(Station.resume)

    def _close_lanes(self) -> None:
        for unit in self.units:
            if unit.lanes is not None:
                unit.lanes.close()
