"""DT-PKC: the Distributed Two-Trapdoors Public-Key Cryptosystem (Liu, Deng, Choo, Weng, IEEE TIFS 2016).

One modulus, two ways to decrypt. The holder of theta, h = g^theta, opens what was encrypted under h (weak decryption).
The two holders of a split strong key together open everything under every h, and apart nothing (two-step decryption).

The strong key has the N-th-root form here: d = N^-1 mod lambda. T1 mod N is the N-th power of exactly one y modulo N,
y = (T1 mod N)^d, and T1 = (1 + mN) y^N mod N². With d = d_M + d_S mod lambda, d_M uniform in [0, lambda), each holder
computes a half (T1 mod N)^d_X mod N; the halves multiply to y, and m = L(T1 y^-N mod N²).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from privml.crypto.arithmetic import Integer, gcd, inverse, powers, secret_power, secret_powers
from privml.crypto.ciphertext import Ciphertext, CiphertextVector
from privml.crypto.parameters import PublicParameters
from privml.crypto.randomness import random_below
from privml.crypto.secret import Secret
from privml.crypto.transcript import encode
from privml.errors import DecryptionError, NotAUnitError, SettingError

__all__ = ["Bounds", "Ciphertext", "CiphertextVector", "KeyShare", "PublicKey", "PublicParameters", "WeakPrivateKey"]
__all__ += ["combine"]

Bounds: TypeAlias = tuple[int, int]
"""(lowest, highest) plaintext that is acceptable, both included."""

_REFUSED = "this does not decrypt: corrupt, under another key, or outside the expected layout"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An owner's or client's h = g^theta mod N².

    Anybody can compute one from somebody else's ciphertexts; a key counts only after its holder proved knowledge of
    theta (`privml.crypto.key_proof`).

    Parameters
    ----------
    parameters
        The public parameters.
    element
        h in [1, N²), coprime to N, and neither 1 nor -1 modulo a prime of N.

    Raises
    ------
    NotAUnitError
        If h is no unit modulo N².
    SettingError
        If h is 1 or -1 modulo a prime of N, so that ciphertexts would hide nothing.
    """

    parameters: PublicParameters
    element: Integer
    digest: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        h, n = Integer(self.element), self.parameters.modulus
        self.parameters.check_unit(h)
        if gcd(h - 1, n) != 1 or gcd(h + 1, n) != 1:
            raise SettingError("h must not be 1 or -1 modulo N or one of its primes")
        object.__setattr__(self, "element", h)
        encoded = encode("privml", "dtpkc-public-key", 1, self.parameters.digest, h)
        object.__setattr__(self, "digest", hashlib.sha256(encoded).digest())

    def __repr__(self) -> str:
        return f"PublicKey(digest {self.digest.hex()[:16]}; {self.parameters})"


@dataclass(frozen=True, slots=True)
class WeakPrivateKey(Secret):
    """theta, which opens what was encrypted under h = g^theta.

    Parameters
    ----------
    parameters
        The public parameters.
    theta
        Secret, in [1, N/2).

    Raises
    ------
    SettingError
        If theta lies outside.
    """

    parameters: PublicParameters
    theta: Integer = field(repr=False)
    public_key: PublicKey = field(init=False, compare=False)

    def __post_init__(self) -> None:
        parameters = self.parameters
        if not 1 <= self.theta <= parameters.half_modulus:
            raise SettingError("theta lies in [1, N/2)")
        object.__setattr__(self, "theta", Integer(self.theta))
        element = secret_power(parameters.generator, self.theta, parameters.modulus_squared)
        object.__setattr__(self, "public_key", PublicKey(parameters, element))

    @classmethod
    def generate(cls, parameters: PublicParameters) -> WeakPrivateKey:
        """Draw a fresh key; made by its owner, not by the authority."""
        return cls(parameters, 1 + random_below(parameters.half_modulus))

    def decrypt(self, ciphertext: Ciphertext, bounds: Bounds | None = None) -> int:
        """Weak decryption: m = L(T1 T2^-theta mod N²), signed.

        Parameters
        ----------
        ciphertext
            (T1, T2) encrypted under this key's h.
        bounds
            Lowest and highest acceptable plaintext. Give them wherever an answer leaves a trace that others can see:
            (T1, T2 (1 + N)), for one, decrypts to m - theta.

        Raises
        ------
        DecryptionError
            If the result is not 1 modulo N or m lies outside the bounds; the error does not say which.
        NotAUnitError
            If a component is no unit modulo N².
        SettingError
            If the ciphertext has no T2.
        ParameterMismatchError
            If it belongs to other parameters.
        """
        return self.decrypt_vector(CiphertextVector.of(self.parameters, [ciphertext]), bounds)[0]

    def decrypt_vector(self, vector: CiphertextVector, bounds: Bounds | None = None, *, n_jobs: int = 1) -> list[int]:
        """`decrypt` for every element, on `n_jobs` threads; raises if a single one does not decrypt."""
        parameters, n2 = self.parameters, self.parameters.modulus_squared
        parameters.check_same(vector.parameters)
        if vector.t2 is None:
            raise SettingError("weak decryption needs T2; this ciphertext is for two-step decryption")
        vector.check()
        masks = secret_powers(vector.t2, self.theta, n2, n_jobs=n_jobs)
        plaintexts = [parameters.extract(t1 * inverse(s, n2) % n2) for t1, s in zip(vector.t1, masks, strict=True)]
        if bounds is not None and not all(bounds[0] <= m <= bounds[1] for m in plaintexts):
            raise DecryptionError(_REFUSED)
        return plaintexts


