"""What a step makes of a gradient, and how far it can lead."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from privml.errors import SettingError

MARGIN: Final = 1 + 2.0**-5
"""What errors of probabilities, and rounding, may add to a gradient, as a factor."""


@dataclass(frozen=True)
class Reach:
    """How far weights and velocity can be from zero, for a column of magnitude 1; for others in proportion."""

    weights: float = 0.0
    velocity: float = 0.0


@dataclass(frozen=True)
class Step:
    """One step: velocity' = keep velocity - rate g, weights' = (1 - shrink) weights + along velocity - against g."""

    keep: float
    rate: float
    shrink: float
    along: float
    against: float

    def after(self, reach: Reach, gradient: float, rounding: float) -> Reach:
        """How far weights and velocity can be afterwards, for |g| <= gradient; intercepts do not shrink."""
        return Reach(
            reach.weights + self.along * reach.velocity + MARGIN * self.against * gradient + rounding,
            self.keep * reach.velocity + MARGIN * self.rate * gradient + rounding,
        )

    def largest_sum(self, reach: Reach, gradient: float) -> float:
        """Largest magnitude of the sums that are rounded: the new velocity, and the change of the weights."""
        change = self.along * reach.velocity + MARGIN * self.against * gradient + self.shrink * reach.weights
        return max(change, self.keep * reach.velocity + MARGIN * self.rate * gradient)


@dataclass(frozen=True)
class Rule:
    """Gradient descent with momentum and decay of the weights.

    Plain: v' = momentum v - rate g and w' = w + v'. Nesterov's form: w' = w + momentum v' - rate g (Sutskever et al.,
    ICML 2013, as scikit-learn has it). Either way the weights, not the intercepts, shrink by rate l2 w: without
    momentum that is the gradient of l2/2 |w|^2; with momentum it is decoupled from it (Loshchilov and Hutter, ICLR
    2019).

    Parameters
    ----------
    momentum
        In [0, 0.999].
    nesterov
        Whether to take Nesterov's form.
    l2
        Not negative.

    Raises
    ------
    SettingError
        A number is out of range, or Nesterov's form is asked for without momentum.
    """

    momentum: float
    nesterov: bool
    l2: float

    def __post_init__(self) -> None:
        if not 0 <= self.momentum <= 0.999:
            raise SettingError(f"momentum lies in [0, 0.999]; got {self.momentum}")
        if self.nesterov and not self.momentum:
            raise SettingError("nesterov is a form of momentum: give a momentum above 0")
        if not 0 <= self.l2 < float("inf"):
            raise SettingError(f"l2 is not negative; got {self.l2}")

    def step(self, rate: float) -> Step:
        """Return the step at a learning rate."""
        keep = self.momentum
        along, against = (keep * keep, (1 + keep) * rate) if self.nesterov else (keep, rate)
        return Step(keep, rate, rate * self.l2, along, against)
