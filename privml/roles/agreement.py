"""What a unit does with a message before it changes anything: read, forward, check, and agree with the other unit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from privml.crypto.ciphertext import CiphertextVector
from privml.crypto.envelope import Envelope, seed_from_plaintext
from privml.crypto.wire import dumps, loads
from privml.errors import CryptoError, PrivMLError, SessionError
from privml.roles.books import Books
from privml.roles.queries import Closing, Query
from privml.units.decryption import open_to_secondary
from privml.units.unit import Unit

T = TypeVar("T")


class Agreement(Books):
    """Books that are compared with the other unit's: a refusal by either is agreed, and leaves both as they were.

    Parameters
    ----------
    unit
        This unit, with its share of the strong key.
    provider
        Name of the provider.
    """

    def __init__(self, unit: Unit, provider: str) -> None:
        super().__init__(unit.role, unit.strong_key().parameters, provider)
        self.unit = unit

    def _admit(
        self,
        message: bytes | None,
        kind: type[Any],
        read: Callable[[Any], T],
        check: Callable[[T], object],
        forwarded: type[T] | None = None,
    ) -> T:
        """Read a message in the Master, forward what `read` makes of it, check it in both, and agree. Two rounds."""
        problem: PrivMLError | None = None
        admitted: T | None = None
        statement = b""
        if not self.unit.is_master:
            statement = bytes(self.unit.channel.receive())
        try:
            if self.unit.is_master:
                admitted = read(loads(message or b"", kind, self._parameters_of(kind), max_size=self.longest(kind)))
            elif statement:
                admitted = loads(statement, forwarded or kind, self._parameters_of(forwarded or kind))
            if admitted is not None:
                check(admitted)
        except PrivMLError as error:
            problem = error
        if self.unit.is_master:
            self.unit.channel.send(b"" if problem is not None else dumps(admitted))
        self.unit.agree(problem)
        if admitted is None:
            raise SessionError("the other unit forwarded nothing and found nothing wrong")
        return admitted

    def _agreed(self, check: Callable[[], T]) -> T:
        """Check something in both units, and agree. One round."""
        problem: PrivMLError | None = None
        result: T | None = None
        try:
            result = check()
        except PrivMLError as error:
            problem = error
        self.unit.agree(problem)
        if result is None:
            raise SessionError("a check that found nothing wrong gave nothing")
        return result

    def _open_seed(self, envelope: Envelope) -> bytes | None:
        """Open an envelope's seed to the Secondary; a plaintext that is no seed is refused by both. Two rounds."""
        if self.unit.is_master:
            open_to_secondary(self.unit, CiphertextVector(self.parameters, (envelope.seed.t1,)), 1)
            self.unit.agree(None)
            return None
        problem: PrivMLError | None = None
        seed = b""
        try:
            (plaintext,) = open_to_secondary(self.unit, None, 1) or [-1]
            seed = seed_from_plaintext(plaintext)
        except CryptoError as error:
            problem = error
        self.unit.agree(problem)
        return seed

    def _parameters_of(self, kind: type[Any]) -> Any:
        """What is said in a session belongs to no public parameters, everything else to the provider's."""
        return None if kind in (Query, Closing) else self.parameters
