"""What workers of lanes run in tests: functions of a module, so that workers elsewhere find them."""

from __future__ import annotations

import os
import threading

from building_blocks.product import multiply
from building_blocks.shares import Shares, Words
from privml.errors import ProtocolError, ValidationError
from privml.units.lanes import Lane

Place = tuple[int, int]


def times(lane: Lane, x: Words, y: Words) -> Words:
    return multiply(lane.unit, Shares(x), Shares(y)).words


def counted(lane: Lane) -> int:
    """How often this was called in this lane."""
    lane.memory["calls"] = lane.memory.get("calls", 0) + 1
    return int(lane.memory["calls"])


def place(lane: Lane) -> Place:
    """Where a worker is."""
    lane.unit.agree(None)
    return os.getpid(), threading.get_ident()


def told(lane: Lane, word: int) -> int:
    """What the other worker of the lane says."""
    return int.from_bytes(lane.unit.channel.exchange(word.to_bytes(4, "big")), "big")


def refused(lane: Lane, guilty: bool) -> None:
    """Both workers refuse, in step."""
    lane.unit.agree(ValidationError("no") if guilty else None)


def broken(lane: Lane, guilty: bool) -> None:
    """The Master's worker fails, of which the Secondary's hears nothing."""
    if guilty:
        if lane.unit.is_master:
            raise ProtocolError("broken")
        lane.unit.channel.receive()


def dead(lane: Lane) -> None:
    """The Master's worker dies."""
    if lane.unit.is_master:
        os._exit(1)
    lane.unit.channel.receive()
