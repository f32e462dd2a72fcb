"""The first 128 oblivious transfers, by Diffie-Hellman on X25519.

For each transfer the receiver sends two public keys and knows the private key of one of them, the one its choice bit
names (Bellare and Micali, CRYPTO 1989; Naor and Pinkas, SODA 2001). The sender answers with one ephemeral public key;
pad j of transfer i is HKDF of the shared secret with key j. The receiver can compute the pad of its choice only.

Why the sender does not see the choice: both keys are uniform among the u-coordinates of the subgroup of prime order l,
up to a statistical distance of 2^-126.

- The chosen key is 8k times the base point with k uniform in [2^251, 2^252) (clamping). Points of one u-coordinate are
  those of k and l - k; with l = 2^252 + 2^124.6 the range holds one of each such couple, but for about 2^124 couples.
- The other key is X25519(s, u): s = 8k' as above, u the coordinate of a uniform point P *of the curve*. 8P is uniform
  in the subgroup, whatever k', since each of its elements has eight preimages and k' is invertible modulo l.

A u that was not checked to lie on the curve would lie on the twist half of the time, and so would the key; a key made
without a multiple of 8 would lie outside the subgroup seven times out of eight. Either can be seen by the sender.

Why the receiver does not learn the other pad: the other key is a random group element whose discrete logarithm nobody
knows (P comes without one), so the shared secret is the answer to a computational Diffie-Hellman challenge, and HKDF is
taken for a random oracle. About 126 bits of security.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from privml.crypto.prg import derive_key
from privml.crypto.randomness import random_bytes
from privml.crypto.secret import Secret
from privml.crypto.transcript import Transcript
from privml.errors import FrameSizeError, ProtocolError
from privml.units.ot.curve import POINT_BYTES, random_coordinate

TRANSFERS: Final = 128
"""Base transfers: the security parameter of the extension."""

REQUEST_BYTES: Final = 2 * TRANSFERS * POINT_BYTES
ANSWER_BYTES: Final = POINT_BYTES


class BaseReceiver(Secret):
    """The receiver of 128 transfers.

    Parameters
    ----------
    choices
        16 secret bytes: the choice bits, least significant first.
    context
        What both sides agree the transfers are for.

    Attributes
    ----------
    request
        The message to the sender: 128 pairs of public keys.
    """

    def __init__(self, choices: bytes, context: bytes) -> None:
        self._bits = choice_bits(choices)
        self._context = context
        self._private_keys = [_fresh_private_key() for _ in range(TRANSFERS)]
        pairs = ((private.public_key().public_bytes_raw(), _key_without_logarithm()) for private in self._private_keys)
        self.request = b"".join(
            other + known if bit else known + other for bit, (known, other) in zip(self._bits, pairs, strict=True)
        )

    def keys(self, answer: bytes) -> list[bytes]:
        """Return the pads of the chosen keys, 32 bytes each, from the sender's answer.

        Raises
        ------
        ProtocolError
            The answer is no public key.
        """
        digest = _digest(self._context, self.request, answer)
        return [
            _pad(private, answer, digest, index, bit)
            for index, (private, bit) in enumerate(zip(self._private_keys, self._bits, strict=True))
        ]


def answer_request(request: bytes, context: bytes) -> tuple[bytes, list[tuple[bytes, bytes]]]:
    """Return the sender's answer to a request, and its 128 pairs of pads.

    Raises
    ------
    ProtocolError
        The request has another length, or holds a key of small order.
    """
    if len(request) != REQUEST_BYTES:
        raise FrameSizeError(f"a request for base transfers has {REQUEST_BYTES} bytes, not {len(request)}")
    private = _fresh_private_key()
    answer = private.public_key().public_bytes_raw()
    digest = _digest(context, request, answer)
    keys = [request[start : start + POINT_BYTES] for start in range(0, REQUEST_BYTES, POINT_BYTES)]
    pads = [_pad(private, key, digest, *divmod(index, 2)) for index, key in enumerate(keys)]
    return answer, list(zip(pads[::2], pads[1::2], strict=True))


def choice_bits(packed: bytes) -> list[int]:
    """Take 16 bytes apart into 128 bits, least significant first."""
    return [packed[index // 8] >> index % 8 & 1 for index in range(8 * len(packed))]


def _fresh_private_key() -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(random_bytes(POINT_BYTES))


def _key_without_logarithm() -> bytes:
    """Return a uniform element of the subgroup that nobody knows the discrete logarithm of."""
    return _fresh_private_key().exchange(X25519PublicKey.from_public_bytes(random_coordinate()))


def _digest(context: bytes, request: bytes, answer: bytes) -> bytes:
    transcript = Transcript("privml-base-ot")
    transcript.absorb(context, request, answer)
    return transcript.digest()


def _pad(private: X25519PrivateKey, public: bytes, digest: bytes, index: int, bit: int) -> bytes:
    try:
        shared = private.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError:
        raise ProtocolError("the peer sent a public key of small order in a base transfer") from None
    return derive_key(shared, "privml-base-ot", digest, index, bit)
