"""What owners and clients need of a provider, however they reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from privml.crypto.parameters import PublicParameters
    from privml.roles.card import ModelCard


class Endpoint(Protocol):
    """The provider's side of every conversation; all messages are wire bytes (`privml.crypto.wire`)."""

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""

    @property
    def epoch(self) -> bytes:
        """Names this run of the provider; sessions are bound to it."""

    def card(self, model: str) -> ModelCard:
        """The public description of a model."""

    def register(self, message: bytes) -> None:
        """Register a public key with its proof."""

    def upload(self, message: bytes) -> None:
        """Take a sealed or a homomorphic chunk."""

    def withdraw(self, message: bytes) -> None:
        """Forget a chunk."""

    def open_session(self, message: bytes) -> None:
        """Open a query session."""

    def close_session(self, message: bytes) -> None:
        """Close a query session."""

    def query(self, message: bytes) -> bytes:
        """Answer a query of an open session."""

    def reveal(self, model: str, recipient: str) -> bytes:
        """The model itself, encrypted for a recipient whose key its card names."""
