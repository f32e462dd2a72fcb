"""A table as a CSV file, what naive Bayes learns from it, and the command that does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from classifiers.naive_bayes import NaiveBayes
from privml import Provider, Schema
from privml.cli import main
from privml.cli.model_directory import MODEL, ModelDirectory
from privml.data.encoding import encode
from privml.data.readers import read_csv
from tests.privml.roles.world import learned

SMALL = ("--key-bits", "512", "--insecure-test-key")
NEW = (*SMALL, "--target", "kind", "--classifier", "naive_bayes")


def write_table(path: Path, rows: int, seed: int = 0) -> Path:
    """Sizes, colours and kinds that go together, more or less; every value is in the first rows of any table."""
    rng = np.random.default_rng(seed)
    lines = ["size,colour,kind"]
    for row in range(rows):
        kind = int(rng.integers(3)) if row >= 9 else row % 3
        colour = int(kind + rng.integers(2)) % 4 if row >= 9 else row % 4
        lines.append(f"{kind * 10 + int(rng.integers(8))},{('red', 'green', 'blue', 'grey')[colour]},k{kind}")
    path.write_text("\n".join(lines) + "\n")
    return path


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(each) for each in arguments], env={"PRIVML_PASSWORD": None, **environment})


def train(file: Path, model: Path, *arguments: object, **environment: str) -> Result:
    return run("train", file, "--model", model, *arguments, **environment)


def predict(file: Path, model: Path, *arguments: object, **environment: str) -> Result:
    return run("predict", file, "--model", model, *arguments, **environment)


def held(model: Path) -> NDArray[np.int64]:
    """The counts that a naive Bayes model consists of; nobody can do this but a test that runs both units."""
    with ModelDirectory.opened(model, password=None) as directory:
        return counts_in(directory.provider)


def counts_in(provider: Provider) -> NDArray[np.int64]:
    return learned(provider, MODEL)


def counted(schema: Schema, files: Sequence[Path]) -> NDArray[np.int64]:
    """The counts of all files in the clear."""
    tables = (NaiveBayes.statistics(schema, encode(schema, read_csv(file))) for file in files)
    return np.asarray(sum(tables)).reshape(schema.width + 1, schema.class_count)


def schema_in(model: Path) -> Schema:
    return Schema.from_json((model / "schema.json").read_text())


def snapshot(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
