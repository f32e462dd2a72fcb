"""Running a block on ciphertexts between the units."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from building_blocks.ciphertexts.numbers import EncryptedNumbers
from privml.crypto.dtpkc import KeyShare
from tests.two_units import Run, make_units, run

KeyShares: TypeAlias = tuple[KeyShare, KeyShare]


def handed(numbers: EncryptedNumbers) -> tuple[EncryptedNumbers, EncryptedNumbers]:
    """What the Master has of them, and what the Secondary."""
    return numbers, numbers.without_ciphertexts()


def run_block(
    program: Callable[..., EncryptedNumbers], shares: KeyShares, *operands: EncryptedNumbers, n_jobs: int = 1
) -> Run[EncryptedNumbers]:
    """Run ``program(unit, *operands)``; the ciphertexts go to the Master alone, and the result comes from there."""
    units = make_units(shares)
    for unit in units:
        unit.n_jobs = n_jobs
    done = run(program, *map(handed, operands), units=units)
    assert done.secondary == done.master.without_ciphertexts()
    return done
