"""The cryptosystem: both decryptions, the homomorphic operators, and what they refuse."""

import copy
import pickle
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.crypto import dtpkc
from privml.crypto.arithmetic import Integer, inverse, power, secret_power, secret_powers
from privml.crypto.dtpkc import (
    Ciphertext,
    CiphertextVector,
    KeyShare,
    PublicKey,
    PublicParameters,
    WeakPrivateKey,
    combine,
)
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey
from privml.errors import (
    DecryptionError,
    NotAUnitError,
    ParameterMismatchError,
    PlaintextRangeError,
    SecretExposureError,
    SettingError,
)

Shares = tuple[KeyShare, KeyShare]
WORDS = st.integers(-(1 << 63), 1 << 63)


def two_step(shares: Shares, t1s: list[Integer]) -> list[int]:
    """Both orders of the two units, which must agree."""
    master, secondary = shares
    at_secondary = secondary.complete(t1s, master.halves(t1s))
    assert master.complete(t1s, secondary.halves(t1s)) == at_secondary
    return at_secondary


# --- both ways to decrypt ---


@given(m=WORDS)
def test_both_decryptions_invert_encryption(
    m: int, encryptor: Encryptor, owner_key: WeakPrivateKey, key_shares: Shares
) -> None:
    ciphertext = encryptor.encrypt(m)
    assert owner_key.decrypt(ciphertext) == m
    assert two_step(key_shares, [ciphertext.t1]) == [m]


def test_the_ends_of_the_plaintext_space(
    parameters: PublicParameters, encryptor: Encryptor, owner_key: WeakPrivateKey, key_shares: Shares
) -> None:
    end = int(parameters.modulus) // 2
    for m in (end, -end, 0):
        ciphertext = encryptor.encrypt(m)
        assert owner_key.decrypt(ciphertext) == m
        assert two_step(key_shares, [ciphertext.t1]) == [m]
    for m in (end + 1, -end - 1):
        with pytest.raises(PlaintextRangeError):
            encryptor.encrypt(m)


def test_a_real_key_size(encryptor_2048: Encryptor, owner_key_2048: WeakPrivateKey, key_shares_2048: Shares) -> None:
    vector = encryptor_2048.encrypt_vector([0, -1, 1 << 2000])
    assert owner_key_2048.decrypt_vector(vector, n_jobs=2) == [0, -1, 1 << 2000]
    master, secondary = key_shares_2048
    assert secondary.complete(vector.t1, master.halves(vector.t1, n_jobs=2), n_jobs=2) == [0, -1, 1 << 2000]


@given(a=WORDS, b=WORDS)
def test_two_step_decryption_works_under_every_h_and_on_products_across(
    *,
    a: int,
    b: int,
    encryptor: Encryptor,
    client_key: WeakPrivateKey,
    parameters: PublicParameters,
    key_shares: Shares,
) -> None:
    theirs = Encryptor(client_key.public_key, window=4).encrypt(b)
    nobodys = Encryptor.without_recipient(parameters, window=4).encrypt(1)
    total = encryptor.encrypt(a) + theirs + nobodys
    assert two_step(key_shares, [theirs.t1, total.t1]) == [b, a + b + 1]
    assert total.t2 is None  # one summand had none


def test_two_step_decryption_opens_every_unit(parameters: PublicParameters, key_shares: Shares) -> None:
    """That is: its check says nothing about well-formedness."""
    arbitrary = [power(Integer(3), Integer(k), parameters.modulus_squared) for k in (1, 10**9, 10**60)]
    assert all(abs(m) <= parameters.half_modulus for m in two_step(key_shares, arbitrary))


def test_weak_decryption_refuses_another_key_and_mixed_keys(
    encryptor: Encryptor, owner_key: WeakPrivateKey, client_key: WeakPrivateKey
) -> None:
    theirs = Encryptor(client_key.public_key, window=4).encrypt(1)
    for ciphertext in (theirs, theirs + encryptor.encrypt(1)):
        with pytest.raises(DecryptionError):
            owner_key.decrypt(ciphertext)


def test_bounds_stop_a_ciphertext_that_would_return_theta(
    parameters: PublicParameters, encryptor: Encryptor, owner_key: WeakPrivateKey
) -> None:
    honest = encryptor.encrypt(5)
    assert honest.t2 is not None
    crafted = Ciphertext(parameters, honest.t1, honest.t2 * (1 + parameters.modulus) % parameters.modulus_squared)
    assert owner_key.decrypt(crafted) == 5 - owner_key.theta  # without bounds: the key itself
    with pytest.raises(DecryptionError) as out_of_bounds:
        owner_key.decrypt(crafted, (-100, 100))
    broken = Ciphertext(parameters, honest.t1 * 2 % parameters.modulus_squared, honest.t2)
    with pytest.raises(DecryptionError) as not_one:
        owner_key.decrypt(broken, (-100, 100))
    assert str(out_of_bounds.value) == str(not_one.value)
    assert owner_key.decrypt(honest, (5, 5)) == 5


