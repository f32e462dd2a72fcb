"""What PrivML must reach: the one table of targets, in the words they were set in, and the one place that compares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

DEFAULT_KEY_BITS: Final = 2048
"""Key size that targets are about, unless a limit has none: then no key takes part in what it limits."""


class Measure(Enum):
    """What of a measurement is compared with the limit."""

    VALUE = "value"
    RATIO = "ratio"
    """Ours divided by the peer's: below 1 where ours takes less."""
    DIFFERENCE = "difference"
    """|value - peer_value|"""


@dataclass(frozen=True, slots=True)
class Limit:
    """One number that a measurement is compared with.

    Parameters
    ----------
    row
        First cell of the row of the table that it comes from.
    measure
        What is compared.
    low, high
        The smallest and largest acceptable number, both included; None for no bound.
    unit
        Unit of both; "x" for ratios.
    key_bits
        The key size that it is about; None for what no key takes part in.
    """

    row: str
    measure: Measure
    low: float | None
    high: float | None
    unit: str
    key_bits: int | None = DEFAULT_KEY_BITS

    @property
    def text(self) -> str:
        """The limit as records write it: ``"<= 0.6 ms"``, ``"ratio <= 1/15"``, ``"within 0.002 of peer"``."""
        if self.measure is Measure.DIFFERENCE:
            return f"within {self.high:g} of peer"
        if self.measure is Measure.RATIO:
            small = self.high is not None and self.high < 0.5
            return f"ratio <= 1/{1 / self.high:g}" if small and self.high else f"ratio <= {self.high:g}"
        low = [] if self.low is None else [f">= {self.low:,.10g}"]
        high = [] if self.high is None else [f"<= {self.high:,.10g}"]
        return f"{', '.join(low + high)} {self.unit}".strip()

    def met(self, value: float, peer_value: float | None, ratio: float | None) -> bool:
        """Whether a measurement keeps to the limit. No other place decides that.

        Raises
        ------
        ValueError
            The limit is about a peer and there is none.
        """
        difference = None if peer_value is None else abs(value - peer_value)
        compared = {Measure.VALUE: value, Measure.RATIO: ratio, Measure.DIFFERENCE: difference}[self.measure]
        if compared is None:
            raise ValueError(f"the limit {self.text!r} compares with a peer, and none was measured")
        return (self.low is None or compared >= self.low) and (self.high is None or compared <= self.high)


ROWS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "encryption, T1 alone / (T1, T2), fixed-base tables": (
            "<= 0.6 / 1.2 ms, i.e. >= 15x / 7x python-paillier in the same run"
        ),
        "homomorphic addition": "within 1.5x of one big-integer multiplication modulo N^2",
        "two-step decryption, both halves, one packed ciphertext": (
            "<= 2.8 x one `gmpy2.powmod` with a 4096-bit exponent (the constant-time form costs 1.36 each)"
        ),
        "secure product / comparison / log2, per value, batch of 100,000 shares": (
            "<= 0.05 / 0.3 / 3 us; bytes each way <= 16 / 32 / 400"
        ),
        "the same over ciphertext vectors (decrypt, block, re-encrypt), per value": (
            "<= 6 ms, i.e. >= 10x the prototype at 2048 bits, without revealing anything"
        ),
        "owner's upload, homomorphic path": (
            "<= 0.7 ms per ciphertext, plus one batched proof of <= 3 ms a chunk; MU's check <= 1 ms per ciphertext"
        ),
        "owner's upload, sealed path": "<= 5 ms + 20 ns a value",
        "naive Bayes, Adult, 32,561 records sealed, opened, train + refresh": (
            "<= 1 s after upload, accuracy equal to plaintext within 0.2 points "
            "(share arithmetic allows equal predictions)"
        ),
        "naive Bayes query, in batches of 1000 / one alone in an open session": "<= 0.02 / 5 ms",
        "logistic regression, Adult, 5 epochs, batches of 256": (
            "<= 5 s, within 0.3 points of plaintext; rounds <= 10,000"
        ),
        "logistic regression, 455 x 30, 25 steps": (
            "<= 0.1 s, >= 10x faster than SPU semi2k in the same run, its compilation excluded"
        ),
        "logistic regression, edin, 5-fold": "<= 0.8 s a fold, AUC within 0.002 of scikit-learn on the same folds",
        "logistic regression inference, 30 features, batches of 4096": (
            "<= 0.005 ms and 600 bytes a query, model hidden too"
        ),
        "Hoeffding tree of depth 6, Adult, 32,561 records": (
            "<= 8 s, predictions equal to the plaintext twin, accuracy >= 0.822; "
            "<= 500 MB each way, <= 4,000 rounds"
        ),
        "tree query, in batches of 1000": "<= 0.1 ms",
        "tree training, car-sized (1728 x 6), structure hidden": "<= 1 s (MPyC, structure revealed, 2.2 s)",
        "dealer-free correlations: comparison / product, per value, N = 100,000": (
            "<= 200 us / 40 us in Python; say what stands between this and Cheetah"
        ),
        "memory of either unit on Adult": "<= 512 MiB",
        "growth": (
            "linear in records: fitted exponent of training time in [0.9, 1.1] over a decade of sizes"
        ),
        "network": (
            "every experiment prints rounds and bytes, and from them the time at 1 Gbit/s with 1 ms round trips "
            "and at 100 Mbit/s with 20 ms"
        ),
    }
)  # fmt: skip
"""Every row of the table of targets, both cells in its exact words. Both units in one process, dealer included, unless
a row says otherwise."""

