"""The three zero-knowledge proofs that whatever comes from outside must carry.

All are non-interactive by Fiat-Shamir over `privml.crypto.transcript`, and bound to who sends what for which purpose.
"""

from privml.crypto.key_proof import KeyProof, prove_key, verify_key
from privml.crypto.paillier_proof import PaillierProof, prove_paillier, verify_paillier
from privml.crypto.plaintext_proof import PlaintextProof, prove_plaintexts, verify_plaintexts

__all__ = [
    "KeyProof",
    "PaillierProof",
    "PlaintextProof",
    "prove_key",
    "prove_paillier",
    "prove_plaintexts",
    "verify_key",
    "verify_paillier",
    "verify_plaintexts",
]
