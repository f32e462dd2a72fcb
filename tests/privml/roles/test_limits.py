"""How much anybody can make the units take in or compute before they refuse."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import msgpack
import numpy as np
import pytest

from privml import Client, DataOwner, ModelCard, Provider
from privml.crypto import envelope as envelope_module
from privml.crypto import registry as registry_module
from privml.crypto.dtpkc import PublicKey
from privml.crypto.envelope import Envelope, SealedArray
from privml.crypto.key_proof import KeyProof, verify_key
from privml.crypto.randomness import random_bytes
from privml.crypto.registry import KeyRegistration
from privml.crypto.wire import HEADER_SIZE, dumps, loads
from privml.errors import (
    DuplicateUploadError,
    OversizedError,
    PrivMLError,
    RegistrationError,
    SessionError,
    SettingError,
    UnknownUploadError,
    UploadError,
)
from privml.roles import messages as messages_module
from privml.roles import station as station_module
from privml.roles.limits import longest
from privml.roles.messages import HomomorphicUpload, Withdrawal
from privml.roles.queries import Closing, Query
from tests.privml.roles.world import SCHEMA, Tap, columns, encoded, host, unharmed

KINDS: dict[str, type[Any]] = {
    "register": KeyRegistration,
    "upload": SealedArray,
    "withdraw": Withdrawal,
    "open_session": Envelope,
    "query": Query,
    "close_session": Closing,
}


class TestSizes:
    @pytest.mark.parametrize("door", KINDS)
    def test_a_message_that_is_too_long_is_not_even_unpacked(
        self, door: str, alice: DataOwner, provider: Provider, card: ModelCard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        alice.upload(card, columns(3))
        monkeypatch.setattr(msgpack, "unpackb", lambda *_, **__: pytest.fail("it was"))
        kind = KINDS[door]
        body = provider.stations.master.longest(kind) - HEADER_SIZE + 1
        digest = bytes(32) if kind in (Query, Closing) else provider.parameters.digest
        header = b"PrML" + b"\0\1" + kind.wire_tag.to_bytes(2, "big") + body.to_bytes(8, "big") + digest
        with unharmed(provider, OversizedError):
            getattr(provider, door)(header + bytes(body))

    def test_the_longest_messages_pass(self, alice: DataOwner, carol: Client, provider: Provider) -> None:
        """And are not much shorter than what is let in."""
        card = host(provider, sealed_rows=400, chunk_rows=64, query_rows=400)
        tap = alice.provider
        assert isinstance(tap, Tap)
        alice.upload(card, columns(400))
        alice.upload(card, columns(64), path="homomorphic")
        carol.predict(card, columns(400))
        limits = {kind: provider.stations.master.longest(kind) for kind in (SealedArray, Query)}
        assert limits[SealedArray] - 16_000 < max(len(m) for name, m in tap.messages if name == "upload")
        assert limits[Query] - 16_000 < len(tap.last("query"))

    def test_cards_set_the_limits(self, provider: Provider, card: ModelCard) -> None:
        parameters = provider.parameters
        for kind, change in {
            SealedArray: {"sealed_rows": 70_000},
            Query: {"query_rows": 9_000},
            HomomorphicUpload: {"chunk_rows": 1 << 20},
        }.items():
            wider = replace(card, **change)  # type: ignore[arg-type]
            assert longest(kind, parameters, [card, wider]) == longest(kind, parameters, [wider])
            assert longest(kind, parameters, [wider]) > longest(kind, parameters, [card])
        assert longest(Withdrawal, parameters, [card]) == longest(Withdrawal, parameters, []) < 10_000

    def test_sealed_chunks_keep_to_the_card(self, alice: DataOwner, provider: Provider, card: ModelCard) -> None:
        host(provider, "wide")
        small = host(provider, "small", sealed_rows=5)
        assert [receipt.rows for receipt in alice.upload(small, columns(12))] == [5, 5, 2]
        with pytest.raises(SettingError, match="sealed path"):
            alice.upload(small, columns(12), chunk_rows=6)
        with unharmed(provider, UploadError, match="at most 5"):
            provider.upload(alice.seal(small, encoded(columns(6)), random_bytes(16)))


class TestOrder:
    """What is cheap to see is seen before anything expensive is computed."""

    @pytest.fixture
    def taken(self, alice: DataOwner, carol: Client, card: ModelCard, tap: Tap) -> dict[str, bytes]:
        """Messages that were taken already, each refused if sent again."""
        messages = {}
        for path in ("sealed", "homomorphic"):
            alice.upload(card, columns(3), path=path)
            messages[path] = tap.last("upload")
        alice.withdraw(card, alice.receipts[0])
        messages["withdrawal"] = tap.last("withdraw")
        carol.open_session(card)
        messages["opening"] = tap.last("open_session")
        return messages

    @pytest.mark.parametrize(
        ("what", "door", "error"),
        [
            ("sealed", Provider.upload, DuplicateUploadError),
            ("homomorphic", Provider.upload, DuplicateUploadError),
            ("withdrawal", Provider.withdraw, UnknownUploadError),
            ("opening", Provider.open_session, SessionError),
        ],
        ids=["sealed", "homomorphic", "withdrawal", "opening"],
    )
    def test_books_are_asked_before_proofs_are_verified(
        self,
        what: str,
        door: Callable[[Provider, bytes], None],
        error: type[PrivMLError],
        taken: dict[str, bytes],
        provider: Provider,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        expensive = [(envelope_module, "verify_plaintexts"), (messages_module, "verify_plaintexts")]
        expensive += [(messages_module, "verify_signature"), (station_module, "payload_digest")]
        for module, name in expensive:
            monkeypatch.setattr(module, name, lambda *_: pytest.fail("too early"))
        with unharmed(provider, error):
            door(provider, taken[what])

    def test_a_name_that_is_taken_costs_no_proof(
        self, alice: DataOwner, mallory: DataOwner, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        registration = dumps(KeyRegistration.create(mallory.key, "alice"))
        monkeypatch.setattr(registry_module, "verify_key", lambda *_: pytest.fail("too early"))
        with pytest.raises(RegistrationError, match="another key"):
            provider.register(registration)

    def test_each_unit_verifies_a_registration_once(self, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
        verified: list[str] = []

        def counted(key: PublicKey, identity: str, proof: KeyProof) -> None:
            verified.append(identity)
            verify_key(key, identity, proof)

        monkeypatch.setattr(registry_module, "verify_key", counted)
        DataOwner.join(provider, "zoe")
        assert verified == ["zoe", "zoe"]


def test_a_wide_query_is_refused_by_the_models_own_card(
    alice: DataOwner, carol: Client, provider: Provider, tap: Tap
) -> None:
    """The reader lets through what some model takes."""
    host(provider, "wide", query_rows=1000)
    card = host(provider, query_rows=4)
    alice.upload(card, columns(5))
    with carol.open_session(card) as session:
        message = session.query(np.zeros((50, SCHEMA.width), np.uint64), "label")
        assert loads(message, Query).rows == 50
        with unharmed(provider, SessionError, match="at most 4"):
            provider.query(message)
