"""Two things that everything on shares is made of: pseudorandom streams and products of matrices of 64-bit words."""

from __future__ import annotations

from functools import partial

import numpy as np
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from experiments.record import Peer
from experiments.report import Report
from experiments.settings import Settings
from experiments.timing import Work, measure
from privml.crypto.prg import expand
from privml.crypto.randomness import random_bytes

PRIMITIVES = "streams and matrix products"


def measure_primitives(report: Report, settings: Settings) -> None:
    """Rates: larger is better here, and so is a ratio above 1."""
    key = random_bytes(32)
    count = settings.stream
    zeros, target = bytes(1 << 18), bytearray((1 << 18) + 16)
    cipher = Cipher(algorithms.AES(key), modes.CTR(bytes(16))).encryptor()
    generator = np.random.default_rng(settings.seed)
    side, thin = settings.matrix, 2
    shapes = {f"{side} x {side} x {side}": (side, side), f"{side} x {16 * side} x {thin}": (16 * side, thin)}
    work = {
        "stream": Work(lambda: expand(key, 0, count)),
        "cipher": Work(lambda: cipher.update_into(zeros, target)),
    }
    operations = {}
    for name, (inner, columns) in shapes.items():
        a = generator.integers(0, 2**64, (side, inner), dtype=np.uint64)
        b = generator.integers(0, 2**64, (inner, columns), dtype=np.uint64)
        work[name] = Work(partial(np.matmul, a, b))
        work[f"float {name}"] = Work(partial(np.matmul, a.astype(np.float64), b.astype(np.float64)))
        operations[name] = side * inner * columns
    timings = measure(work, settings.repeats)
    rate = 8 * count / timings["stream"].median / 1e9
    best = len(zeros) / timings["cipher"].median / 1e9
    report.add(
        PRIMITIVES, f"stream of {8 * count / 1e6:g} MB", rate, "GB/s",
        peer=Peer("AES in place", best), keyless=True, spread=timings["stream"].spread,
    )  # fmt: skip
    for name, count_ in operations.items():
        report.add(
            PRIMITIVES, f"uint64 product, {name}", count_ / timings[name].median / 1e9, "Gop/s",
            peer=Peer("float64", count_ / timings[f"float {name}"].median / 1e9),
            keyless=True, spread=timings[name].spread,
        )  # fmt: skip
