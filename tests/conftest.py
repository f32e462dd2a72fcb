"""Keys that tests share. The small ones take a moment to make; those of a real size are made only when asked for."""

import pytest
from hypothesis import settings

from privml.crypto.dtpkc import KeyShare, PublicParameters, WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.keygen import StrongKey, generate

# tests assert no times, and a machine may be busy
settings.register_profile("privml", deadline=None)
settings.load_profile("privml")


@pytest.fixture(scope="session")
def strong_key() -> StrongKey:
    return generate(512, allow_insecure_test_size=True)[1]


@pytest.fixture(scope="session")
def parameters(strong_key: StrongKey) -> PublicParameters:
    return strong_key.parameters


@pytest.fixture(scope="session")
def other_parameters() -> PublicParameters:
    return generate(512, allow_insecure_test_size=True)[0]


@pytest.fixture(scope="session")
def key_shares(strong_key: StrongKey) -> tuple[KeyShare, KeyShare]:
    """(Master unit's, Secondary unit's)."""
    return strong_key.split()


@pytest.fixture(scope="session")
def owner_key(parameters: PublicParameters) -> WeakPrivateKey:
    return WeakPrivateKey.generate(parameters)


@pytest.fixture(scope="session")
def client_key(parameters: PublicParameters) -> WeakPrivateKey:
    """A second key holder under the same parameters."""
    return WeakPrivateKey.generate(parameters)


@pytest.fixture(scope="session")
def encryptor(owner_key: WeakPrivateKey) -> Encryptor:
    """Encrypts under the owner's key."""
    return Encryptor(owner_key.public_key, window=6)


@pytest.fixture(scope="session")
def strong_key_2048() -> StrongKey:
    return generate()[1]


@pytest.fixture(scope="session")
def parameters_2048(strong_key_2048: StrongKey) -> PublicParameters:
    return strong_key_2048.parameters


@pytest.fixture(scope="session")
def key_shares_2048(strong_key_2048: StrongKey) -> tuple[KeyShare, KeyShare]:
    """(Master unit's, Secondary unit's)."""
    return strong_key_2048.split()


@pytest.fixture(scope="session")
def owner_key_2048(parameters_2048: PublicParameters) -> WeakPrivateKey:
    return WeakPrivateKey.generate(parameters_2048)


@pytest.fixture(scope="session")
def encryptor_2048(owner_key_2048: WeakPrivateKey) -> Encryptor:
    """Encrypts under the owner's key."""
    return Encryptor(owner_key_2048.public_key, window=6)
