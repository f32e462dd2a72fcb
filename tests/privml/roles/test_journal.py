"""The way back from a change: exact, in the order of the other unit, and at the cost of what the change touches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

import numpy as np
import pytest

from classifiers.subject import DEFAULT_SCHEMA, Subject
from classifiers.trial import Keys
from privml import ModelCard
from privml.crypto.dtpkc import PublicParameters
from privml.errors import ClassifierError
from privml.learner import classifier, classifier_names
from privml.roles.hosted import Chunk, Hosted, detached
from privml.roles.journal import Journal
from tests.privml.roles.world import SCHEMA

UNIT: Any = None  # what is tested here says nothing to the other unit


class Guarded(dict[str, Any]):
    """Entries by chunk, which nobody may walk through while a change succeeds."""

    watched = False

    def __iter__(self) -> Iterator[str]:
        for place, key in enumerate(super().__iter__()):
            if self.watched and place:
                pytest.fail("somebody looks at every chunk")
            yield key

    def items(self) -> Any:
        return [(key, self[key]) for key in self]

    def keys(self) -> Any:
        return list(self)


class Diary:
    """A learner that remembers, in every way that a state allows."""

    answers: Mapping[str, str] = {"label": ""}

    def __init__(self, *_: object) -> None:
        self.rows, self.inner = Guarded(), Guarded()
        self.settings, self.log, self.total = {"steps": 0}, [0], np.zeros(1, np.uint64)
        self.stale = True

    @property
    def fitted(self) -> bool:
        return bool(self.rows)

    def learn(self, chunk: str, rows: int) -> None:
        self.rows[chunk] = rows
        self.settings["steps"] += 1
        self.inner[chunk] = [rows]
        self.log.append(rows)
        self.total = self.total + np.uint64(rows)
        self.stale = True

    def has(self, chunk: str) -> bool:
        return chunk in self.rows

    def withdraw(self, unit: Any, chunk: str) -> None:
        rows = self.rows.pop(chunk)
        self.inner.pop(chunk)
        self.log.append(-rows)
        self.total = self.total - np.uint64(rows)
        self.stale = True

    def invalidate(self) -> None:
        self.stale = True

    def refresh(self, unit: Any) -> None:
        self.stale = False

    def state(self) -> Mapping[str, Any]:
        deep = {"settings": self.settings, "inner": self.inner}
        return {"rows": self.rows, "deep": deep, "log": self.log, "total": self.total, "stale": self.stale}

    def restore(self, state: Mapping[str, Any]) -> None:
        self.rows, self.inner = Guarded(state["rows"]), Guarded(state["deep"]["inner"])
        self.settings, self.log = dict(state["deep"]["settings"]), list(state["log"])
        self.total, self.stale = state["total"], state["stale"]


@pytest.fixture
def hosted(parameters: PublicParameters, monkeypatch: pytest.MonkeyPatch) -> Hosted:
    card = ModelCard(parameters, "cloud", "things", "naive_bayes", SCHEMA, new_records=5)
    monkeypatch.setattr(ModelCard, "learner", lambda self: Diary())
    return filled(Hosted(card), 6)


def filled(hosted: Hosted, chunks: int) -> Hosted:
    for number in range(chunks):
        take(hosted, f"alice/{number:03}", number + 1)
    hosted.release(UNIT)
    take(hosted, "bob/waits", 2)
    return hosted


def take(hosted: Hosted, name: str, rows: int = 3) -> None:
    learner: Any = hosted.learner
    learner.learn(name, rows)
    hosted.take(name, Chunk("bob", rows))


def forget(hosted: Hosted) -> None:
    hosted.forget(UNIT, "alice/002")


def forget_what_waits(hosted: Hosted) -> None:
    hosted.forget(UNIT, "bob/waits")


def new(hosted: Hosted) -> None:
    take(hosted, "bob/new")


def release(hosted: Hosted) -> None:
    hosted.release(UNIT)


CHANGES: dict[str, tuple[str, Callable[[Hosted], None]]] = {
    "take": ("bob/new", new),
    "forget": ("alice/002", forget),
    "forget what waits": ("bob/waits", forget_what_waits),
    "release": ("", release),
}
each_change = pytest.mark.parametrize(("chunk", "change"), CHANGES.values(), ids=CHANGES)


def everything(hosted: Hosted) -> Any:
    """All of a model's state, with the order of its entries."""

    def ordered(value: Any) -> Any:
        return [(key, ordered(entry)) for key, entry in value.items()] if isinstance(value, Mapping) else value

    states = [None if each is None else ordered(detached(each.state())) for each in (hosted.learner, hosted.released)]
    return [*states, dict(hosted.chunks), dict(hosted.waiting)]


