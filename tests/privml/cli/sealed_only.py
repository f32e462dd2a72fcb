"""A classifier of somebody else's: it takes sealed records only, and cannot forget; installed for a test."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, EntryPoints, entry_points
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.naive_bayes import NaiveBayes
from privml import learner
from privml.crypto.packing import Layout
from privml.data.encoding import EncodedTable
from privml.data.schema import Schema
from privml.errors import ClassifierError
from privml.units.unit import Unit


class SealedOnly(NaiveBayes):
    name = "sealed_only"
    answers: ClassVar[Mapping[str, str]] = {"label": "the most probable class"}

    def __init__(
        self,
        schema: Schema,
        *,
        depth: int = 3,
        rate: float | None = None,
        prune: bool = False,
        criterion: Literal["gini", "entropy"] = "gini",
        weights: Mapping[str, float] | str | None = None,
    ) -> None:
        super().__init__(schema, alpha=float(depth))
        self.given = {"depth": depth, "rate": rate, "prune": prune, "criterion": criterion, "weights": weights}

    @property
    def options(self) -> Mapping[str, Any]:
        return self.given

    @property
    def takes_statistics(self) -> bool:
        return False

    @classmethod
    def statistics_layout(cls, schema: Schema, chunk_rows: int) -> Layout:
        raise ClassifierError("send records")

    @classmethod
    def statistics(cls, schema: Schema, table: EncodedTable) -> NDArray[np.int64]:
        raise ClassifierError("send records")

    def _forget(self, unit: Unit, chunk: str) -> None:
        raise ClassifierError("what was learned is learned")


def install(patch: pytest.MonkeyPatch) -> None:
    """Let the framework find it, as if a package had brought it."""
    ours = EntryPoint("sealed_only", f"{__name__}:SealedOnly", learner.GROUP)

    def found(**selected: Any) -> EntryPoints:
        return EntryPoints((*entry_points(group=learner.GROUP), ours)).select(**selected)

    patch.setattr(learner, "entry_points", found)
