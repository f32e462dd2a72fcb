"""Arithmetic against Python's own integers, and where secret exponents run."""

import os
import threading

import gmpy2  # type: ignore[import-untyped]
import joblib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from privml.crypto import arithmetic, power_products
from privml.crypto.arithmetic import (
    Integer,
    are_units,
    gcd,
    inverse,
    is_probable_prime,
    join_digits,
    lcm,
    multi_power,
    power,
    powers,
    product_mod,
    secret_power,
    secret_powers,
    split_digits,
)
from privml.crypto.primes import safe_prime
from privml.errors import NotAUnitError, SettingError

NATURALS = st.integers(0, 1 << 300)
ODD_MODULI = st.integers(1, 1 << 200).map(lambda n: 2 * n + 1)


@given(base=NATURALS, exponent=NATURALS, modulus=ODD_MODULI)
def test_public_and_secret_powers_agree_with_python(base: int, exponent: int, modulus: int) -> None:
    expected = pow(base, exponent, modulus)
    assert power(base, exponent, modulus) == expected
    assert secret_power(base, exponent, modulus) == expected


def test_a_secret_power_of_zero_is_one() -> None:
    assert secret_power(Integer(7), Integer(0), Integer(15)) == 1
    assert secret_powers([Integer(7), Integer(0)], Integer(0), Integer(1)) == [0, 0]


@pytest.mark.parametrize(("exponent", "modulus"), [(-1, 15), (3, 16)])
def test_a_secret_power_refuses_negative_exponents_and_even_moduli(exponent: int, modulus: int) -> None:
    with pytest.raises(SettingError):
        secret_power(Integer(7), Integer(exponent), Integer(modulus))


def test_a_batch_refuses_negative_exponents_and_no_workers() -> None:
    with pytest.raises(SettingError):
        powers([Integer(2)], Integer(-1), Integer(15))
    with pytest.raises(SettingError):
        powers([Integer(2)], Integer(1), Integer(15), n_jobs=0)


@pytest.mark.parametrize("n_jobs", [1, 2, 3, -1])
@pytest.mark.parametrize("count", [0, 1, 2, 7])
def test_batches_keep_the_order(n_jobs: int, count: int) -> None:
    bases, exponent, modulus = [Integer(3 + i) for i in range(count)], Integer(12345), Integer(10**40 + 1)
    expected = [pow(3 + i, 12345, 10**40 + 1) for i in range(count)]
    assert powers(bases, exponent, modulus, n_jobs=n_jobs) == expected
    assert secret_powers(bases, exponent, modulus, n_jobs=n_jobs) == expected


def test_secret_exponents_stay_in_this_process_whatever_joblib_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    places: list[tuple[int, int]] = []
    original = arithmetic._secret_powers

    def witness(bases: list[int], exponent: int, modulus: int) -> list[int]:
        places.append((os.getpid(), threading.get_ident()))
        return original(bases, exponent, modulus)

    monkeypatch.setattr(arithmetic, "_secret_powers", witness)
    with joblib.parallel_config(backend="loky", n_jobs=2):
        secret_powers([Integer(2), Integer(3)], Integer(5), Integer(101), n_jobs=2)
    assert len(places) == 2  # another process would have told its own copy of the list
    assert {process for process, _ in places} == {os.getpid()}
    assert threading.get_ident() not in {thread for _, thread in places}


def test_secret_powers_give_up_the_interpreter_lock() -> None:
    """A thread that only counts goes on counting while another is inside one power of a second or so."""
    modulus = (Integer(1) << 12000) - 1
    started, done, counted = threading.Event(), threading.Event(), 0

    def work() -> None:
        started.set()
        secret_power(Integer(3), modulus - 2, modulus)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    started.wait()
    while not done.is_set():
        counted += 1
        done.wait(0.001)
    thread.join()
    assert counted > 10


