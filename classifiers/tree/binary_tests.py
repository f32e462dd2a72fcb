"""The tests that a node of a tree may make."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from building_blocks.shares import Words
from privml.data.cell import text_of
from privml.data.feature import Categorical, Feature, Numeric
from privml.data.schema import Schema


@dataclass(frozen=True)
class BinaryTest:
    """Whether a feature has a value, or is at most a value: ``colour = red``, ``age <= 25``.

    A cell that was left out passes no test.
    """

    feature: Feature
    code: int

    def __str__(self) -> str:
        if isinstance(self.feature, Numeric):
            return f"{self.feature.name} <= {text_of(self.feature.edges[self.code])}"
        return f"{self.feature.name} {'<=' if self.feature.ordered else '='} {self.feature.labels[self.code]}"

    @property
    def passing(self) -> slice:
        """Codes that pass."""
        return slice(0 if self.feature.ordered else self.code, self.code + 1)


@dataclass(frozen=True)
class BinaryTests:
    """All tests of a schema, feature by feature: one for each value, or for each edge; one for a feature of two values.

    Parameters
    ----------
    schema
        Features and classes; no continuous feature.
    """

    schema: Schema

    def __len__(self) -> int:
        """Return the number of tests."""
        return len(self.listed)

    def __getitem__(self, index: int) -> BinaryTest:
        return self.listed[index]

    @cached_property
    def listed(self) -> tuple[BinaryTest, ...]:
        """The tests in their order: of equally good ones the first is chosen."""
        return tuple(
            BinaryTest(feature, code) for feature in self.schema.features for code in range(_tests_of(feature))
        )

    @cached_property
    def groups(self) -> tuple[slice, ...]:
        """Which tests belong to each feature that has any."""
        counts = [count for count in map(_tests_of, self.schema.features) if count]
        ends = np.cumsum(counts).tolist()
        return tuple(slice(end - count, end) for end, count in zip(ends, counts, strict=True))

    @cached_property
    def passing(self) -> Words:
        """1 where a one-hot column passes a test, shape (width, tests)."""
        matrix = np.zeros((self.schema.width, len(self)), dtype=np.uint64)
        for column, test in enumerate(self.listed):
            start = self.schema.slices[test.feature.name].start
            matrix[start + test.passing.start : start + test.passing.stop, column] = 1
        return matrix

    def counts(self, values: Words) -> Words:
        """Records that pass each test, out of those of each value: (leaves, width, C) to (leaves, tests, C)."""
        parts = []
        for feature, block in zip(self.schema.features, self.schema.slices.values(), strict=True):
            of_values = values[:, block]
            parts.append((np.cumsum(of_values, axis=1) if feature.ordered else of_values)[:, : _tests_of(feature)])
        return np.concatenate(parts, axis=1)


def _tests_of(feature: Feature) -> int:
    """How many tests there are of a feature: the last edge, or the other one of two values, tells nothing new."""
    two = isinstance(feature, Categorical) and feature.cardinality == 2
    return feature.cardinality - 1 if feature.ordered or feature.cardinality == 1 or two else feature.cardinality
