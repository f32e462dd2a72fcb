"""Tables against general powers; encryption randomness that is fresh, short or full, and never used twice."""

import copy
import os
import pickle
import threading
from collections import Counter
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.crypto import fixed_base
from privml.crypto.arithmetic import Integer, power
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor, FixedBaseTable, Openings, RandomnessPool
from privml.crypto.power_table import BREAK_EVEN
from privml.crypto.randomness import random_bytes
from privml.errors import ParameterMismatchError, PlaintextRangeError, SecretExposureError, SettingError

# --- tables ---


@given(exponent=st.integers(0, (1 << 256) - 1), window=st.integers(1, 10))
def test_a_table_agrees_with_the_general_power(exponent: int, window: int) -> None:
    modulus = Integer((1 << 128) + 51)
    table = FixedBaseTable(Integer(3), modulus, window=window)
    assert table.power(Integer(exponent)) == pow(3, exponent, int(modulus) ** 2)


@given(base=st.integers(0, 1 << 80), modulus=st.integers(2, 1 << 40), exponent=st.integers(0, (1 << 40) - 1))
def test_any_base_and_modulus_will_do(base: int, modulus: int, exponent: int) -> None:
    exponent %= modulus
    table = FixedBaseTable(Integer(base), Integer(modulus), window=3)
    assert table.power(Integer(exponent)) == pow(base, exponent, modulus**2)


def test_a_table_is_lazy_and_grows_to_the_longest_exponent() -> None:
    modulus = Integer((1 << 256) + 297)
    table = FixedBaseTable(Integer(5), modulus, 100, window=8)
    assert table.memory == table.exponent_bits == 0
    table.power(Integer(1))
    assert table.exponent_bits == 104  # the length it was told to expect, in whole windows
    small = table.memory
    assert 13 * 256 * 64 < small < 13 * 256 * 250  # 64 bytes of numbers, and what two mpz and a pair add
    long = (Integer(1) << 300) + 12345
    assert table.power(long) == power(Integer(5), long, modulus**2)
    assert table.exponent_bits == 304
    assert table.power(Integer(77)) == power(Integer(5), Integer(77), modulus**2)
    assert table.memory > 2 * small
    assert table.base == 5
    assert table.modulus == modulus


@pytest.mark.parametrize("exponent", [-1, 1 << 64])
def test_a_table_refuses_exponents_that_it_should_not_grow_to(exponent: int) -> None:
    table = FixedBaseTable(Integer(3), Integer((1 << 32) - 5), window=4)
    with pytest.raises(SettingError):
        table.power(Integer(exponent))


@pytest.mark.parametrize("options", [{"window": 0}, {"window": 13}, {"exponent_bits": -1}, {"exponent_bits": 65}])
def test_a_table_refuses_other_shapes(options: dict[str, int]) -> None:
    with pytest.raises(SettingError):
        FixedBaseTable(Integer(3), Integer((1 << 32) - 5), **options)


