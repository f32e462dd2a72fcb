"""ANDs of shifted XOR-shared words, and words shared in both worlds.

One direction, on words packed as they are: one transfer for each bit of each choosing word (`schedule`). For a term
c v of the receiver's word c and a word v of the sender, the sender sends d = K0 xor K1 xor v, where K0 and K1 are a
plane of the transfers' keys (one bit of each); the receiver has K_c xor (c & d) = K0 xor c v. Both see uniform words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from privml.units.correlations import Pattern, shifted
from privml.units.ot.bit_matrix import WORD_BITS, lanes, planes
from privml.units.ot.extension import ReceiverPads, SenderPads
from privml.units.ot.link import TransferLink
from privml.units.ot.schedule import Factor, Level, canonical, schedule
from privml.units.ot.words import BITS, PACKED, GilboaReceiver, GilboaSender

Array = NDArray[Any]
Words = NDArray[np.uint64]
Nodes = dict[Pattern, Array]


def and_words(
    link: TransferLink, sending: Sequence[Array], receiving: Sequence[Array], patterns: tuple[Pattern, ...]
) -> tuple[list[Array], list[Array]]:
    """AND shifted words: of `sending` as sender, of `receiving` as receiver.

    Parameters
    ----------
    sending, receiving
        This unit's XOR shares of two equally long lists of words of one type, (n,) and (k,). The peer's shares of the
        first are what it gives as `receiving`, and the other way round.
    patterns
        What to AND.

    Returns
    -------
    list of (n,) and list of (k,)
        XOR shares of a word for each pattern. Two rounds for each level.
    """
    giver, taker = _Sender(link, sending), _Receiver(link, receiving)
    for level in schedule(patterns):
        taker.choose(level)
        giver.accept(level)
        giver.correct(level)
        taker.complete(level)
    return giver.results(patterns), taker.results(patterns)


def weigh_and_words(
    link: TransferLink, sending: Words, receiving: Words, patterns: tuple[Pattern, ...]
) -> tuple[tuple[Words, list[Array]], tuple[Words, list[Array]]]:
    """Share 64-bit words by addition as well as by XOR, and AND their shifts, by the same transfers.

    r = r_M + r_S - 2 sum 2^i r_M,i r_S,i over the bits: a product of the bits of one unit's word with 2^{i+1} times
    those of the other's. Parameters and results as `and_words`, with the additive shares before the ANDs.
    """
    giver, taker = _Sender(link, [sending]), _Receiver(link, [receiving])
    own, received = sending, receiving
    for index, level in enumerate(schedule(patterns, always=(_WORD,))):
        taker.choose(level)
        giver.accept(level)
        # all that is sent goes before anything is waited for
        if index == 0:
            own = giver.weigh()
        giver.correct(level)
        if index == 0:
            received = taker.weigh()
        taker.complete(level)
    return (own, giver.results(patterns)), (received, taker.results(patterns))


_WORD: Pattern = ((0, 0),)


class _End:
    """What both ends have: shares of the nodes known so far."""

    def __init__(self, link: TransferLink, words: Sequence[Array]) -> None:
        self._link = link
        self._dtype = words[0].dtype
        self._items = len(words[0])
        self._shares: Nodes = {((index, 0),): word for index, word in enumerate(words)}

    def results(self, patterns: Sequence[Pattern]) -> list[Array]:
        """Return this end's share of each pattern."""
        found = [canonical(pattern) for pattern in patterns] if self._items else []
        return [self._moved(Factor(*each)) for each in found] or [np.empty(0, self._dtype) for _ in patterns]

    def _moved(self, factor: Factor) -> Array:
        return shifted(self._shares[factor.node], factor.shift)

    def _planes(self, words: Words, level: Level) -> Array:
        """Take words of the keys apart: (plane, choosing word, item)."""
        octets = self._dtype.itemsize * self._items * len(level.choosing)
        parts = [
            planes(row, 0, min(WORD_BITS, level.planes - WORD_BITS * k))[:, :octets] for k, row in enumerate(words)
        ]
        return np.concatenate(parts).view(self._dtype).reshape(level.planes, len(level.choosing), self._items)

    def _multiply(self, level: Level, cross: Sequence[Array]) -> None:
        """Complete the level's products by this end's shares of the terms."""
        for node, left, right in level.products:
            self._shares[node] = self._moved(left) & self._moved(right)
        for term, part in zip(level.terms, cross, strict=True):
            self._shares[term.product] = self._shares[term.product] ^ shifted(part, term.choice.shift)


class _Sender(_End):
    def __init__(self, link: TransferLink, words: Sequence[Array]) -> None:
        super().__init__(link, words)
        self._pads: list[SenderPads] = []
        self._keys: Nodes = {}
        self._differences: Nodes = {}

    def accept(self, level: Level) -> None:
        """Take in the choices of the words that choose at this level."""
        if not level.choosing or not self._items:
            return
        pads = self._link.accept(8 * self._dtype.itemsize * self._items * len(level.choosing))
        self._pads.append(pads)
        if level.planes:
            both = pads.words(1, -(-level.planes // WORD_BITS))
            first, second = (self._planes(words, level) for words in both)
            for index, node in enumerate(level.choosing):
                self._keys[node] = first[:, index]
                self._differences[node] = first[:, index] ^ second[:, index]

    def correct(self, level: Level) -> None:
        """Send the corrections of this level's terms, and complete its products."""
        if not level.terms or not self._items:
            return
        corrections = np.stack(
            [
                self._differences[term.choice.node][term.plane] ^ shifted(self._moved(term.other), -term.choice.shift)
                for term in level.terms
            ]
        )
        self._link.send(corrections)
        self._multiply(level, [self._keys[term.choice.node][term.plane] for term in level.terms])

    def weigh(self) -> Words:
        """Return additive shares of the one word, by the first words of its keys."""
        word: Words = self._shares[_WORD]
        if not self._items:
            return word
        minus_twice = np.negative(lanes(word, BITS).astype(np.uint64) << np.uint64(1))
        corrections, shares = GilboaSender(self._pads[0], minus_twice[None]).correct()
        self._link.send(corrections)
        weighed: Words = word + shares[0]
        return weighed


class _Receiver(_End):
    def __init__(self, link: TransferLink, words: Sequence[Array]) -> None:
        super().__init__(link, words)
        self._pads: list[ReceiverPads] = []
        self._keys: Nodes = {}

    def choose(self, level: Level) -> None:
        """Choose by the words that choose from this level on."""
        if not level.choosing or not self._items:
            return
        pads = self._link.choose(np.stack([self._shares[node] for node in level.choosing]))
        self._pads.append(pads)
        if level.planes:
            keys = self._planes(pads.words(1, -(-level.planes // WORD_BITS)), level)
            self._keys |= {node: keys[:, index] for index, node in enumerate(level.choosing)}

    def complete(self, level: Level) -> None:
        """Receive the corrections of this level's terms, and complete its products."""
        if not level.terms or not self._items:
            return
        corrections = self._link.receive((len(level.terms), self._items), self._dtype.type)
        self._multiply(
            level,
            [
                self._keys[term.choice.node][term.plane] ^ (self._shares[term.choice.node] & correction)
                for term, correction in zip(level.terms, corrections, strict=True)
            ],
        )

    def weigh(self) -> Words:
        """Return additive shares of the one word, by the first words of its keys."""
        word: Words = self._shares[_WORD]
        if not self._items:
            return word
        corrections = self._link.receive((1, self._items, PACKED))
        weighed: Words = word + GilboaReceiver(self._pads[0], word).complete(corrections)[0]
        return weighed
