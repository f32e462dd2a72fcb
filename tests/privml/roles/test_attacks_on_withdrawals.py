"""Mallory would like alice's data to be forgotten, and her own to be forgotten twice."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from privml import DataOwner, ModelCard, Provider
from privml.crypto.registry import KeyRegistration
from privml.crypto.signature import Signature, sign
from privml.crypto.wire import dumps, loads
from privml.errors import (
    ProofError,
    UnknownUploadError,
)
from privml.roles import books as books_module
from privml.roles import messages as messages_module
from privml.roles.hosted import Chunk
from privml.roles.messages import HomomorphicUpload, Withdrawal, chunk_name
from tests.privml.roles.world import Tap, columns, encoded, host, learned, statistics, unharmed

TABLE = columns(12)


@pytest.fixture
def upload(alice: DataOwner, card: ModelCard, tap: Tap) -> HomomorphicUpload:
    """What mallory saw of alice: one homomorphic upload, taken by the provider."""
    alice.upload(card, TABLE, path="homomorphic")
    return loads(tap.last("upload"), HomomorphicUpload, card.parameters)


class TestWithdrawals:
    @pytest.fixture
    def taken(self, alice: DataOwner, card: ModelCard) -> bytes:
        (receipt,) = alice.upload(card, TABLE)
        return receipt.upload_id

    def _request(self, card: ModelCard, signer: DataOwner, owner: str, upload_id: bytes) -> bytes:
        signature = sign(signer.key, Withdrawal.request(card, owner, upload_id))
        return dumps(Withdrawal(card.model, owner, upload_id, signature))

    def test_a_forged_signature(self, taken: bytes, mallory: DataOwner, card: ModelCard, provider: Provider) -> None:
        with unharmed(provider, ProofError):
            provider.withdraw(self._request(card, mallory, "alice", taken))

    def test_it_works_without_signatures(
        self, taken: bytes, mallory: DataOwner, card: ModelCard, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(messages_module, "verify_signature", lambda *_: None)
        provider.withdraw(self._request(card, mallory, "alice", taken))
        np.testing.assert_array_equal(learned(provider), statistics())

    def test_somebody_elses_chunk_in_ones_own_name(
        self, taken: bytes, mallory: DataOwner, card: ModelCard, provider: Provider
    ) -> None:
        with unharmed(provider, UnknownUploadError):
            provider.withdraw(self._request(card, mallory, "mallory", taken))

    def test_it_works_where_chunks_are_named_by_their_id_alone(
        self, mallory: DataOwner, alice: DataOwner, card: ModelCard, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(books_module, "chunk_name", lambda owner, upload_id: upload_id.hex())
        monkeypatch.setattr(messages_module, "chunk_name", lambda owner, upload_id: upload_id.hex())
        (receipt,) = alice.upload(card, TABLE)
        request = self._request(card, mallory, "mallory", receipt.upload_id)
        with unharmed(provider, UnknownUploadError):  # the books name the owner too
            provider.withdraw(request)
        for station in provider.stations:
            station.models["things"].chunks[receipt.upload_id.hex()] = Chunk("mallory", 12)
        provider.withdraw(request)
        np.testing.assert_array_equal(learned(provider), statistics())

    @pytest.mark.parametrize("path", ["sealed", "homomorphic"])
    def test_twice(self, path: str, alice: DataOwner, card: ModelCard, provider: Provider, tap: Tap) -> None:
        for _ in range(2):
            alice.upload(card, TABLE, path=path)  # type: ignore[arg-type]
        alice.withdraw(card, alice.receipts[0])
        with unharmed(provider, UnknownUploadError):
            alice.withdraw(card, alice.receipts[0])
        with unharmed(provider, UnknownUploadError):
            provider.withdraw(tap.last("withdraw"))

    @pytest.mark.parametrize("for_what", ["upload", "model", "card"])
    def test_a_signature_is_good_for_one_request(
        self, for_what: str, alice: DataOwner, card: ModelCard, provider: Provider, tap: Tap
    ) -> None:
        alice.upload(card, TABLE, chunk_rows=6)
        other = host(provider, "other")
        alice.withdraw(card, alice.receipts[0])
        seen = loads(tap.last("withdraw"), Withdrawal, card.parameters)
        if for_what == "upload":
            forged, model = replace(seen, upload_id=alice.receipts[1].upload_id), "things"
        elif for_what == "model":
            provider.upload(alice.seal(other, encoded(TABLE), seen.upload_id))
            forged, model = replace(seen, model="other"), "other"
        else:
            for station in provider.stations:
                station.models["things"].card = replace(card, options={"alpha": 0.25})
            forged, model = replace(seen, upload_id=alice.receipts[1].upload_id), "things"
        with unharmed(provider, ProofError, model=model):
            provider.withdraw(dumps(forged))

    def test_a_proof_of_theta_is_no_signature(
        self, taken: bytes, alice: DataOwner, card: ModelCard, provider: Provider, tap: Tap
    ) -> None:
        """Registrations are public: their proof must sign nothing else."""
        proof = loads(tap.last("register"), KeyRegistration, provider.parameters).proof
        signature = Signature(provider.parameters, proof.commitment, proof.response)
        with unharmed(provider, ProofError):
            provider.withdraw(dumps(Withdrawal("things", "alice", taken, signature)))


def test_names_of_chunks_never_meet() -> None:
    """An owner's name may end like an id, or contain the separator."""
    ids = [bytes(16), bytes(15) + b"\x01"]
    owners = ["a", "a/", "a/" + bytes(16).hex(), "b"]
    assert len({chunk_name(owner, upload_id) for owner in owners for upload_id in ids}) == 8
