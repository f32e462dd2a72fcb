"""Two-step decryption between the units."""

from __future__ import annotations

from privml.crypto.arithmetic import Integer
from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import combine
from privml.crypto.wire_fields import element_width, fixed_width, residue_width
from privml.errors import FrameSizeError
from privml.units.unit import Unit


def open_to_secondary(unit: Unit, vector: CiphertextVector | None, count: int) -> list[int] | None:
    """Decrypt the Master's ciphertexts to the Secondary, under whatever keys they were encrypted.

    The Master sends each T1 with its half (T1 mod N)^{d_M} mod N; the Secondary completes it (`privml.crypto.dtpkc`).
    It learns the plaintexts, so they are blinded or meant for it (the seed of a sealed upload).

    Parameters
    ----------
    vector
        The ciphertexts, in the Master; None in the Secondary.
    count
        How many there are; public.

    Returns
    -------
    list of int, or None
        The signed plaintexts in the Secondary; None in the Master.

    Raises
    ------
    DecryptionError
        In the Secondary: a half is corrupt.
    NotAUnitError
        A T1 shares a factor with N.

    Notes
    -----
    One message from Master to Secondary of 3|N| bits a ciphertext, whatever the values. The Master sees nothing.
    Besides the plaintext the Secondary sees the N-th root of T1 mod N, a function of the encryption's randomness alone
    (docs/decisions/nth-root-decryption.md).
    """
    share = unit.strong_key()
    parameters = share.parameters
    widths = element_width(parameters), residue_width(parameters)
    if vector is not None:
        halves = share.halves(vector.t1, n_jobs=unit.n_jobs)
        unit.channel.send(fixed_width(vector.t1, widths[0]) + fixed_width(halves, widths[1]))
        return None
    frame = bytes(unit.channel.receive())
    if len(frame) != count * sum(widths):
        raise FrameSizeError(f"expected {count} ciphertexts and halves of {sum(widths)} bytes, got {len(frame)} bytes")
    t1s = _integers(frame[: count * widths[0]], widths[0])
    peer_halves = _integers(frame[count * widths[0] :], widths[1])
    own_halves = share.halves(t1s, n_jobs=unit.n_jobs)
    return combine(parameters, t1s, own_halves, peer_halves, n_jobs=unit.n_jobs)


def _integers(data: bytes, width: int) -> list[Integer]:
    return [Integer(int.from_bytes(data[start : start + width], "big")) for start in range(0, len(data), width)]
