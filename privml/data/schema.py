"""The public description of a table: its features, its class column, and the layout of its one-hot form."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Final, NoReturn

from privml.data.cell import shortened
from privml.data.continuous import Continuous
from privml.data.feature import Categorical, Feature, Numeric, Ordinal, clean_categories, clean_name, sequence_of
from privml.errors import SchemaError

__all__ = ["Categorical", "Continuous", "Feature", "Numeric", "Ordinal", "Schema"]

_FORMAT: Final = "privml-schema"
_VERSION: Final = 1
_KINDS: Final = (Categorical, Ordinal, Numeric, Continuous)
_LISTED: Final = {kind.kind: kind for kind in (Categorical, Ordinal)}


@dataclass(frozen=True)
class Schema:
    """What the columns of a table are. It is agreed on by all owners and clients of a model, and public.

    Parameters
    ----------
    features
        The feature columns in the order of their codes and one-hot blocks, at least one.
    target
        Name of the class column.
    classes
        Its values in the order of their codes, at least two, of any cell type; kept in canonical text.

    Raises
    ------
    SchemaError
        If there is no feature, something else than a feature, two features of one name, a target that is also a
        feature, fewer than two classes, or two classes with the same canonical text.
    """

    features: tuple[Feature, ...]
    target: str
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        features = sequence_of(self.features, "features")
        seen: set[str] = set()
        for feature in features:
            if not isinstance(feature, _KINDS):
                raise SchemaError(
                    f"{shortened(feature)} is no feature; use {', '.join(kind.__name__ for kind in _KINDS)}"
                )
            if feature.name in seen:
                raise SchemaError(f"feature {feature.name!r} occurs twice")
            seen.add(feature.name)
        if not features:
            raise SchemaError("a schema needs at least one feature")
        target = clean_name(self.target, "the name of the class column")
        if target in seen:
            raise SchemaError(f"the class column {target!r} is also among the features")
        classes = clean_categories(self.classes, f"class column {target!r}")
        if len(classes) < 2:
            raise SchemaError(
                f"class column {target!r}: only one class, {classes[0]!r}; two are the least to tell apart"
            )
        object.__setattr__(self, "features", features)
        object.__setattr__(self, "target", target)
        object.__setattr__(self, "classes", classes)

    def __reduce__(self) -> tuple[type["Schema"], tuple[object, ...]]:
        # what is cached stays behind: a view of a mapping is neither pickled nor copied
        return type(self), (self.features, self.target, self.classes)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the feature columns, in order."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def cardinalities(self) -> tuple[int, ...]:
        """Number of columns of each feature, in order: its values or bins, or 1."""
        return tuple(feature.cardinality for feature in self.features)

    @cached_property
    def width(self) -> int:
        """Number of columns of a record: the sum of all cardinalities."""
        return sum(self.cardinalities)

    @cached_property
    def slices(self) -> Mapping[str, slice]:
        """Which columns of a record belong to each feature, by its name."""
        slices, start = {}, 0
        for name, cardinality in zip(self.names, self.cardinalities, strict=True):
            slices[name] = slice(start, start + cardinality)
            start += cardinality
        return MappingProxyType(slices)

    @cached_property
    def one_hot(self) -> bool:
        """Whether all features are one-hot blocks: none is continuous."""
        return all(feature.one_hot for feature in self.features)

    @property
    def class_count(self) -> int:
        """Number of classes."""
        return len(self.classes)

    @cached_property
    def class_feature(self) -> Categorical:
        """The class column, seen as a feature."""
        return Categorical(self.target, self.classes)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON form, 32 bytes: equal for equal schemas, different for any change."""
        return hashlib.sha256(self.to_json().encode()).digest()

    def feature(self, name: str) -> Feature:
        """Return the feature of this name.

        Raises
        ------
        SchemaError
            If there is none.
        """
        for feature in self.features:
            if feature.name == name:
                return feature
        raise SchemaError(f"no feature is named {shortened(name)}; there are {', '.join(self.names)}")

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the schema as JSON: keys sorted, ASCII, floats as the shortest text that reads back the same.

        Parameters
        ----------
        indent
            Spaces per level for people to read; None, the default, gives the canonical form that `digest` hashes.
        """
        form = {
            "format": _FORMAT,
            "version": _VERSION,
            "features": [feature.to_dict() for feature in self.features],
            "target": self.target,
            "classes": list(self.classes),
        }
        separators = (",", ":") if indent is None else (",", ": ")
        return json.dumps(form, sort_keys=True, separators=separators, indent=indent, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> "Schema":
        """Return the schema that `to_json` wrote.

        Categories may also be written as JSON numbers and in any spelling: they come out in canonical text.

        Raises
        ------
        SchemaError
            If the text is not JSON, is of another format or version, has a key that is unknown, missing or repeated or
            a value of the wrong type, or describes a schema that contradicts itself.
        """
        try:
            form = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
        # UnicodeDecodeError and JSONDecodeError are ValueErrors; so is SchemaError, which is re-raised as it is
        except SchemaError:
            raise
        except (ValueError, RecursionError) as error:
            raise SchemaError(f"a schema is JSON text: {error}") from error
        _expect_keys(form, {"format", "version", "features", "target", "classes"}, "the schema")
        if form["format"] != _FORMAT:
            raise SchemaError(f"format is {_FORMAT!r}, not {shortened(form['format'])}")
        if type(form["version"]) is not int or form["version"] != _VERSION:
            raise SchemaError(
                f"this version of PrivML reads schemas of version {_VERSION}, not {shortened(form['version'])}"
            )
        features = _list_of(form["features"], "features")
        return cls(
            features=tuple(_feature(entry, index) for index, entry in enumerate(features)),
            target=form["target"],
            classes=_list_of(form["classes"], "classes"),
        )


def _feature(form: Any, index: int) -> Feature:
    kind = form.get("kind") if isinstance(form, dict) else None
    where = f"feature {index}"
    if kind == Numeric.kind:
        _expect_keys(form, {"kind", "name", "edges"}, where)
        return Numeric(form["name"], _list_of(form["edges"], f"{where}: edges"))
    if isinstance(kind, str) and kind in _LISTED:
        _expect_keys(form, {"kind", "name", "categories"}, where)
        return _LISTED[kind](form["name"], _list_of(form["categories"], f"{where}: categories"))
    if kind == Continuous.kind:
        _expect_keys(form, {"kind", "name", "low", "high"}, where)
        return Continuous(form["name"], form["low"], form["high"])
    kinds = ", ".join(each.kind for each in _KINDS)
    raise SchemaError(f"{where} is an object whose kind is one of {kinds}; found {shortened(form)}")


def _list_of(values: Any, what: str) -> tuple[Any, ...]:
    if not isinstance(values, list):
        raise SchemaError(f"{what}: a list is needed, not {shortened(values)}")
    return tuple(values)


def _expect_keys(form: Any, keys: set[str], what: str) -> None:
    if not isinstance(form, dict):
        raise SchemaError(f"{what} is a JSON object, not {shortened(form)}")
    for problem, names in (("lacks", keys - form.keys()), ("has the unknown", form.keys() - keys)):
        if names:
            raise SchemaError(f"{what} {problem} {', '.join(shortened(name) for name in sorted(names))}")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    form = dict(pairs)
    if len(form) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise SchemaError(f"the key {shortened(repeated)} occurs twice")
    return form


def _no_constant(constant: str) -> NoReturn:
    raise SchemaError(f"{constant} is not a finite number")