(
    _ENCRYPTION, _ADDITION, _DECRYPTION, _BLOCKS, _VECTORS, _HOMOMORPHIC, _SEALED, _BAYES, _BAYES_QUERY, _REGRESSION,
    _SMALL_REGRESSION, _EDIN, _INFERENCE, _TREE, _TREE_QUERY, _CAR, _DEALER_FREE, _MEMORY, _GROWTH, _NETWORK,
) = ROWS  # fmt: skip


def _at_most(row: str, high: float, unit: str, *, key_bits: int | None = DEFAULT_KEY_BITS) -> Limit:
    return Limit(row, Measure.VALUE, None, high, unit, key_bits)


def _ratio(row: str, high: float, *, key_bits: int | None = DEFAULT_KEY_BITS) -> Limit:
    return Limit(row, Measure.RATIO, None, high, "x", key_bits)


def _close(row: str, high: float, unit: str) -> Limit:
    return Limit(row, Measure.DIFFERENCE, None, high, unit, None)


LIMITS: Final[Mapping[str, Limit]] = MappingProxyType(
    {
        "encrypt T1": _at_most(_ENCRYPTION, 0.6, "ms"),
        "encrypt T1, ratio": _ratio(_ENCRYPTION, 1 / 15),
        "encrypt T1 T2": _at_most(_ENCRYPTION, 1.2, "ms"),
        "encrypt T1 T2, ratio": _ratio(_ENCRYPTION, 1 / 7),
        "addition": _ratio(_ADDITION, 1.5),
        "two-step decryption": _ratio(_DECRYPTION, 2.8),
        "product": _at_most(_BLOCKS, 0.05, "us", key_bits=None),
        "product, bytes": _at_most(_BLOCKS, 16, "bytes", key_bits=None),
        "comparison": _at_most(_BLOCKS, 0.3, "us", key_bits=None),
        "comparison, bytes": _at_most(_BLOCKS, 32, "bytes", key_bits=None),
        "log2": _at_most(_BLOCKS, 3, "us", key_bits=None),
        "log2, bytes": _at_most(_BLOCKS, 400, "bytes", key_bits=None),
        "ciphertext vectors": _at_most(_VECTORS, 6, "ms"),
        "ciphertext vectors, ratio": _ratio(_VECTORS, 1 / 10),
        "upload, ciphertext": _at_most(_HOMOMORPHIC, 0.7, "ms"),
        "upload, proof": _at_most(_HOMOMORPHIC, 3, "ms"),
        "upload, check": _at_most(_HOMOMORPHIC, 1, "ms"),
        "sealing, constant": _at_most(_SEALED, 5, "ms"),
        "sealing, slope": _at_most(_SEALED, 20, "ns"),
        "naive Bayes, training": _at_most(_BAYES, 1, "s"),
        "naive Bayes, accuracy": _close(_BAYES, 0.002, ""),
        "naive Bayes, query in a batch": _at_most(_BAYES_QUERY, 0.02, "ms"),
        "naive Bayes, query alone": _at_most(_BAYES_QUERY, 5, "ms"),
        "logistic regression, Adult": _at_most(_REGRESSION, 5, "s", key_bits=None),
        "logistic regression, Adult, accuracy": _close(_REGRESSION, 0.003, ""),
        "logistic regression, Adult, rounds": _at_most(_REGRESSION, 10_000, "rounds", key_bits=None),
        "logistic regression, 455 x 30": _at_most(_SMALL_REGRESSION, 0.1, "s", key_bits=None),
        "logistic regression, 455 x 30, ratio": _ratio(_SMALL_REGRESSION, 0.1, key_bits=None),
        "logistic regression, edin": _at_most(_EDIN, 0.8, "s", key_bits=None),
        "logistic regression, edin, AUC": _close(_EDIN, 0.002, ""),
        "logistic regression, inference": _at_most(_INFERENCE, 0.005, "ms", key_bits=None),
        "logistic regression, inference, bytes": _at_most(_INFERENCE, 600, "bytes", key_bits=None),
        "tree, Adult": _at_most(_TREE, 8, "s", key_bits=None),
        "tree, Adult, differing predictions": _at_most(_TREE, 0, "records", key_bits=None),
        "tree, Adult, accuracy": Limit(_TREE, Measure.VALUE, 0.822, None, "", None),
        "tree, Adult, bytes": _at_most(_TREE, 500, "MB", key_bits=None),
        "tree, Adult, rounds": _at_most(_TREE, 4000, "rounds", key_bits=None),
        "tree, query in a batch": _at_most(_TREE_QUERY, 0.1, "ms", key_bits=None),
        "tree, car-sized": _at_most(_CAR, 1, "s", key_bits=None),
        "dealer-free comparison": _at_most(_DEALER_FREE, 200, "us", key_bits=None),
        "dealer-free product": _at_most(_DEALER_FREE, 40, "us", key_bits=None),
        "memory": _at_most(_MEMORY, 512, "MiB"),
        "growth": Limit(_GROWTH, Measure.VALUE, 0.9, 1.1, "", None),
    }
)  # fmt: skip
"""The numbers in the rows, by name. The row "network" has none: every experiment prints what it asks for."""
