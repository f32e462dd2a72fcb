"""What each unit sees of the whole job: uniform words, and a trace that two very different data sets share.

The job: two owners upload, on both paths where there are two, one withdraws, the model is refreshed, a client asks for
everything that it answers, and a recipient reads the model. It runs with every classifier that is installed, on two
data sets of one shape. Everything that a unit holds or receives is looked at, in four ways:

* words: frames of the blocks on shares, and the shares of records, counts and model, by `suspicious`;
* ciphertexts and halves: integers modulo N² and N, by chi-square on their low bytes, all of a run together (their top
  bytes follow N; that they hide their plaintexts is the cryptosystem's assumption, which no statistic tests);
* messages that the Master forwards: lengths only, as their bytes are public names, ciphertexts and proofs;
* verdicts and epochs: the same number of bytes, whatever they are about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from classifiers.naive_bayes import NaiveBayes
from classifiers.subject import leaves
from privml import Categorical, Client, DataOwner, Schema
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.envelope import pad
from privml.crypto.keygen import StrongKey
from privml.crypto.wire import MAGIC, Header, loads
from privml.crypto.wire_cryptosystem import CRYPTOSYSTEM
from privml.crypto.wire_fields import element_width, fixed_width, residue_width
from privml.learner import Learner, classifier, classifier_names
from privml.roles.queries import Answer
from privml.roles.station import Station
from privml.units import dealer
from privml.units.recording import RecordingChannel
from tests.privml.roles.world import Columns, recorded
from tests.two_units import RecordingSource, View, looks_uniform, suspicious

WIDE = Schema(
    tuple(Categorical(f"f{index}", tuple("abcdefgh")) for index in range(8)), target="y", classes=("p", "q", "r", "s")
)
ROWS = 200
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "decision_tree": {"depth": 2, "batch": 100, "grace_period": 50, "delta": 0.4, "tau": 0.5, "retain": True},
    "logistic_regression": {"epochs": 1, "batch": 100, "retain": True},
}
"""So that much happens with few records, and a chunk can be withdrawn."""


def constant(rows: int) -> Columns:
    """Every record the same."""
    return {name: ["a"] * rows for name in WIDE.names} | {"y": ["p"] * rows}


def varied(rows: int) -> Columns:
    rng = np.random.default_rng(5)
    table = {name: list(rng.choice(list("bcdefgh"), rows)) for name in WIDE.names}
    return table | {"y": list(rng.choice(list("pqrs"), rows))}


@dataclass(frozen=True)
class Seen:
    """One unit's view, taken apart."""

    words: View
    numbers: list[bytes]
    trace: tuple[Any, ...]
    shares: list[NDArray[np.uint64]]


