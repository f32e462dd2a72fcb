"""What the checks of the contract hold a classifier to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from classifiers.subject import Subject
from classifiers.trial import Trial
from privml.errors import ContractError, PrivMLError

TOLERANCE: Final = 1e-4
"""By which two models of the same records may differ in an answer that is a real number."""


def require(kept: object, message: str) -> None:
    """Raise `ContractError` unless something is kept."""
    if not kept:
        raise ContractError(message)


def require_refusal(errors: type[PrivMLError], what: str, call: Callable[[], object]) -> None:
    """Raise `ContractError` unless a call raises one of these errors."""
    try:
        call()
    except errors:
        return
    except Exception as error:
        raise ContractError(f"{what} raises {type(error).__name__} in place of {errors.__name__}") from error
    raise ContractError(f"{what} is not refused")


def same(one: NDArray[Any], other: NDArray[Any], message: str) -> None:
    """Hold one array to be the other."""
    require(np.array_equal(one, other), message)


def same_model(subject: Subject, one: Trial, other: Trial, message: str) -> None:
    """Hold every answer of one to that of the other: labels exactly, numbers up to what rounding may do."""
    for answer in subject.classifier.answers:
        same_answers(one.ask(subject.queries, answer), other.ask(subject.queries, answer), f"{message} ({answer})")


def same_answers(one: ArrayLike, other: ArrayLike, message: str) -> None:
    """Hold answers to be others: labels exactly, numbers up to what rounding may do."""
    first, second = np.asarray(one), np.asarray(other)
    if first.dtype.kind == "f":
        require(np.allclose(first, second, rtol=0, atol=TOLERANCE), message)
    else:
        same(first, second, message)
