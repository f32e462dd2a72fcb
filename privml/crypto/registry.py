"""Who owns which public key. Both units keep a registry of their own and believe nobody's word for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import ClassVar

from privml.crypto.dtpkc import PublicKey, PublicParameters, WeakPrivateKey
from privml.crypto.key_proof import MAX_IDENTITY_BYTES, KeyProof, prove_key, verify_key
from privml.crypto.wire_fields import FieldReader, Fields, element_width, fixed_width
from privml.errors import RegistrationError


@dataclass(frozen=True)
class KeyRegistration:
    """An identity, its public key, and the proof that it knows the private one."""

    wire_tag: ClassVar[int] = 9

    identity: str
    public_key: PublicKey
    proof: KeyProof

    @classmethod
    def create(cls, key: WeakPrivateKey, identity: str) -> KeyRegistration:
        """What the holder of `key` sends to both units to be known as `identity`."""
        return cls(identity, key.public_key, prove_key(key, identity))

    def verify(self) -> None:
        """Check the proof.

        Raises
        ------
        RegistrationError
            If it does not hold.
        """
        verify_key(self.public_key, self.identity, self.proof)

    def to_fields(self) -> Fields:
        """Identity, h and the fields of the proof."""
        width = element_width(self.public_key.parameters)
        return [self.identity, fixed_width([self.public_key.element], width), self.proof.to_fields()]

    @classmethod
    def from_fields(cls, fields: FieldReader) -> KeyRegistration:
        """Read, but do not verify: the registry does that."""
        identity = fields.text("identity", MAX_IDENTITY_BYTES)
        public_key = PublicKey(fields.parameters, fields.element("public_key"))
        return cls(identity, public_key, fields.read("proof", KeyProof.from_fields))

    def wire_parameters(self) -> PublicParameters:
        """The parameters of the key."""
        return self.public_key.parameters


class KeyRegistry:
    """The public keys that proved their private ones, by identity. Thread-safe.

    An identity keeps its first key for ever: otherwise whoever registers again could move the owner's name to a key of
    their own. Persisting is the caller's part: `registrations` gives everything, and loading registers, and so
    verifies, anew.

    Parameters
    ----------
    parameters
        The public parameters of the deployment.
    """

    def __init__(self, parameters: PublicParameters) -> None:
        self._parameters = parameters
        self._registrations: dict[str, KeyRegistration] = {}
        self._lock = threading.Lock()

    def check(self, registration: KeyRegistration) -> None:
        """Check whether `register` would keep a registration, and raise what it would raise."""
        if registration.public_key.parameters != self._parameters:
            raise RegistrationError(f"the key of {registration.identity!r} belongs to other public parameters")
        with self._lock:
            self._check_free(registration)
        registration.verify()  # outside the lock, and last: it takes milliseconds

    def keep(self, registration: KeyRegistration) -> None:
        """Keep a registration that `check` let pass, without verifying its proof again; raises as `register` does."""
        with self._lock:
            self._check_free(registration)
            self._registrations.setdefault(registration.identity, registration)

    def register(self, registration: KeyRegistration) -> None:
        """Verify a registration and keep it; the same identity with the same key again changes nothing.

        Raises
        ------
        RegistrationError
            If the key belongs to other parameters, its proof does not verify, or the identity has another key already.
        """
        self.check(registration)
        self.keep(registration)

    def _check_free(self, registration: KeyRegistration) -> None:
        kept = self._registrations.get(registration.identity, registration)
        if kept.public_key != registration.public_key:
            raise RegistrationError(f"{registration.identity!r} is registered with another key")

    def key_of(self, identity: str) -> PublicKey:
        """The key registered for an identity.

        Raises
        ------
        RegistrationError
            If there is none.
        """
        with self._lock:
            registration = self._registrations.get(identity)
        if registration is None:
            raise RegistrationError(f"{identity!r} is not registered")
        return registration.public_key

    def registrations(self) -> tuple[KeyRegistration, ...]:
        """All of them, in the order of their arrival."""
        with self._lock:
            return tuple(self._registrations.values())

    def __contains__(self, identity: object) -> bool:
        with self._lock:
            return identity in self._registrations

    def __len__(self) -> int:
        with self._lock:
            return len(self._registrations)
