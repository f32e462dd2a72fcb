"""What is public about a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from privml.crypto.key_proof import check_identity
from privml.crypto.packing import Layout
from privml.crypto.parameters import PublicParameters
from privml.crypto.wire_fields import FieldReader, Fields
from privml.data.schema import Schema
from privml.errors import SettingError
from privml.learner import Learner, classifier

MAX_CHUNK_ROWS = 1 << 20


@dataclass(frozen=True)
class ModelCard:
    """The public description of a model: owners and clients work from it, and everything they send is bound to it.

    Parameters
    ----------
    parameters
        Public parameters of the cryptosystem.
    provider
        Name of the provider.
    model
        Name of the model at the provider.
    classifier
        Name of the classifier's entry point.
    options
        The classifier's options.
    schema
        Features and classes.
    answers
        What queries may ask for. Labels only, unless the operator decides otherwise.
    recipients
        Identities to which the model itself may be revealed.
    chunk_rows
        The largest homomorphic chunk, in records.

    Raises
    ------
    SettingError
        A name is empty, an answer unknown, or a number out of range.
    UnknownClassifierError
        The classifier is not installed.
    """

    wire_tag: ClassVar[int] = 128

    parameters: PublicParameters = field(repr=False)
    provider: str
    model: str
    classifier: str
    schema: Schema = field(repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    answers: tuple[str, ...] = ("label",)
    recipients: tuple[str, ...] = ()
    chunk_rows: int = 4096
    digest: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for identity in (self.provider, self.model, *self.recipients):
            check_identity(identity)
        possible = self.learner_class.answers
        for answer in self.answers:
            if answer not in possible:
                raise SettingError(f"{self.classifier} answers {' or '.join(possible)}, not {answer!r}")
        if not 1 <= self.chunk_rows <= MAX_CHUNK_ROWS:
            raise SettingError(f"chunk_rows lies in 1..{MAX_CHUNK_ROWS}; got {self.chunk_rows}")
        # a learner of these options must exist: it checks them
        object.__setattr__(self, "options", dict(self.learner().options))
        content = self.parameters.digest + json.dumps(self._content(), sort_keys=True).encode()
        object.__setattr__(self, "digest", hashlib.sha256(content).digest())

    @property
    def learner_class(self) -> type[Learner]:
        """The classifier's class."""
        return classifier(self.classifier)

    def learner(self) -> Learner:
        """Make an untrained classifier as described."""
        return self.learner_class(self.schema, **self.options)

    @property
    def layout(self) -> Layout:
        """Layout of homomorphic chunks."""
        return self.learner_class.statistics_layout(self.schema, self.chunk_rows)

    @property
    def row_width(self) -> int:
        """Words of a sealed record: one-hot features, then the one-hot class."""
        return self.schema.width + self.schema.class_count

    def to_fields(self) -> Fields:
        """The whole description as JSON; the parameters are named by the frame."""
        return [json.dumps(self._content(), sort_keys=True)]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> ModelCard:
        """Read a description; every setting is checked as for a new one."""
        parameters, text = fields.parameters, fields.text("card", 1 << 24)
        try:
            content = json.loads(text)
            content["schema"] = Schema.from_json(json.dumps(content["schema"]))
            content |= {name: tuple(content[name]) for name in ("answers", "recipients")}
            return cls(parameters, **content)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise fields.error("card", "a model's description", str(error)) from error

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the cryptosystem."""
        return self.parameters

    def _content(self) -> dict[str, Any]:
        return {
            "provider": self.provider,
            "model": self.model,
            "classifier": self.classifier,
            "options": dict(self.options),
            "schema": json.loads(self.schema.to_json()),
            "answers": list(self.answers),
            "recipients": list(self.recipients),
            "chunk_rows": self.chunk_rows,
        }
