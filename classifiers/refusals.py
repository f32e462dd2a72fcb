"""Articles of the contract on what a classifier must refuse."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from building_blocks.shares import Words
from classifiers.requirements import require, require_refusal, same_model
from classifiers.subject import ROWS, Subject
from privml.crypto.packing import Layout, PackedCiphertext
from privml.data.encoding import EncodedTable
from privml.data.schema import Schema
from privml.errors import ClassifierError, ValidationError


def statistics_are_refused(subject: Subject) -> None:
    """Hold a classifier that takes records alone to refuse statistics, wherever they are offered."""
    layout = Layout(count=1, value_bits=8, additions=1)
    packed = PackedCiphertext.encrypt([1], layout, subject.keys.encryptor)
    trial = subject.trial(0)
    refused: dict[str, Callable[[], object]] = {
        "admitting statistics": lambda: subject.half.admit("chunk", ROWS, layout),
        "learning from statistics": lambda: trial.learn_statistics("chunk", packed, ROWS),
    }
    for what, call in refused.items():
        require_refusal(ClassifierError, what, call)
    require(not any(half.has("chunk") for half in trial.halves), "a chunk that was refused is in the books")


def invalid_records(subject: Subject) -> None:
    """Hold it to refuse records and queries that are none, and to be as before."""
    trial, untouched = subject.trial(0), subject.trial(0)
    for what, rows in _spoilt(subject.rows(1), subject.schema):
        require_refusal(ValidationError, f"a record {what}", lambda rows=rows: trial.learn_rows("spoilt", rows))  # type: ignore[misc]
    for what, rows in _spoilt(subject.rows(1)[:, : subject.schema.width], subject.schema):
        require_refusal(ValidationError, f"a query {what}", lambda rows=rows: trial.ask_rows(rows))  # type: ignore[misc]
    without_class = subject.rows(1)
    without_class[2, subject.schema.width :] = 0
    require_refusal(ValidationError, "a record without a class", lambda: trial.learn_rows("spoilt", without_class))
    require(not any(half.has("spoilt") for half in trial.halves), "a chunk that was refused is in the books")
    same_model(subject, trial, untouched, "a chunk that was refused has left traces")
    trial.learn("chunk 1", *subject.chunk(1))


def _spoilt(rows: Words, schema: Schema) -> Iterator[tuple[str, Words]]:
    """Rows of which one is no one-hot row, each in another way."""
    first = next(iter(schema.slices.values()))
    changes = {
        "of two values of a feature": (first, 1),
        "of a value that is no bit": (first.start, 2),
        "of a value that is half the ring": (first.start, 1 << 63),
        "of a negative value": (first.start, 2**64 - 1),
    }
    for what, (place, value) in changes.items():
        spoilt = rows.copy()
        spoilt[1, place] = value
        yield what, spoilt


def invalid_statistics(subject: Subject) -> None:
    """Hold it to refuse statistics that are not those of so many records, and to be as before."""
    layout = subject.classifier.statistics_layout(subject.schema, ROWS)
    codes, labels = subject.chunk(1)
    values = subject.classifier.statistics(subject.schema, EncodedTable(codes, labels, 0))
    trial = subject.trial()  # statistics may have to come first
    more, less = values.copy(), values.copy()
    more[0] += 1
    less[0] = -1
    encrypted = {
        "that do not add up": PackedCiphertext.encrypt(more, layout, subject.keys.encryptor),
        "below zero": PackedCiphertext.encrypt(less, layout, subject.keys.encryptor),
        "far out of range": _out_of_range(subject, layout),
    }
    for what, packed in encrypted.items():
        require_refusal(
            ValidationError,
            f"statistics {what}",
            lambda packed=packed: trial.learn_statistics("spoilt", packed, ROWS),  # type: ignore[misc]
        )
    honest = PackedCiphertext.encrypt(values, layout, subject.keys.encryptor)
    require_refusal(
        ValidationError, "another number of records", lambda: trial.learn_statistics("spoilt", honest, ROWS - 1)
    )
    require(not any(half.has("spoilt") for half in trial.halves), "statistics that were refused are in the books")
    trial.learn("chunk 0", *subject.chunk(0))
    same_model(subject, trial, subject.trial(0), "statistics that were refused have left traces")


def _out_of_range(subject: Subject, layout: Layout) -> PackedCiphertext:
    """Plaintexts as large as the key allows."""
    parameters = subject.keys.encryptor.public_key.parameters
    largest = [int(parameters.modulus) // 2 - 1] * layout.ciphertexts(parameters)
    return PackedCiphertext(subject.keys.encryptor.encrypt_vector(largest), layout, additions_used=1)
