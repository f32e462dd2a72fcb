"""Requests that only the holder of a registered key can make (Schnorr, J. Cryptology 1991, over the integers)."""

from __future__ import annotations

from privml.crypto.dtpkc import PublicKey, WeakPrivateKey
from privml.crypto.schnorr import SchnorrProof, prove, verify
from privml.errors import ProofError

Signature = SchnorrProof

_LABEL = "dtpkc-request"


def sign(key: WeakPrivateKey, request: bytes) -> Signature:
    """Sign a request with theta.

    Parameters
    ----------
    key
        The private key.
    request
        What is asked, encoded with everything that it is about; it says itself what it is for.
    """
    return prove(key, _LABEL, request)


def verify_signature(public_key: PublicKey, request: bytes, signature: Signature) -> None:
    """Check a signature under a registered key.

    Raises
    ------
    ProofError
        It is no signature of this request under this key.
    """
    if not verify(public_key, signature, _LABEL, request):
        raise ProofError("the request was not signed by the owner of the key")
