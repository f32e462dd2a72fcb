"""Building blocks on shares, both units and the dealer in this process, and the ways between ciphertexts and shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from building_blocks.comparison import bit_to_integer, less_than
from building_blocks.conversion import ciphertexts_to_shares, shares_to_ciphertext
from building_blocks.fixed_point.logarithm import LOG_ERROR, LOG_FRACTION_BITS, log2
from building_blocks.fixed_point.number import FixedPoint
from building_blocks.product import multiply
from building_blocks.selection import argmax, select
from building_blocks.shares import Shares, signed
from building_blocks.truncation import truncate
from experiments.both_units import BothUnits, join, split
from experiments.crypto.keys import Keys
from experiments.report import Report
from experiments.settings import BLOCK_BATCH, Settings
from experiments.targets import LIMITS
from experiments.timing import Work, measure
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.units.unit import Unit

BLOCKS = "blocks on shares"
CONVERSIONS = "ciphertexts and shares"
SHIFT = 28
CANDIDATES = 4

Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Block:
    """A block, the plaintext operation that it stands for, and what it is tried on.

    Parameters
    ----------
    program
        Runs on shares of the inputs.
    plain
        The same on the inputs themselves, by numpy.
    inputs
        Public test values.
    error
        By how much results may differ.
    scale
        What the block's results are multiplied by.
    limit
        Name of the limits, if there are any.
    """

    program: Callable[..., Shares]
    plain: Callable[..., NDArray[Any]]
    inputs: Sequence[Integers]
    error: float = 0
    scale: float = 1
    limit: str | None = None


def blocks(count: int, generator: np.random.Generator) -> dict[str, Block]:
    """Make the blocks by the names under which they are recorded."""
    x, y = (generator.integers(-(2**31), 2**31, count) for _ in range(2))
    bits = generator.integers(0, 2, count)
    positive = np.exp2(generator.uniform(0, 44, count)).astype(np.int64)
    rows = generator.integers(-(2**31), 2**31, (max(count // CANDIDATES, 1), CANDIDATES))

    def comparison(unit: Unit, a: Shares, b: Shares) -> Shares:
        return bit_to_integer(unit, less_than(unit, a, b))

    def logarithm(unit: Unit, a: Shares) -> Shares:
        return log2(unit, FixedPoint(a, 0, 2**44 - 1)).shares

    return {
        "product": Block(multiply, lambda a, b: a * b, (x, y), limit="product"),
        "comparison to an integer bit": Block(
            comparison, lambda a, b: (a < b).astype(np.int64), (x, y), limit="comparison"
        ),
        "log2": Block(logarithm, np.log2, (positive,), LOG_ERROR, 2**LOG_FRACTION_BITS, limit="log2"),
        f"truncation by {SHIFT} bits": Block(
            # the floor, or one more
            lambda unit, a: truncate(unit, a, SHIFT), lambda a: (a >> SHIFT) + 0.5, (x * y >> 2,), 0.5
        ),
        "select": Block(select, lambda b, u, v: np.asarray(np.where(b == 1, u, v)), (bits, x, y)),
        f"argmax of {CANDIDATES}": Block(
            lambda unit, a: argmax(unit, a).index, lambda a: a.argmax(axis=1), (rows,)
        ),
    }  # fmt: skip


def measure_blocks(report: Report, settings: Settings) -> None:
    """Time, bytes and rounds of each block at one batch; peer: the same operation in plaintext."""
    generator = np.random.default_rng(settings.seed)
    with BothUnits() as both:
        for name, block in blocks(settings.batch, generator).items():
            _measure(report, settings, both, name, block, generator)
    report.note(
        BLOCKS,
        f"batch of {settings.batch:,} values, for argmax {settings.batch // CANDIDATES:,} rows of {CANDIDATES}, a row "
        "being a value; both units and the dealer in this process, on a link in memory",
    )


def _measure(
    report: Report, settings: Settings, both: BothUnits, name: str, block: Block, generator: np.random.Generator
) -> None:
    shared = [split(each, generator) for each in block.inputs]
    results, traffic = both.observe(block.program, *shared)
    expected = block.plain(*block.inputs)
    if np.abs(join(results) / block.scale - expected).max() > block.error:
        raise RuntimeError(f"{name} computed something else than the plaintext operation")
    count = len(block.inputs[0])
    timings = measure(
        {
            "block": Work(lambda: both.run(block.program, *shared), count),
            "numpy": Work(lambda: block.plain(*block.inputs), count),
        },
        settings.repeats,
    )
    judged = block.limit if settings.batch == BLOCK_BATCH else None
    report.time(
        BLOCKS, f"{name}, per value", timings["block"], "us",
        peer=("numpy", timings["numpy"]), limit=LIMITS[judged] if judged else None, keyless=True,
    )  # fmt: skip
    fullest = max(traffic.bytes_sent, traffic.bytes_received) / count
    limit = LIMITS[f"{judged}, bytes"] if judged else None
    report.add(BLOCKS, f"{name}, per value each way", fullest, "bytes", limit=limit, keyless=True)
    report.step(BLOCKS, name, timings["block"].median * count, traffic, keyless=True)


def measure_conversions(report: Report, settings: Settings, keys: Keys) -> None:
    """Packed ciphertexts to shares, and shares to a recipient's ciphertexts."""
    count = settings.converted
    generator = np.random.default_rng(settings.seed)
    values = generator.integers(-(2**31), 2**31, count)
    layout = Layout(count=count, value_bits=32)
    packed = PackedCiphertext.encrypt(values, layout, Encryptor(keys.owner.public_key))
    recipient = keys.owner.public_key
    shared = split(values, generator)

    def to_shares(unit: Unit) -> Shares:
        return ciphertexts_to_shares(unit, packed if unit.is_master else None, layout)

    def to_ciphertext(unit: Unit, x: Shares) -> PackedCiphertext | None:
        return shares_to_ciphertext(unit, x, recipient)

    # units of their own: else the first message would count with the last one in the same direction
    with BothUnits(keys.shares) as both:
        results, inward = both.observe(to_shares)
    with BothUnits(keys.shares) as both:
        sent, outward = both.observe(to_ciphertext, shared)
        received = sent.master.decrypt(keys.owner) if sent.master is not None else []
        words = np.array([value & (2**64 - 1) for value in received], dtype=np.uint64)
        if not (np.array_equal(join(results), values) and np.array_equal(signed(words), values)):
            raise RuntimeError("a conversion changed a value")
        timings = measure(
            {
                "in": Work(lambda: both.run(to_shares), count),
                "out": Work(lambda: both.run(to_ciphertext, shared), count),
            },
            settings.repeats,
        )
    slots = layout.slots(keys.parameters)
    for name, key, traffic in (
        ("ciphertexts to shares", "in", inward),
        ("shares to ciphertexts", "out", outward),
    ):
        report.time(CONVERSIONS, f"{name}, per value", timings[key], "ms")
        fullest = max(traffic.bytes_sent, traffic.bytes_received) / count
        report.add(CONVERSIONS, f"{name}, per value the fuller way", fullest, "bytes")
        report.step(CONVERSIONS, name, timings[key].median * count, traffic)
    report.note(CONVERSIONS, f"{count:,} values, {slots} to a ciphertext that becomes shares")
