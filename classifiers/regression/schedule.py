"""How the learning rate changes from step to step; public."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from privml.errors import SettingError

KINDS: Final = ("constant", "linear", "inverse")


@dataclass(frozen=True)
class Schedule:
    """Learning rates.

    Parameters
    ----------
    kind
        "constant"; "linear": falls to zero over the steps of each chunk; "inverse": rate / (1 + decay t), where t
        counts the steps of all chunks.
    rate
        The first learning rate, in (0, 1024].
    decay
        Of "inverse", in (0, 1].

    Raises
    ------
    SettingError
        The kind is unknown, or a number is out of range.
    """

    kind: str
    rate: float
    decay: float

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SettingError(f"schedule is one of {', '.join(KINDS)}; got {self.kind!r}")
        for name, value, most in (("learning_rate", self.rate, 1024), ("decay", self.decay, 1)):
            if not 0 < value <= most or not math.isfinite(value):
                raise SettingError(f"{name} lies in (0, {most}]; got {value}")

    def rates(self, done: int, steps: int) -> list[float]:
        """Learning rates of a chunk's steps, if so many were done before it."""
        match self.kind:
            case "linear":
                return [self.rate * (1 - step / steps) for step in range(steps)]
            case "inverse":
                return [self.rate / (1 + self.decay * (done + step)) for step in range(steps)]
            case _:
                return [self.rate] * steps
