"""What every object with a secret in it has in common."""

from __future__ import annotations

from typing import NoReturn, SupportsIndex

from privml.errors import SecretExposureError


class Secret:
    """An object that refuses to be pickled or copied, so that it stays where it was made.

    Key files and wire formats name the secret they write; nothing writes one by accident. Subclasses keep their secret
    fields out of `repr` themselves.
    """

    __slots__ = ()

    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise SecretExposureError(f"a {type(self).__name__} is neither pickled nor copied")
