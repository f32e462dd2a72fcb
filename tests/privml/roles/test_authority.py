import copy
import pickle

import pytest

from privml import Authority
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey
from privml.errors import AuthorisationError, SecretExposureError, SettingError
from privml.units.role import Role


@pytest.fixture
def authority(strong_key: StrongKey) -> Authority:
    return Authority(strong_key.parameters, StrongKey(strong_key.parameters, *strong_key.factors))


def test_small_keys_need_the_test_switch() -> None:
    with pytest.raises(SettingError, match="512"):
        Authority.create(512)
    assert Authority.create(512, allow_insecure_test_size=True).parameters.bits == 512


def test_the_two_shares_open_ciphertexts_and_neither_does_alone(authority: Authority, encryptor: Encryptor) -> None:
    master, secondary = authority.hand_out()
    ciphertexts = encryptor.encrypt_vector([41, -5])
    assert secondary.complete(ciphertexts.t1, master.halves(ciphertexts.t1)) == [41, -5]


def test_every_split_is_another(strong_key: StrongKey) -> None:
    def split() -> set[int]:
        held = StrongKey(strong_key.parameters, *strong_key.factors)
        return {int(share.exponent) for share in Authority(strong_key.parameters, held).hand_out()}

    assert len(split() | split() | split()) == 6


def test_the_strong_key_is_handed_out_once_and_then_gone(strong_key: StrongKey) -> None:
    held = StrongKey(strong_key.parameters, *strong_key.factors)
    authority = Authority(strong_key.parameters, held)
    authority.hand_out()
    with pytest.raises(AuthorisationError):
        authority.hand_out()
    with pytest.raises(SettingError, match="erased"):
        _ = held.factors
    assert not any(isinstance(value, StrongKey) for value in vars(authority).values())


def test_every_deal_has_seeds_and_an_epoch_of_its_own(authority: Authority) -> None:
    one, other = authority.dealer(), authority.dealer()
    assert one.epoch != other.epoch
    assert len({seed for dealer in (one, other) for seed in dealer._seeds.values()}) == 4
    assert one.source(Role.MASTER).epoch == one.source(Role.SECONDARY).epoch == one.epoch


def test_nothing_secret_leaves_by_accident(authority: Authority, strong_key: StrongKey) -> None:
    shown = repr(authority) + str(authority)
    assert not any(str(factor)[:12] in shown for factor in strong_key.factors)
    for exposure in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(SecretExposureError):
            exposure(authority)
