"""Keys: the group they live in, which sizes exist, and that the split is uniform."""

import copy
import pickle

import pytest

from privml.crypto import keygen
from privml.crypto.arithmetic import Integer, gcd, inverse, is_probable_prime, lcm, power
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.keygen import InsecureKeySizeWarning, StrongKey, generate
from privml.errors import SecretExposureError, SettingError

Shares = tuple[KeyShare, KeyShare]


def test_the_group(strong_key: StrongKey, parameters: PublicParameters) -> None:
    p, q = strong_key.factors
    n, n2, g = parameters.modulus, parameters.modulus_squared, parameters.generator
    assert p * q == n
    assert parameters.bits == n.bit_length() == 512
    for prime in (p, q):
        assert is_probable_prime(prime)
        assert is_probable_prime((prime - 1) // 2)
        assert prime.bit_length() == 256
    order = lcm(p - 1, q - 1)
    assert gcd(n, order) == 1
    # g has order lambda = 2p'q' in the group of N-th residues: lambda kills it, no proper divisor does.
    assert power(g, order, n2) == 1
    for divisor in (2, (p - 1) // 2, (q - 1) // 2):
        assert power(g, order // divisor, n2) != 1


def test_a_real_key(strong_key_2048: StrongKey, parameters_2048: PublicParameters) -> None:
    p, q = strong_key_2048.factors
    assert parameters_2048.bits == 2048
    assert p.bit_length() == q.bit_length() == 1024
    assert power(parameters_2048.generator, lcm(p - 1, q - 1), parameters_2048.modulus_squared) == 1


def test_keys_differ(parameters: PublicParameters, other_parameters: PublicParameters) -> None:
    assert gcd(parameters.modulus, other_parameters.modulus) == 1
    assert WeakPrivateKey.generate(parameters).theta != WeakPrivateKey.generate(parameters).theta


@pytest.mark.parametrize("bits", [512, 0, -2048, 1536, 2047, 2049, 4096])
def test_other_sizes_are_refused(bits: int) -> None:
    with pytest.raises(SettingError, match=r"2048 or 3072 bits \(1024"):
        generate(bits)


def test_the_switch_allows_512_bits_and_no_other() -> None:
    with pytest.raises(SettingError):
        generate(256, allow_insecure_test_size=True)


def test_1024_bits_warn() -> None:
    assert issubclass(InsecureKeySizeWarning, UserWarning)
    with pytest.warns(InsecureKeySizeWarning, match="1024"):
        parameters, _ = generate(1024)
    assert parameters.bits == 1024


def test_equal_or_close_primes_are_drawn_again(strong_key: StrongKey, monkeypatch: pytest.MonkeyPatch) -> None:
    p, q = strong_key.factors
    drawn = iter([p, p, p, q])
    monkeypatch.setattr(keygen, "safe_prime", lambda bits: next(drawn))
    parameters, _ = generate(512, allow_insecure_test_size=True)
    assert parameters.modulus == p * q


def test_the_split_adds_up_and_each_share_ranges_over_lambda(strong_key: StrongKey) -> None:
    p, q = strong_key.factors
    order = lcm(p - 1, q - 1)
    d = inverse(strong_key.parameters.modulus, order)
    shares = [strong_key.split() for _ in range(400)]
    for master, secondary in shares:
        assert (master.exponent + secondary.exponent) % order == d
    for position in (0, 1):
        exponents = [pair[position].exponent for pair in shares]
        assert all(0 <= exponent < order for exponent in exponents)
        assert len(set(exponents)) == len(exponents)
        # Each eighth of [0, lambda) holds 50 of 400 on average; 18 or 95 would be six standard deviations away.
        counts = [sum(1 for e in exponents if 8 * e // order == eighth) for eighth in range(8)]
        assert all(10 < count < 95 for count in counts)


def test_a_share_alone_does_not_give_the_key(strong_key: StrongKey, key_shares: Shares) -> None:
    """The prototype's split over the integers did: s = 1 + N² ceil((SK1 - 1)/N²) recovered s from SK1 alone."""
    p, q = strong_key.factors
    order, n2 = lcm(p - 1, q - 1), strong_key.parameters.modulus_squared
    d = inverse(strong_key.parameters.modulus, order)
    for share in key_shares:
        rounded = 1 + n2 * -(-(share.exponent - 1) // n2)
        assert rounded % order != d
        assert share.exponent != d
    # The attack itself works where it should: on s with s = 1 mod N² and a share shorter than N².
    s = order * inverse(order, n2) % (order * n2)
    short_share = Integer(12345)
    assert 1 + n2 * -(-(s - short_share - 1) // n2) == s


def test_a_strong_key_checks_its_primes(strong_key: StrongKey, parameters: PublicParameters) -> None:
    p, q = strong_key.factors
    for a, b in ((p, p), (Integer(1), p * q), (p, q + 2), (-p, -q)):
        with pytest.raises(SettingError):
            StrongKey(parameters, a, b)


def test_a_strong_key_is_erased_and_never_shown() -> None:
    _, key = generate(512, allow_insecure_test_size=True)
    p = key.factors[0]
    assert str(int(p)) not in repr(key)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(SecretExposureError):
            leak(key)
    key.erase()
    assert "erased" in repr(key)
    with pytest.raises(SettingError):
        key.split()
    with pytest.raises(SettingError):
        _ = key.factors
