"""What the demonstration prints: the scene, what came out, what it cost."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from privml.cli.console import headline, paragraph, table
from privml.cli.demo.data import Scene
from privml.cli.demo.peers import peer_of
from privml.cli.demo.plaintext import Comparison
from privml.cli.demo.stage import Step
from privml.cli.demo.story import Outcome
from privml.data.feature import Numeric
from privml.units.channel import ChannelStatistics
from privml.units.link import LINKS


def introduce(to: Console, scene: Scene, key_bits: int) -> None:
    """Say what is about to happen, and to which data."""
    schema = scene.schema
    training = sum(len(part.table) for part in scene.parts)
    headline(to, f"PrivML: {peer_of(scene.classifier).method} on records that nobody shows to anybody")
    to.print()
    paragraph(
        to,
        f"{scene.title}: {training + len(scene.test)} records, {len(schema.features)} features, class {schema.target} "
        f"({_listed(schema.classes)}). {len(scene.parts)} owners hold {training} records; a client wants the labels of "
        f"the other {len(scene.test)}. Keys of {key_bits} bits.",
    )
    binned = sum(isinstance(feature, Numeric) for feature in schema.features)
    bins = f" (numeric features in bins: {binned})" if binned else ""
    paragraph(
        to,
        f"The schema is PUBLIC: names, categories, classes and bin edges{bins}. Here it is taken from the owners' "
        "rows; a real service takes it from public knowledge.",
        style="yellow",
    )
    paragraph(
        to,
        f"The model changes its answers only when {scene.new_records} new records have come together: answers before "
        "and after a single record would show it. The operators choose the number; unless they do, it is 1.",
    )
    to.print()
    for part in scene.parts:
        joins = "joins after the first answers" if part is scene.late else "is there from the start"
        chunks = f"{part.path}, in chunks of {part.chunk_rows}"
        paragraph(to, f"{part.owner:<9} {len(part.table):>7} records   {chunks:<32} {joins}")
    paragraph(to, f"{'client':<9} {len(scene.test):>7} questions")


def accuracy(to: Console, scene: Scene, outcome: Outcome, compared: Sequence[Comparison]) -> None:
    """Compare the answers with those of a peer on the plain records."""
    headline(to, "1. Are the answers right?")
    shown = table("What the model holds", "Records", "Private", "Plaintext", "Equal predictions", numbers=(1, 2, 3, 4))
    less = "" if outcome.withdrawn is None else f", less {scene.early[0].owner}'s withdrawn chunk"
    held = ("the first owners' records", f"and {scene.late.owner}'s{less}")
    for each, what in zip(compared, held, strict=True):
        shown.add_row(
            what,
            str(each.holds),
            f"{each.private_right / each.asked:.2%}",
            f"{each.plaintext_right / each.asked:.2%}",
            f"{each.equal} of {each.asked}",
            style="bold" if each is compared[-1] else "",
        )
    to.print(shown)
    paragraph(
        to,
        f"Accuracy on the client's records. Plaintext is {peer_of(scene.classifier).described}, trained in the clear "
        "on the same encoding of exactly the records that the model holds.",
    )
    if outcome.refusal is not None:
        paragraph(to, f"{scene.early[0].owner} wanted to withdraw a chunk, and could not: {outcome.refusal}.")


def cost(to: Console, steps: Sequence[Step]) -> None:
    """What every step took, and would take between machines."""
    headline(to, "2. What did it cost?")
    headers = ("Step", "Here", "Rounds", "Master to\nSecondary", "Secondary\nto Master", "Owners,\nclients")
    shown = table(
        *headers, *(link.name.replace(", ", "\n") for link in LINKS), numbers=tuple(range(1, len(headers) + len(LINKS)))
    )
    total = Step("all", sum(step.seconds for step in steps), _sum(steps), sum(step.sent for step in steps))
    for step in (*steps, total):
        if step is total:
            shown.add_section()
        shown.add_row(
            step.name,
            duration(step.seconds),
            str(step.traffic.rounds or "-"),
            size(step.traffic.bytes_sent),
            size(step.traffic.bytes_received),
            size(step.sent),
            *(duration(link.seconds(step.seconds, step.traffic)) for link in LINKS),
            style="bold" if step is total else "",
        )
    to.print(shown)
    paragraph(
        to,
        "Here: everybody's time, in this one process. Owners, clients: what they sent. The last two columns estimate "
        "the time with such a link between the units (bandwidth, round trip), from rounds and bytes. Not counted: the "
        "links of owners and clients, and the random masks that the authority deals ahead.",
    )


def duration(seconds: float) -> str:
    """A time in seconds, or in milliseconds where that says more."""
    return f"{seconds:.2f} s" if seconds >= 0.1 else f"{1000 * seconds:.1f} ms"


def size(count: int) -> str:
    """A number of bytes, in decimal units; nothing is a dash."""
    if count < 1000:
        return f"{count} B" if count else "-"
    value, unit = count / 1000, "kB"
    for larger in ("MB", "GB"):
        if value >= 1000:
            value, unit = value / 1000, larger
    return f"{value:.1f} {unit}"


def _sum(steps: Sequence[Step]) -> ChannelStatistics:
    traffic = [step.traffic for step in steps]
    return ChannelStatistics(
        rounds=sum(each.rounds for each in traffic),
        bytes_sent=sum(each.bytes_sent for each in traffic),
        bytes_received=sum(each.bytes_received for each in traffic),
    )


def _listed(names: Sequence[str], limit: int = 6) -> str:
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
