"""Uploads for another card than the units have, or more of them than it planned: refused, and why they must be."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from privml import Categorical, DataOwner, ModelCard, Provider, Schema
from privml.crypto.dtpkc import PublicKey
from privml.crypto.envelope import SealContext
from privml.crypto.layout import Layout
from privml.crypto.wire import dumps, loads
from privml.errors import PrivMLError, ProofError, ValidationError
from privml.roles.messages import HomomorphicUpload
from privml.roles.station import Station
from tests.privml.roles.world import SCHEMA, Tap, columns, host, learned, statistics, unharmed

TABLE = columns(12)
SWAPPED = Schema((Categorical("colour", ("green", "red", "blue")), *SCHEMA.features[1:]), SCHEMA.target, SCHEMA.classes)


@pytest.fixture
def upload(alice: DataOwner, card: ModelCard, tap: Tap) -> HomomorphicUpload:
    """What mallory saw of alice: one homomorphic upload, taken by the provider."""
    alice.upload(card, TABLE, path="homomorphic")
    return loads(tap.last("upload"), HomomorphicUpload, card.parameters)


class TestSwappedCards:
    """Somebody gave the owner another card than the units have."""

    @staticmethod
    def _swapped(card: ModelCard, what: str) -> ModelCard:
        changes: dict[str, dict[str, object]] = {
            "schema": {"schema": SWAPPED},
            "options": {"options": {"alpha": 0.5}},
            "layout": {"chunk_rows": 128},
            "model": {"model": "another"},
            "answers": {"answers": ("label",)},
        }
        return replace(card, **changes[what])  # type: ignore[arg-type]

    @pytest.mark.parametrize("path", ["sealed", "homomorphic"])
    @pytest.mark.parametrize("what", ["schema", "options", "layout", "model", "answers"])
    def test_what_was_made_for_another_card_is_refused(
        self, what: str, path: str, alice: DataOwner, card: ModelCard, provider: Provider
    ) -> None:
        if what == "model":
            host(provider, "another")  # both exist, and the message is for the other one
        swapped = self._swapped(card, what)
        with unharmed(provider, ProofError):
            alice.upload(swapped, TABLE, path=path)  # type: ignore[arg-type]

    @pytest.mark.parametrize("path", ["sealed", "homomorphic"])
    def test_without_the_binding_codes_change_their_meaning(
        self, path: str, alice: DataOwner, card: ModelCard, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Station, "expected", lambda self, context: context)
        alice.upload(self._swapped(card, "schema"), TABLE, path=path)  # type: ignore[arg-type]
        counts, right = learned(provider), statistics(TABLE)
        np.testing.assert_array_equal(counts[[1, 0]], right[[0, 1]])
        assert (counts != right).any()

    def test_another_layout_alone(
        self, upload: HomomorphicUpload, alice: DataOwner, card: ModelCard, provider: Provider
    ) -> None:
        """Wider slots with everything else right, proof included."""
        wide = self._swapped(card, "layout")
        object.__setattr__(wide, "digest", card.digest)
        assert wide.layout != card.layout
        with unharmed(provider, PrivMLError, match="model takes single chunks"):
            alice.upload(wide, TABLE, path="homomorphic")

    def test_without_the_layouts_check_the_counts_do_not_add_up(
        self, alice: DataOwner, card: ModelCard, provider: Provider, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def verify(self: HomomorphicUpload, key: PublicKey, context: SealContext, layout: Layout) -> None:
            object.__setattr__(self.packed, "layout", layout)

        wide = replace(card, chunk_rows=128)
        object.__setattr__(wide, "digest", card.digest)
        monkeypatch.setattr(HomomorphicUpload, "verify", verify)
        assert wide.layout.ciphertexts(card.parameters) == card.layout.ciphertexts(card.parameters)
        with unharmed(provider, ValidationError):  # the counts that come out of such slots do not add up
            alice.upload(wide, TABLE, path="homomorphic")

    def test_a_sum_in_place_of_a_chunk(self, upload: HomomorphicUpload, mallory: DataOwner, provider: Provider) -> None:
        object.__setattr__(upload.packed, "additions_used", 2)
        with unharmed(provider, PrivMLError, match="2"):
            provider.upload(dumps(upload))
