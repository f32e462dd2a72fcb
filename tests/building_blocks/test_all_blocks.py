"""What holds for every block: it is right, neither unit sees anything, and its trace tells public shapes only."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any, Self

import numpy as np
import pytest
from numpy.typing import NDArray

from building_blocks import permutation
from building_blocks.catalogue import BLOCKS, Block
from building_blocks.catalogue.figures import measure
from privml.crypto.prg import Stream
from privml.units import dealer
from privml.units.dealer import Layout
from privml.units.memory import memory_channels
from privml.units.ot.source import OtSource
from privml.units.role import Role
from privml.units.unit import Unit
from tests.building_blocks.trials import each_block, execute, extremes, require_right, sample
from tests.two_units import View, counts_are_even, looks_uniform, make_units, recorded, run, suspicious

CHEAP_ROUNDS = 5
# enough for statistics on each byte of a word, and on the single bits of comparisons; what takes longer is made of
# shorter blocks, and is looked at with fewer
CHEAP_WORDS, COSTLY_WORDS = 12_000, 1_000


class Transfers:
    """Units whose correlations come from transfers between them: one link for all blocks."""

    def __init__(self) -> None:
        self.channels = memory_channels(timeout=60)
        self.sources = [
            OtSource(role, lambda channel=channel: channel)  # type: ignore[misc]
            for role, channel in zip(Role, self.channels, strict=True)
        ]

    def units(self) -> list[Unit]:
        """Make units for one run: what the sources say is left out of their records."""
        return [recorded(Unit(*each)) for each in zip(Role, self.channels, self.sources, strict=True)]


@pytest.fixture(scope="module")
def transfers() -> Transfers:
    return Transfers()


@cache
def is_cheap(block: Block) -> bool:
    return measure(block).rounds <= CHEAP_ROUNDS


def batch_of(block: Block, words: int) -> int:
    """Values enough for so many words of the largest operand."""
    return -(-words // max(int(np.prod(each.shape)) for each in block.inputs if each.batched))


@each_block
def test_result_is_exact_to_the_stated_bound(block: Block) -> None:
    for values in (sample(block, 200), *extremes(block, 5)):
        require_right(block, values, execute(block, values))


@each_block
def test_no_unit_sees_anything_but_uniform_words(block: Block) -> None:
    require_uniform_views(block, *((CHEAP_WORDS, False) if is_cheap(block) else (COSTLY_WORDS, True)))


def require_uniform_views(block: Block, words: int, lately: bool, transfers: Transfers | None = None) -> None:
    """Look at both units' views of two inputs that differ as much as they can."""
    low, *_, high = extremes(block, batch_of(block, words))
    for values in (low, high):
        for view in execute(block, values, transfers.units() if transfers else None).views:
            assert view.received
            assert [name for name in suspicious(view, lately=lately) if not is_order(block, view, name)] == []


def is_order(block: Block, view: View, name: str) -> bool:
    """Whether what is no uniform word is a uniform permutation, where the block says that it opens some."""
    frame = int(name.split()[1])
    mine, theirs = (np.frombuffer(frames[frame], dtype=np.uint8) for frames in (view.sent, view.received))
    if not block.opens_orders or mine.size != theirs.size:
        return False
    opened = mine + theirs
    count = int(opened.max()) + 1
    orders = opened.reshape(-1, count)
    return bool((np.sort(orders) == np.arange(count)).all()) and all(
        counts_are_even(np.bincount(places, minlength=count)) for places in orders.T
    )


@each_block
def test_trace_depends_on_shapes_only(block: Block) -> None:
    traces = [[view.trace for view in execute(block, v).views] for v in (sample(block, 5), *extremes(block, 5))]
    assert all(trace == traces[0] for trace in traces)


@each_block
def test_correlations_made_by_transfers_serve_as_well(block: Block, transfers: Transfers) -> None:
    for values in (sample(block, 9), extremes(block, 9)[-1]):
        done = execute(block, values, transfers.units())
        require_right(block, values, done)
        assert [view.trace for view in done.views] == [view.trace for view in execute(block, values).views]


@each_block
def test_no_unit_sees_anything_under_transfers(block: Block, transfers: Transfers) -> None:
    require_uniform_views(block, *((400, False) if is_cheap(block) else (100, True)), transfers)


