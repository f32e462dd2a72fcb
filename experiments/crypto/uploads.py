"""What an owner computes before it sends anything, and what the units compute to believe it."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from experiments.crypto.keys import Keys
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from experiments.timing import Work, line, measure
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.envelope import IDENTIFIER_BYTES, payload_digest
from privml.crypto.fixed_base import Encryptor
from privml.crypto.proofs import prove_plaintexts, verify_plaintexts
from privml.crypto.randomness import random_bits
from privml.crypto.registry import KeyRegistration
from privml.crypto.sealer import Sealer
from privml.crypto.wire import dumps

HOMOMORPHIC = "owner's upload, homomorphic path"
SEALED = "owner's upload, sealed path"
REGISTRATION = "registration"
CONTEXT = b"an upload of this experiment"


def measure_uploads(report: Report, settings: Settings, keys: Keys) -> None:
    """Both paths; tables are made beforehand, as for an owner who uploads again and again."""
    encryptor = Encryptor(keys.owner.public_key)
    encryptor.prepare()
    _homomorphic(report, settings, keys, encryptor)
    _sealed(report, settings, keys, encryptor)


def measure_registration(report: Report, settings: Settings, keys: Keys) -> None:
    """Key, proof, and its check."""
    registration = KeyRegistration.create(keys.owner, "owner")
    timings = measure(
        {
            "key": Work(lambda: WeakPrivateKey.generate(keys.parameters)),
            "proof": Work(lambda: KeyRegistration.create(keys.owner, "owner")),
            "check": Work(registration.verify),
        },
        settings.repeats,
    )
    report.time(REGISTRATION, "an owner's key", timings["key"], "ms")
    report.time(REGISTRATION, "proof of knowing it", timings["proof"], "ms")
    report.time(REGISTRATION, "check of the proof, in each unit", timings["check"], "ms")


def _homomorphic(report: Report, settings: Settings, keys: Keys, encryptor: Encryptor) -> None:
    count = settings.vector
    single = encryptor.without_t2()
    plaintexts = [int(random_bits(keys.parameters.bits - 3)) for _ in range(count)]
    vector, openings = single.encrypt_with_openings(plaintexts)
    proof = prove_plaintexts(single, vector, openings, CONTEXT)
    timings = measure(
        {
            "encrypt": Work(lambda: single.encrypt_with_openings(plaintexts), count),
            "prove": Work(lambda: prove_plaintexts(single, vector, openings, CONTEXT)),
            "check": Work(lambda: verify_plaintexts(keys.owner.public_key, vector, proof, CONTEXT), count),
        },
        settings.repeats,
    )
    section = HOMOMORPHIC
    report.time(section, "encryption, per ciphertext", timings["encrypt"], "ms", limit=LIMITS["upload, ciphertext"])
    name = f"one proof for a chunk of {count} ciphertexts"
    report.time(section, name, timings["prove"], "ms", limit=LIMITS["upload, proof"])
    report.time(section, "a unit's check, per ciphertext", timings["check"], "ms", limit=LIMITS["upload, check"])


def _sealed(report: Report, settings: Settings, keys: Keys, encryptor: Encryptor) -> None:
    sealer = Sealer(encryptor, "provider", "model", "owner", bytes(32))
    arrays = {size: np.ones(size, dtype=np.uint64) for size in settings.sealed}
    sealed = sealer.seal(arrays[max(settings.sealed)], bytes(IDENTIFIER_BYTES))
    context = sealer.context(bytes(IDENTIFIER_BYTES))

    def seal(array: NDArray[np.uint64]) -> bytes:
        return dumps(sealer.seal(array))

    work = {f"seal {size}": Work(partial(seal, array)) for size, array in arrays.items()}
    least = np.ones(min(settings.sealed), dtype=np.uint64)
    work["first"] = Work(
        lambda: Sealer(Encryptor(keys.owner.public_key), "provider", "model", "owner", bytes(32)).seal(least)
    )
    work["check"] = Work(lambda: sealed.verify(keys.owner.public_key, context))
    work["digest"] = Work(lambda: payload_digest(sealed.payload))
    timings = measure(work, settings.repeats)
    for size in settings.sealed:
        report.time(SEALED, f"sealing {size:,} values, to bytes", timings[f"seal {size}"], "ms")
    constant, slope = line(settings.sealed, [timings[f"seal {size}"].median for size in settings.sealed])
    report.add(SEALED, "sealing: constant", constant * 1e3, "ms", limit=LIMITS["sealing, constant"])
    report.add(SEALED, "sealing: slope, per value", slope * 1e9, "ns", limit=LIMITS["sealing, slope"])
    report.time(SEALED, "the first upload, before there are tables", timings["first"], "ms")
    report.time(SEALED, f"the Master's check of {max(settings.sealed):,} values", timings["check"], "ms")
    report.time(SEALED, "of it, SHA-256 of the payload", timings["digest"], "ms")
