"""Classifiers that go through records in their order, and so can forget only by starting again."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NoReturn

import numpy as np
from numpy.typing import NDArray

from building_blocks.shares import Shares, Words
from building_blocks.validation import Validation
from classifiers.base import Classifier
from classifiers.records import Records, open_records
from privml.crypto.packing import Layout
from privml.data.encoding import EncodedTable
from privml.data.schema import Schema
from privml.errors import ClassifierError
from privml.units.unit import Unit


class SequentialClassifier(Classifier):
    """What is the same for classifiers whose model depends on the order of the records: trees that grow.

    They learn from records, and no statistics would do. A chunk can be withdrawn if its records are retained, as
    shares: the model is then learned anew from the others, in their order, when it is next needed.

    Parameters
    ----------
    schema
        Features and classes.
    retain
        Whether to keep what the units hold of the records. Without it memory does not grow with them.
    """

    order_matters: ClassVar[bool] = True

    def __init__(self, schema: Schema, retain: bool) -> None:
        super().__init__(schema)
        self.retain = retain
        self._rows: dict[str, Words] = {}
        self._behind = False
        """Whether a chunk was withdrawn since the model last went through the records."""

    @property
    def takes_statistics(self) -> bool:
        """No."""
        return False

    @property
    def withdraws(self) -> bool:
        """Whether the records are retained."""
        return self.retain

    @property
    def bounded(self) -> bool:
        """Whether they are not."""
        return not self.retain

    @classmethod
    def statistics_layout(cls, schema: Schema, chunk_rows: int) -> Layout:
        """There is none."""
        cls._refuse_statistics()

    @classmethod
    def statistics(cls, schema: Schema, table: EncodedTable) -> NDArray[np.int64]:
        """There are none."""
        cls._refuse_statistics()

    @classmethod
    def _refuse_statistics(cls) -> NoReturn:
        raise ClassifierError(f"{cls.name} learns from records, there are no statistics to send: send sealed chunks")

    def admit(self, chunk: str, rows: int, layout: Layout | None) -> None:
        """Check a chunk before anything is done with it; see `Classifier.admit`."""
        super().admit(chunk, rows, layout)
        if layout is not None and not self.takes_statistics:
            self._refuse_statistics()

    def _check_statistics(self, unit: Unit, validation: Validation, statistics: Shares, rows: int) -> None:
        self._refuse_statistics()

    def _learn_statistics(self, chunk: str, statistics: Shares) -> None:
        self._refuse_statistics()

    def _learn(self, unit: Unit, chunk: str, rows: Words, refusal: str) -> None:
        if self._behind:
            open_records(unit, self.schema, self._blocks(rows), refusal)
        else:
            self._go_through(unit, rows, refusal)
        if self.retain:
            self._rows[chunk] = rows

    def _go_through(self, unit: Unit, rows: Words, refusal: str) -> None:
        """Learn from rows, if they are records; else ValidationError with the message `refusal`."""
        self._train(unit, open_records(unit, self.schema, self._blocks(rows), refusal))

    def _forget(self, unit: Unit, chunk: str) -> None:
        del self._rows[chunk]
        self._behind = True

    def _recompute(self, unit: Unit) -> None:
        if self._behind:
            self._restart()
            for chunk, rows in self._rows.items():
                refusal = f"what the units keep of chunk {chunk!r} does not go together"
                self._go_through(unit, rows, refusal)
            self._behind = False
        self._settle(unit)

    def state(self) -> Mapping[str, Any]:
        """The chunks' names and sizes, their records if they are retained, and what the classifier learned."""
        return {"chunks": self.chunks, "rows": self._rows, "behind": self._behind, "learned": self._learned()}

    def _answering_state(self) -> Mapping[str, Any]:
        return {**self.state(), "chunks": {"": self.records}, "rows": {}}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over a saved state; what follows from it is computed anew when it is needed."""
        self.chunks, self._rows, self._behind = dict(state["chunks"]), dict(state["rows"]), state["behind"]
        self._take_over(state["learned"])
        self.stale = True

    @abstractmethod
    def _blocks(self, rows: Words) -> Sequence[Words]:
        """Part a chunk's rows into the blocks that `_train` gets."""

    @abstractmethod
    def _train(self, unit: Unit, records: Sequence[Records]) -> None:
        """Go through a chunk's valid records, after those before it."""

    @abstractmethod
    def _restart(self) -> None:
        """Go back to where no record was learned."""

    @abstractmethod
    def _settle(self, unit: Unit) -> None:
        """Make what answers need out of what was learned."""

    @abstractmethod
    def _learned(self) -> Mapping[str, Any]:
        """What was learned, to save it."""

    @abstractmethod
    def _take_over(self, learned: Mapping[str, Any]) -> None:
        """Take over what was saved."""
