"""python-paillier as an oracle that somebody else wrote, in both directions."""

import phe
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.crypto.dtpkc import KeyShare, PublicParameters
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey
from privml.crypto.paillier import from_paillier, to_paillier
from privml.errors import NotAUnitError, ParameterMismatchError

Shares = tuple[KeyShare, KeyShare]
WORDS = st.integers(-(1 << 63), 1 << 63)


@pytest.fixture(scope="module")
def their_public_key(parameters: PublicParameters) -> phe.PaillierPublicKey:
    return phe.PaillierPublicKey(int(parameters.modulus))


@pytest.fixture(scope="module")
def their_private_key(strong_key: StrongKey, their_public_key: phe.PaillierPublicKey) -> phe.PaillierPrivateKey:
    p, q = strong_key.factors
    return phe.PaillierPrivateKey(their_public_key, int(p), int(q))


def signed(m: int, n: int) -> int:
    return m if m <= n // 2 else m - n


@given(m=WORDS)
def test_ours_is_opened_by_theirs(
    m: int, encryptor: Encryptor, parameters: PublicParameters, their_private_key: phe.PaillierPrivateKey
) -> None:
    (raw,) = to_paillier(encryptor.encrypt_vector([m]))
    assert signed(their_private_key.raw_decrypt(raw), int(parameters.modulus)) == m


@given(m=WORDS)
def test_theirs_is_opened_by_ours(
    m: int, parameters: PublicParameters, key_shares: Shares, their_public_key: phe.PaillierPublicKey
) -> None:
    master, secondary = key_shares
    raw = their_public_key.raw_encrypt(m % their_public_key.n)
    vector = from_paillier(parameters, their_public_key.n, [raw])
    assert vector.t2 is None
    assert secondary.complete(vector.t1, master.halves(vector.t1)) == [m]


@given(a=WORDS, b=WORDS, k=st.integers(-1000, 1000))
def test_homomorphic_results_agree_in_both_directions(
    *,
    a: int,
    b: int,
    k: int,
    encryptor: Encryptor,
    parameters: PublicParameters,
    key_shares: Shares,
    their_public_key: phe.PaillierPublicKey,
    their_private_key: phe.PaillierPrivateKey,
) -> None:
    master, secondary = key_shares
    ours = encryptor.encrypt_vector([a])
    theirs = from_paillier(parameters, their_public_key.n, [their_public_key.encrypt(b).ciphertext()])
    mixed = ours * k + theirs
    assert secondary.complete(mixed.t1, master.halves(mixed.t1)) == [a * k + b]
    assert signed(their_private_key.raw_decrypt(to_paillier(mixed)[0]), int(parameters.modulus)) == a * k + b
    # ... and with their arithmetic on our ciphertext.
    as_theirs = phe.EncryptedNumber(their_public_key, to_paillier(ours)[0]) * k + b
    assert their_private_key.decrypt(as_theirs) == a * k + b
    back = from_paillier(parameters, their_public_key.n, [as_theirs.ciphertext()])
    assert secondary.complete(back.t1, master.halves(back.t1)) == [a * k + b]


def test_what_is_no_ciphertext_here_is_refused(
    parameters: PublicParameters, other_parameters: PublicParameters, strong_key: StrongKey
) -> None:
    with pytest.raises(ParameterMismatchError):
        from_paillier(parameters, int(other_parameters.modulus), [1])
    n = int(parameters.modulus)
    for raw in (0, int(strong_key.factors[0]), n, n * n, n * n + 1, -1):
        with pytest.raises(NotAUnitError):
            from_paillier(parameters, n, [1, raw])


def test_they_are_plain_integers(encryptor: Encryptor) -> None:
    assert type(to_paillier(encryptor.encrypt_vector([1]))[0]) is int
