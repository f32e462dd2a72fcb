"""The contract of a classifier, as code: run it on your own.

::

    for check in check_classifier(MyClassifier, alpha=0.5):
        check()

Each check makes its own classifier, on small public tables, and raises `ContractError` where the contract is broken.
What `privml.learner.Learner` says in words is held here as far as a run can show it; that units see uniform words only
is for a classifier's own tests, block by block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from classifiers.homomorphic import statistics_prepare, statistics_teach_the_same
from classifiers.refusals import invalid_records, invalid_statistics, statistics_are_refused
from classifiers.requirements import require, require_refusal, same, same_answers, same_model
from classifiers.spread import LEAST
from classifiers.subject import DEFAULT_SCHEMA, ROWS, Subject, copied, leaves, size_of
from classifiers.trial import Keys, Trial
from privml.crypto.packing import PackedCiphertext
from privml.data.schema import Schema
from privml.errors import (
    ClassifierError,
    ContractError,
    DuplicateUploadError,
    NotFittedError,
    PrivMLError,
    UnknownUploadError,
)
from privml.learner import Learner


@dataclass(frozen=True)
class Check:
    """One article of the contract; calling it raises `ContractError` where it is broken."""

    name: str
    run: Callable[[], None] = field(repr=False)

    def __call__(self) -> None:
        """Run the check; whatever it runs into is a broken contract too."""
        try:
            self.run()
        except ContractError:
            raise
        except Exception as error:
            raise ContractError(f"{self.name}: {type(error).__name__}: {error}") from error


def check_classifier(classifier: type[Learner], schema: Schema = DEFAULT_SCHEMA, **options: Any) -> Iterator[Check]:
    """Every check of the contract, to be run one by one: of the articles in `CONDITIONS`, those it declares to keep.

    Parameters
    ----------
    classifier
        The class.
    schema
        Features and classes to try it on; the first feature is a categorical one.
    options
        The classifier's options.
    """
    subject = Subject(classifier, schema, options, Keys())
    for name, article in ARTICLES.items():
        condition = CONDITIONS.get(name)
        if condition is None or condition(subject.half):
            yield Check(name, lambda article=article: article(subject))  # type: ignore[misc]


def _options_make_the_same_one_again(subject: Subject) -> None:
    options = subject.trial().halves.master.options
    again = subject.classifier(subject.schema, **options)
    require(dict(again.options) == dict(options), "a classifier made from `options` has others")
    require(dict(subject.options).items() <= dict(options).items(), "`options` lacks what was given")
    _require_refusal_of_unknown_option(subject)


def _require_refusal_of_unknown_option(subject: Subject) -> None:
    try:
        subject.classifier(subject.schema, **{**subject.options, "no such option": 1})
    except (TypeError, PrivMLError):
        return
    raise ContractError("an option that it does not have is taken without a word")


def _untrained(subject: Subject) -> None:
    require(not subject.trial().halves.master.fitted, "it says that it is fitted before it learned")
    calls: dict[str, Callable[[Trial], object]] = {
        "predicting": lambda trial: trial.words(subject.queries),
        "refreshing": lambda trial: trial.refresh(),
        "revealing": lambda trial: trial.reveal(subject.keys.owner.public_key),
    }
    for what, call in calls.items():
        require_refusal(NotFittedError, f"{what} before training", lambda call=call: call(subject.trial()))  # type: ignore[misc]


def _answers(subject: Subject) -> None:
    require("label" in subject.classifier.answers, 'every classifier answers "label"')
    trial = subject.trial(0)
    require(all(half.fitted for half in trial.halves), "it learned, and says that it is not fitted")
    for answer in subject.classifier.answers:
        for rows in (1, ROWS):
            words = trial.words(subject.queries[:rows], answer)
            expected = trial.halves.master.answer_shape(subject.schema, rows, answer)
            require(words.shape == expected, f"{answer!r} has shape {words.shape}, and answer_shape says {expected}")
        read = subject.classifier.read_answer(subject.schema, words, answer)
        require(len(read) == ROWS, f"{answer!r} is not one entry a record")
    require(set(trial.ask(subject.queries)) <= set(subject.schema.classes), "a label is no class of the schema")
    require_refusal(PrivMLError, "an answer it does not give", lambda: trial.words(subject.queries, "no such answer"))


def _asking_changes_nothing(subject: Subject) -> None:
    trial = subject.trial(0)
    first = trial.ask(subject.queries)
    before = trial.trace
    trial.refresh()
    require(trial.trace == before, "bringing it up to date where nothing changed sends messages")
    same(first, trial.ask(subject.queries), "the same question has two answers")
    one_by_one = np.concatenate([trial.ask(subject.queries[row : row + 1]) for row in range(5)])
    same(first[:5], one_by_one, "a batch is answered otherwise than its records alone")


def _lanes(subject: Subject) -> None:
    trial = subject.trial(0, 1)
    codes, _ = subject.chunk(1000, 2 * LEAST)
    for answer in subject.classifier.answers:
        alone = trial.ask(codes, answer)
        with trial.lanes(2):
            same_answers(alone, trial.ask(codes, answer), f"divided among lanes it answers otherwise ({answer})")


def _unseen_values(subject: Subject) -> None:
    trial = subject.trial()
    codes, labels = subject.chunk(0)
    can_be_left_out = np.array([feature.one_hot for feature in subject.schema.features])
    partly = np.where((np.arange(codes.size).reshape(codes.shape) % 5 == 0) & can_be_left_out, -1, codes)
    trial.learn("partly known", partly, labels)
    answers = trial.ask(np.concatenate([np.where(can_be_left_out, -1, codes[:1]), partly]))
    require(set(answers) <= set(subject.schema.classes), "cells that are left out make a label that is no class")


def _books(subject: Subject) -> None:
    trial = subject.trial(0, 1)
    require(all(half.has("chunk 0") and not half.has("chunk 9") for half in trial.halves), "`has` is wrong")
    require_refusal(DuplicateUploadError, "a chunk of the same name", lambda: trial.learn("chunk 0", *subject.chunk(5)))
    trial = subject.trial(0)
    require_refusal(PrivMLError, "a chunk without a record", lambda: trial.learn("none", *subject.chunk(5, 0)))
    require_refusal(UnknownUploadError, "forgetting what was not learned", lambda: subject.trial(0).withdraw("none"))


def _order_is_irrelevant(subject: Subject) -> None:
    forwards, backwards = subject.trial(0, 1, 2), subject.trial(2, 1, 0)
    same_model(subject, forwards, backwards, "the order of chunks changes answers")


def _withdrawal(subject: Subject) -> None:
    trial, without = subject.trial(0, 1, 2), subject.trial(0, 2)
    trial.ask(subject.queries)
    trial.withdraw("chunk 1")
    require(not any(half.has("chunk 1") for half in trial.halves), "a chunk that was withdrawn is still there")
    same_model(subject, trial, without, "a chunk that was withdrawn has left traces")
    require_refusal(UnknownUploadError, "withdrawing twice", lambda: trial.withdraw("chunk 1"))
    trial = subject.trial(0)
    trial.withdraw("chunk 0")
    require(not trial.halves.master.fitted, "without a record left it says that it is fitted")


def _withdrawal_is_refused(subject: Subject) -> None:
    trial = subject.trial(0, 1)
    require_refusal(ClassifierError, "withdrawing", lambda: trial.withdraw("chunk 1"))
    require(all(half.has("chunk 1") for half in trial.halves), "a chunk that stays is not in the books")


def _save_and_load(subject: Subject) -> None:
    trial = subject.trial(0, 1)
    trial.refresh()
    states = [copied(half.state()) for half in trial.halves]
    again = subject.trial()
    for half, state in zip(again.halves, states, strict=True):
        half.restore(state)
        half.restore(state)
        require(half.fitted and half.has("chunk 1"), "what was restored does not know what it learned")
    same_model(subject, trial, again, "what was restored answers otherwise")
    again.learn("chunk 2", *subject.chunk(2))
    subject.withdraw(again, "chunk 0")
    trial.learn("chunk 2", *subject.chunk(2))
    subject.withdraw(trial, "chunk 0")
    same_model(subject, trial, again, "what was restored goes on otherwise")


def _states_stand_still(subject: Subject) -> None:
    trial = subject.trial(0)
    states = [half.state() for half in trial.halves]
    kept = [[(leaf, copied(leaf)) for leaf in leaves(state)] for state in states]
    trial.ask(subject.queries)
    trial.learn("chunk 1", *subject.chunk(1))
    subject.withdraw(trial, "chunk 0")
    trial.ask(subject.queries)
    for pairs in kept:
        for now, then in pairs:
            if isinstance(then, np.ndarray):
                same(now, then, "an array of a state was written to afterwards")


def _bounded_memory(subject: Subject) -> None:
    sizes = []
    for rows in (1, 500):
        trial = subject.trial()
        trial.learn("chunk", *subject.chunk(0, rows))
        trial.ask(subject.queries)
        sizes.append([sum(size_of(leaf) for leaf in leaves(half.state())) for half in trial.halves])
    require(sizes[0] == sizes[1], f"what it keeps of a chunk grows with its records: {sizes[0]} and {sizes[1]} bytes")


def _trace(subject: Subject) -> None:
    shape = ROWS, len(subject.schema.features)
    constant = np.zeros(shape, np.int64), np.zeros(ROWS, np.int64)
    traces = []
    for codes, labels in (constant, subject.chunk(0)):
        trial = subject.trial()
        trial.learn("chunk", codes, labels)
        trial.learn("other", codes[::-1], labels[::-1])
        trial.refresh()
        for answer in subject.classifier.answers:
            trial.words(codes, answer)
        subject.withdraw(trial, "other")
        trial.words(codes)
        trial.reveal(subject.keys.owner.public_key)
        traces.append(trial.trace)
    require(traces[0] == traces[1], "the messages' number or lengths depend on the records")


def _reveal(subject: Subject) -> None:
    trial, owner = subject.trial(0), subject.keys.owner
    packed = trial.reveal(owner.public_key)
    if not isinstance(packed, PackedCiphertext):
        raise ContractError("`reveal` gives the Master packed ciphertexts")
    words = np.array([value & (2**64 - 1) for value in packed.decrypt(owner)], dtype=np.uint64)
    require(subject.classifier.read_model(subject.schema, words) is not None, "`read_model` makes nothing of it")


ARTICLES: Mapping[str, Callable[[Subject], None]] = {
    "options make the same one again": _options_make_the_same_one_again,
    "untrained it neither predicts nor reveals": _untrained,
    "answers have the shapes it says": _answers,
    "asking changes nothing": _asking_changes_nothing,
    "in lanes it answers the same": _lanes,
    "unseen values are left out": _unseen_values,
    "a chunk is learned once": _books,
    "the order of chunks is irrelevant": _order_is_irrelevant,
    "withdrawn is as never learned": _withdrawal,
    "what cannot be withdrawn stays": _withdrawal_is_refused,
    "saved and loaded it goes on": _save_and_load,
    "states stand still": _states_stand_still,
    "memory is bounded": _bounded_memory,
    "the trace depends on public shapes only": _trace,
    "encrypted statistics give the same model": statistics_teach_the_same,
    "encrypted statistics prepare for records": statistics_prepare,
    "statistics are refused": statistics_are_refused,
    "what is no record is refused": invalid_records,
    "what are no statistics is refused": invalid_statistics,
    "a recipient can read the model": _reveal,
}
"""What classifiers keep to, by name."""

CONDITIONS: Mapping[str, Callable[[Learner], bool]] = {
    "the order of chunks is irrelevant": lambda learner: not learner.order_matters,
    "withdrawn is as never learned": lambda learner: learner.withdraws,
    "what cannot be withdrawn stays": lambda learner: not learner.withdraws,
    "memory is bounded": lambda learner: learner.bounded,
    "encrypted statistics give the same model": lambda learner: learner.takes_statistics and learner.statistics_suffice,
    "encrypted statistics prepare for records": lambda half: half.takes_statistics and not half.statistics_suffice,
    "statistics are refused": lambda learner: not learner.takes_statistics,
    "what are no statistics is refused": lambda learner: learner.takes_statistics,
}
"""Of these articles, whether a classifier declares that it keeps to them; everybody keeps to the others."""
