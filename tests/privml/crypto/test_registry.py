from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from privml.crypto.dtpkc import PublicParameters, WeakPrivateKey
from privml.crypto.registry import KeyRegistration, KeyRegistry
from privml.errors import RegistrationError


@pytest.fixture(scope="module")
def registration(owner_key: WeakPrivateKey) -> KeyRegistration:
    return KeyRegistration.create(owner_key, "alice")


@pytest.fixture
def registry(parameters: PublicParameters) -> KeyRegistry:
    return KeyRegistry(parameters)


def test_a_registered_key_is_found(registry: KeyRegistry, registration: KeyRegistration) -> None:
    registry.register(registration)
    assert registry.key_of("alice") == registration.public_key
    assert "alice" in registry
    assert len(registry) == 1


def test_registering_again_changes_nothing(
    registry: KeyRegistry, registration: KeyRegistration, owner_key: WeakPrivateKey
) -> None:
    registry.register(registration)
    registry.register(registration)
    registry.register(KeyRegistration.create(owner_key, "alice"))  # another proof of the same key
    assert registry.registrations() == (registration,)


def test_an_identity_keeps_its_first_key(
    registry: KeyRegistry, registration: KeyRegistration, client_key: WeakPrivateKey
) -> None:
    registry.register(registration)
    with pytest.raises(RegistrationError, match="another key"):
        registry.register(KeyRegistration.create(client_key, "alice"))
    assert registry.key_of("alice") == registration.public_key


def test_unproven_keys_are_refused(
    registry: KeyRegistry, registration: KeyRegistration, client_key: WeakPrivateKey
) -> None:
    for wrong in (replace(registration, identity="mallory"), replace(registration, public_key=client_key.public_key)):
        with pytest.raises(RegistrationError):
            registry.register(wrong)
    assert len(registry) == 0


def test_keys_of_other_parameters_are_refused(
    registration: KeyRegistration, other_parameters: PublicParameters
) -> None:
    with pytest.raises(RegistrationError, match="other public parameters"):
        KeyRegistry(other_parameters).register(registration)


def test_unknown_identities_are_named(registry: KeyRegistry) -> None:
    with pytest.raises(RegistrationError, match="'bob' is not registered"):
        registry.key_of("bob")
    assert "bob" not in registry


def test_of_two_that_race_for_a_name_one_wins(
    registry: KeyRegistry, owner_key: WeakPrivateKey, client_key: WeakPrivateKey
) -> None:
    rivals = [KeyRegistration.create(key, "alice") for key in (owner_key, client_key)] * 8

    def register(registration: KeyRegistration) -> bool:
        try:
            registry.register(registration)
        except RegistrationError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(register, rivals))
    winner = registry.key_of("alice")
    assert outcomes == [rival.public_key == winner for rival in rivals]
    assert sum(outcomes) == 8
