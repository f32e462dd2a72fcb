"""What an experiment is run with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.targets import DEFAULT_KEY_BITS

BLOCK_BATCH = 100_000
"""The batch that the targets of blocks are about."""

VECTOR_BATCH = 128
"""The least vector of ciphertexts that their targets are applied to."""


@dataclass(frozen=True)
class Settings:
    """Sizes and repetitions; the defaults are those of the targets.

    Parameters
    ----------
    key_bits
        2048, 3072, or 1024 to repeat published experiments.
    seed
        Of public test data: shared values to compute with, splits of data sets.
    repeats
        Samples of every time.
    data
        Folder with one folder for each data set; None for the one that ships with a dependency.
    vector
        Ciphertexts in a batch.
    converted
        Values converted between ciphertexts and shares.
    sealed
        Two sizes of a sealed upload, in words.
    stream
        Words of a pseudorandom stream.
    matrix
        Side of a square matrix product.
    batches
        Values in a batch of every block, in increasing order.
    budget
        Seconds that a run may take where blocks make their correlations by transfers: else its batch is smaller.
    ciphertexts
        Values of a vector of ciphertexts that a block takes.
    key_sizes
        Of the keys for blocks on ciphertexts.
    only
        Parts of the names of the blocks, or of the learners and data sets, to look at; none for all.
    points
        Values on which the accuracy of a block is tried, at least, or all that there are.
    plots
        Folder for plots; None for no plots.
    records
        Most training records, None for all.
    peers
        Folder for the environments of peers that need their own; None to quote their figures.
    growth
        Numbers of records over which growth is fitted, as far as the data set has them.
    allow_insecure_test_size
        Allows keys of 512 bits, for tests.
    """

    key_bits: int = DEFAULT_KEY_BITS
    seed: int = 1
    repeats: int = 7
    data: Path | None = None
    vector: int = 32
    converted: int = 400
    sealed: tuple[int, int] = (10_000, 4_000_000)
    stream: int = 1_000_000
    matrix: int = 512
    batches: Sequence[int] = (1, 1000, BLOCK_BATCH)
    budget: float = 20.0
    ciphertexts: int = VECTOR_BATCH
    key_sizes: Sequence[int] = (1024, DEFAULT_KEY_BITS)
    only: Sequence[str] = ()
    points: int = 1 << 20
    plots: Path | None = None
    records: int | None = None
    peers: Path | None = None
    growth: Sequence[int] = (1000, 2000, 4000, 8000, 16_000, 32_000)
    allow_insecure_test_size: bool = False
