"""What owners and clients have in common: an identity, a key of their own, and a provider they are registered at."""

from __future__ import annotations

from typing import Any, Self

from privml.crypto.dtpkc import WeakPrivateKey
from privml.crypto.fixed_base import Encryptor
from privml.crypto.packing import PackedCiphertext
from privml.crypto.registry import KeyRegistration
from privml.crypto.secret import Secret
from privml.crypto.wire import dumps, loads
from privml.errors import LayoutError
from privml.roles.card import ModelCard
from privml.roles.endpoint import Endpoint
from privml.roles.words import words_of


class Participant(Secret):
    """Somebody outside the provider, with a key that only they have.

    Parameters
    ----------
    identity
        Name under which the key is registered.
    key
        The private key, made by the participant from the public parameters.
    provider
        Where to send everything.
    """

    def __init__(self, identity: str, key: WeakPrivateKey, provider: Endpoint) -> None:
        self.identity = identity
        self.provider = provider
        self._key = key
        self._encryptor = Encryptor(key.public_key)

    @classmethod
    def join(cls, provider: Endpoint, identity: str, key: WeakPrivateKey | None = None) -> Self:
        """Register at a provider, with a fresh key unless one is given.

        Raises
        ------
        RegistrationError
            The identity has another key there.
        """
        key = WeakPrivateKey.generate(provider.parameters) if key is None else key
        provider.register(dumps(KeyRegistration.create(key, identity)))
        return cls(identity, key, provider)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.identity!r})"

    @property
    def key(self) -> WeakPrivateKey:
        """The private key, to be kept in a key file (`privml.crypto.keyfile`)."""
        return self._key

    def read_model(self, card: ModelCard) -> Any:
        """Have a model revealed to this participant, whose key its card must name as a recipient's.

        Returns
        -------
        object
            What the classifier makes of it, e.g. `NaiveBayesModel`.

        Raises
        ------
        AuthorisationError
            The card does not name this participant's key.
        NotFittedError
            The model has not learned from any record.
        """
        message = self.provider.reveal(card.model, self.identity)
        packed = loads(message, PackedCiphertext, card.parameters)
        if packed.layout.sigma:
            raise LayoutError("a revealed model travels in the layout of shared words")
        return card.learner_class.read_model(card.schema, words_of(packed.decrypt(self._key)))
