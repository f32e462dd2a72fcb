"""Many small integers to one ciphertext, added without opening it and never past what its layout planned for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from privml.crypto.dtpkc import CiphertextVector, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.layout import Layout
from privml.errors import CapacityError, LayoutError

__all__ = ["Layout", "PackedCiphertext"]


@dataclass(frozen=True, slots=True)
class PackedCiphertext:
    """Ciphertexts whose plaintexts are the slots of a layout.

    Parameters
    ----------
    vector
        As many ciphertexts as the layout needs.
    layout
        Where the values lie.
    additions_used
        How many values each slot is the sum of so far, 0 to `layout.additions`.

    Raises
    ------
    LayoutError
        If the vector has another length than the layout needs.
    CapacityError
        If `additions_used` is not within the plan.
    """

    vector: CiphertextVector
    layout: Layout
    additions_used: int = 1

    def __post_init__(self) -> None:
        needed = self.layout.ciphertexts(self.vector.parameters)
        if len(self.vector) != needed:
            raise LayoutError(f"the layout needs {needed} ciphertexts, not {len(self.vector)}")
        if not 0 <= self.additions_used <= self.layout.additions:
            raise CapacityError(f"{self.additions_used} additions, where the layout planned {self.layout.additions}")

    @classmethod
    def encrypt(
        cls, values: Sequence[int] | NDArray[np.integer], layout: Layout, encryptor: Encryptor
    ) -> PackedCiphertext:
        """Pack and encrypt; the errors are those of `Layout.pack`."""
        plaintexts = layout.pack(values, encryptor.parameters)
        return cls(encryptor.encrypt_vector(plaintexts), layout)

    def __repr__(self) -> str:
        return f"PackedCiphertext({self.layout}, {self.additions_used} additions used)"

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""
        return self.vector.parameters

    def decrypt(self, key: WeakPrivateKey, *, n_jobs: int = 1) -> list[int]:
        """Values, by weak decryption.

        Raises
        ------
        DecryptionError
            If a ciphertext is corrupt or its plaintext not of this layout; the error does not say which.
        """
        return self.layout.unpack(key.decrypt_vector(self.vector, n_jobs=n_jobs), self.parameters)

    def __add__(self, other: PackedCiphertext) -> PackedCiphertext:
        """Slotwise sums.

        Raises
        ------
        LayoutError
            If the layouts differ.
        CapacityError
            If the sum would exceed the planned number of additions.
        """
        if not isinstance(other, PackedCiphertext):
            return NotImplemented
        used = self._use(other)
        return PackedCiphertext(self.vector + other.vector, self.layout, used)

    def __sub__(self, other: PackedCiphertext) -> PackedCiphertext:
        """Slotwise differences; uses up additions like a sum, and raises the same."""
        if not isinstance(other, PackedCiphertext):
            return NotImplemented
        used = self._use(other)
        return PackedCiphertext(self.vector - other.vector, self.layout, used)

    def rerandomise(self, encryptor: Encryptor) -> PackedCiphertext:
        """Rerandomise: the same values under fresh randomness."""
        return PackedCiphertext(encryptor.rerandomise_vector(self.vector), self.layout, self.additions_used)

    def _use(self, other: PackedCiphertext) -> int:
        self._check_layout(other)
        used = self.additions_used + other.additions_used
        if used > self.layout.additions:
            raise CapacityError(f"{used} additions would exceed the {self.layout.additions} that the layout planned")
        return used

    def _check_layout(self, other: PackedCiphertext) -> None:
        if self.layout != other.layout:
            raise LayoutError(f"{self.layout} and {other.layout} do not go together")
