"""A learner at two units of this process, kept from call to call as what the units would save."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from privml.crypto.randomness import random_words
from privml.data.encoding import one_hot, one_hot_labels
from privml.data.schema import Schema
from privml.learner import Learner, classifier
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import Pair, PairRunner
from privml.units.role import Role
from privml.units.unit import Unit

Codes = NDArray[np.int64]
T = TypeVar("T")

BATCH: Final = 8192
"""Records to a query: bounds the memory that an answer takes."""


class LocalLearner:
    """Both units' halves of a learner, as the states that they would save.

    Every call sets up two units with a deal of their own, hands each its state and, after learning, takes the new
    states: a call that fails changes nothing, and nothing that is kept is a key, a seed or correlated randomness. So
    it can be copied, pickled, and used in several threads and in child processes.

    Parameters
    ----------
    name
        The classifier's entry point.
    schema
        Features and classes.
    options
        The classifier's options.

    Raises
    ------
    UnknownClassifierError
        The classifier is not installed.
    SettingError
        It refuses the options.
    """

    def __init__(self, name: str, schema: Schema, options: Mapping[str, Any]) -> None:
        self._name = name
        self._schema = schema
        self._options = dict(options)
        self._states: Pair[Mapping[str, Any]] | None = None
        self._chunks = 0
        self._halves()  # checks the options

    def __repr__(self) -> str:
        return f"LocalLearner({self._name!r}, {self._chunks} chunks)"

    def learn(self, codes: Codes, labels: Codes) -> None:
        """Share a chunk of records between the units, which learn from it and bring the model up to date.

        Parameters
        ----------
        codes
            Shape (n, F), as `privml.data.encoding.one_hot` takes them.
        labels
            Shape (n,), in [0, C).
        """
        records = [one_hot(self._schema, codes), one_hot_labels(self._schema, labels)]
        shares = _shared(np.concatenate(records, axis=1))
        halves, chunk = self._halves(), str(self._chunks)

        def learn(unit: Unit) -> None:
            half = _of(unit, halves)
            half.partial_fit(unit, chunk, _of(unit, shares))
            half.refresh(unit)

        with PairRunner(_new_units()) as runner:
            runner.run(learn)
        self._states, self._chunks = Pair(*(half.state() for half in halves)), self._chunks + 1

    def ask(self, codes: Codes, answer: str) -> Any:
        """Share queries between the units, and open and read their answers, one entry a record.

        Parameters
        ----------
        codes
            Shape (n, F), n >= 1.
        answer
            One of the classifier's `answers`.
        """
        halves = self._halves()
        answers = []
        with PairRunner(_new_units()) as runner:
            for start in range(0, len(codes), BATCH):
                shares = _shared(one_hot(self._schema, codes[start : start + BATCH]))

                def predict(unit: Unit, shares: Pair[NDArray[np.uint64]] = shares) -> NDArray[np.uint64]:
                    return _of(unit, halves).predict(unit, _of(unit, shares), answer)

                master, secondary = runner.run(predict)
                answers.append(halves.master.read_answer(self._schema, master + secondary, answer))
        return np.concatenate(answers)

    def _halves(self) -> Pair[Learner]:
        make = classifier(self._name)
        halves = Pair(*(make(self._schema, **self._options) for _ in Role))
        for half, state in zip(halves, self._states or (), strict=False):
            half.restore(state)
        return halves


def _new_units() -> tuple[Unit, Unit]:
    dealer = Dealer()
    master, secondary = (
        Unit(role, channel, dealer.source(role)) for role, channel in zip(Role, memory_channels(), strict=True)
    )
    return master, secondary


def _shared(words: NDArray[np.uint64]) -> Pair[NDArray[np.uint64]]:
    mask = random_words(words.shape)
    return Pair(mask, words - mask)


def _of(unit: Unit, both: Pair[T]) -> T:
    return both.master if unit.is_master else both.secondary
