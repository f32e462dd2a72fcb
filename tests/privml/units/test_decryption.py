"""Two-step decryption between the units: right under all keys at once, and silent about nothing that is wrong."""

from __future__ import annotations

import pytest

from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey
from privml.crypto.wire_fields import element_width, fixed_width, residue_width
from privml.errors import DecryptionError, FrameSizeError, NotAUnitError, SettingError
from privml.units import decryption
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit
from tests.two_units import Run, make_units, run

Shares = tuple[KeyShare, KeyShare]


def opened(shares: Shares, vector: CiphertextVector, count: int | None = None) -> Run[list[int] | None]:
    def program(unit: Unit) -> list[int] | None:
        return open_to_secondary(unit, vector if unit.is_master else None, len(vector) if count is None else count)

    return run(program, units=make_units(shares))


def test_under_mixed_keys_and_their_sums(
    key_shares: Shares, owner_key: WeakPrivateKey, client_key: WeakPrivateKey, parameters: PublicParameters
) -> None:
    one, other = Encryptor(owner_key.public_key), Encryptor(client_key.public_key, exponent="full", with_t2=False)
    ends = [0, 1, -1, parameters.half_modulus, -parameters.half_modulus]
    a, b = one.encrypt_vector(ends), other.encrypt_vector([7] * 5)
    plain = Encryptor.without_recipient(parameters).encrypt_vector([3])
    vector = CiphertextVector.of(parameters, [*a, *b, a[1] + b[0], a[0] - b[1], b[0] * -6, *plain])
    done = opened(key_shares, vector)
    assert done.master is None
    assert done.secondary == [*ends, *[7] * 5, 8, -7, -42, 3]


def test_the_master_hears_nothing_and_the_message_has_one_length(key_shares: Shares, encryptor: Encryptor) -> None:
    parameters = encryptor.parameters
    lengths = set()
    for plaintexts in ([0, 0, 0], [parameters.half_modulus, -1, 5]):
        done = opened(key_shares, encryptor.encrypt_vector(plaintexts))
        assert done.views[0].received == []
        lengths.add(tuple(map(len, done.views[0].sent)))
    assert lengths == {(3 * (element_width(parameters) + residue_width(parameters)),)}


def test_none_at_all(key_shares: Shares, parameters: PublicParameters) -> None:
    assert opened(key_shares, CiphertextVector(parameters, ())).secondary == []


@pytest.mark.parametrize("count", [1, 3])
def test_another_number_than_expected(count: int, key_shares: Shares, encryptor: Encryptor) -> None:
    with pytest.raises(FrameSizeError, match=f"expected {count} ciphertexts"):
        opened(key_shares, encryptor.encrypt_vector([1, 2]), count)


@pytest.mark.parametrize("change", [-1, 1])
def test_a_frame_of_another_length(
    change: int, key_shares: Shares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:

    def longer(values: object, width: int) -> bytes:
        data = fixed_width(values, width)  # type: ignore[arg-type]
        return data + b"\0" if change > 0 else data[:-1]

    monkeypatch.setattr(decryption, "fixed_width", longer)
    with pytest.raises(FrameSizeError):
        opened(key_shares, encryptor.encrypt_vector([1, 2]))


@pytest.mark.parametrize("position", [0, 1])
def test_a_corrupt_half_is_noticed(
    position: int, key_shares: Shares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    halves = KeyShare.halves

    def corrupt(self: KeyShare, t1s: object, *, n_jobs: int = 1) -> list[object]:
        computed: list[object] = list(halves(self, t1s, n_jobs=n_jobs))  # type: ignore[arg-type]
        if self is key_shares[0]:
            computed[position] = computed[position] * 2 % self.parameters.modulus  # type: ignore[operator]
        return computed

    monkeypatch.setattr(KeyShare, "halves", corrupt)
    with pytest.raises(DecryptionError):
        opened(key_shares, encryptor.encrypt_vector([1, 2]))


def test_halves_of_another_split(strong_key: StrongKey, key_shares: Shares, encryptor: Encryptor) -> None:
    other = strong_key.split()
    with pytest.raises(DecryptionError):
        opened((key_shares[0], other[1]), encryptor.encrypt_vector([1]))


def test_non_units_go_nowhere(key_shares: Shares, strong_key: StrongKey) -> None:
    parameters = strong_key.parameters
    for element in (parameters.modulus, strong_key.factors[0], parameters.modulus_squared, parameters.modulus * 0):
        with pytest.raises(NotAUnitError):
            opened(key_shares, CiphertextVector(parameters, (element,)))


def test_a_master_that_sends_a_non_unit(
    key_shares: Shares, encryptor: Encryptor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decryption, "fixed_width", lambda values, width: bytes(len(fixed_width(values, width))))
    with pytest.raises(NotAUnitError):
        opened(key_shares, encryptor.encrypt_vector([1]))


def test_a_unit_without_a_key(encryptor: Encryptor) -> None:
    with pytest.raises(SettingError, match="without its share"):
        run(lambda unit: open_to_secondary(unit, None, 1), units=make_units())


def test_neither_half_alone_opens(key_shares: Shares, encryptor: Encryptor) -> None:
    vector = encryptor.encrypt_vector([41])
    for share in key_shares:
        own = share.halves(vector.t1)
        with pytest.raises(DecryptionError):
            share.complete(vector.t1, own)
        with pytest.raises(DecryptionError):
            share.complete(vector.t1, [own[0] * 0 + 1])


def test_workers_change_nothing(key_shares: Shares, encryptor: Encryptor) -> None:
    units = make_units(key_shares)
    vector = encryptor.encrypt_vector(list(range(7)))
    for unit in units:
        unit.n_jobs = 2
    done = run(lambda unit: open_to_secondary(unit, vector if unit.is_master else None, 7), units=units)
    assert done.secondary == list(range(7))
