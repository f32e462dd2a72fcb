"""Logistic regression by mini-batch gradient descent on shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from building_blocks.fixed_point.arithmetic import truncate
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.operand import Operand, fix_operand, multiply_operands
from building_blocks.shares import Shares, Words, concatenate, public
from classifiers.records import Records
from classifiers.regression.answers import ANSWER_BITS, labels, probabilities, read
from classifiers.regression.descent import Descent, Position
from classifiers.regression.divided import Recipe, divided
from classifiers.regression.importance import IMPORTANCE_BITS, importance_of
from classifiers.regression.loss import Loss
from classifiers.regression.model import MULTICLASS, LogisticRegressionModel
from classifiers.regression.ranges import Extent
from classifiers.regression.schedule import Schedule
from classifiers.regression.standardisation import PRIVATE, columns_of
from classifiers.regression.standardised import StandardisedClassifier
from classifiers.regression.step import Reach, Rule
from classifiers.spread import lanes_for
from privml.crypto.packing import Layout
from privml.data.schema import Schema
from privml.errors import CapacityError, ClassifierError, RangeError, SettingError
from privml.units.unit import Unit


class LogisticRegression(StandardisedClassifier):
    """Online logistic regression; nobody but the client learns an answer, nobody but a recipient the model.

    A chunk is gone through `epochs` times in batches, from where the chunks before it led; nothing older is touched.
    Its records are opened under masks once; every step opens the weights and a batch's errors under fresh ones. Batches
    are strided: of k batches, batch i takes the records i, i + k, ... of a chunk, so that sorted ones do no harm.

    Parameters
    ----------
    schema
        Features and classes.
    learning_rate, schedule, decay
        See `Schedule`.
    epochs, batch, average
        See `Descent`.
    l2, momentum, nesterov
        See `Rule`.
    multiclass
        With more than two classes: "ovr", each class against the rest, or "multinomial", softmax (at most 64 classes).
    class_weight
        How much a record of a class counts, by the class's name, in [1/64, 64] and rounded to 1/64; 1 unless given.
        Public; there are no balanced ones, which would have to be told how common classes are.
    standardisation
        Of continuous features. (mean, scale) by name, public; see `Columns.of`. Or "private": means and deviations that
        the units work out and nobody sees, of moments that owners sent homomorphically ahead of records, or else of the
        first chunk; see `StandardisedClassifier` and `SecretColumns`. They stay for all later chunks.
    fraction_bits
        Of the weights, in 16..30.
    retain
        Whether the units keep their shares of the records, so that a chunk can be withdrawn: the model is then trained
        anew on the others, in their order, when it is next needed. Without it what is kept is the weights.

    Raises
    ------
    SettingError
        An option is out of range, or together they could leave 62 bits.

    Notes
    -----
    Public: schema, options, the number of records of each chunk, of chunks, refreshes and queries; hence the number of
    steps. Rounds: those of `Descent.train` for each chunk, 1 for each 8192 records, and 2; 1 more for each 8192 records
    if there are continuous features. A batch of queries 3, or 4, 1 more after a change of the model; for labels of two
    classes 4 more, of several those of `argmax`; for probabilities those of `sigmoid` or `softmax`, with "ovr" of more
    than two classes those of `divide` too. Whoever asks for probabilities sees nothing else: also those of "ovr" are
    normalised between the units. Both units see records, weights and errors under masks, each used once, and masked
    words of the blocks. Memory: what is opened of one chunk, 16 bytes a value, for as long as it is trained on.
    """

    name = "logistic_regression"
    answers: ClassVar[Mapping[str, str]] = {
        "label": "the most probable class",
        "probabilities": "the probability of every class; it makes the model easier to copy than labels do",
        "score": "w'x + b, of the second class, or of each of several; a few of these give the model away",
    }

    def __init__(
        self,
        schema: Schema,
        *,
        learning_rate: float = 0.5,
        schedule: str = "linear",
        decay: float = 0.01,
        epochs: int = 5,
        batch: int = 128,
        average: bool = True,
        l2: float = 0.0,
        momentum: float = 0.0,
        nesterov: bool = False,
        multiclass: str = "ovr",
        class_weight: Mapping[str, float] | None = None,
        standardisation: Mapping[str, Sequence[float]] | str | None = None,
        fraction_bits: int = 20,
        retain: bool = False,
    ) -> None:
        super().__init__(schema, retain)
        if multiclass not in MULTICLASS:
            raise SettingError(f"multiclass is {' or '.join(MULTICLASS)}; got {multiclass!r}")
        self.multiclass = multiclass
        self.class_weight = None if class_weight is None else dict(class_weight)
        self.standardisation = standardisation if isinstance(standardisation, str) else dict(standardisation or {})
        self._importance = importance_of(schema, self.class_weight)
        self._descent = Descent(
            columns_of(schema, self.standardisation),
            Loss.multinomial(schema.class_count) if self._is_multinomial else Loss.logistic(),
            Schedule(schedule, learning_rate, decay),
            Rule(momentum, nesterov, l2),
            epochs,
            batch,
            average,
            None if self._importance is None else float(self._importance.max() / 2**IMPORTANCE_BITS),
            fraction_bits,
        )
        self._position = self._start()
        self._form: Shares | None = None
        self._release = Shares(np.zeros(0, dtype=np.uint64))
        self._operand: Operand | None = None

    @property
    def takes_statistics(self) -> bool:
        """Whether means and deviations are private."""
        return self.standardisation == PRIVATE

    @property
    def options(self) -> Mapping[str, Any]:
        """All options."""
        descent = self._descent
        return {
            "learning_rate": descent.schedule.rate,
            "schedule": descent.schedule.kind,
            "decay": descent.schedule.decay,
            "epochs": descent.epochs,
            "batch": descent.batch,
            "average": descent.average,
            "l2": descent.rule.l2,
            "momentum": descent.rule.momentum,
            "nesterov": descent.rule.nesterov,
            "multiclass": self.multiclass,
            "class_weight": self.class_weight,
            "standardisation": self.standardisation,
            "fraction_bits": descent.fraction_bits,
            "retain": self.retain,
        }

    def admit(self, chunk: str, rows: int, layout: Layout | None) -> None:
        """Check a chunk before anything is done with it; see `Classifier.admit`."""
        super().admit(chunk, rows, layout)
        if layout is not None:
            return
        try:
            self._forecast([*self._taught.values(), rows] if self._behind else [rows])
        except RangeError as error:
            raise CapacityError(f"chunk {chunk!r} cannot be taken: {error}") from error

    def _forecast(self, chunks: Sequence[int]) -> None:
        """Check that there is room for training on chunks of so many records."""
        start = self._start() if self._behind else self._position
        extent, steps = start.extent, start.steps
        for rows in chunks:
            extent = self._descent.forecast(extent, steps, rows)
            steps += self._descent.steps(rows)

    def partial_fit(self, unit: Unit, chunk: str, rows: Words) -> None:
        """Learn from a chunk of records; every batch takes some from all over it."""
        strided = np.argsort(np.arange(len(rows)) % max(1, self._descent.batches(len(rows))), kind="stable")
        super().partial_fit(unit, chunk, rows[strided])

    def _blocks(self, rows: Words) -> list[Words]:
        return np.array_split(rows, self._descent.batches(len(rows)))

    def _go_through(self, unit: Unit, rows: Words, refusal: str) -> None:
        blocks = self._blocks(rows)
        # scales that follow from all records need them on one link
        parts = 1 if self._needs_records else lanes_for(unit, min(map(len, blocks), default=0))
        if unit.lanes is None or parts == 1:
            super()._go_through(unit, rows, refusal)
            return
        self._settle_scales(unit, [])
        with divided(unit, unit.lanes, parts, self._recipe, blocks, refusal) as batches:
            self._position = self._descent.train(unit, batches, self._position)

    def _train(self, unit: Unit, records: Sequence[Records]) -> None:
        self._settle_scales(unit, records)
        self._position = self._descent.train(unit, self._recipe.batches(unit, records), self._position)

    @property
    def _needs_records(self) -> bool:
        """Whether scales are yet to be settled, by the first records."""
        return self.takes_statistics and not self._position.steps and self._ahead is None

    def _settle_scales(self, unit: Unit, records: Sequence[Records]) -> None:
        if not self._position.steps:
            columns = self._descent.columns.fitted(unit, [block.features for block in records], self._ahead)
            self._descent = replace(self._descent, columns=columns)

    @property
    def _recipe(self) -> Recipe:
        return Recipe(self.schema, self._descent, self._importance)

    def _restart(self) -> None:
        self._position = self._start()

    def _settle(self, unit: Unit) -> None:
        self._form = self._descent.columns.linear_form(unit, self._position.weights)
        header = public(unit, np.array([MULTICLASS.index(self.multiclass), self._descent.score_bits]))
        self._release = concatenate([header, self._form.reshape(-1)])
        self._operand = None

    def _answer(self, unit: Unit, queries: Operand, answer: str) -> Words:
        form = self._current_form()
        if self._operand is None:
            self._operand = fix_operand(unit, form[:-1])
        words = multiply_operands(unit, queries, self._operand) + form[-1:]
        if answer == "label":
            return labels(unit, words).words
        scores = FixedPoint(words, self._descent.score_bits, self._descent.ranges.score_bound(self._position.extent))
        if answer == "score":
            return truncate(unit, scores, ANSWER_BITS).shares.words
        return probabilities(unit, scores, multinomial=self._is_multinomial).shares.words

    @classmethod
    def answer_shape(cls, schema: Schema, rows: int, answer: str) -> tuple[int, ...]:
        """One word a record for labels, else one for each class, or for the second of two."""
        return (rows,) if answer == "label" else (rows, _outputs(schema))

    @classmethod
    def read_answer(cls, schema: Schema, words: Words, answer: str) -> NDArray[Any]:
        """Turn opened words into labels, scores or probabilities; see `answers.read`."""
        return read(schema, words, answer)

    def _model(self) -> Words:
        return self._release.words

    @classmethod
    def read_model(cls, schema: Schema, words: Words) -> LogisticRegressionModel:
        """Turn the opened release into coefficients."""
        return LogisticRegressionModel.read(schema, words)

    def _learned(self) -> Mapping[str, Any]:
        scales = self._descent.columns.scales
        return {
            "weights": self._position.weights.words,
            "reach": self._position.extent.single.weights,
            "length": self._position.extent.length.weights,
            "steps": self._position.steps,
            "scales": None if scales is None else scales.words,
        }

    def _take_over(self, learned: Mapping[str, Any]) -> None:
        extent = Extent(Reach(learned["reach"]), Reach(learned["length"]))
        self._position = Position(Shares(learned["weights"]), extent, learned["steps"])
        scales = None if learned["scales"] is None else Shares(learned["scales"])
        self._descent = replace(self._descent, columns=replace(self._descent.columns, scales=scales))

    @property
    def _outputs(self) -> int:
        return _outputs(self.schema)

    @property
    def _is_multinomial(self) -> bool:
        return self._outputs > 1 and self.multiclass == "multinomial"

    def _start(self) -> Position:
        return Position(Shares(np.zeros((self.schema.width + 1, self._outputs), dtype=np.uint64)))

    def _current_form(self) -> Shares:
        if self._form is None:
            raise ClassifierError("the model was not refreshed")
        return self._form


def _outputs(schema: Schema) -> int:
    """How many scores a record has."""
    return 1 if schema.class_count == 2 else schema.class_count