def test_weak_decryption_needs_t2(
    owner_key: WeakPrivateKey, encryptor: Encryptor, parameters: PublicParameters
) -> None:
    with pytest.raises(SettingError, match="T2"):
        owner_key.decrypt(Ciphertext(parameters, encryptor.encrypt(5).t1))


# --- a share alone ---


def test_every_plaintext_is_equally_consistent_with_one_share(
    strong_key: StrongKey, encryptor: Encryptor, parameters: PublicParameters, key_shares: Shares
) -> None:
    """For a unit's share, its half and any plaintext m', exactly one half of the peer explains m', and it is a unit."""
    t1 = encryptor.encrypt(42).t1
    for share, peer in (key_shares, key_shares[::-1]):
        (own,) = share.halves([t1])
        assert combine(parameters, [t1], [own], peer.halves([t1])) == [42]
        # The N-th root of T1 (1 + (42 - m')N) is y for every m': what m' is does not move the peer's half ...
        p, q = strong_key.factors
        y = power(t1 % parameters.modulus, inverse(parameters.modulus, (p - 1) * (q - 1)), parameters.modulus)
        for shift in (0, 1, -42, 10**30):
            shifted = t1 * parameters.embed(shift) % parameters.modulus_squared
            (explaining,) = peer.halves([shifted])
            assert explaining == y * inverse(own, parameters.modulus) % parameters.modulus
            assert share.halves([shifted]) == [own]  # ... nor the unit's own, so neither says anything about m


def test_completing_with_one_half_alone_fails(
    encryptor: Encryptor, parameters: PublicParameters, key_shares: Shares
) -> None:
    t1 = encryptor.encrypt(42).t1
    for share in key_shares:
        (half,) = share.halves([t1])
        for second in (Integer(1), half, inverse(half, parameters.modulus), t1 % parameters.modulus):
            with pytest.raises(DecryptionError):
                combine(parameters, [t1], [half], [second])


def test_the_whole_key_by_itself_needs_no_second_half(
    strong_key: StrongKey, encryptor: Encryptor, parameters: PublicParameters
) -> None:
    """What a split must not hand out: the sum of the shares opens alone, so the test above can fail."""
    master, secondary = strong_key.split()
    p, q = strong_key.factors
    whole = KeyShare(parameters, (master.exponent + secondary.exponent) % ((p - 1) * (q - 1)))
    t1s = [encryptor.encrypt(42).t1]
    assert combine(parameters, t1s, whole.halves(t1s), [Integer(1)]) == [42]


def test_shares_of_different_splits_do_not_go_together(
    strong_key: StrongKey, encryptor: Encryptor, key_shares: Shares
) -> None:
    t1s = [encryptor.encrypt(42).t1]
    with pytest.raises(DecryptionError):
        key_shares[1].complete(t1s, strong_key.split()[0].halves(t1s))


# --- what two-step decryption refuses ---


def test_corrupt_halves_and_ciphertexts(encryptor: Encryptor, parameters: PublicParameters, key_shares: Shares) -> None:
    master, secondary = key_shares
    t1s = list(encryptor.encrypt_vector([1, 2]).t1)
    halves = master.halves(t1s)
    n = parameters.modulus
    for corrupt in ([halves[0], halves[1] * 2 % n], halves[::-1], [halves[0], n - halves[1]]):
        with pytest.raises(DecryptionError):
            secondary.complete(t1s, corrupt)
    with pytest.raises(DecryptionError):  # a half of another ciphertext
        secondary.complete([t1s[0] * 2 % parameters.modulus_squared, t1s[1]], halves)


def test_non_units_and_elements_out_of_range(
    strong_key: StrongKey, encryptor: Encryptor, parameters: PublicParameters, key_shares: Shares
) -> None:
    master, secondary = key_shares
    p, _ = strong_key.factors
    n, n2 = parameters.modulus, parameters.modulus_squared
    good = encryptor.encrypt(1).t1
    for bad in (Integer(0), p, n, p * p, n2 - p, n2, n2 + good, -good):
        with pytest.raises(NotAUnitError):
            parameters.check_unit(bad)
        with pytest.raises(NotAUnitError):
            master.halves([good, bad])
    (half,) = master.halves([good])
    for bad_half in (Integer(0), p, n, half + n, -half):
        with pytest.raises(NotAUnitError):
            secondary.complete([good], [bad_half])


