"""A unit's source of correlated randomness that needs no dealer: made with the other unit when it is drawn."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from privml.crypto.prg import Stream, derive_key
from privml.crypto.randomness import random_bytes
from privml.crypto.secret import Secret
from privml.crypto.transcript import encode
from privml.errors import SettingError
from privml.units.channel import exchange_exactly
from privml.units.correlations import Corrector, Correlation, DrawnMask, OperandMask
from privml.units.ledger import Ledger, MemoryLedger
from privml.units.ot.link import SESSION_BYTES, TransferLink
from privml.units.ot.making import Making
from privml.units.ot.statistics import SourceStatistics
from privml.units.role import Role

if TYPE_CHECKING:
    from privml.units.channel import Channel

Array = NDArray[Any]
Words = NDArray[np.uint64]

EPOCH_BYTES = 16


@dataclass(frozen=True)
class OtBranch:
    """Where a lane's stream begins that both workers make over their own link."""

    role: Role

    def source(self, channel: Callable[[], Channel]) -> OtSource:
        """Return the stream; it sets its own transfers up at the first draw."""
        return OtSource(self.role, channel)

    def carried(self) -> tuple[OtBranch, None]:
        """There is nobody who corrects draws."""
        return self, None

    def corrected_by(self, corrector: Corrector) -> OtBranch:  # noqa: ARG002 - there is no dealer
        """Return it as it is: nobody corrects draws."""
        return self


class OtSource(Secret):
    """A unit's source of correlated randomness, made with the other unit by oblivious transfer.

    Both units have one, and draw the same correlations in the same order, as their programme does. A draw talks to the
    other unit: two rounds of messages for most kinds, two for each level of longer ANDs (`schedule`), as often as a
    large draw needs batches (2^18 transfers, or 2^12 products: up to about 45 MiB beside the result itself).

    The first draw sets the link up: base transfers, and the epoch, which both units contribute to; until then the
    epoch is 16 zero bytes. Everything secret lives in this object and dies with it.

    Numbers and failures. Draws are numbered by a ledger as the dealer's are. A unit's own shares come from its own
    seed and the draw's number, so an operand's mask is expanded again where it is needed, and no number gives two
    shares. Everything made with the peer belongs to a link, whose keys, pools and tweaks count on from draw to draw
    and are never saved. A draw that fails, and `jump`, which both units call when their channel was made anew, throw
    the link away; the next draw sets up another, with fresh keys, under the same epoch. So no tweak is ever used twice
    under one key, wherever either unit was interrupted. If the very first message of all got through in one direction
    only, the epochs differ, and both units need new sources.

    Parameters
    ----------
    role
        Master or Secondary.
    channel
        Returns the current channel to the peer; called once a draw, so that a unit's channel may be replaced. Give it
        the inner channel of a recording one to keep correlations out of a trace.
    ledger
        Numbers the draws; by default from 0, in memory.
    """

    def __init__(self, role: Role, channel: Callable[[], Channel], ledger: Ledger | None = None) -> None:
        self._role = role
        self._channel = channel
        self._ledger = ledger or MemoryLedger()
        self._seed = random_bytes(32)
        self._epoch = bytes(EPOCH_BYTES)
        self._link: TransferLink | None = None
        self._common_key = b""
        self._statistics = SourceStatistics()

    def __repr__(self) -> str:
        return f"OtSource({self._role.label}, position={self.position})"

    @property
    def epoch(self) -> bytes:
        """16 bytes that name what both units set up with each other; zeros before the first draw."""
        return self._epoch

    @property
    def position(self) -> int:
        """The number of the next draw."""
        return self._ledger.position

    @property
    def statistics(self) -> SourceStatistics:
        """What this source has cost so far."""
        return self._statistics

    def jump(self, position: int) -> None:
        """Skip to a later draw, or stay; the next draw sets up a new link. Both units must do it.

        Raises
        ------
        DrawReusedError
            The position lies before the next draw.
        """
        self._ledger.jump(position)
        self._link = None

    def draw(self, correlation: Correlation) -> list[Array]:
        """Return this unit's shares of the next draw: bases first, then what is derived.

        Raises
        ------
        DrawReusedError
            This process is a fork of the one that made the ledger.
        SettingError
            The kind is unknown, a truncation drops all bits or none, or a triple refers to no operand's mask.
        ChannelError, ProtocolError
            The peer is gone or out of step; see the class on what then.
        """
        start = time.perf_counter()
        number = self._ledger.reserve()
        if isinstance(correlation, OperandMask):
            self._statistics += SourceStatistics(draws=1, seconds=time.perf_counter() - start)
            return [self._operand(DrawnMask(correlation.shape, number))]
        channel = self._channel()
        before = channel.statistics
        # a draw that fails leaves no link: nobody knows how far the peer came
        link, self._link = self._link, None
        used = link.transfers if link is not None else 0
        try:
            link = link or self._connect(channel)
            link.channel = channel
            own, common = Stream(self._seed, number), Stream(self._common_key, number)
            shares = Making(link, self._is_master, own, common, self._operand).make(correlation)
            self._link = link
        finally:
            transfers = link.transfers - used if link is not None else 0
            seconds = time.perf_counter() - start
            self._statistics += SourceStatistics(1, transfers, channel.statistics - before, seconds)
        return shares

    def branches(self, count: int) -> list[OtBranch]:
        """Return beginnings of so many independent streams, one for each lane; they take the number of one draw."""
        self._ledger.reserve()
        return [OtBranch(self._role)] * count

    @property
    def _is_master(self) -> bool:
        return self._role is Role.MASTER

    def _connect(self, channel: Channel) -> TransferLink:
        """Agree on a session and make base transfers: three rounds."""
        mine = random_bytes(SESSION_BYTES)
        theirs = bytes(exchange_exactly(channel, mine, SESSION_BYTES))
        ordered = (mine, theirs) if self._is_master else (theirs, mine)
        session = hashlib.sha256(encode("privml-ot", 1, *ordered)).digest()
        if self._epoch == bytes(EPOCH_BYTES):
            self._epoch = derive_key(session, "privml-ot-epoch", length=EPOCH_BYTES)
        self._common_key = derive_key(session, "privml-ot-common")
        return TransferLink(channel, self._is_master, session)

    def _operand(self, drawn: DrawnMask) -> Words:
        """Expand this unit's share of an operand's mask, now or again."""
        if not 0 <= drawn.number < self.position:
            raise SettingError(f"draw {drawn.number} was not made yet: it is no operand's mask")
        return Stream(self._seed, drawn.number).words(drawn.shape)
