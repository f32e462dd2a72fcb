"""Blocks on vectors of ciphertexts, in by packed decryption and out by encryption, beside the research prototype's."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from building_blocks.catalogue import Input
from building_blocks.catalogue.ciphertext_blocks import CIPHERTEXT_BLOCKS, CiphertextBlock
from building_blocks.ciphertexts.numbers import EncryptedNumbers
from experiments.blocks.cost import fuller
from experiments.both_units import BothUnits
from experiments.crypto.keys import Keys
from experiments.record import Peer
from experiments.report import Report, Stages
from experiments.settings import VECTOR_BATCH, Settings
from experiments.targets import LIMITS
from experiments.timing import Timing, Work, measure
from experiments.trial import Values
from privml.crypto.dtpkc import PublicKey, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.units.unit import Unit

PROTOTYPE: Final = {
    "two-step decryption": {1024: 5.4, 2048: 28.0},
    "product": {1024: 16.0, 2048: 90.0},
    "comparison": {1024: 11.0, 2048: 71.0},
    "logarithm": {1024: 8.0, 2048: 51.0},
    "division": {1024: 14.0, 2048: 91.0},
    "sigmoid": {1024: 35.0, 2048: 197.0},
    "dot product of 14": {1024: 167.0, 2048: 1085.0},
}
"""Milliseconds of the C++ research prototype by key size, one value at a time, in its optimised and insecure mode."""

QUOTED: Final = "prototype, quoted"
JUDGED: Final = ("product", "comparison", "logarithm")
FEATURES: Final = 14
"""Of the dot product that the prototype was measured with."""


@dataclass(frozen=True)
class Scene:
    """Keys of one size, and everybody's tables, as where blocks run again and again.

    Parameters
    ----------
    keys
        The owner's among them.
    client
        Who reads results.
    recipients
        What each unit encrypts for the client with.
    """

    keys: Keys
    client: WeakPrivateKey
    owner: Encryptor
    recipients: tuple[Encryptor, Encryptor]

    @classmethod
    def make(cls, settings: Settings, key_bits: int) -> Scene:
        """Make fresh ones.

        Raises
        ------
        SettingError
            The key size is none that a key may have.
        """
        with warnings.catch_warnings():
            # 1024 bits are here to be compared with published figures
            warnings.simplefilter("ignore", UserWarning)
            keys = Keys.make(replace(settings, key_bits=key_bits))
        client = WeakPrivateKey.generate(keys.parameters)
        return cls(keys, client, _ready(keys.owner.public_key), (_ready(client.public_key), _ready(client.public_key)))


def ciphertext_blocks() -> list[CiphertextBlock]:
    """Return those of the catalogue, and the dot product in the prototype's length."""
    found = list(CIPHERTEXT_BLOCKS)
    for block in CIPHERTEXT_BLOCKS:
        if block.name == "dot product":
            long = Input(1 - 2**28, 2**28 - 1, shape=(FEATURES,))
            found.append(replace(block, name=f"dot product of {FEATURES}", inputs=(long, long)))
    return found


def measure_ciphertexts(
    report: Report, settings: Settings, stages: Stages, scenes: Sequence[Scene], blocks: Sequence[CiphertextBlock]
) -> None:
    """Measure every block with keys of every size.

    Raises
    ------
    RuntimeError
        A block computed something else than its reference.
    """
    for scene in scenes:
        bits = scene.keys.parameters.bits
        sized, section = report.at(bits), f"ciphertext vectors, {bits} bits"
        _decryption(sized, settings, section, scene.keys)
        for block in blocks:
            stages.begin(f"{section}: {block.name}")
            _measure(sized, settings, section, scene, block)
        report.note(
            section,
            f"{settings.ciphertexts} values at once, ms for one, from an owner's ciphertexts to a client's. The "
            "prototype's figures are quoted: another machine, one value at a time, in its optimised and insecure mode.",
        )


def _decryption(report: Report, settings: Settings, section: str, keys: Keys) -> None:
    t1s = [Encryptor(keys.owner.public_key).encrypt(1).t1]
    master, secondary = keys.shares
    timing = measure({"two-step": Work(lambda: secondary.complete(t1s, master.halves(t1s)))}, settings.repeats)
    _write(report, settings, section, "two-step decryption", timing["two-step"])


def _measure(report: Report, settings: Settings, section: str, scene: Scene, block: CiphertextBlock) -> None:
    count, generator = settings.ciphertexts, np.random.default_rng(settings.seed)
    values = [operand.sample(count, generator) for operand in block.inputs]
    operands = [(numbers, numbers.without_ciphertexts()) for numbers in block.encrypt(values, scene.owner)]
    program = partial(_run, block)
    # units of their own: else the first message would count with the last one in the same direction
    with BothUnits(scene.keys.shares) as both:
        results, traffic = both.observe(program, scene.recipients, *operands)
        _require_right(block, values, results.master, scene.client)
        work = Work(lambda: both.run(program, scene.recipients, *operands), count)
        timing = measure({"block": work}, settings.repeats)["block"]
    _write(report, settings, section, block.name, timing)
    report.add(section, f"{block.name}: the fuller way a value", fuller(traffic) / count, "bytes", in_grid=True)
    report.step(section, block.name, timing.median * count, traffic)


def _write(report: Report, settings: Settings, section: str, name: str, timing: Timing) -> None:
    bits, milliseconds, spread = report.scribe.key_bits, timing.median * 1e3, timing.spread
    quoted = PROTOTYPE.get(name, {}).get(bits)
    peer = None if quoted is None else Peer(QUOTED, quoted)
    limit, ratio = LIMITS["ciphertext vectors"], LIMITS["ciphertext vectors, ratio"]
    if name in JUDGED and settings.ciphertexts >= VECTOR_BATCH and bits == limit.key_bits:
        report.add(section, f"{name}, each", milliseconds, "ms", limit=limit, spread=spread)
        report.add(section, f"{name}, against the {QUOTED}", milliseconds, "ms", peer=peer, limit=ratio, spread=spread)
    else:
        report.add(section, f"{name}, each", milliseconds, "ms", peer=peer, spread=spread)


def _run(block: CiphertextBlock, unit: Unit, recipient: Encryptor, *operands: EncryptedNumbers) -> EncryptedNumbers:
    return block.run(unit, *operands, recipient=recipient)


def _require_right(
    block: CiphertextBlock, values: Sequence[Values], result: EncryptedNumbers, client: WeakPrivateKey
) -> None:
    got: Any = result.decrypt(client) / 2**result.fraction_bits if result.fraction_bits else result.decrypt(client)
    bound = block.tolerance(*values) if callable(block.tolerance) else block.tolerance
    if not (np.abs(got - np.asarray(block.reference(*values))) <= bound).all():
        raise RuntimeError(f"{block.name} computed something else than the plaintext operation")


def _ready(key: PublicKey) -> Encryptor:
    encryptor = Encryptor(key)
    encryptor.prepare()
    return encryptor