@each_block
def test_any_number_of_threads(block: Block) -> None:
    values = sample(block, 20)
    for threads in (1, 2):
        units = [replace(unit, n_jobs=threads) for unit in make_units()]
        require_right(block, values, execute(block, values, units))


@each_block
def test_batches_of_any_shape(block: Block) -> None:
    for shape in [(), (0,), (2, 0, 3), (2, 3)] if block.any_batch else [(0,), (1,)]:
        values = sample(block, shape)
        require_right(block, values, execute(block, values))


def test_wrong_results_are_found() -> None:
    for block in BLOCKS[:5]:
        values = sample(block, 5)
        done = execute(block, values)
        with pytest.raises(AssertionError):
            require_right(replace(block, reference=lambda *x, exact=block.reference: exact(*x) + 2), values, done)


class TestPlantedLeaks:
    """The search for leaks finds them where they are."""

    BLOCK = next(block for block in BLOCKS if block.name == "truncate")
    PRODUCT = next(block for block in BLOCKS if block.name == "multiply")

    def leaks(self, block: Block, words: int = CHEAP_WORDS) -> bool:
        low, *_, high = extremes(block, words)
        lately = words in (COSTLY_WORDS, 100)
        return any(suspicious(view, lately=lately) for v in (low, high) for view in execute(block, v).views)

    each_size = pytest.mark.parametrize("words", [CHEAP_WORDS, COSTLY_WORDS, 400, 100])

    @each_size
    def test_a_missing_mask(self, words: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(
            dealer, "expand", lambda _, layout: [np.zeros(shape, dtype) for shape, dtype, _ in layout.places]
        )
        assert self.leaks(self.BLOCK, words)
        assert self.leaks(self.PRODUCT, words)

    @each_size
    def test_a_mask_that_is_too_short(self, words: int, monkeypatch: pytest.MonkeyPatch) -> None:
        expand, short = dealer.expand, np.uint64(2**40 - 1)
        monkeypatch.setattr(dealer, "expand", lambda stream, layout: [a & short for a in expand(stream, layout)])
        assert self.leaks(self.BLOCK, words)

    @each_size
    def test_a_mask_that_the_peer_knows(self, words: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(dealer, "Stream", lambda seed, number: Stream(bytes(32), number))
        assert self.leaks(self.BLOCK, words)
        assert self.leaks(self.PRODUCT, words)

    def test_a_mask_used_for_two_values(self, monkeypatch: pytest.MonkeyPatch) -> None:
        expand = dealer.expand

        def repeated(stream: Stream, layout: Layout) -> list[NDArray[Any]]:
            arrays = expand(stream, layout)
            for words in arrays:
                words[1::2] = words[::2]
            return arrays

        monkeypatch.setattr(dealer, "expand", repeated)
        done = execute(self.BLOCK, extremes(self.BLOCK, CHEAP_WORDS)[0])
        mine, theirs = (np.frombuffer(frames[0], np.uint64) for frames in (done.views[0].sent, done.views[0].received))
        opened = mine + theirs
        assert not looks_uniform((opened[1::2] - opened[::2]).view(np.uint8))

    @each_size
    def test_a_draw_used_twice(self, words: int, monkeypatch: pytest.MonkeyPatch) -> None:
        class First(Stream):
            def restart(self, nonce: int) -> Self:
                return super().restart(0)

        monkeypatch.setattr(dealer, "Stream", First)
        (operand,) = self.BLOCK.inputs

        def twice(unit: Any, x: Any, y: Any) -> Any:
            return self.BLOCK.run(unit, x) + self.BLOCK.run(unit, y)

        low, high = (operand.split(values) for (values,) in extremes(self.BLOCK, words))
        assert suspicious(run(twice, low, high).views[0])

    def test_an_order_that_was_not_shuffled(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(permutation, "shuffle", lambda unit, x, axis: x)
        sort = next(block for block in BLOCKS if block.name == "sort")
        with pytest.raises(AssertionError):
            require_uniform_views(sort, COSTLY_WORDS, lately=True)

    @each_size
    def test_none_without_a_plant(self, words: int) -> None:
        assert not self.leaks(self.BLOCK, words)
        assert not self.leaks(self.PRODUCT, words)
