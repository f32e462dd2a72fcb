"""`--continuous COLUMN=LOW..HIGH`: numbers that enter with their value."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from privml.data.cell import number_of
from privml.data.continuous import Continuous
from privml.data.schema import Schema
from privml.errors import SchemaError


class ContinuousRange(click.ParamType):  # type: ignore[type-arg]  # generic in new versions of click only
    """Reads ``weight=30..200`` as a continuous feature."""

    name = "range"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Continuous:
        """Read a column and its limits."""
        if isinstance(value, Continuous):
            return value
        column, _, limits = str(value).rpartition("=")
        low, high = map(number_of, limits.partition("..")[::2])
        if not column or low is None or high is None:
            self.fail(f"{value!r} is no COLUMN=LOW..HIGH, for example weight=30..200", param, ctx)
        try:
            return Continuous(column, low, high)
        except SchemaError as error:
            self.fail(str(error), param, ctx)


def with_continuous(schema: Schema, continuous: Sequence[Continuous]) -> Schema:
    """Return a schema in which these features take the places of those of their names.

    Raises
    ------
    SchemaError
        There is no feature of a name.
    """
    for feature in continuous:
        schema.feature(feature.name)  # names the one that is not there
    instead = {feature.name: feature for feature in continuous}
    return replace(schema, features=tuple(instead.get(feature.name, feature) for feature in schema.features))