def test_other_operations_of_the_thread_keep_the_interpreter_lock() -> None:
    assert not gmpy2.get_context().allow_release_gil

    secret_powers([Integer(2), Integer(3)], Integer(5), Integer(101))
    power(Integer(2), Integer(5), Integer(101))
    assert not gmpy2.get_context().allow_release_gil


@given(data=st.data(), modulus=ODD_MODULI, count=st.integers(0, 6))
def test_multi_power_is_the_product_of_powers(data: st.DataObject, modulus: int, count: int) -> None:
    pairs = data.draw(st.lists(st.tuples(NATURALS, st.integers(0, 1 << 130)), min_size=count, max_size=count))
    bases, exponents = [b for b, _ in pairs], [e for _, e in pairs]
    expected = 1 % modulus
    for base, exponent in pairs:
        expected = expected * pow(base, exponent, modulus) % modulus
    assert multi_power(bases, exponents, modulus) == expected


@pytest.mark.parametrize("count", [64, 65, 300])
def test_both_methods_of_multi_power_agree(count: int) -> None:
    modulus = Integer(10**60 + 7)
    bases, exponents = [Integer(3 + i) for i in range(count)], [Integer(7**i % 10**38) for i in range(count)]
    expected = product_mod([pow(int(b), int(e), int(modulus)) for b, e in zip(bases, exponents, strict=True)], modulus)
    assert multi_power(bases, exponents, modulus) == expected
    chosen = {power_products.choose(n, 128)[1] for n in (64, 65)}
    assert chosen == {power_products.stepwise, power_products.by_buckets}


def test_multi_power_refuses_what_does_not_pair() -> None:
    with pytest.raises(SettingError):
        multi_power([Integer(2)], [], Integer(15))
    with pytest.raises(SettingError):
        multi_power([Integer(2)], [Integer(-1)], Integer(15))


@given(x=NATURALS, modulus=ODD_MODULI)
def test_inverse_exists_exactly_for_units(x: int, modulus: int) -> None:
    if gcd(x, modulus) == 1:
        assert inverse(x, modulus) * x % modulus == 1 % modulus
        assert power(x, -1, modulus) == inverse(x, modulus)
    elif modulus > 1:
        with pytest.raises(NotAUnitError):
            inverse(x, modulus)
        with pytest.raises(NotAUnitError):
            power(x, -1, modulus)


def test_are_units_finds_the_one_that_is_not() -> None:
    modulus = Integer(101 * 103)
    units = [Integer(x) for x in (1, 2, 10402)]
    assert are_units(units, modulus)
    assert are_units([], modulus)
    assert not are_units([*units, Integer(5 * 103)], modulus)
    assert not are_units([Integer(0)], modulus)


@given(digits=st.lists(st.integers(0, (1 << 37) - 1), max_size=20))
def test_digits_join_and_split(digits: list[int]) -> None:
    value = join_digits(digits, 37)
    assert value == sum(digit << (37 * i) for i, digit in enumerate(digits))
    assert split_digits(value, 37) + [0] * (len(digits) - len(split_digits(value, 37))) == (digits or [0])


@pytest.mark.parametrize("digit", [-1, 1 << 8])
def test_join_refuses_digits_outside(digit: int) -> None:
    with pytest.raises(SettingError):
        join_digits([1, digit], 8)


def test_lcm_and_primality() -> None:
    assert lcm(Integer(4), Integer(6)) == 12
    assert is_probable_prime(Integer(2) ** 127 - 1)
    assert not is_probable_prime(Integer(561))  # Carmichael
    assert not is_probable_prime(Integer(3215031751))  # strong pseudoprime to the bases 2, 3, 5, 7


@pytest.mark.parametrize("bits", [64, 128, 256])
def test_a_safe_prime_is_one_and_has_its_length(bits: int) -> None:
    p = safe_prime(bits)
    assert p.bit_length() == bits
    assert p >> (bits - 2) == 3
    assert is_probable_prime(p)
    assert is_probable_prime((p - 1) // 2)


def test_a_safe_prime_is_not_too_short() -> None:
    with pytest.raises(SettingError):
        safe_prime(63)
