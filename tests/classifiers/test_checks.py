"""Every registered classifier keeps the contract; and the checks notice who does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from building_blocks.operand import fix_operand, fix_operands, multiply_operands, values
from building_blocks.shares import Shares, Words, concatenate, open_shares, public
from building_blocks.validation import Validation
from classifiers.checks import ARTICLES, CONDITIONS, Check, check_classifier
from classifiers.naive_bayes import NaiveBayes
from privml import Categorical, Schema
from privml.errors import ContractError
from privml.learner import Learner, classifier, classifier_names
from privml.units.unit import Unit

OTHERWISE = {"what cannot be withdrawn stays", "statistics are refused", "encrypted statistics prepare for records"}
"""Articles for those who declare something else than naive Bayes does."""

EVERY = [(name, check) for name in classifier_names() for check in check_classifier(classifier(name))]


@pytest.mark.parametrize(("name", "check"), EVERY, ids=lambda each: each if isinstance(each, str) else each.name)
def test_registered_classifiers_keep_the_contract(name: str, check: Check) -> None:
    check()


def test_there_is_one_check_for_each_article() -> None:
    assert classifier_names()
    expected = [name for name in ARTICLES if name not in OTHERWISE]
    assert [check.name for check in check_classifier(NaiveBayes)] == expected
    assert set(CONDITIONS) <= set(ARTICLES)


@pytest.mark.parametrize(
    ("declared", "freed"),
    [
        ({"order_matters": True}, {"the order of chunks is irrelevant"}),
        ({"withdraws": False}, {"withdrawn is as never learned"}),
        ({"bounded": False}, {"memory is bounded"}),
        ({"statistics_suffice": False}, {"encrypted statistics give the same model"}),
        (
            {"takes_statistics": False},
            {"encrypted statistics give the same model", "what are no statistics is refused"},
        ),
    ],
)
def test_what_a_class_declares_frees_it(declared: dict[str, bool], freed: set[str]) -> None:
    names, other = ({check.name for check in check_classifier(each)} for each in (NaiveBayes, variant(declared)))
    assert names - other == freed
    assert other - names <= OTHERWISE


def variant(declared: Mapping[str, bool]) -> type[Learner]:
    return type("Variant", (NaiveBayes,), dict(declared))


@pytest.mark.parametrize("check", list(check_classifier(NaiveBayes, alpha=0.25)), ids=lambda check: check.name)
def test_with_options(check: Check) -> None:
    check()


@pytest.mark.parametrize(
    "check",
    list(check_classifier(NaiveBayes, Schema((Categorical("f", ("a", "b")),), "y", ("p", "q")))),
    ids=lambda check: check.name,
)
def test_with_the_smallest_schema(check: Check) -> None:
    check()


class ForgetsOptions(NaiveBayes):
    @property
    def options(self) -> Mapping[str, Any]:
        return {}


class TakesAnyOption(NaiveBayes):
    def __init__(self, schema: Schema, **options: Any) -> None:
        options.pop("no such option", None)
        super().__init__(schema, **options)


class GuessesUntrained(NaiveBayes):
    def predict(self, unit: Unit, rows: Words, answer: str) -> Words:
        return super().predict(unit, rows, answer) if self.fitted else np.zeros(len(rows), np.uint64)


class AnswersInAnotherShape(NaiveBayes):
    @classmethod
    def answer_shape(cls, schema: Schema, rows: int, answer: str) -> tuple[int, ...]:
        return (rows, 1)


class AnswersAnything(NaiveBayes):
    def predict(self, unit: Unit, rows: Words, answer: str) -> Words:
        return super().predict(unit, rows, answer if answer in self.answers else "label")


class AlwaysRefreshes(NaiveBayes):
    def refresh(self, unit: Unit) -> None:
        self.stale = True
        super().refresh(unit)


class LearnsTwice(NaiveBayes):
    def admit(self, chunk: str, rows: int, layout: Any) -> None:
        self.chunks.pop(chunk, None)


class ForgetsNothing(NaiveBayes):
    def _forget(self, unit: Unit, chunk: str) -> None:
        pass


class RemembersTheFirst(NaiveBayes):
    """The order of chunks matters: it learns from the first alone."""

    def _add(self, chunk: str, found: Shares) -> None:
        super()._add(chunk, found if not self.chunks else found * 0)


class LosesItsTable(NaiveBayes):
    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore({**state, "counts": {}})


class RestoresTwice(NaiveBayes):
    def restore(self, state: Mapping[str, Any]) -> None:
        before = self._counts
        super().restore(state)
        self._counts += before


class WritesToItsState(NaiveBayes):
    def _recompute(self, unit: Unit) -> None:
        super()._recompute(unit)
        for kept in self._chunk_counts.values():
            kept[...] = kept + np.uint64(1 if unit.is_master else 2**64 - 1)  # the counts stay what they are


class KeepsRecords(NaiveBayes):
    def partial_fit(self, unit: Unit, chunk: str, rows: Words) -> None:
        super().partial_fit(unit, chunk, rows)
        self.__dict__.setdefault("kept", {})[chunk] = rows

    def state(self) -> Mapping[str, Any]:
        return {**super().state(), "kept": self.__dict__.get("kept", {})}


class Talks(NaiveBayes):
    """Says more where the first class is the largest."""

    def _recompute(self, unit: Unit) -> None:
        super()._recompute(unit)
        (counts,) = open_shares(unit, self._counts[-1])
        if counts[0] == counts.sum():
            unit.exchange(counts)


class CountsTwice(NaiveBayes):
    @classmethod
    def statistics(cls, schema: Schema, table: Any) -> NDArray[np.int64]:
        once = super().statistics(schema, table)
        return np.concatenate([once[:1] + 5, once[1:]])


class BelievesRecords(NaiveBayes):
    def _learn(self, unit: Unit, chunk: str, rows: Words, refusal: str) -> None:
        features, classes = fix_operands(
            unit, Shares(rows[:, : self.schema.width]), Shares(rows[:, self.schema.width :])
        )
        counted = multiply_operands(unit, features, classes, transpose_left=True)
        self._add(chunk, concatenate([counted, values(unit, classes).sum(axis=0).reshape(1, -1)]))


class AnswersFromChunks(NaiveBayes):
    """Works its table out of the counts of each chunk, which it gives no lane."""

    def restore(self, state: Mapping[str, Any]) -> None:
        super().restore({**state, "stale": True, "table": None})


class BelievesQueries(NaiveBayes):
    def predict(self, unit: Unit, rows: Words, answer: str) -> Words:
        self.refresh(unit)
        return self._answer(unit, fix_operand(unit, Shares(rows)), answer)


class EntersBeforeItChecks(NaiveBayes):
    def partial_fit(self, unit: Unit, chunk: str, rows: Words) -> None:
        early = public(unit, np.eye(*self._counts.shape, dtype=np.int64) * 999)
        self._counts += early
        super().partial_fit(unit, chunk, rows)
        self._counts -= early


class BelievesStatistics(NaiveBayes):
    def _check_statistics(self, unit: Unit, validation: Validation, statistics: Shares, rows: int) -> None:
        pass


class RevealsNothing(NaiveBayes):
    def reveal(self, unit: Unit, recipient: Any) -> None:
        super().reveal(unit, recipient)


class WithdrawsAllTheSame(NaiveBayes):
    withdraws = False

    def withdraw(self, unit: Unit, chunk: str) -> None:
        del self.chunks[chunk]


class TakesStatisticsAllTheSame(NaiveBayes):
    takes_statistics = False


BROKEN: dict[str, list[type[Learner]]] = {
    "options make the same one again": [ForgetsOptions, TakesAnyOption],
    "untrained it neither predicts nor reveals": [GuessesUntrained],
    "answers have the shapes it says": [AnswersInAnotherShape, AnswersAnything],
    "asking changes nothing": [AlwaysRefreshes],
    "in lanes it answers the same": [AnswersFromChunks],
    "a chunk is learned once": [LearnsTwice],
    "the order of chunks is irrelevant": [RemembersTheFirst],
    "withdrawn is as never learned": [ForgetsNothing],
    "what cannot be withdrawn stays": [WithdrawsAllTheSame],
    "saved and loaded it goes on": [LosesItsTable, RestoresTwice],
    "states stand still": [WritesToItsState],
    "memory is bounded": [KeepsRecords],
    "the trace depends on public shapes only": [Talks],
    "encrypted statistics give the same model": [CountsTwice],
    "statistics are refused": [TakesStatisticsAllTheSame],
    "what is no record is refused": [BelievesRecords, BelievesQueries, EntersBeforeItChecks],
    "what are no statistics is refused": [BelievesStatistics],
    "a recipient can read the model": [RevealsNothing],
}


@pytest.mark.parametrize(
    ("article", "broken"),
    [(article, broken) for article, variants in BROKEN.items() for broken in variants],
    ids=lambda each: each if isinstance(each, str) else each.__name__,
)
def test_a_broken_contract_is_noticed(article: str, broken: type[Learner]) -> None:
    options: dict[str, Any] = {"alpha": 0.5} if broken is ForgetsOptions else {}
    (check,) = (check for check in check_classifier(broken, **options) if check.name == article)
    with pytest.raises(ContractError):
        check()
