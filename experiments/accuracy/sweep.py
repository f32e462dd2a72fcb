"""Inputs among which a block's worst error is to be found."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from building_blocks.catalogue import Input
from building_blocks.shares import Words
from experiments.trial import Values

OCTAVE: Final = 1 << 4
"""Of the points that are asked for, this part lies between each power of two and the next."""

EDGES: Final = 1 << 8
"""Equal parts of an octave whose ends are tried as well: polynomials meet there."""

NEAR: Final = 2
"""How far apart numbers are that nearly agree."""


def sweep(operands: Sequence[Input], points: int, rows: int, generator: np.random.Generator) -> Iterator[list[Values]]:
    """Give batches of inputs: all that there are, where they are not many more than `points`.

    Else of a single number: the ends of its range, powers of two, the ends of `EDGES` equal parts of every octave, and
    their neighbours; a number in each of many more parts of every octave; and `points` more, uniform, or uniform in
    their logarithm. Of several numbers: all pairs of powers of two, ends, and their neighbours; and `points` batches'
    values of every mixture, of numbers that agree or nearly do among them.

    Parameters
    ----------
    operands
        Of a block.
    points
        Values at least, or all that there are.
    rows
        Largest batch.
    """
    if not all(operand.batched and operand.shape == () for operand in operands):
        yield from _mixtures(operands, points, rows, generator)
        return
    count = math.prod(operand.high - operand.low + 1 for operand in operands)
    if count <= 2 * points:
        yield from _all(operands, count, rows)
    elif len(operands) == 1:
        for values in _of_one(operands[0], points, generator):
            yield from ([values[start : start + rows]] for start in range(0, values.size, rows))
    else:
        marks = [landmarks(operand) for operand in operands]
        crossings = math.prod(each.size for each in marks)
        if crossings <= points:
            for places in _places([each.size for each in marks], crossings, rows):
                yield [each[place] for each, place in zip(marks, places, strict=True)]
        yield from _mixtures(operands, points, rows, generator)


def landmarks(operand: Input) -> Values:
    """Return zero, the ends of the range, and powers of two of either sign, each with its neighbours; sorted."""
    around = [operand.low, operand.high, 0, *(sign << k for k in range(64) for sign in (1, -1))]
    near = {centre + step for centre in around for step in (-1, 0, 1)}
    return np.array(sorted(value for value in near if operand.low <= value <= operand.high), dtype=np.int64)


def _all(operands: Sequence[Input], count: int, rows: int) -> Iterator[list[Values]]:
    for places in _places([operand.high - operand.low + 1 for operand in operands], count, rows):
        yield [place + operand.low for place, operand in zip(places, operands, strict=True)]


def _places(sizes: Sequence[int], count: int, rows: int) -> Iterator[Sequence[Values]]:
    """Number all combinations, and take them apart again."""
    for start in range(0, count, rows):
        yield np.unravel_index(np.arange(start, min(start + rows, count)), sizes)


def _of_one(operand: Input, points: int, generator: np.random.Generator) -> Iterator[Values]:
    yield landmarks(operand)
    edges = _octaves(EDGES, None)
    for magnitudes in (
        edges - np.uint64(1),
        edges,
        edges + np.uint64(1),
        _octaves(max(points // OCTAVE, 1), generator),
    ):
        yield _signed(operand, magnitudes)
    yield _uniform(operand, (points // 2,), generator)
    yield operand.sample(points // 2, generator)


def _octaves(parts: int, generator: np.random.Generator | None) -> Words:
    """Magnitudes of all 63 octaves, by octaves' equal parts: where these begin, or anywhere in them."""
    found = []
    for octave in range(63):
        width = max((1 << octave) // parts, 1)
        starts = np.arange(1 << octave, 2 << octave, width, dtype=np.uint64)
        within = 0 if generator is None else generator.integers(0, width, starts.size, dtype=np.uint64)
        found.append(starts + within)
    return np.concatenate(found)


def _signed(operand: Input, magnitudes: Words) -> Values:
    """Give magnitudes below 2^63 either sign, as far as the range goes."""
    above = magnitudes[magnitudes <= max(operand.high, 0)].astype(np.int64)
    below = -magnitudes[magnitudes <= max(-operand.low, 0)].astype(np.int64)
    return np.concatenate([values[(values >= operand.low) & (values <= operand.high)] for values in (above, below)])


def _mixtures(
    operands: Sequence[Input], points: int, rows: int, generator: np.random.Generator
) -> Iterator[list[Values]]:
    for start in range(0, points, rows):
        count, found = min(rows, points - start), list[Values]()
        for operand in operands:
            centre = found[0] if found and operands[0].shape == operand.shape else None
            found.append(_mixture(operand, count, centre if operand.batched else None, generator))
        yield found


def _mixture(operand: Input, count: int, centre: Values | None, generator: np.random.Generator) -> Values:
    """Choose for each value how it is drawn: by its logarithm, uniformly, landmarks, or near the centre."""
    shape = (count if operand.batched else 1, *operand.shape)
    kind = generator.integers(0, 4, (shape[0], *(1 for _ in operand.shape)))
    marks = landmarks(operand)
    if centre is None:  # the numbers of a row agree, or nearly do
        centre = generator.choice(marks, kind.shape)
    by_logarithm = operand.sample(count, generator).reshape(shape)
    uniform, near = _uniform(operand, shape, generator), _near(operand, centre, shape, generator)
    values: Values = np.choose(kind, [by_logarithm, uniform, generator.choice(marks, shape), near])
    return values if operand.batched else values[0]


def _uniform(operand: Input, shape: tuple[int, ...], generator: np.random.Generator) -> Values:
    return generator.integers(operand.low, operand.high, shape, dtype=np.int64, endpoint=True)


def _near(operand: Input, centre: Values, shape: tuple[int, ...], generator: np.random.Generator) -> Values:
    if operand.high - operand.low < 2 * NEAR:
        return _uniform(operand, shape, generator)
    steps = generator.integers(-NEAR, NEAR, shape, endpoint=True)
    return np.clip(centre, operand.low + NEAR, operand.high - NEAR) + steps