def test_weak_decryption_and_checks_refuse_non_units(
    strong_key: StrongKey, encryptor: Encryptor, parameters: PublicParameters, owner_key: WeakPrivateKey
) -> None:
    p, good = strong_key.factors[0], encryptor.encrypt(1)
    for bad in (Ciphertext(parameters, p, good.t2), Ciphertext(parameters, good.t1, p)):
        with pytest.raises(NotAUnitError):
            owner_key.decrypt(bad)
        with pytest.raises(NotAUnitError):
            bad.check()
        with pytest.raises(NotAUnitError):
            CiphertextVector.of(parameters, [good, bad]).check()
    good.check()


def test_numbers_of_halves_must_agree(encryptor: Encryptor, key_shares: Shares) -> None:
    t1s = [encryptor.encrypt(1).t1]
    with pytest.raises(SettingError):
        key_shares[1].complete(t1s, key_shares[0].halves(t1s) * 2)


def test_secret_exponents_go_through_the_silent_power(
    encryptor: Encryptor, parameters: PublicParameters, key_shares: Shares, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret: list[Integer] = []

    def witness(base: Integer, exponent: Integer, modulus: Integer) -> Integer:
        secret.append(exponent)
        return secret_power(base, exponent, modulus)

    def witnesses(bases: list[Integer], exponent: Integer, modulus: Integer, *, n_jobs: int = 1) -> list[Integer]:
        secret.append(exponent)
        return secret_powers(bases, exponent, modulus, n_jobs=n_jobs)

    monkeypatch.setattr(dtpkc, "secret_power", witness)
    monkeypatch.setattr(dtpkc, "secret_powers", witnesses)
    key = WeakPrivateKey.generate(parameters)
    key.decrypt(Encryptor(key.public_key, window=4).encrypt(1))
    key_shares[0].halves([encryptor.encrypt(1).t1])
    assert secret == [key.theta, key.theta, key_shares[0].exponent]


# --- homomorphic operators ---


@given(a=WORDS, b=WORDS, k=st.integers(-(1 << 100), 1 << 100))
def test_homomorphisms(a: int, b: int, k: int, encryptor: Encryptor, owner_key: WeakPrivateKey) -> None:
    x, y = encryptor.encrypt(a), encryptor.encrypt(b)
    results = [x + y, x - y, -x, x * k, k * x, x.add_plain(b), x.rerandomise(encryptor)]
    assert [owner_key.decrypt(c) for c in results] == [a + b, a - b, -a, a * k, a * k, a + b, a]


@given(values=st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=4))
def test_vectors_act_elementwise(
    values: list[tuple[int, int]], encryptor: Encryptor, owner_key: WeakPrivateKey
) -> None:
    xs, ys = [a for a, _ in values], [b for _, b in values]
    x, y, decrypt = encryptor.encrypt_vector(xs), encryptor.encrypt_vector(ys), owner_key.decrypt_vector
    assert decrypt(x + y) == [a + b for a, b in values]
    assert decrypt(x - y) == [a - b for a, b in values]
    assert decrypt(-x) == [-a for a in xs]
    assert decrypt(x * 3) == [3 * a for a in xs]
    assert decrypt(ys * x) == [a * b for a, b in values]
    assert decrypt(x.add_plain(7)) == [a + 7 for a in xs]
    assert decrypt(x.add_plain(ys)) == [a + b for a, b in values]
    assert decrypt(x.rerandomise(encryptor)) == xs
    assert owner_key.decrypt(x.sum()) == sum(xs)
    assert [owner_key.decrypt(c) for c in x] == xs
    assert decrypt(x[1:]) == xs[1:]
    assert CiphertextVector.of(x.parameters, list(x)) == x
    assert len(x) == len(xs)


def test_an_empty_vector(parameters: PublicParameters, owner_key: WeakPrivateKey) -> None:
    empty = CiphertextVector(parameters, (), ())
    assert owner_key.decrypt_vector(empty) == []
    assert owner_key.decrypt(empty.sum()) == 0


def test_rerandomising_changes_both_components_and_no_plaintext(encryptor: Encryptor) -> None:
    x = encryptor.encrypt(5)
    fresh = x.rerandomise(encryptor)
    assert fresh.t1 != x.t1
    assert fresh.t2 != x.t2


def test_t2_is_kept_only_if_every_operand_has_one(encryptor: Encryptor, parameters: PublicParameters) -> None:
    full, bare = encryptor.encrypt_vector([1, 2]), CiphertextVector(parameters, encryptor.encrypt_vector([1, 2]).t1)
    assert (full + full).t2 is not None
    for vector in (full + bare, bare - full, -bare, bare * 2, bare.add_plain(1), bare[:1], bare.rerandomise(encryptor)):
        assert vector.t2 is None
    for single in (full[0] + bare[0], bare[0] * 2, bare.sum(), bare[0].rerandomise(encryptor)):
        assert single.t2 is None