def test_a_table_grows_under_many_threads() -> None:
    modulus = Integer((1 << 128) + 51)
    table, wrong = FixedBaseTable(Integer(3), modulus, window=4), []

    def use(start: int) -> None:
        for bits in range(start, 250, 7):
            e = (Integer(1) << bits) + bits
            if table.power(e) != power(Integer(3), e, modulus**2):
                wrong.append(bits)

    threads = [threading.Thread(target=use, args=(start,)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert table.exponent_bits <= 260


# --- the encryptor ---


@pytest.mark.parametrize("exponent", ["short", "full"])
def test_exponents_have_their_length(
    exponent: str, parameters: PublicParameters, owner_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    encryptor = Encryptor(owner_key.public_key, exponent=exponent, window=4)  # type: ignore[arg-type]
    bits = 256 if exponent == "short" else 511
    assert encryptor.randomness_bits == bits
    vector, openings = encryptor.encrypt_with_openings(range(-20, 20))
    longest = max(r.bit_length() for r in openings.randomness)
    assert bits - 12 < longest <= bits
    assert len(set(openings.randomness)) == 40
    assert owner_key.decrypt_vector(vector) == list(range(-20, 20))
    assert max(openings.randomness) <= (parameters.half_modulus if exponent == "full" else 1 << 256)


def test_openings_open(encryptor: Encryptor, parameters: PublicParameters) -> None:
    vector, openings = encryptor.encrypt_with_openings([5, -7])
    n2, h, g = parameters.modulus_squared, encryptor.public_key.element, parameters.generator
    assert openings.plaintexts == (5, -7)
    assert vector.t2 is not None
    for m, r, t1, t2 in zip(openings.plaintexts, openings.randomness, vector.t1, vector.t2, strict=True):
        assert t1 == power(h, r, n2) * (1 + m * parameters.modulus) % n2
        assert t2 == power(g, r, n2)


def test_equal_plaintexts_never_share_randomness(encryptor: Encryptor, parameters: PublicParameters) -> None:
    """In the prototype T1/T1' = 1 + (m - m')N told the difference of two plaintexts."""
    vector = encryptor.encrypt_vector([3] * 50)
    assert len({t1 % parameters.modulus for t1 in vector.t1}) == 50
    assert len(set(vector.t2 or ())) == 50


def test_without_recipient_there_is_no_t2(parameters: PublicParameters) -> None:
    encryptor = Encryptor.without_recipient(parameters, window=4)
    vector, openings = encryptor.encrypt_with_openings([9])
    assert vector.t2 is None
    assert not encryptor.with_t2
    n2, (r,) = parameters.modulus_squared, openings.randomness
    assert vector.t1[0] == power(parameters.generator, r, n2) * parameters.embed(9) % n2


def test_a_sibling_without_t2_shares_the_tables_and_no_randomness(
    owner_key: WeakPrivateKey, key_shares: tuple[KeyShare, KeyShare]
) -> None:
    encryptor = Encryptor(owner_key.public_key, window=4)
    encryptor.pool.fill(3)
    sibling, memory = encryptor.without_t2(), encryptor.memory
    vector = sibling.encrypt_vector([4, -4])
    assert vector.t2 is None
    assert len(encryptor.pool) == 3
    assert sibling.memory == encryptor.memory == memory
    assert key_shares[1].complete(vector.t1, key_shares[0].halves(vector.t1)) == [4, -4]
    assert owner_key.decrypt(encryptor.encrypt(5)) == 5  # which still forms T2


def test_zero_t1_rerandomises(
    encryptor: Encryptor, parameters: PublicParameters, key_shares: tuple[KeyShare, KeyShare]
) -> None:
    first, second = encryptor.zero_t1(), encryptor.zero_t1()
    assert first != second
    moved = [encryptor.encrypt(8).t1 * first % parameters.modulus_squared, second]
    assert key_shares[1].complete(moved, key_shares[0].halves(moved)) == [8, 0]


def test_tables_of_g_are_shared(parameters: PublicParameters, other_parameters: PublicParameters) -> None:
    first = Encryptor(WeakPrivateKey.generate(parameters).public_key, window=4)
    first.encrypt(1)
    key = WeakPrivateKey.generate(parameters)
    second = Encryptor(key.public_key, window=4, generator_table=first.generator_table)
    assert second.generator_table is first.generator_table
    first.generator_table.prepare()
    assert second.memory == first.generator_table.memory
    assert key.decrypt(second.encrypt(-3)) == -3
    second.prepare()
    assert second.memory > 1.9 * first.generator_table.memory  # and one of h
    stranger = WeakPrivateKey.generate(other_parameters).public_key
    with pytest.raises(ParameterMismatchError):
        Encryptor(stranger, generator_table=first.generator_table)


def test_the_powers_of_proofs_come_from_the_tables(encryptor: Encryptor, parameters: PublicParameters) -> None:
    long = (Integer(1) << (encryptor.randomness_bits + 228)) - 1
    n2 = parameters.modulus_squared
    assert encryptor.generator_power(long) == power(parameters.generator, long, n2)
    assert encryptor.key_power(long) == power(encryptor.public_key.element, long, n2)


def test_settings_are_checked(owner_key: WeakPrivateKey) -> None:
    with pytest.raises(SettingError):
        Encryptor(owner_key.public_key, exponent="tiny")  # type: ignore[arg-type]
    with pytest.raises(SettingError):
        Encryptor(owner_key.public_key, window=13)


def test_a_refused_plaintext_uses_up_no_randomness(owner_key: WeakPrivateKey) -> None:
    encryptor = Encryptor(owner_key.public_key, window=4)
    encryptor.pool.fill(1)
    with pytest.raises(PlaintextRangeError):
        encryptor.encrypt(int(encryptor.parameters.modulus))
    assert len(encryptor.pool) == 1


def test_encryption_takes_from_the_pool_and_batches_what_is_missing(
    owner_key: WeakPrivateKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    encryptor = Encryptor(owner_key.public_key, window=4)
    encryptor.pool.fill(5)
    assert owner_key.decrypt(encryptor.encrypt(1)) == 1
    assert len(encryptor.pool) == 4
    monkeypatch.setattr(fixed_base, "random_bits", None)  # whatever is in the pool needs no more randomness
    vector = encryptor.encrypt_vector([1, 2, 3])
    monkeypatch.undo()
    assert owner_key.decrypt_vector(vector) == [1, 2, 3]
    assert owner_key.decrypt_vector(encryptor.encrypt_vector([4, 5, 6])) == [4, 5, 6]
    assert len(encryptor.pool) == 0
    assert encryptor.pool.misses == 2


def test_openings_and_pools_stay_where_they_are(encryptor: Encryptor) -> None:
    openings = Openings((123456789,), (Integer(987654321),))
    assert "123456789" not in repr(openings)
    assert "987654321" not in repr(openings)
    for secret in (openings, encryptor.pool, encryptor):
        for leak in (pickle.dumps, copy.copy, copy.deepcopy):
            if secret is encryptor and leak is copy.copy:
                continue  # shares the pool, and an entry of it still goes to one of the two only
            with pytest.raises((SecretExposureError, TypeError)):
                leak(secret)


# --- the pool ---


def fresh(count: int) -> list[bytes]:
    return [random_bytes(16) for _ in range(count)]


class NoPidCheck(RandomnessPool[bytes]):
    """The pool without its defence against forks."""

    def _own_entries(self) -> object:  # type: ignore[override]
        return self._entries


def entries_of_parent_and_child(pool: RandomnessPool[bytes], count: int) -> tuple[list[bytes], list[bytes]]:
    """Fork; both take `count` entries."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.write(writing, b"".join(pool.take() for _ in range(count)))
        finally:
            os._exit(0)
    os.close(writing)
    ours = [pool.take() for _ in range(count)]
    with os.fdopen(reading, "rb") as pipe:
        data = pipe.read()
    os.waitpid(child, 0)
    assert len(data) == 16 * count
    return ours, [data[i : i + 16] for i in range(0, len(data), 16)]


def test_parent_and_child_of_a_fork_never_share_an_entry() -> None:
    pool = RandomnessPool(fresh)
    pool.fill(20)
    ours, theirs = entries_of_parent_and_child(pool, 20)
    assert not set(ours) & set(theirs)
    assert len(set(theirs)) == 20
    assert pool.misses == 0  # the parent keeps its entries


def test_without_the_check_they_would_share() -> None:
    pool = NoPidCheck(fresh)
    pool.fill(20)
    ours, theirs = entries_of_parent_and_child(pool, 20)
    assert ours == theirs


def test_a_child_with_its_parents_number_is_still_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a new PID namespace both can be process 1."""
    monkeypatch.setattr(os, "getpid", lambda: 1)
    pool = RandomnessPool(fresh)
    pool.fill(5)
    ours, theirs = entries_of_parent_and_child(pool, 5)
    assert not set(ours) & set(theirs)


def test_a_child_fills_and_uses_a_pool_of_its_own() -> None:
    pool = RandomnessPool(fresh)
    pool.fill(3)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            before = len(pool)
            pool.fill(2)
            os.write(writing, bytes([before, len(pool), len(pool.take_many(3)), len(pool)]))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert list(pipe.read()) == [0, 2, 3, 0]
    os.waitpid(child, 0)
    assert len(pool) == 3


def test_threads_never_share_an_entry() -> None:
    pool = RandomnessPool(fresh)
    pool.fill(3000)
    taken: list[bytes] = []

    def use() -> None:
        for _ in range(250):
            taken.append(pool.take())
            taken.extend(pool.take_many(3))

    threads = [threading.Thread(target=use) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(Counter(taken).values()) == 1
    assert len(taken) == 4000
    assert pool.misses == 1000


def test_an_empty_pool_makes_entries_on_demand() -> None:
    pool = RandomnessPool(fresh)
    assert pool.take() != pool.take()
    assert len(pool.take_many(3)) == 3
    assert pool.take_many(0) == []
    assert pool.misses == 5
    assert "0 entries" in repr(pool)
    with pytest.raises(SettingError):
        pool.fill(-1)


def test_a_pool_takes_any_iterable() -> None:
    def lazily(count: int) -> Iterable[int]:
        return iter(range(count))

    pool = RandomnessPool(lazily)
    pool.fill(2)
    assert sorted(pool.take_many(2)) == [0, 1]


def test_a_table_is_built_when_it_pays_and_gives_the_same_powers() -> None:
    modulus = Integer((1 << 61) - 1)
    patient = FixedBaseTable(Integer(3), modulus, 64, window=4, patience=5)
    powers = [patient.power(Integer(k) << 40) for k in range(5)]
    assert patient.memory == 0
    powers += [patient.power(Integer(k) << 40) for k in range(5, 8)]
    assert patient.memory > 0
    assert powers == [pow(3, k << 40, int(modulus) ** 2) for k in range(8)]


def test_a_long_vector_builds_the_tables_at_once(parameters: PublicParameters) -> None:
    encryptor = Encryptor(WeakPrivateKey.generate(parameters).public_key, window=4)
    encryptor.encrypt_vector([1])
    assert encryptor.memory == 0
    encryptor.encrypt_vector([1] * BREAK_EVEN)
    assert encryptor.memory > 0
