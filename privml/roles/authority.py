"""The key generation centre."""

from __future__ import annotations

from privml.crypto.dtpkc import KeyShare, PublicParameters
from privml.crypto.keygen import StrongKey, generate
from privml.crypto.secret import Secret
from privml.errors import AuthorisationError
from privml.units.dealer import Dealer


class Authority(Secret):
    """Makes the key pair, splits the strong key between the units, and deals correlated randomness; sees no ciphertext.

    The strong key exists from `create` to `hand_out`, which gives each unit its share and forgets the key.

    Parameters
    ----------
    parameters, strong_key
        As `privml.crypto.keygen.generate` made them.
    """

    def __init__(self, parameters: PublicParameters, strong_key: StrongKey) -> None:
        self.parameters = parameters
        self._strong_key: StrongKey | None = strong_key

    @classmethod
    def create(cls, bits: int = 2048, *, allow_insecure_test_size: bool = False) -> Authority:
        """Make fresh keys.

        Parameters
        ----------
        bits
            2048 (112-bit security) or 3072 (128-bit); 1024 warns.
        allow_insecure_test_size
            Allows 512 bits, for tests.

        Raises
        ------
        SettingError
            Another size.
        """
        return cls(*generate(bits, allow_insecure_test_size=allow_insecure_test_size))

    def __repr__(self) -> str:
        return f"Authority({self.parameters})"

    def hand_out(self) -> tuple[KeyShare, KeyShare]:
        """Split the strong key uniformly, for the Master and the Secondary, and forget it.

        Raises
        ------
        AuthorisationError
            It was handed out before.
        """
        if self._strong_key is None:
            raise AuthorisationError("the strong key was split already, and is gone")
        shares = self._strong_key.split()
        self._strong_key.erase()
        self._strong_key = None
        return shares

    def dealer(self) -> Dealer:
        """Deal correlated randomness anew: fresh seeds, a fresh epoch."""
        return Dealer()