def test_operators_refuse_what_does_not_go_together(
    encryptor: Encryptor, other_parameters: PublicParameters, owner_key: WeakPrivateKey
) -> None:
    stranger = Encryptor(WeakPrivateKey.generate(other_parameters).public_key, window=4)
    x, vector = encryptor.encrypt(1), encryptor.encrypt_vector([1, 2])
    mismatches: list[Callable[[], object]] = [
        lambda: x + stranger.encrypt(1),
        lambda: vector + stranger.encrypt_vector([1, 2]),
        lambda: owner_key.decrypt(stranger.encrypt(1)),
        lambda: stranger.rerandomise(x),
        lambda: CiphertextVector.of(other_parameters, [x]),
    ]
    for mismatch in mismatches:
        with pytest.raises(ParameterMismatchError):
            mismatch()
    lengths: list[Callable[[], object]] = [
        lambda: vector + encryptor.encrypt_vector([1]),
        lambda: vector * [1],
        lambda: vector.add_plain([]),
    ]
    for length in lengths:
        with pytest.raises(SettingError):
            length()
    with pytest.raises(SettingError):
        CiphertextVector(x.parameters, (x.t1,), ())
    with pytest.raises(PlaintextRangeError):
        x * int(x.parameters.modulus)
    with pytest.raises(TypeError):
        x + 1  # type: ignore[operator]
    with pytest.raises(TypeError):
        x * 0.5  # type: ignore[operator]


def test_negating_a_non_unit_is_refused(strong_key: StrongKey, parameters: PublicParameters) -> None:
    with pytest.raises(NotAUnitError):
        -Ciphertext(parameters, strong_key.factors[0])


# --- objects ---


def test_values_are_equal_by_content(parameters: PublicParameters, encryptor: Encryptor) -> None:
    twin = PublicParameters(Integer(parameters.modulus), Integer(parameters.generator))
    assert twin == parameters
    assert hash(twin) == hash(parameters)
    assert twin.digest == parameters.digest
    x = encryptor.encrypt(1)
    same = Ciphertext(twin, Integer(x.t1), x.t2)
    assert same == x
    assert (x + same).parameters is x.parameters  # equal parameters go together
    assert x != encryptor.encrypt(1)
    with pytest.raises(AttributeError):
        x.t1 = Integer(1)  # type: ignore[misc]


def test_digests_commit_to_everything(
    parameters: PublicParameters, other_parameters: PublicParameters, owner_key: WeakPrivateKey
) -> None:
    moved = PublicParameters(parameters.modulus, power(parameters.generator, Integer(2), parameters.modulus_squared))
    digests = [parameters.digest, moved.digest, other_parameters.digest, owner_key.public_key.digest]
    digests.append(PublicKey(moved, owner_key.public_key.element).digest)
    assert len(set(digests)) == len(digests)
    assert {len(digest) for digest in digests} == {32}


@pytest.mark.parametrize("trivial", [1, -1])
def test_trivial_group_elements_are_refused(trivial: int, parameters: PublicParameters, strong_key: StrongKey) -> None:
    n, n2 = parameters.modulus, parameters.modulus_squared
    p, q = strong_key.factors
    half_trivial = (1 + (trivial - 1) * q * inverse(q, p)) % n  # trivial modulo p and 1 modulo q
    for element in (Integer(trivial) % n2, (trivial + 5 * n) % n2, half_trivial):
        with pytest.raises(SettingError):
            PublicParameters(n, element)
        with pytest.raises(SettingError):
            PublicKey(parameters, element)
    for element in (Integer(0), p, n2):
        with pytest.raises(NotAUnitError):
            PublicParameters(n, element)
        with pytest.raises(NotAUnitError):
            PublicKey(parameters, element)


def test_parameters_of_other_sizes_are_refused(parameters: PublicParameters) -> None:
    for modulus in (Integer(15), parameters.modulus + 1, parameters.modulus * 4 + 1):
        with pytest.raises(SettingError):
            PublicParameters(modulus, Integer(2))


def test_keys_out_of_range_are_refused(parameters: PublicParameters) -> None:
    for theta in (0, -1, parameters.half_modulus + 1):
        with pytest.raises(SettingError):
            WeakPrivateKey(parameters, Integer(theta))
    for exponent in (-1, parameters.modulus):
        with pytest.raises(SettingError):
            KeyShare(parameters, Integer(exponent))


def test_secrets_stay_where_they_are(owner_key: WeakPrivateKey, key_shares: Shares) -> None:
    for secret, number in ((owner_key, owner_key.theta), (key_shares[0], key_shares[0].exponent)):
        assert str(int(number)) not in repr(secret)
        for leak in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(SecretExposureError):
                leak(secret)


def test_public_objects_show_nothing_long(encryptor: Encryptor, owner_key: WeakPrivateKey) -> None:
    x = encryptor.encrypt_vector([1, 2])
    for value in (x, x[0], x.parameters, owner_key.public_key):
        assert len(repr(value)) < 200
