"""Classifiers of records in their order whose numbers are on scales that moments from owners can settle beforehand."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import Shares, Words
from building_blocks.validation import Validation
from classifiers.regression import moments
from classifiers.regression.moments import MOST_RECORDS, Moments
from classifiers.sequential import SequentialClassifier
from privml.crypto.packing import Layout
from privml.data.encoding import EncodedTable
from privml.data.schema import Schema
from privml.errors import CapacityError, ClassifierError
from privml.units.unit import Unit


class StandardisedClassifier(SequentialClassifier):
    """What is the same for classifiers that standardise numbers in private.

    A homomorphic chunk holds moments: the sum and the sum of squares of every continuous feature, over so many records.
    It teaches nothing of classes. Scales are settled when the first records are learned: by all moments that came until
    then, or if none came, by these records themselves, and never by both, which would count records of an owner twice
    who sent moments of them. They stay for all later chunks.

    With retained records moments may come and go later, too: the model is then learned anew, on other scales, when it
    is next needed. Without, later ones are refused.
    """

    statistics_suffice: ClassVar[bool] = False

    def __init__(self, schema: Schema, retain: bool) -> None:
        super().__init__(schema, retain)
        self._moments: dict[str, Words] = {}

    @property
    @abstractmethod
    def takes_statistics(self) -> bool:
        """Whether scales are private."""

    @property
    def records(self) -> int:
        """How many records were learned; those that moments are of do not count."""
        return sum(self._taught.values())

    @property
    def _taught(self) -> dict[str, int]:
        """Records of each chunk of records."""
        return {chunk: rows for chunk, rows in self.chunks.items() if chunk not in self._moments}

    @property
    def _ahead(self) -> Moments | None:
        """All moments together, if there are any."""
        if not self._moments:
            return None
        total = Shares(np.stack(list(self._moments.values()))).sum(axis=0)
        return Moments.of_statistics(total, sum(self.chunks[chunk] for chunk in self._moments))

    @classmethod
    def statistics_layout(cls, schema: Schema, chunk_rows: int) -> Layout:
        """Layout of packed moments."""
        if schema.one_hot:
            cls._refuse_statistics()
        return moments.layout_of(schema, chunk_rows)

    @classmethod
    def statistics(cls, schema: Schema, table: EncodedTable) -> NDArray[np.int64]:
        """Sums of the continuous features' places, sums of their squares, and the number of records."""
        if schema.one_hot:
            cls._refuse_statistics()
        return moments.statistics(schema, table)

    @classmethod
    def _refuse_statistics(cls) -> NoReturn:
        raise ClassifierError(
            f"{cls.name} takes statistics, of continuous features, where standardisation is private; send sealed chunks"
        )

    def admit(self, chunk: str, rows: int, layout: Layout | None) -> None:
        """Check a chunk before anything is done with it; see `Classifier.admit`."""
        super().admit(chunk, rows, layout)
        if layout is None:
            return
        if self.records and not self.retain:
            raise ClassifierError(
                f"moments {chunk!r} come too late: the first records have settled the scales. Send moments before "
                "records, or make the model with retain=True"
            )
        known = sum(self.chunks[each] for each in self._moments)
        if known + rows > MOST_RECORDS:
            raise CapacityError(
                f"moments are of at most {MOST_RECORDS:,} records in all; there are {known:,}, and {rows:,} more are "
                "too many. Send moments of a sample"
            )

    def _check_statistics(self, unit: Unit, validation: Validation, statistics: Shares, rows: int) -> None:
        moments.check_statistics(unit, validation, statistics, rows)

    def _learn_statistics(self, chunk: str, statistics: Shares) -> None:
        self._moments[chunk] = statistics.words
        self._behind |= bool(self._rows)

    def _forget(self, unit: Unit, chunk: str) -> None:
        if chunk not in self._moments:
            super()._forget(unit, chunk)
            return
        del self._moments[chunk]
        self._behind |= bool(self._rows)

    def state(self) -> Mapping[str, Any]:
        """As `SequentialClassifier.state`, with the moments of each chunk."""
        return {**super().state(), "moments": self._moments}

    def _answering_state(self) -> Mapping[str, Any]:
        return {**super()._answering_state(), "moments": {}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state; what follows from it is computed anew when it is needed."""
        super().restore(state)
        self._moments = dict(state["moments"])
