"""Extended transfers: the receiver knows one key of each, by its choice, and the sender cannot tell which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from privml.units.ot import row_hash
from privml.units.ot.extension import POOL, ExtensionReceiver, SenderPads
from privml.units.ot.link import TransferLink
from privml.units.ot.row_hash import HashBatch, HashBatches
from tests.privml.units.ot.two_ends import Ends, make_ends
from tests.two_units import looks_uniform

Words = NDArray[np.uint64]


def transfer(ends: Ends, choices: NDArray[Any], sender: int = 0) -> tuple[Words, Words, Words]:
    """First keys, second keys, chosen keys; two words of each."""

    def program(link: TransferLink, side: int) -> Any:
        if side == sender:
            return link.accept(8 * choices.nbytes).words(0, 2)
        return link.choose(choices).words(0, 2)

    results = ends.run(program)
    return *results[sender], results[1 - sender]


@pytest.mark.parametrize("sender", [0, 1])
@pytest.mark.parametrize("count", [1, 9, 3 * POOL // 8, 5])
def test_receiver_has_the_key_it_chose(ends: Ends, sender: int, count: int) -> None:
    choices = np.random.default_rng(count).integers(0, 256, count, dtype=np.uint8)
    first, second, chosen = transfer(ends, choices, sender)
    assert chosen.shape[1] % 64 == 0
    assert chosen.shape[1] >= 8 * count
    bits = np.resize(np.append(np.unpackbits(choices, bitorder="little"), np.zeros(64, np.uint8)), chosen.shape[1])
    np.testing.assert_array_equal(chosen, np.where(bits == 1, second, first))
    assert np.all(first != second)
    keys = np.concatenate([first, second])
    assert len(np.unique(keys)) == keys.size


def test_no_choice_no_message(ends: Ends) -> None:
    first, _, chosen = transfer(ends, np.empty(0, np.uint8))
    assert first.size == chosen.size == 0
    assert not ends.channels[0].received


def test_keys_look_uniform(ends: Ends) -> None:
    for keys in transfer(ends, np.zeros(2000, np.uint8)):
        assert looks_uniform(keys.reshape(-1).view(np.uint8))


class TestHiddenChoices:
    @pytest.mark.parametrize("choice", [0, 255])
    def test_what_the_sender_receives_is_uniform(self, choice: int) -> None:
        ends = make_ends()
        transfer(ends, np.full(4096, choice, dtype=np.uint8))
        assert len(ends.channels[0].received) == 2
        assert ends.frames_look_uniform()

    def test_choices_that_nothing_hides_show(self, monkeypatch: pytest.MonkeyPatch) -> None:
        ends = make_ends()
        receiver: ExtensionReceiver = ends.links[1]._receiver

        class Zeros:
            def draw(self, count: int, dtype: Any) -> Words:
                return np.zeros(count, dtype=dtype)

        monkeypatch.setattr(receiver, "_own", Zeros())
        transfer(ends, np.full(4096, 255, dtype=np.uint8))
        assert not ends.frames_look_uniform()


class Recorder:
    """Every tweak that goes into a hash, with its key."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seen: list[tuple[bytes, int, int, bool]] = []
        begin, words = HashBatch.__init__, HashBatch.words
        keys: dict[int, tuple[HashBatch, bytes, int]] = {}

        def init(batch: HashBatch, key: bytes, first: int) -> None:
            begin(batch, key, first)
            keys[id(batch)] = batch, key, first

        def record(batch: HashBatch, rows: Words, first: int, count: int, offset: Words | None = None) -> Words:
            _, key, number = keys[id(batch)]
            for column in range(rows.shape[1]):
                self.seen += [
                    (key, number + column, position, offset is None) for position in range(first, first + count)
                ]
            return words(batch, rows, first, count, offset)

        monkeypatch.setattr(HashBatch, "__init__", init)
        monkeypatch.setattr(HashBatch, "words", record)

    @property
    def repeats(self) -> bool:
        """Whether some word of the hash was taken twice; by each of the two sides, which both compute it."""
        return len(set(self.seen)) < len(self.seen)


def only_sender(ends: Ends, choices: int) -> None:
    """Let the Master hash as the sender; the receiver's hashes are the same, so they are not computed."""

    def program(link: TransferLink, side: int) -> None:
        data = np.zeros(choices, dtype=np.uint8)
        if side:
            link.choose(data)
        else:
            pads: SenderPads = link.accept(8 * choices)
            pads.words(0, 1)
            pads.words(1, 3)

    ends.run(program)


def test_no_tweak_is_used_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)
    ends = make_ends()
    for count in (1, 3, 100, 3):
        only_sender(ends, count)
    assert recorder.seen
    assert not recorder.repeats


def test_a_counter_that_stands_still_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    recorder = Recorder(monkeypatch)
    monkeypatch.setattr(HashBatches, "next", lambda self, count: row_hash.HashBatch(bytes(16), 0))
    ends = make_ends()
    for count in (1, 3):
        only_sender(ends, count)
    assert recorder.repeats


def test_sessions_that_differ_share_nothing() -> None:
    ends = make_ends((bytes(32), bytes(31) + b"\x01"))
    first, second, chosen = transfer(ends, np.zeros(64, np.uint8))
    assert not np.isin(chosen, np.concatenate([first, second])).any()
