"""Proof that whoever registers a public key h = g^theta knows theta.

Without it an attacker registers somebody's T1 as "h": a seed (T1 = h, r = 1, m = 0) then carries an honest proof of
plaintext knowledge, and two-step decryption opens the victim's plaintext.
"""

from __future__ import annotations

from typing import Final

from privml.crypto.arithmetic import are_units
from privml.crypto.dtpkc import PublicKey, WeakPrivateKey
from privml.crypto.schnorr import SchnorrProof, prove, verify
from privml.errors import RegistrationError, SettingError

KeyProof = SchnorrProof
MAX_IDENTITY_BYTES: Final = 255

_LABEL = "dtpkc-key"


def check_identity(identity: str) -> None:
    """Make sure that an identity is 1 to 255 bytes of printable text.

    Raises
    ------
    SettingError
        If it is not.
    """
    if not identity.isprintable() or not 1 <= len(identity.encode()) <= MAX_IDENTITY_BYTES:
        raise SettingError(f"an identity is 1 to {MAX_IDENTITY_BYTES} bytes of printable text, not {identity!r}")


def prove_key(key: WeakPrivateKey, identity: str) -> KeyProof:
    """Prove knowledge of theta with e = H("dtpkc-key", N, g, h, identity, A), bound to the identity that registers.

    Parameters
    ----------
    key
        The private key.
    identity
        Who registers: 1 to 255 bytes of printable text.

    Raises
    ------
    SettingError
        If the identity is not.
    """
    check_identity(identity)
    return prove(key, _LABEL, identity)


def verify_key(public_key: PublicKey, identity: str, proof: KeyProof) -> None:
    """Check the proof, and that h is neither 1 nor -1 nor shares a factor with N.

    Raises
    ------
    RegistrationError
        If anything is wrong; the message says what, for nothing here is secret.
    """
    try:
        check_identity(identity)
    except SettingError as error:
        raise RegistrationError(str(error)) from None
    h, parameters = public_key.element, public_key.parameters
    if proof.parameters != parameters:
        raise RegistrationError(f"the proof for {identity!r} belongs to other public parameters than its key")
    if not (0 < h < parameters.modulus_squared and are_units([h], parameters.modulus)):
        raise RegistrationError(f"the public key of {identity!r} is not a unit modulo N²")
    if h in {1, parameters.modulus_squared - 1}:
        raise RegistrationError(f"the public key of {identity!r} is trivial")
    if not verify(public_key, proof, _LABEL, identity):
        raise RegistrationError(f"{identity!r} did not prove to know the private key")
