"""A provider with a model, and people at it, made anew for every test: each takes a few milliseconds."""

from collections.abc import Iterator

import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.keygen import StrongKey
from tests.privml.roles.world import Tap, host, new_provider


@pytest.fixture
def provider(strong_key: StrongKey) -> Iterator[Provider]:
    with new_provider(strong_key) as provider:
        yield provider


@pytest.fixture
def card(provider: Provider, owner_key: WeakPrivateKey) -> ModelCard:
    return host(provider, recipients=(owner_key.public_key,))


@pytest.fixture
def tap(provider: Provider) -> Tap:
    """What everybody below talks through."""
    return Tap(provider)


@pytest.fixture
def alice(tap: Tap, owner_key: WeakPrivateKey) -> DataOwner:
    return DataOwner.join(tap, "alice", owner_key)


@pytest.fixture
def mallory(provider: Provider) -> DataOwner:
    """An owner too, and not to be trusted."""
    return DataOwner.join(provider, "mallory")


@pytest.fixture
def carol(tap: Tap) -> Client:
    return Client.join(tap, "carol")
