"""The ways between ciphertexts and shares, both units in this process."""

from __future__ import annotations

import numpy as np

from building_blocks.conversion import ciphertexts_to_shares, shares_to_ciphertext
from building_blocks.shares import Shares, signed
from experiments.both_units import BothUnits, join, split
from experiments.crypto.keys import Keys
from experiments.report import Report
from experiments.settings import Settings
from experiments.timing import Work, measure
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import Layout, PackedCiphertext
from privml.units.unit import Unit

CONVERSIONS = "ciphertexts and shares"


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
