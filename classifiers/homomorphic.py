"""Articles of the contract on statistics that owners encrypt."""

from __future__ import annotations

from classifiers.requirements import require, require_refusal, same_model
from classifiers.subject import ROWS, Subject, copied
from privml.errors import DuplicateUploadError, NotFittedError


def statistics_teach_the_same(subject: Subject) -> None:
    """Hold it to learn from statistics what it learns from the records."""
    layout = subject.classifier.statistics_layout(subject.schema, ROWS)
    sealed, encrypted = subject.trial(0, 1), subject.trial()
    for number in range(2):
        encrypted.learn_encrypted(f"chunk {number}", *subject.chunk(number), layout)
    same_model(subject, sealed, encrypted, "both paths give different models")
    for trial in (sealed, encrypted):
        trial.withdraw("chunk 0")
    same_model(subject, sealed, encrypted, "withdrawing differs on the homomorphic path")


def statistics_prepare(subject: Subject) -> None:
    """Hold it to answer from records alone, and to keep statistics that came ahead of them until they are withdrawn."""
    layout = subject.classifier.statistics_layout(subject.schema, ROWS)
    trial, again = subject.trial(), subject.trial()
    trial.learn_encrypted("ahead", *subject.chunk(7), layout)
    require(all(half.has("ahead") and not half.fitted for half in trial.halves), "statistics alone make it fitted")
    for half, other in zip(trial.halves, again.halves, strict=True):
        other.restore(copied(half.state()))
        require(other.has("ahead") and not other.fitted, "what was restored does not know its statistics")
    for each in (trial, again):
        each.learn("chunk 0", *subject.chunk(0))
        require(all(half.fitted for half in each.halves), "it learned, and says that it is not fitted")
    same_model(subject, trial, again, "statistics are lost when it is saved and loaded")
    if subject.half.withdraws:
        trial.withdraw("ahead")
        require(not any(half.has("ahead") for half in trial.halves), "statistics that were withdrawn are still there")
        same_model(subject, trial, subject.trial(0), "statistics that were withdrawn have left traces")
        again.withdraw("chunk 0")
        require(not any(half.fitted for half in again.halves), "without a record left it says that it is fitted")
    unready, twice = subject.trial(), subject.trial()
    for each in (unready, twice):
        each.learn_encrypted("ahead", *subject.chunk(7), layout)
    require_refusal(NotFittedError, "predicting from statistics alone", lambda: unready.words(subject.queries))
    require_refusal(
        DuplicateUploadError,
        "statistics of the same name",
        lambda: twice.learn_encrypted("ahead", *subject.chunk(7), layout),
    )