@each_change
@pytest.mark.parametrize("fails", [True, False], ids=["fails", "is taken back later"])
def test_everything_is_as_before(chunk: str, change: Callable[[Hosted], None], fails: bool, hosted: Hosted) -> None:
    before, journal = everything(hosted), Journal()
    with suppress(ZeroDivisionError), journal.change(hosted, chunk):
        change(hosted)
        if fails:
            raise ZeroDivisionError
    if not fails:
        assert everything(hosted) != before
        assert journal._undo is not None
        journal._undo()
    assert everything(hosted) == before


@pytest.mark.parametrize("name", [name for name in CHANGES if name != "release"])
def test_a_change_that_works_looks_at_no_other_chunk(
    name: str, hosted: Hosted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only a release copies what answers, once for as many records as the card asks for."""
    chunk, change = CHANGES[name]
    monkeypatch.setattr(Guarded, "watched", True)
    with Journal().change(hosted, chunk):
        change(hosted)


def test_the_guard_notices_a_copy(hosted: Hosted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Guarded, "watched", True)
    with pytest.raises(pytest.fail.Exception):
        detached(hosted.learner.state())


def test_what_learns_and_what_answers_stay_one(parameters: PublicParameters, monkeypatch: pytest.MonkeyPatch) -> None:
    card = ModelCard(parameters, "cloud", "things", "naive_bayes", SCHEMA)
    monkeypatch.setattr(ModelCard, "learner", lambda self: Diary())
    hosted = filled(Hosted(card), 3)
    hosted.release(UNIT)
    with suppress(ZeroDivisionError), Journal().change(hosted, "bob/new"):
        new(hosted)
        raise ZeroDivisionError
    assert hosted.released is hosted.learner


def test_without_the_order_units_would_go_through_chunks_in_different_ways(hosted: Hosted) -> None:
    """One unit takes a withdrawal back, the other never made it: an entry put back at the end has another place."""
    learner: Any = hosted.learner
    order = list(learner.rows)
    with suppress(ZeroDivisionError), Journal().change(hosted, "alice/002"):
        forget(hosted)
        raise ZeroDivisionError
    learner = hosted.learner
    assert list(learner.rows) == order
    learner.rows["alice/002"] = learner.rows.pop("alice/002")
    assert list(learner.rows) != order


@pytest.mark.parametrize("name", classifier_names())
def test_every_classifier_changes_the_entries_of_one_chunk_at_a_time(name: str) -> None:
    """What the journal relies on, see `Learner.state`."""
    trial = Subject(classifier(name), DEFAULT_SCHEMA, {}, Keys()).trial(0, 1)

    def entries() -> list[tuple[str, str, Any]]:
        return [entry for half in trial.halves for entry in by_chunk(half.state(), "")]

    def learn() -> None:
        trial.learn("chunk 2", *codes)

    def withdraw() -> None:
        with suppress(ClassifierError):  # not every model can
            trial.withdraw("chunk 2")

    codes = trial_codes()
    for change in (learn, trial.refresh, withdraw):
        before = [entry for entry in entries() if entry[1] != "chunk 2"]
        change()
        after = [entry for entry in entries() if entry[1] != "chunk 2"]
        assert [entry[:2] for entry in after] == [entry[:2] for entry in before]
        assert all(one[2] is other[2] for one, other in zip(before, after, strict=True))


def trial_codes() -> tuple[Any, Any]:
    rng = np.random.default_rng(1)
    codes = [rng.integers(0, size, 9) for size in DEFAULT_SCHEMA.cardinalities]
    return np.stack(codes, axis=1), rng.integers(0, DEFAULT_SCHEMA.class_count, 9)


def by_chunk(value: Any, path: str) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, Mapping):
        for key, entry in value.items():
            if str(key).startswith("chunk "):
                yield path, key, entry
            else:
                yield from by_chunk(entry, f"{path}/{key}")
