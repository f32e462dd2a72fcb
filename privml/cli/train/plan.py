"""What the command line says of a model: to make a new one, or to see that an old one is meant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from privml.cli.console import paragraph
from privml.cli.learner_options import read_options
from privml.cli.model_directory import MODEL, ModelDirectory
from privml.cli.train.continuous_option import with_continuous
from privml.data.continuous import Continuous
from privml.data.proposal import propose_schema
from privml.data.readers import read_csv
from privml.data.schema import Schema
from privml.errors import SettingError
from privml.learner import classifier
from privml.roles.authority import Authority
from privml.roles.card import Limits, ModelCard
from privml.roles.provider import Provider

MAX_CHUNK_ROWS: Final = 1 << 20
LABELS: Final = ("label",)
WITH_PROBABILITIES: Final = ("label", "probabilities")
# these limits guard a model against its clients and owners, and here they are whoever runs both units
_LIMITS: Final[Limits] = {"sealed_rows": MAX_CHUNK_ROWS, "rows_per_client": 1 << 48}


@dataclass(frozen=True)
class Plan:
    """A model as it is wanted; None and empty where nothing was said.

    Parameters
    ----------
    target, schema_file, continuous, leave_out
        Where the schema comes from.
    classifier, options
        What learns, and its options as texts.
    probabilities
        Whether clients may ask for them.
    """

    target: str | None
    classifier: str | None
    options: tuple[str, ...]
    schema_file: Path | None
    continuous: tuple[Continuous, ...]
    leave_out: tuple[str, ...]
    probabilities: bool

    def learner(self) -> tuple[str, Mapping[str, Any]]:
        """The classifier of a new model, and its options.

        Raises
        ------
        SettingError
            It is missing, or has no such option, or an option takes no such value.
        """
        if self.classifier is None:
            raise SettingError("a new model needs --classifier; `privml train --help` lists those there are")
        return self.classifier, read_options(self.classifier, self.options)

    def schema(self, file: Path, *, delimiter: str, missing: tuple[str, ...], screen: Console) -> Schema:
        """The schema of a new model, from its file or proposed from the table.

        Raises
        ------
        SettingError
            What was said contradicts itself, or says too little.
        DataError
            A column fits no schema.
        """
        schema = self._schema_of_file
        if schema is None:
            if self.target is None:
                raise SettingError("a new model needs --target, the column of its classes, or --schema")
            table = read_csv(file, delimiter=delimiter, missing_values=missing)
            proposed = propose_schema(table, self.target, leave_out=self.leave_out).schema
            paragraph(
                screen,
                f"No schema was given, so one is proposed from {file.name}: {len(proposed.features)} features. "
                "Its categories, classes and bin edges become PUBLIC; `privml schema` shows them and lets you edit.",
                style="yellow",
            )
            return with_continuous(proposed, self.continuous)
        if self.continuous or self.leave_out:
            raise SettingError("--continuous and --leave-out shape a proposed schema; with --schema, edit that file")
        if self.target not in (None, schema.target):
            raise SettingError(f"--target: the schema is for {schema.target!r}, not {self.target!r}")
        return schema

    def create(self, path: Path, schema: Schema, *, key_bits: int, test: bool, password: str | None) -> None:
        """Make keys, provider and model, and write their directory, in which nothing is learned yet."""
        name, options = self.learner()
        answers = WITH_PROBABILITIES if self.probabilities else LABELS
        authority = Authority.create(key_bits, allow_insecure_test_size=test)
        with Provider.embedded(authority) as provider:
            provider.create_model(MODEL, name, schema, options=options, answers=answers, **_LIMITS)
            ModelDirectory.create(path, provider, password)

    def check_new(self, schema: Schema) -> None:
        """Find out before anything is made whether there can be such a model.

        Raises
        ------
        SettingError
            An option is out of range, or the classifier takes no such schema, or gives no probabilities.
        """
        name, options = self.learner()
        kind = classifier(name)
        kind(schema, **options)
        if self.probabilities and "probabilities" not in kind.answers:
            raise SettingError(f"{name} answers {' or '.join(kind.answers)}, and no probabilities")

    def check_same(self, card: ModelCard, path: Path) -> None:
        """Refuse to go on with another model than the one that is there.

        Raises
        ------
        SettingError
            Something that was said is not so there.
        """
        schema, given = self._schema_of_file, read_options(card.classifier, self.options)
        asked = card.learner_class(card.schema, **{**card.options, **given}).options  # as the learner writes them
        there = {feature.name: feature for feature in card.schema.features}
        compared = [
            ("--target", self.target, card.schema.target),
            ("--classifier", self.classifier, card.classifier),
            ("--schema", schema and schema.digest.hex(), card.schema.digest.hex()),
            *((f"--continuous {each.name}", each, there.get(each.name)) for each in self.continuous),
            *((f"--option {name}", asked[name], card.options[name]) for name in given),
        ]
        if self.probabilities:
            compared.append(("--allow-probabilities", WITH_PROBABILITIES, card.answers))
        for option, wanted, found in compared:
            if wanted is not None and wanted != found:
                raise SettingError(
                    f"{option}: the model in {path} has {found}, not {wanted}. It stays as it is; name another "
                    "directory for another model"
                )

    @cached_property
    def _schema_of_file(self) -> Schema | None:
        return None if self.schema_file is None else Schema.from_json(self.schema_file.read_bytes())
