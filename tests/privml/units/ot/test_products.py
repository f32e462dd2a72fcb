"""What transfers are turned into: right for all sizes, and uniform for either side whatever goes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from privml.units.ot import words as words_module
from privml.units.ot.bits import and_words, weigh_and_words
from privml.units.ot.digits import digits_of
from privml.units.ot.extension import SenderPads
from privml.units.ot.link import TransferLink
from privml.units.ot.words import cross_elements, cross_matrix, pack, scaled_sum, unpack
from tests.privml.units.ot.two_ends import Ends
from tests.two_units import looks_uniform

Array = NDArray[Any]
PATTERNS = (((0, 0), (0, 1)), ((0, 0), (0, 1), (0, 2), (0, 3)))


def random(*shape: int) -> NDArray[np.uint64]:
    return np.random.default_rng().integers(0, 2**64, shape, dtype=np.uint64)


@given(st.integers(0, 2**32))
def test_pack_keeps_what_counts(seed: int) -> None:
    words = np.random.default_rng(seed).integers(0, 2**64, (3, 64), dtype=np.uint64)
    np.testing.assert_array_equal(unpack(pack(words)), words << np.arange(64, dtype=np.uint64))
    np.testing.assert_array_equal(unpack(pack(words)).sum(axis=-1), scaled_sum(words))


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (5, 7), (300, 2), (0, 3), (3, 0)])
def test_cross_elements(ends: Ends, shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_module, "BATCH", 256)
    choices, vectors = random(2, shape[1]), random(2, *shape)
    shares = ends.run(lambda link, side: cross_elements(link, choices[side], vectors[side]))
    np.testing.assert_array_equal(shares[0] + shares[1], choices[0] * vectors[1] + choices[1] * vectors[0])


@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 4, 200), (200, 4, 3), (20, 30, 1), (2, 0, 3), (0, 2, 3), (1, 300, 2)])
def test_cross_matrix(ends: Ends, shape: tuple[int, int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(words_module, "BATCH", 256)
    rows, inner, columns = shape
    left, right = random(2, rows, inner), random(2, inner, columns)
    shares = ends.run(lambda link, side: cross_matrix(link, left[side], right[side]))
    np.testing.assert_array_equal(shares[0] + shares[1], left[0] @ right[1] + left[1] @ right[0])


def constant(value: int) -> dict[str, Callable[[TransferLink, int], list[Array]]]:
    """Every use of transfers on inputs that are all alike, in both units."""
    words = np.full(600, value, dtype=np.uint64)
    few = words[:200]

    def weighed(link: TransferLink, side: int) -> list[Array]:
        (first, _), (second, _) = weigh_and_words(link, few, few, PATTERNS)
        return [first, second]

    return {
        "elements": lambda link, side: [cross_elements(link, words, words[None])],
        "matrix": lambda link, side: [cross_matrix(link, words.reshape(30, 20), words.reshape(20, 30))],
        "digits": lambda link, side: [*digits_of(link, few, few, 8)],
        # away from the ends of the words, where there is nothing to hide
        "bits": lambda link, side: [
            array >> np.uint64(8) for both in and_words(link, [words], [words], PATTERNS) for array in both
        ],
        "words": weighed,
    }


@pytest.mark.parametrize("value", [0, 2**64 - 1])
@pytest.mark.parametrize("use", constant(0))
def test_neither_unit_sees_what_goes_in(ends: Ends, use: str, value: int) -> None:
    shares = ends.run(constant(value)[use])
    assert ends.frames_look_uniform()
    for share in (array for side in shares for array in side):
        low = share.reshape(-1, 1).view(np.uint8)[:, : 7 if use == "bits" else 8]
        assert looks_uniform(np.ascontiguousarray(low).reshape(-1))


@pytest.mark.parametrize("use", constant(0))
def test_corrections_without_the_other_key_show(ends: Ends, use: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = SenderPads.words

    def unmasked(pads: SenderPads, first: int, count: int) -> tuple[Array, Array]:
        key, _ = words(pads, first, count)
        return key, key

    monkeypatch.setattr(SenderPads, "words", unmasked)
    ends.run(constant(2**64 - 1)[use])
    assert not ends.frames_look_uniform()
