"""Lanes: pairs of workers among which the units divide work on many records, each pair with a link of its own."""

from privml.units.lanes.cluster import ClusterLanes
from privml.units.lanes.lane import Lane, Lanes
from privml.units.lanes.threads import thread_lanes

__all__ = ["ClusterLanes", "Lane", "Lanes", "thread_lanes"]
