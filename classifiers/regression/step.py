"""What a step makes of a gradient, and how far it can lead."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from privml.errors import SettingError

MARGIN: Final = 1 + 2.0**-5
"""What errors of probabilities, and rounding, may add to a gradient, as a factor."""


@dataclass(frozen=True)
class Reach:
    """How far weights and velocity can be from zero."""

    weights: float = 0.0
    velocity: float = 0.0


@dataclass(frozen=True)
class Gradients:
    """What is known of gradients, whatever the records.

    Attributes
    ----------
    largest
        How large they are at most.
    at_zero
        The loss where all weights are 0.
    inexact
        Euclidean length of what they err.
    """

    largest: float
    at_zero: float = math.inf
    inexact: float = 0.0


@dataclass(frozen=True)
class Step:
    """One step: velocity' = keep velocity - rate g, weights' = (1 - shrink) weights + along velocity - against g."""

    keep: float
    rate: float
    shrink: float
    along: float
    against: float

    def after(self, reach: Reach, gradients: Gradients, rounding: float) -> Reach:
        """How far weights and velocity can be afterwards; intercepts do not shrink."""
        straight = reach.weights + self.along * reach.velocity + MARGIN * self.against * gradients.largest
        return Reach(
            min(straight, self._downhill(reach.weights, gradients)) + rounding,
            self.keep * reach.velocity + MARGIN * self.rate * gradients.largest + rounding,
        )

    def largest_sum(self, reach: Reach, gradients: Gradients) -> float:
        """Largest magnitude of the sums that are rounded: the new velocity, and the change of the weights."""
        change = self.along * reach.velocity + MARGIN * self.against * gradients.largest + self.shrink * reach.weights
        return max(change, self.keep * reach.velocity + MARGIN * self.rate * gradients.largest)

    def _downhill(self, length: float, gradients: Gradients) -> float:
        """Euclidean length of the weights afterwards, at most, since the loss is convex and not negative.

        For w' = w - r g, |w'|² = |w|² - 2 r gw + r² |g|², and -gw <= L(0) - L(w) <= L(0): the square grows by no more
        than a constant, however many steps there are. (The first lines of every proof that gradient descent converges:
        Zinkevich, ICML 2003.) What shrinks weights by s w is a step that ends at s w instead of 0, where the loss is
        L(0) + s |g| |w| at most. Momentum is left to the other bound.
        """
        if self.keep:
            return math.inf
        rate = MARGIN * self.rate
        loss = gradients.at_zero + (self.shrink * gradients.largest + gradients.inexact) * length
        return math.sqrt(length**2 + 2 * rate * loss + (rate * gradients.largest) ** 2)


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
