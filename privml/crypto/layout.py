"""How many small integers lie side by side in one plaintext, and the way in and out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privml.crypto.arithmetic import Integer, join_digits, split_digits
from privml.crypto.dtpkc import PublicParameters
from privml.crypto.randomness import random_bits
from privml.crypto.transcript import encode
from privml.errors import DecryptionError, LayoutError, PlaintextRangeError, SettingError

_WORD = (1 << 64) - 1
_REFUSED = "this does not decrypt: corrupt, under another key, or outside the expected layout"


@dataclass(frozen=True, slots=True)
class Layout:
    """Slots of w = l + sigma + 2 bits for sums of signed values, k = floor((|N| - 2)/w) slots to a plaintext.

    A sum of `additions` values of `value_bits` bits lies in [-2^(l-1), 2^(l-1)], with
    l = value_bits + ceil(log2(additions)). Adding the offset 2^(l-1) makes slots non-negative; blinding adds rho,
    uniform in [0, 2^(l+sigma)), which leaves a slot below 2^(l+sigma+1): nothing ever carries into the neighbour, and
    the highest slot stays below N/2. A blinded slot is independent of its value but for statistical distance 2^-sigma.

    The layout belongs to the model, not to the sender.

    Parameters
    ----------
    count
        Number of values, >= 1.
    value_bits
        b: each value lies in [-2^(b-1), 2^(b-1)), 1 <= b <= 128.
    additions
        How many such values a slot will ever hold the sum of, 1 to 2^64. A subtraction counts as an addition.
    sigma
        Statistical security parameter of blinding, 40 to 128; 64 keeps 2^24 slots within 2^-40 together. 0 for what is
        never blinded, because its recipient opens it alone.

    Raises
    ------
    SettingError
        If one of them lies outside.
    """

    count: int
    value_bits: int
    additions: int = 1
    sigma: int = 64

    def __post_init__(self) -> None:
        for name, low, high in (("count", 1, 1 << 48), ("value_bits", 1, 128), ("additions", 1, 1 << 64)):
            if not low <= getattr(self, name) <= high:
                raise SettingError(f"a layout's {name} lies in [{low}, {high}], not at {getattr(self, name)}")
        if self.sigma and not 40 <= self.sigma <= 128:
            raise SettingError(f"a layout's sigma lies in [40, 128] or is 0, not at {self.sigma}")

    @property
    def total_bits(self) -> int:
        """l, the bits of a sum."""
        return self.value_bits + (self.additions - 1).bit_length()

    @property
    def slot_bits(self) -> int:
        """w, the bits of a slot."""
        return self.total_bits + self.sigma + 2

    @property
    def slot_offset(self) -> int:
        """2^(l-1), which makes every sum non-negative."""
        return 1 << (self.total_bits - 1)

    @property
    def digest(self) -> bytes:
        """32 bytes that commit to the layout."""
        fields = (self.count, self.value_bits, self.additions, self.sigma)
        return hashlib.sha256(encode("privml", "layout", 1, *fields)).digest()

    def slots(self, parameters: PublicParameters) -> int:
        """k, the slots of one plaintext.

        Raises
        ------
        LayoutError
            If not even one fits.
        """
        slots = (parameters.bits - 2) // self.slot_bits
        if not slots:
            raise LayoutError(f"a slot of {self.slot_bits} bits does not fit a plaintext of {parameters.bits} bits")
        return slots

    def ciphertexts(self, parameters: PublicParameters) -> int:
        """How many plaintexts, and so ciphertexts, hold all values; the last one may have empty slots."""
        return -(-self.count // self.slots(parameters))

    def pack(self, values: Sequence[int] | NDArray[np.integer], parameters: PublicParameters) -> list[int]:
        """Signed plaintexts sum_i v_i 2^(wi).

        Raises
        ------
        LayoutError
            If there are not `count` values.
        PlaintextRangeError
            If one lies outside [-2^(b-1), 2^(b-1)).
        """
        held: list[int] = values.tolist() if isinstance(values, np.ndarray) else list(values)
        if len(held) != self.count:
            raise LayoutError(f"the layout is for {self.count} values, not for {len(held)}")
        bound = 1 << (self.value_bits - 1)
        if min(held) < -bound or max(held) >= bound:
            raise PlaintextRangeError(f"a value does not fit {self.value_bits} signed bits")
        return [
            int(join_digits([value + bound for value in chunk], self.slot_bits) - self._repeat(bound, len(chunk)))
            for chunk in self._chunks(held, parameters)
        ]

    def unpack(self, plaintexts: Sequence[int], parameters: PublicParameters) -> list[int]:
        """Exact values, each in [-2^(l-1), 2^(l-1)]; the inverse of `pack`, also of sums of packed plaintexts.

        Raises
        ------
        LayoutError
            If the number of plaintexts is not the layout's.
        DecryptionError
            If one holds anything else than values of this layout.
        """
        offset = self.slot_offset
        shifted = [m + o for m, o in zip(plaintexts, self._offsets_for(plaintexts, parameters), strict=True)]
        slots = self._split(shifted, parameters)
        # Empty slots must be empty: what is let through unread is an oracle to who sends crafted ciphertexts.
        if max(slots) > 2 * offset or any(slots[self.count :]):
            raise DecryptionError(_REFUSED)
        return [int(slot) - offset for slot in slots[: self.count]]

    def offset(self, parameters: PublicParameters) -> list[int]:
        """Plaintexts with 2^(l-1) in every slot in use, to be added before blinding."""
        return [
            int(self._repeat(self.slot_offset, len(chunk))) for chunk in self._chunks(range(self.count), parameters)
        ]

    def blinding(self, parameters: PublicParameters) -> tuple[NDArray[np.uint64], list[int]]:
        """Fresh masks: rho_i mod 2^64 for every value, and the plaintexts R = sum_i rho_i 2^(wi) to add.

        rho_i is uniform in [0, 2^(l+sigma)). Empty slots are masked as well, in case a sender filled them.

        Raises
        ------
        LayoutError
            If the layout leaves no room for blinding (sigma = 0).
        """
        if not self.sigma:
            raise LayoutError("a layout with sigma = 0 has no room for blinding: only its recipient may open it")
        slots = self.slots(parameters)
        clear_top = self._repeat((1 << (self.total_bits + self.sigma)) - 1, slots)
        masks = [random_bits(slots * self.slot_bits) & clear_top for _ in range(self.ciphertexts(parameters))]
        return _residues(self._split(masks, parameters)[: self.count]), [int(mask) for mask in masks]

    def unpack_blinded(self, plaintexts: Sequence[int], parameters: PublicParameters) -> list[int]:
        """Slots v + offset + rho, exact, each in [0, 2^w).

        Raises
        ------
        LayoutError
            If the number of plaintexts is not the layout's.
        DecryptionError
            If a plaintext is negative or longer than its slots.
        """
        return [int(slot) for slot in self._split(plaintexts, parameters)[: self.count]]

    def unpack_blinded_residues(self, plaintexts: Sequence[int], parameters: PublicParameters) -> NDArray[np.uint64]:
        """`unpack_blinded` modulo 2^64: one unit's additive share of v + offset, beside -rho of the other."""
        return _residues(self._split(plaintexts, parameters)[: self.count])

    def _repeat(self, value: int, times: int) -> Integer:
        return join_digits([value] * times, self.slot_bits)

    def _chunks(self, values: Sequence[int], parameters: PublicParameters) -> Iterable[Sequence[int]]:
        slots = self.slots(parameters)
        return (values[start : start + slots] for start in range(0, len(values), slots))

    def _offsets_for(self, plaintexts: Sequence[int], parameters: PublicParameters) -> list[int]:
        if len(plaintexts) != self.ciphertexts(parameters):
            raise LayoutError(f"the layout has {self.ciphertexts(parameters)} plaintexts, not {len(plaintexts)}")
        return self.offset(parameters)

    def _split(self, plaintexts: Sequence[int] | Sequence[Integer], parameters: PublicParameters) -> list[Integer]:
        """All slots of non-negative plaintexts, the empty ones at the end included."""
        if len(plaintexts) != self.ciphertexts(parameters):
            raise LayoutError(f"the layout has {self.ciphertexts(parameters)} plaintexts, not {len(plaintexts)}")
        slots, limit = self.slots(parameters), self.slots(parameters) * self.slot_bits
        values: list[Integer] = []
        for plaintext in plaintexts:
            if plaintext < 0 or plaintext.bit_length() > limit:
                raise DecryptionError(_REFUSED)
            digits = split_digits(plaintext, self.slot_bits)
            values += digits
            values += [Integer(0)] * (slots - len(digits))
        return values


def _residues(slots: Iterable[Integer]) -> NDArray[np.uint64]:
    return np.array([int(slot & _WORD) for slot in slots], dtype=np.uint64)
