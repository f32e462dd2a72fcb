"""What was measured of the blocks on shares, as records and as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from experiments.blocks.cost import Cost
from experiments.blocks.shares import DEALER_FREE, JUDGED, MOST_WORDS, Measured
from experiments.record import Peer
from experiments.report import Report, number, quotient
from experiments.settings import BLOCK_BATCH, Settings
from experiments.targets import LIMITS
from experiments.timing import Timing
from privml.units.link import LINKS

DEALT: Final = "blocks on shares, correlations dealt"
TRANSFERRED: Final = "blocks on shares, correlations by oblivious transfer"
SHORT: Final = [link.name.partition(",")[0] for link in LINKS]
"""Of a link the rate alone: for headings."""

WHOLE: Final = " and ".join(link.name for link in LINKS)


def write_shares(report: Report, settings: Settings, measured: Sequence[Measured]) -> None:
    """Write both sections."""
    for each in measured:
        for cost in each.dealt:
            _write(report, each.block.name, cost, each.plain[cost.count])
    for each in measured:
        for cost in each.transferred:
            _write(report, each.block.name, cost, each.plain.get(cost.count))
    _show_dealt(report, settings, measured)
    _show_transferred(report, settings, measured)


def _write(report: Report, block: str, cost: Cost, plain: Timing | None) -> None:
    section, judged = (TRANSFERRED, DEALER_FREE) if cost.by_transfers else (DEALT, JUDGED)
    limits = [judged[block], f"{judged[block]}, bytes"] if block in judged and cost.count == BLOCK_BATCH else ["", ""]
    time, size = map(LIMITS.get, limits)
    sized = f"{block}, batch of {cost.count:,}"
    peer = None
    if plain:
        # dealt, both take turns in the same samples
        peer = Peer("numpy", plain.median * 1e6, None if cost.by_transfers else cost.timing.ratio(plain))
    report.add(
        section, f"{sized}: each", cost.timing.median * 1e6, "us",
        peer=peer, limit=time, keyless=True, spread=cost.timing.spread, in_grid=time is None,
    )  # fmt: skip
    report.add(
        section, f"{sized}: each way a value", cost.each_way, "bytes", limit=size, keyless=True, in_grid=size is None
    )
    for name, value, unit in (
        ("rounds", cost.traffic.rounds, "rounds"),
        ("of it, correlations", cost.making.median * 1e6, "us"),
        ("correlations, a value", cost.made_bytes, "bytes"),
        *((f"each at {link.name}", cost.over(link) * 1e6, "us") for link in LINKS),
    ):
        report.add(section, f"{sized}: {name}", value, unit, keyless=True, in_grid=True)


def _show_dealt(report: Report, settings: Settings, measured: Sequence[Measured]) -> None:
    times, said = [], []
    for each in measured:
        last = each.dealt[-1]
        plain = each.plain[last.count]
        shown = {cost.count: _us(cost.timing.median) for cost in each.dealt}
        shown.setdefault(settings.batches[-1], f"{shown[last.count]} ({last.count:,})")
        ours = (shown[count] for count in settings.batches)
        times.append((each.block.name, *ours, _us(plain.median), quotient(last.timing.ratio(plain))))
        over = (_us(cost.over(link)) for cost in (each.dealt[0], last) for link in LINKS)
        said.append((each.block.name, str(last.traffic.rounds), number(last.each_way), *over))
    sizes = [f"{count:,}" for count in settings.batches]
    links = [f"{size} at {short}" for size in (sizes[0], sizes[-1]) for short in SHORT]
    headings = ("block", *sizes, "numpy", "times numpy")
    report.grid(DEALT, f"{DEALT}: us a value in batches of", headings, times)
    headings = ("block", "rounds", "bytes each way", *links)
    report.grid(DEALT, f"{DEALT}: between the units, us a value in batches of", headings, said)
    report.note(
        DEALT,
        f"Both units and the dealer in this process, on a link in memory. Over links of {WHOLE} counts what the units "
        "say to each other, not what was dealt ahead. numpy: the block's reference, in the largest batch.",
    )


def _show_transferred(report: Report, settings: Settings, measured: Sequence[Measured]) -> None:
    rows, smaller = [], []
    for each in measured:
        last = each.transferred[-1]
        dealt = next(cost for cost in reversed(each.dealt) if cost.count <= last.count)
        times = map(_us, (last.timing.median, last.making.median, dealt.making.median))
        sizes = map(number, (last.each_way, last.made_bytes, dealt.made_bytes))
        over = (_us(last.over(link)) for link in LINKS)
        rows.append((each.block.name, f"{last.count:,}", *times, *sizes, *over))
        smaller += [each.block.name] if last.count < settings.batches[-1] else []
    headings = ("block", "batch", "us", "of it OT", "dealer", "bytes", "OT", "dealer", *SHORT)
    report.grid(TRANSFERRED, f"{TRANSFERRED}: us and bytes a value", headings, rows)
    report.note(
        TRANSFERRED,
        "Of the times, those that correlations took, beside a dealer's; of the bytes, the block's own each way, what "
        "its correlations took each way, and a dealer's corrections, once.",
    )
    if smaller:
        report.note(
            TRANSFERRED,
            f"In a smaller batch than {settings.batches[-1]:,}, since a run was to take {settings.budget:g} s and a "
            f"result {MOST_WORDS:,} words at most: {', '.join(smaller)}.",
        )


def _us(seconds: float) -> str:
    return number(seconds * 1e6)