def run_job(
    table: Callable[[int], Columns],
    strong_key: StrongKey,
    monkeypatch: pytest.MonkeyPatch,
    name: str = "naive_bayes",
) -> tuple[Seen, Seen]:
    held: dict[bool, list[NDArray[np.uint64]]] = {True: [], False: []}
    learner_class = classifier(name)
    learn = learner_class.partial_fit

    def watched(self: Learner, unit: Any, chunk: str, rows: NDArray[np.uint64]) -> None:
        held[unit.is_master].append(rows)
        learn(self, unit, chunk, rows)

    with monkeypatch.context() as patch:
        patch.setattr(learner_class, "partial_fit", watched)
        provider, units = recorded(patch, strong_key)
        with provider:
            alice, bob = DataOwner.join(provider, "alice"), DataOwner.join(provider, "bob")
            answers, options = tuple(learner_class.answers), OPTIONS.get(name, {})
            card = provider.create_model(
                "things", name, WIDE, options=options, answers=answers, recipients=(alice,), chunk_rows=ROWS
            )
            alice.upload(card, table(ROWS))
            if card.learner().takes_statistics:
                bob.upload(card, table(ROWS), path="homomorphic", chunk_rows=ROWS // 2)
            receipts = bob.upload(card, table(ROWS), chunk_rows=ROWS // 2)
            bob.withdraw(card, receipts[0])
            provider.refresh("things")
            with Client.join(provider, "carol").open_session(card) as session:
                for answer in answers:
                    session.ask(table(ROWS), answer)
            alice.read_model(card)
            for station in provider.stations:
                state = leaves(station.models["things"].learner.state())
                # of smaller arrays nothing can be said
                held[station.unit.is_master] += [
                    leaf for leaf in state if isinstance(leaf, np.ndarray) and leaf.nbytes >= 1280
                ]
    master, secondary = (_apart(unit, held[unit.is_master]) for unit in units)
    return master, secondary


def _apart(unit: Any, shares: list[NDArray[np.uint64]]) -> Seen:
    channel, source = unit.channel, unit.correlations
    assert isinstance(channel, RecordingChannel)
    assert isinstance(source, RecordingSource)
    parameters = unit.strong_key().parameters
    sizes = element_width(parameters), residue_width(parameters)
    words, numbers = [], []
    for frame in channel.received:
        if len(frame) <= 32:  # verdicts and epochs
            continue
        if frame.startswith(MAGIC):
            if Header.parse(frame).tag == CRYPTOSYSTEM[CiphertextVector].tag:  # of a model that is revealed
                vector = loads(frame, CiphertextVector, parameters)
                numbers.append(fixed_width([*vector.t1, *(vector.t2 or ())], sizes[0]))
        elif not unit.is_master and len(frame) % sum(sizes) == 0 and len(frame) // sum(sizes) < 40:
            numbers.append(frame)
        else:
            words.append(frame)
    return Seen(View([*shares, *source.drawn], [], words, channel.trace), numbers, channel.trace, shares)


def low_bytes(numbers: list[bytes], width: int) -> NDArray[np.uint8]:
    data = np.frombuffer(b"".join(frame[: len(frame) // width * width] for frame in numbers), np.uint8)
    return data.reshape(-1, width)[:, 8:].reshape(-1)


@pytest.fixture(scope="module", params=classifier_names())
def runs(request: pytest.FixtureRequest, strong_key: StrongKey) -> list[tuple[Seen, Seen]]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        return [run_job(table, strong_key, monkeypatch, request.param) for table in (constant, varied)]


def test_both_data_sets_leave_the_same_trace(runs: list[tuple[Seen, Seen]]) -> None:
    for first, second in zip(*runs, strict=True):
        assert first.trace == second.trace


def test_all_words_received_are_uniform(runs: list[tuple[Seen, Seen]]) -> None:
    for seen in (seen for run in runs for seen in run):
        assert sum(map(len, seen.words.received)) > 100_000
        assert suspicious(seen.words) == []


def test_ciphertexts_and_halves_are_spread_evenly(runs: list[tuple[Seen, Seen]], strong_key: StrongKey) -> None:
    width = residue_width(strong_key.parameters)  # T1 takes two of them: both are spread, its upper one as the lower
    for seen in (seen for run in runs for seen in run):
        assert low_bytes(seen.numbers, width).size > 640
        assert looks_uniform(low_bytes(seen.numbers, width))


def test_either_units_shares_alone_say_nothing(runs: list[tuple[Seen, Seen]]) -> None:
    """Of records, of counts, of the model: the Master's alone and the Secondary's alone are uniform."""
    for run in runs:
        for seen in run:
            for share in seen.shares:
                assert looks_uniform(np.ascontiguousarray(share).reshape(-1).view(np.uint8))
        together = [one + other for one, other in zip(*(seen.shares for seen in run), strict=True)]
        assert not any(looks_uniform(both.reshape(-1).view(np.uint8)) for both in together)


def watch_answers(monkeypatch: pytest.MonkeyPatch) -> list[NDArray[np.uint64]]:
    """What the Master puts together for the client."""
    answers: list[NDArray[np.uint64]] = []
    original = Answer.tagged

    def watched(key: bytes, session: bytes, counter: int, words: NDArray[np.uint64]) -> Answer:
        answers.append(words)
        return original(key, session, counter, words)

    monkeypatch.setattr(Answer, "tagged", watched)
    return answers


class TestPlantedLeaks:
    """The search finds what it should."""

    def leaks(self, name: str, strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> bool:
        run = run_job(constant, strong_key, monkeypatch, name)
        uniform = [
            looks_uniform(np.ascontiguousarray(share).reshape(-1).view(np.uint8))
            for seen in run
            for share in seen.shares
        ]
        return not all(uniform) or any(suspicious(seen.words) for seen in run)

    @pytest.mark.parametrize("name", classifier_names())
    def test_uploads_without_a_pad(self, name: str, strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> None:
        for module in ("privml.crypto.sealer", "privml.roles.station", "privml.roles.client"):
            monkeypatch.setattr(f"{module}.pad", lambda *_: np.zeros(_[-1], np.uint64))
        assert self.leaks(name, strong_key, monkeypatch)

    def test_answers_without_a_pad(self, strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> None:
        """The Master would add its own share, and read the answer."""
        original = pad

        def careless(seed: bytes, purpose: Any, context: Any, counter: int, shape: Any) -> NDArray[np.uint64]:
            words = original(seed, purpose, context, counter, shape)
            return words if purpose != "answer" else np.zeros(shape, np.uint64)

        for module in ("privml.roles.client", "privml.roles.station"):
            monkeypatch.setattr(f"{module}.pad", careless)
        answers = watch_answers(monkeypatch)
        run_job(constant, strong_key, monkeypatch)
        assert not looks_uniform(np.concatenate([words.reshape(-1) for words in answers]).view(np.uint8))

    @pytest.mark.parametrize("name", classifier_names())
    def test_blocks_without_masks(self, name: str, strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dealer, "expand", lambda _, layout: [np.zeros(*place[:2]) for place in layout.places])
        assert self.leaks(name, strong_key, monkeypatch)

    def test_a_trace_that_tells(self, strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> None:
        """A unit that says something only where the data are of one kind."""
        refresh = Station.refresh

        def talkative(self: Station, model: str) -> None:
            refresh(self, model)
            learner = self.models[model].learner
            assert isinstance(learner, NaiveBayes)
            mine = learner._counts.words[-1]
            (theirs,) = self.unit.exchange(mine)
            if int((mine + theirs).max()) > ROWS:
                self.unit.exchange(mine)

        monkeypatch.setattr(Station, "refresh", talkative)
        first, second = (run_job(table, strong_key, monkeypatch)[0] for table in (constant, varied))
        assert first.trace != second.trace


def test_answers_look_uniform_to_the_master(strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> None:
    answers = watch_answers(monkeypatch)
    run_job(constant, strong_key, monkeypatch)
    assert looks_uniform(np.concatenate([words.reshape(-1) for words in answers]).view(np.uint8))
