"""How long a message may be, so that whoever reads one knows before it takes it in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from privml.crypto.envelope import SealedArray
from privml.crypto.parameters import PublicParameters
from privml.crypto.wire import DEFAULT_MAX_SIZE
from privml.crypto.wire_fields import element_width
from privml.roles.card import ModelCard
from privml.roles.messages import HomomorphicUpload
from privml.roles.queries import Query

_NAMES = 4096
_ELEMENTS = 8
"""A key, a seed, a proof or a signature is a few names, digests and counters, and fewer elements than this."""


def longest(kind: type[Any], parameters: PublicParameters, cards: Iterable[ModelCard]) -> int:
    """Bytes of the longest message of a kind that any of these models takes.

    Only arrays and packed statistics grow with what they hold, and the cards say how much that may be. Which model a
    message is for shows when it was read; then it is held to that model's own card.
    """
    element = element_width(parameters)
    content = 0
    for card in cards:
        if kind is SealedArray:
            content = max(content, 8 * card.sealed_rows * card.row_width)
        elif kind is Query:
            content = max(content, 8 * card.query_rows * card.schema.width)
        elif kind is HomomorphicUpload and card.takes_statistics:
            content = max(content, 2 * element * card.layout.ciphertexts(parameters))  # T1, and T2 if it is there
    return min(_NAMES + _ELEMENTS * element + content, DEFAULT_MAX_SIZE)
