"""Where the units of an embedded provider get their correlated randomness."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

from privml.errors import SettingError
from privml.units.correlations import CorrelationSource
from privml.units.dealer import Dealer
from privml.units.ot.source import OtSource
from privml.units.role import Role
from privml.units.unit import Unit

CorrelationsFrom = Literal["dealer", "ot"]
"""Who makes correlated randomness.

"dealer": the authority, ahead of time. "ot": both units, by oblivious transfer, which takes no trust in a dealer, and
about a hundred times the time and the traffic.
"""


def dealer_of(correlations: str, deal: Callable[[], Dealer]) -> Dealer | None:
    """Let the authority deal, if it is to; None where the units do without.

    Raises
    ------
    SettingError
        Correlations come from elsewhere.
    """
    if correlations not in ("dealer", "ot"):
        raise SettingError(f'correlations come from a "dealer" or by "ot", not from {correlations!r}')
    return deal() if correlations == "dealer" else None


def source_of(role: Role, dealer: Dealer | None, units: Callable[[], Iterable[Unit]]) -> CorrelationSource:
    """Return one unit's source: the dealer's, or one that talks to the other unit when it is drawn from.

    Parameters
    ----------
    units
        Returns both units; after a failure theirs is another channel.
    """
    if dealer is not None:
        return dealer.source(role)
    return OtSource(role, lambda: next(unit.channel for unit in units() if unit.role is role))
