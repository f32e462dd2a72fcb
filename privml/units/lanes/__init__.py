"""Lanes: pairs of workers among which the units divide work on many records, each pair with a link of its own.

`privml.units.lanes.cluster` puts workers elsewhere; it is not imported here, as few need certificates and TLS.
"""

from privml.units.lanes.lane import Lane, Lanes
from privml.units.lanes.threads import thread_lanes

__all__ = ["Lane", "Lanes", "thread_lanes"]