@dataclass(frozen=True, slots=True)
class KeyShare(Secret):
    """One unit's share d_X of the strong key, with d_M + d_S = N^-1 mod lambda.

    Each share alone is uniform in [0, lambda), whatever the key, and every plaintext of a ciphertext stays equally
    consistent with it. `privml.crypto.keygen.StrongKey.split` makes the two.

    Parameters
    ----------
    parameters
        The public parameters.
    exponent
        d_X, secret, in [0, N).

    Raises
    ------
    SettingError
        If the exponent lies outside.
    """

    parameters: PublicParameters
    exponent: Integer = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.exponent < self.parameters.modulus:
            raise SettingError("a share of the strong key lies in [0, N)")
        object.__setattr__(self, "exponent", Integer(self.exponent))

    def halves(self, t1s: Sequence[Integer], *, n_jobs: int = 1) -> list[Integer]:
        """First step of two-step decryption: (T1 mod N)^d_X mod N for each T1, by the side-channel silent power.

        Only ever of ciphertexts that this unit may see opened: freshly rerandomised and blinded ones, or an owner's
        seed. The product y of both halves is a function of the encryption's randomness alone.

        Raises
        ------
        NotAUnitError
            If a T1 is no unit modulo N², or outside [1, N²).
        """
        self.parameters.check_units(t1s)
        n = self.parameters.modulus
        return secret_powers([t1 % n for t1 in t1s], self.exponent, n, n_jobs=n_jobs)

    def complete(self, t1s: Sequence[Integer], peer_halves: Sequence[Integer], *, n_jobs: int = 1) -> list[int]:
        """Second step: this unit's own halves, combined with those that came from the peer; see `combine`."""
        own_halves = self.halves(t1s, n_jobs=n_jobs)
        return combine(self.parameters, t1s, own_halves, peer_halves, n_jobs=n_jobs)


def combine(
    parameters: PublicParameters,
    t1s: Sequence[Integer],
    own_halves: Sequence[Integer],
    peer_halves: Sequence[Integer],
    *,
    n_jobs: int = 1,
) -> list[int]:
    """Signed plaintexts m = L(T1 y^-N mod N²) with y = half_M half_S mod N, under whatever h they were encrypted.

    Every unit T1 decrypts to something: this says nothing about well-formedness, which comes from proofs, nor about
    ranges, which come from layouts.

    Parameters
    ----------
    t1s
        Units modulo N², as checked by `KeyShare.halves`.
    own_halves, peer_halves
        The halves of both units, one for each T1, in [1, N).
    n_jobs
        Number of joblib workers for the public exponent N.

    Raises
    ------
    DecryptionError
        If T1 y^-N is not 1 modulo N: a half is corrupt, of another ciphertext or of another key.
    NotAUnitError
        If a half lies outside [1, N) or shares a factor with N.
    SettingError
        If the numbers of ciphertexts and halves differ.
    """
    n, n2 = parameters.modulus, parameters.modulus_squared
    if not len(t1s) == len(own_halves) == len(peer_halves):
        raise SettingError(f"{len(t1s)} ciphertexts with {len(own_halves)} own and {len(peer_halves)} peer halves")
    if not all(0 < half < n for half in peer_halves):
        raise NotAUnitError("a half lies outside [1, N)")
    roots = [own * peer % n for own, peer in zip(own_halves, peer_halves, strict=True)]
    masks = powers(roots, n, n2, n_jobs=n_jobs)
    return [parameters.extract(t1 * inverse(mask, n2) % n2) for t1, mask in zip(t1s, masks, strict=True)]
