"""What is public about a model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypedDict

from privml.crypto.envelope import DIGEST_BYTES
from privml.crypto.key_proof import check_identity
from privml.crypto.packing import Layout
from privml.crypto.parameters import PublicParameters
from privml.crypto.wire_fields import FieldReader, Fields
from privml.data.schema import Schema
from privml.errors import ClassifierError, SettingError
from privml.learner import Learner, classifier

_MOST: Final[Mapping[str, int]] = MappingProxyType(
    {
        "chunk_rows": 1 << 20,
        "sealed_rows": 1 << 20,
        "query_rows": 1 << 20,
        "new_records": 1 << 32,
        "new_owners": 1 << 20,
        "rows_per_client": 1 << 48,
    }
)
"""Every number on a card, and the largest it may be."""


class Limits(TypedDict, total=False):
    """The numbers of a card, for those who make one; `ModelCard` says what they mean."""

    chunk_rows: int
    sealed_rows: int
    query_rows: int
    new_records: int
    new_owners: int
    rows_per_client: int


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
        Digests of the public keys under which the model itself may be revealed; not names, which others could register.
    chunk_rows
        The largest homomorphic chunk, in records.
    sealed_rows
        The largest sealed chunk, in records.
    query_rows
        The largest batch of a query, in records.
    new_records, new_owners
        What must have come since the model last changed its answers before it changes them again: so many records, of
        so many distinct owners. What answers always holds as much. **By default 1 and 1, which protects nobody**:
        answers before and after a single record show it.
    rows_per_client
        Records that a client may ask about in all. The default is far more than it takes to copy a small model.

    Raises
    ------
    SettingError
        A name is empty, an answer unknown, a recipient no digest, or a number out of range.
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
    recipients: tuple[bytes, ...] = ()
    chunk_rows: int = 4096
    sealed_rows: int = 1 << 16
    query_rows: int = 1 << 13
    new_records: int = 1
    new_owners: int = 1
    rows_per_client: int = 1 << 20
    takes_statistics: bool = field(init=False, repr=False, compare=False)
    digest: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for identity in (self.provider, self.model):
            check_identity(identity)
        for recipient in self.recipients:
            if not isinstance(recipient, bytes) or len(recipient) != DIGEST_BYTES:
                raise SettingError(
                    f"a recipient is the digest of a public key, {DIGEST_BYTES} bytes, not {recipient!r}"
                )
        possible = self.learner_class.answers
        for answer in self.answers:
            if answer not in possible:
                raise SettingError(f"{self.classifier} answers {' or '.join(possible)}, not {answer!r}")
        for name, most in _MOST.items():
            value = getattr(self, name)
            if not 1 <= value <= most:
                raise SettingError(f"{name} lies in 1..{most}; got {value}")
        # a learner of these options must exist: it checks them
        learner = self.learner()
        object.__setattr__(self, "options", dict(learner.options))
        object.__setattr__(self, "takes_statistics", learner.takes_statistics)
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
        """Layout of homomorphic chunks.

        Raises
        ------
        ClassifierError
            The model takes none.
        """
        layout = self.learner_class.statistics_layout(self.schema, self.chunk_rows)
        if not self.takes_statistics:
            raise ClassifierError(
                f"{self.classifier} takes no statistics with the options of {self.model!r}: send sealed chunks"
            )
        return layout

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
            content["answers"] = tuple(content["answers"])
            content["recipients"] = tuple(bytes.fromhex(digest) for digest in content["recipients"])
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
            "recipients": [digest.hex() for digest in self.recipients],
            **{name: getattr(self, name) for name in _MOST},
        }
