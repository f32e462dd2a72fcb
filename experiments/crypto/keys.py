"""The keys that one run of the experiment uses."""

from __future__ import annotations

from dataclasses import dataclass

from experiments.settings import Settings
from privml.crypto.arithmetic import Integer
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.keygen import generate


@dataclass(frozen=True)
class Keys:
    """Everybody's keys at once: for measuring only."""

    parameters: PublicParameters
    factors: tuple[Integer, Integer]
    shares: tuple[KeyShare, KeyShare]
    owner: WeakPrivateKey

    @classmethod
    def make(cls, settings: Settings) -> Keys:
        """Make fresh ones."""
        parameters, strong = generate(settings.key_bits, allow_insecure_test_size=settings.allow_insecure_test_size)
        return cls(parameters, strong.factors, strong.split(), WeakPrivateKey.generate(parameters))
