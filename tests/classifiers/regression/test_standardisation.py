"""Means and deviations that the units work out, and nobody sees."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from building_blocks.operand import fix_operand
from building_blocks.shares import Shares, signed
from building_blocks.truncation import truncate
from classifiers.logistic_regression import LogisticRegression
from classifiers.regression import standardisation
from classifiers.regression.moments import Moments, statistics
from classifiers.regression.standardisation import LARGEST_FACTOR, SecretColumns
from classifiers.trial import Keys, Trial
from privml import Categorical, Continuous, Schema
from privml.data.encoding import EncodedTable, one_hot
from privml.errors import ClassifierError, SettingError
from privml.units.unit import Unit
from tests.classifiers.regression.twin import Codes, Twin
from tests.two_units import Run, run, split, suspicious

SCHEMA = Schema(
    (Continuous("u", -5, 30), Categorical("g", ("a", "b")), Continuous("v", 0, 1), Continuous("w", 0, 10)),
    "y",
    ("p", "q"),
)


def table(rows: int, seed: int = 0) -> tuple[Codes, Codes]:
    """A number of a small deviation, one of a large one, and one that is always the same."""
    rng = np.random.default_rng(seed)
    places = np.stack([rng.beta(20, 80, rows), rng.beta(1, 1, rows), np.full(rows, 0.25)], axis=1)
    codes = np.rint(places * 2**16).astype(np.int64)
    listed = rng.integers(0, 2, rows)
    labels = (30 * (places[:, 0] - 0.2) + 3 * (places[:, 1] - 0.5) + listed + rng.normal(size=rows) > 0.5).astype(int)
    return np.stack([codes[:, 0], listed, codes[:, 1], codes[:, 2]], axis=1), labels


def fit(*blocks: Codes) -> Run[SecretColumns]:
    def program(unit: Unit, *shares: Shares) -> SecretColumns:
        return SecretColumns.of_schema(SCHEMA).fitted(unit, [fix_operand(unit, block) for block in shares], None)

    return run(program, *(split(one_hot(SCHEMA, codes)) for codes in blocks))


def fit_ahead(codes: Codes) -> Run[SecretColumns]:
    """Moments came of these records, and others are learned."""

    def program(unit: Unit, words: Shares, other: Shares) -> SecretColumns:
        ahead = Moments.of_statistics(words, len(codes))
        return SecretColumns.of_schema(SCHEMA).fitted(unit, [fix_operand(unit, other)], ahead)

    words = statistics(SCHEMA, EncodedTable(codes, None, 0))
    return run(program, split(words), split(one_hot(SCHEMA, table(20, 9)[0])))


def opened(done: Run[SecretColumns]) -> NDArray[np.float64]:
    scales = [columns.scales for columns in (done.master, done.secondary)]
    assert scales[0] is not None
    assert scales[1] is not None
    return np.asarray(signed(scales[0].words + scales[1].words) / np.array([[2.0**4], [2.0**20]]))


@pytest.mark.parametrize("rows", [1, 2, 100, 5000])
def test_means_and_deviations(rows: int) -> None:
    codes = table(rows)[0]
    done = fit(codes[: rows // 2], codes[rows // 2 :]) if rows > 1 else fit(codes)
    factors, with_means = opened(done)
    places = codes[:, [0, 2, 3]] / 2**16
    expected = 1 / np.sqrt(places.var(axis=0) + 2.0**-8)
    np.testing.assert_allclose(factors, expected, atol=1 / 32 + 2.0**-10)
    np.testing.assert_allclose(with_means, factors * places.mean(axis=0), atol=9 * 2.0**-16)
    assert factors.max() <= LARGEST_FACTOR


def test_extremes() -> None:
    """Half of all at either limit: the largest variance; all at one: none."""
    for column in (np.array([0, 2**16 - 1] * 50), np.full(100, 2**16 - 1), np.zeros(100, dtype=np.int64)):
        codes = np.stack([column, np.zeros(100, dtype=np.int64), column, column], axis=1)
        places = column / 2**16
        factors, _ = opened(fit(codes))
        np.testing.assert_allclose(factors, 1 / np.sqrt(places.var() + 2.0**-8), atol=1 / 32 + 2.0**-10)


def test_the_same_records_have_the_same_scales(monkeypatch: pytest.MonkeyPatch) -> None:
    """Means over four records are halves and quarters, and factors mostly lie between two multiples of 1/16."""
    codes = table(4)[0]
    codes[0, 0] += 2 - codes[:, 0].sum() % 4
    assert len({opened(fit(codes)).tobytes() for _ in range(8)}) == 1

    def by_chance(unit: Unit, x: Shares) -> Shares:
        return truncate(unit, x, standardisation.FINER_BITS)

    monkeypatch.setattr(standardisation, "_nearest", by_chance)
    assert len({opened(fit(codes)).tobytes() for _ in range(8)}) > 1


def test_moments_that_came_ahead_lead_to_the_same_scales() -> None:
    codes = table(300)[0]
    np.testing.assert_array_equal(opened(fit_ahead(codes)), opened(fit(codes)))


@pytest.mark.parametrize("fit", [fit, fit_ahead])
def test_only_uniform_words_are_seen_and_messages_depend_on_shapes_only(
    fit: Callable[[Codes], Run[SecretColumns]],
) -> None:
    first, second = fit(table(300)[0]), fit(table(300, 5)[0] * 0)
    for view in first.views:
        assert suspicious(view, lately=True) == []
    assert [view.trace for view in first.views] == [view.trace for view in second.views]


def trial(keys: Keys, **options: Any) -> Trial:
    return Trial(LogisticRegression, SCHEMA, {"standardisation": "private", "batch": 32, **options}, keys)


@pytest.fixture(scope="module")
def keys() -> Keys:
    return Keys()


def require_near(both: Trial, chunks: list[tuple[Codes, Codes]], ahead: tuple[Codes, Codes] | None = None) -> None:
    """Hold it to plain numbers: factors are rounded, which lets the ways of the two differ by little."""
    places = (ahead or chunks[0])[0][:, [0, 2, 3]] / 2**16
    means, scales = places.mean(axis=0), np.sqrt(places.var(axis=0) + 2.0**-8)
    names = {"u": (-5, 35), "v": (0, 1), "w": (0, 10)}
    own = {
        name: (low + size * mean, size * scale)
        for (name, (low, size)), mean, scale in zip(names.items(), means, scales, strict=True)
    }
    twin = Twin(SCHEMA, batch=32, standardisation=own)
    for codes, labels in chunks:
        twin.learn(codes, labels)
    queries = table(50, 99)[0]
    np.testing.assert_allclose(both.ask(queries, "probabilities"), twin.probabilities(queries), atol=0.015)


def test_the_first_chunk_settles_the_scales(keys: Keys) -> None:
    both, chunks = trial(keys), [table(90), table(60, 1)]
    for number, (codes, labels) in enumerate(chunks):
        both.learn(str(number), codes, labels)
    require_near(both, chunks)


def test_without_the_first_chunk_the_next_settles_them(keys: Keys) -> None:
    both, chunks = trial(keys, retain=True), [table(90), table(80, 1), table(60, 2)]
    chunks[0][0][:, 0] += 30_000
    for number, (codes, labels) in enumerate(chunks):
        both.learn(str(number), codes, labels)
    both.withdraw("0")
    require_near(both, chunks[1:])


def test_saved_and_loaded(keys: Keys) -> None:
    both, again = trial(keys), trial(keys)
    both.learn("0", *table(90))
    for old, new in zip(both.halves, again.halves, strict=True):
        new.restore(old.state())
    for each in (both, again):
        each.learn("1", *table(60, 1))
    queries = table(20, 9)[0]
    np.testing.assert_allclose(both.ask(queries, "score"), again.ask(queries, "score"), atol=5e-4)


def test_a_step_takes_two_rounds_more(keys: Keys) -> None:
    counts = []
    for epochs in (1, 4):
        both = trial(keys, epochs=epochs, batch=64)
        both.learn("a", *table(20))
        counts.append(len(both.trace[0]) // 2)
    assert counts[1] - counts[0] == 3 * 10


def test_refused() -> None:
    listed = Schema((Categorical("g", ("a", "b")),), "y", ("p", "q"))
    with pytest.raises(SettingError, match="no feature is continuous"):
        LogisticRegression(listed, standardisation="private")
    with pytest.raises(SettingError, match="'private'"):
        LogisticRegression(SCHEMA, standardisation="secret")
    with pytest.raises(ClassifierError, match="not worked out"):
        run(SecretColumns.of_schema(SCHEMA).linear_form, split(np.zeros((6, 1), np.int64)))
