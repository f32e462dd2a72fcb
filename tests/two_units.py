"""Running a program on both units, and looking at what each of them saw."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from building_blocks.fixed_point.number import FixedPoint, decode, largest_magnitude
from building_blocks.shares import BooleanShares, Shares, Words, ring, signed
from privml.units.correlations import Branch, Correlation, CorrelationSource
from privml.units.dealer import Dealer
from privml.units.memory import memory_channels
from privml.units.pair import pair
from privml.units.recording import Passage, RecordingChannel
from privml.units.role import Role
from privml.units.unit import Unit

if TYPE_CHECKING:
    from privml.crypto.dtpkc import KeyShare

Array = NDArray[Any]
T = TypeVar("T")


@dataclass
class RecordingSource:
    """A source of correlations that remembers what it gave."""

    inner: CorrelationSource
    channel: RecordingChannel | None = None
    drawn: list[Array] = field(default_factory=list)
    frames_before: list[int] = field(default_factory=list)
    """How many frames had been sent over the channel when each array was drawn."""

    @property
    def epoch(self) -> bytes:
        return self.inner.epoch

    @property
    def position(self) -> int:
        return self.inner.position

    def jump(self, position: int) -> None:
        self.inner.jump(position)

    def branches(self, count: int) -> Sequence[Branch]:
        return self.inner.branches(count)

    def draw(self, correlation: Correlation) -> list[Array]:
        shares = self.inner.draw(correlation)
        self.drawn += shares
        self.frames_before += [len(self.channel.sent) if self.channel else 0] * len(shares)
        return shares


@dataclass(frozen=True)
class View:
    """What a unit had before it: its own words, and what it received."""

    own: list[Array]
    sent: list[bytes]
    received: list[bytes]
    trace: tuple[Passage, ...]
    own_since: Sequence[int] = ()
    """How many frames the unit had sent before it had each of its own words; none if not given."""


@dataclass(frozen=True)
class Run(Generic[T]):
    """The results of both units and their views."""

    master: T
    secondary: T
    views: tuple[View, View]


def make_units(key_shares: Sequence[KeyShare | None] = (None, None), dealer: Dealer | None = None) -> list[Unit]:
    dealer = dealer or Dealer()
    return [
        recorded(Unit(role, channel, dealer.source(role), share))
        for role, channel, share in zip(Role, memory_channels(timeout=60), key_shares, strict=True)
    ]


def recorded(unit: Unit) -> Unit:
    """The same unit, with records of its messages and of its correlations."""
    channel = RecordingChannel(unit.channel)
    return replace(unit, channel=channel, correlations=RecordingSource(unit.correlations, channel))


def split(values: ArrayLike) -> tuple[Shares, Shares]:
    words = ring(values)
    mask = np.random.default_rng().integers(0, 2**64, words.shape, dtype=np.uint64)
    return Shares(mask), Shares(words - mask)


def join(run: Run[Any]) -> NDArray[np.int64]:
    """The result that the units hold shares of."""
    return signed(np.asarray(run.master.words + run.secondary.words))


def join_bits(run: Run[Any]) -> Array:
    words: Array = run.master.words ^ run.secondary.words
    return words


def outcome(master: Any, secondary: Any) -> Any:
    """What the units hold shares of: integers, words, or real numbers; for a tuple, each of its parts."""
    match master:
        case tuple():
            return tuple(outcome(*both) for both in zip(master, secondary, strict=True))
        case BooleanShares():
            return np.asarray(master.words ^ secondary.words)
        case FixedPoint():
            integers = outcome(master.shares, secondary.shares)
            assert (master.fraction_bits, master.bound) == (secondary.fraction_bits, secondary.bound)
            assert largest_magnitude(integers) <= master.bound
            return decode(integers.view(np.uint64), master.fraction_bits)
        case _:
            return signed(np.asarray(master.words + secondary.words))


def split_bits(words: Array) -> tuple[BooleanShares, BooleanShares]:
    mask = np.random.default_rng().integers(0, 2**63, words.shape, dtype=np.uint64).astype(words.dtype)
    return BooleanShares(mask), BooleanShares(words ^ mask)


def run(
    program: Callable[..., T], *inputs: Any, units: list[Unit] | None = None, dealer: Dealer | None = None
) -> Run[T]:
    """Run a program on both units; an input given as a pair of shares is handed out, others go to both."""
    units = units or make_units(dealer=dealer)

    def of(unit: Unit) -> list[Any]:
        side = 0 if unit.is_master else 1
        return [i[side] if isinstance(i, tuple) else i for i in inputs]

    results = pair(lambda unit: program(unit, *of(unit)), (units[0], units[1]))
    return Run(results.master, results.secondary, (_view(units[0], of(units[0])), _view(units[1], of(units[1]))))


def _view(unit: Unit, inputs: Sequence[Any]) -> View:
    """What there is to see: nothing was recorded over a channel that does not record."""
    channel, source = unit.channel, unit.correlations
    if not (isinstance(channel, RecordingChannel) and isinstance(source, RecordingSource)):
        return View([], [], [], ())
    shares = [i.shares if isinstance(i, FixedPoint) else i for i in inputs]
    own = [share.words for share in shares if isinstance(share, Shares | BooleanShares)]
    since = [0] * len(own) + source.frames_before
    return View(own + source.drawn, channel.sent, channel.received, channel.trace, since)


def suspicious(view: View, *, lately: bool = False) -> list[str]:
    """Name whatever in a view is not uniformly distributed.

    Looked at: every frame received; combined with the frame sent in its place (what was opened); both combined with
    every array that the unit holds itself and that is as large as the frame or a part of it; and the differences of any
    two of these openings (a mask used twice). With `lately`, of what the unit holds itself only what it began with and
    what it drew for the message in question: long programs would take long.
    """
    openings = list(_openings(view, lately))
    found = [name for name, data in openings if not looks_uniform(data)]
    for symbol, difference in (("+", np.subtract), ("^", np.bitwise_xor)):
        opened = [(name, data) for name, data in openings if name.endswith(f"{symbol}sent")]
        for (first, left), (second, right) in combinations(opened, 2):
            if left.nbytes == right.nbytes and left.nbytes % 8 == 0:
                between = difference(left.view(np.uint64), right.view(np.uint64))
                found += [] if looks_uniform(between.view(np.uint8)) else [f"{first} against {second}"]
    return found


def _openings(view: View, lately: bool) -> Iterator[tuple[str, Array]]:
    own = [np.frombuffer(words.tobytes(), dtype=np.uint8) for words in view.own]
    since = view.own_since or [0] * len(own)
    for index, frame in enumerate(view.received):
        received = np.frombuffer(frame, dtype=np.uint8)
        yield f"frame {index}", received
        sent = np.frombuffer(view.sent[index], dtype=np.uint8) if index < len(view.sent) else received[:0]
        if sent.size == received.size:
            yield from _combine(f"frame {index}", received, "sent", sent)
        for k, words in enumerate(own):
            for part in [] if lately and since[k] not in (0, index) else _parts(received, words.size):
                yield from _combine(f"frame {index}", received[part], f"own {k}", words)
                if sent.size == received.size and words.size % 8 == 0:
                    # what was opened, without a mask of which both units hold the same half
                    mine, theirs, half = (a.view(np.uint64) for a in (sent[part], received[part], words))
                    opened, mask = mine + theirs, half + half
                    yield f"frame {index} opened -own {k}", (opened - mask).view(np.uint8)
                    yield f"frame {index} opened +own {k}", (opened + mask).view(np.uint8)


def _parts(frame: Array, size: int) -> list[slice]:
    """A frame as arrays of one size, if it may be that: a block opens at most a few arrays in a round."""
    fits = size and frame.size % size == 0 and frame.size <= 4 * size
    return [slice(start, start + size) for start in range(0, frame.size, size)] if fits else []


def _combine(name: str, left: Array, partner: str, right: Array) -> Iterator[tuple[str, Array]]:
    yield f"{name} ^{partner}", left ^ right
    if left.nbytes % 8 == 0:
        a, b = left.view(np.uint64), right.view(np.uint64)
        yield f"{name} +{partner}", (a + b).view(np.uint8)
        yield f"{name} -{partner}", (a - b).view(np.uint8)


def looks_uniform(data: Array) -> bool:
    """Chi-square on bytes, for each position in a 64-bit word where there are enough, else for all together.

    Short data are taken as nibbles; less than 40 bytes say nothing. Every outcome is expected at least five times.
    """
    if data.size >= 8 * 1280:
        return all(counts_are_even(np.bincount(data[k::8], minlength=256)) for k in range(8))
    if data.size >= 1280:
        return counts_are_even(np.bincount(data, minlength=256))
    nibbles = np.concatenate([data & 15, data >> 4])
    return data.size < 40 or counts_are_even(np.bincount(nibbles, minlength=16))


def counts_are_even(counts: Array) -> bool:
    """Seven standard deviations, after Wilson and Hilferty (PNAS 1931): a chance of one in 10^11 for even odds."""
    expected, freedom = counts.sum() / counts.size, counts.size - 1
    statistic = ((counts - expected) ** 2).sum() / expected
    spread = 2 / (9 * freedom)
    return bool(abs((statistic / freedom) ** (1 / 3) - (1 - spread)) <= 7 * np.sqrt(spread))


def words_of(run: Run[Any]) -> tuple[Words, Words]:
    return run.master.words, run.secondary.words
