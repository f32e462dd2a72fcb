"""How to build ANDs of many shifted words from ANDs of few: what is multiplied, in which round, by whose choices.

A product of two XOR-shared words, p q = (p_S xor p_R)(q_S xor q_R), has two parts that neither unit has alone: p_S q_R
and p_R q_S. With the receiver choosing by its shares p_R and q_R, each is one bit of one transfer's keys. A word that
chose once serves all products that it takes part in, now and later, with further bits of the same keys; so the price of
a set of patterns is the number of *different words that choose*, and ANDs of k factors take ceil(log2 k) levels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations
from typing import Final, NamedTuple

from privml.units.correlations import Pattern

SEARCHED: Final = 8
"""Up to this many factors, every split is tried; above, a pattern is cut in the middle."""


class Factor(NamedTuple):
    """A node and how far it is shifted to the left."""

    node: Pattern
    shift: int


class Product(NamedTuple):
    """A node as the product of two others."""

    node: Pattern
    left: Factor
    right: Factor


class Term(NamedTuple):
    """What the sender corrects: the choosing word times the sender's share of the other factor."""

    product: Pattern
    choice: Factor
    other: Factor
    plane: int
    """Which bit of the choosing word's keys it uses."""


@dataclass
class Level:
    """One exchange: who chooses anew, and what becomes known."""

    choosing: list[Pattern] = field(default_factory=list)
    products: list[Product] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    planes: int = 0
    """Bits of keys that the words that choose here serve with, now and later: the most of any."""


def canonical(pattern: Sequence[tuple[int, int]]) -> tuple[Pattern, int]:
    """Shift a pattern so that its least shift is 0; a factor named twice counts once.

    AND commutes with shifting, also at the word's ends, because one factor has the shift that was taken out.
    """
    base = min(shift for _, shift in pattern)
    return tuple(sorted({(word, shift - base) for word, shift in pattern})), base


def depth(node: Pattern) -> int:
    """Level at which a product of so many factors is known: 0 for a single word."""
    return (len(node) - 1).bit_length()


@cache
def schedule(patterns: tuple[Pattern, ...], always: tuple[Pattern, ...] = ()) -> tuple[Level, ...]:
    """Plan the products for a set of patterns.

    Parameters
    ----------
    patterns
        What is wanted.
    always
        Single words that choose in the first level in any case.
    """
    products = _split_all({canonical(pattern)[0] for pattern in patterns})
    levels = [Level() for _ in range(max((depth(node) for node in products), default=1 if always else 0))]
    serving: dict[Pattern, int] = dict.fromkeys(always, 0)
    since: dict[Pattern, int] = dict.fromkeys(always, 0)
    for node, (left, right) in sorted(products.items(), key=lambda item: (depth(item[0]), item[0])):
        index = depth(node) - 1
        levels[index].products.append(Product(node, left, right))
        for choice, other in ((left, right), (right, left)):
            plane = serving.get(choice.node, 0)
            since.setdefault(choice.node, index)
            serving[choice.node] = plane + 1
            levels[index].terms.append(Term(node, choice, other, plane))
    for node, index in since.items():
        levels[index].choosing.append(node)
        levels[index].planes = max(levels[index].planes, serving[node])
    return tuple(levels)


def _split_all(wanted: set[Pattern]) -> dict[Pattern, tuple[Factor, Factor]]:
    """Split every pattern, the longest first, so that as few different words as possible choose."""
    products: dict[Pattern, tuple[Factor, Factor]] = {}
    # single words choose anyway, for the pairs
    choosing: set[Pattern] = {((word, 0),) for node in wanted for word, _ in node}
    waiting = {node for node in wanted if len(node) > 1}
    while waiting:
        node = min(waiting, key=lambda each: (-len(each), each))
        waiting.remove(node)
        left, right = min(_splits(node), key=lambda pair: _price(pair, choosing, waiting | products.keys()))
        products[node] = left, right
        choosing |= {left.node, right.node}
        waiting |= {factor.node for factor in (left, right) if len(factor.node) > 1} - products.keys()
    return products


def _price(pair: tuple[Factor, Factor], choosing: set[Pattern], known: set[Pattern]) -> tuple[int, int]:
    """Words that would choose anew, then products that would be computed anew."""
    nodes = {factor.node for factor in pair}
    return len(nodes - choosing), len({node for node in nodes if len(node) > 1} - known)


def _splits(node: Pattern) -> Iterator[tuple[Factor, Factor]]:
    """Every way to cut a pattern in two parts that are both known one level earlier."""
    most = 1 << (depth(node) - 1)
    if len(node) > SEARCHED:
        yield Factor(*canonical(node[:most])), Factor(*canonical(node[most:]))
        return
    for size in range(max(1, len(node) - most), len(node) // 2 + 1):
        for chosen in combinations(node, size):
            rest = tuple(part for part in node if part not in chosen)
            yield Factor(*canonical(rest)), Factor(*canonical(chosen))
