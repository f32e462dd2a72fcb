"""Single ciphertexts side by side in packed ones, without opening them."""

from __future__ import annotations

import joblib

from privml.crypto.arithmetic import Integer, powers
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.packing import Layout, PackedCiphertext
from privml.errors import LayoutError


def pack(vector: CiphertextVector, layout: Layout, *, n_jobs: int = 1) -> PackedCiphertext:
    """Pack ciphertexts of one integer each: sum_i m_i 2^(wi) for the slots of w bits of a layout.

    T1 alone, by Horner's rule: w squarings a value. The keys may differ from element to element.

    Parameters
    ----------
    vector
        `layout.count` ciphertexts of integers that fit the layout. One that does not changes its neighbours.
    n_jobs
        Threads, -1 for all cores.

    Raises
    ------
    LayoutError
        The numbers of ciphertexts and of values in the layout differ.
    """
    if len(vector) != layout.count:
        raise LayoutError(f"the layout is for {layout.count} values, not for {len(vector)} ciphertexts")
    slots = layout.slots(vector.parameters)
    rows = [vector.t1[start : start + slots] for start in range(0, layout.count, slots)]
    jobs = min(joblib.effective_n_jobs(n_jobs), len(rows))
    shift, n2 = Integer(1) << layout.slot_bits, vector.parameters.modulus_squared
    # dealt like cards, so that each thread has rows of equal length but for the last row of all, which comes last
    hands = [rows[start::jobs] for start in range(jobs)]
    parallel = joblib.Parallel(n_jobs=jobs, prefer="threads", max_nbytes=None)
    done = parallel(joblib.delayed(_pack_rows)(hand, shift, n2) for hand in hands)
    packed = tuple(done[row % jobs][row // jobs] for row in range(len(rows)))
    return PackedCiphertext(CiphertextVector(vector.parameters, packed), layout)


def _pack_rows(rows: list[tuple[Integer, ...]], shift: Integer, n2: Integer) -> list[Integer]:
    """Row by row sum, all rows in step; none is longer than the first, and none but the last is shorter."""
    packed: list[Integer] = []
    for slot in reversed(range(len(rows[0]))):
        column = [row[slot] for row in rows if slot < len(row)]
        held = [a * c % n2 for a, c in zip(powers(packed, shift, n2), column, strict=False)]
        packed = held + column[len(held) :]  # the last row joins when its own values begin
    return packed
