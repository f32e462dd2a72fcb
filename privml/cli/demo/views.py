"""What everybody saw of the story, in plain words; `privml.roles.station` is the code that makes it true."""

from __future__ import annotations

from rich.console import Console

from privml.cli.console import headline, paragraph, table
from privml.cli.demo.data import Scene
from privml.cli.demo.story import Outcome


def views(to: Console, scene: Scene, outcome: Outcome) -> None:
    """Say what each role saw, and what it could not."""
    headline(to, "3. Who saw what?")
    shown = table("Who", "Saw", "Did not see, and why")
    for who, saw, hidden in _rows(scene, outcome):
        shown.add_row(who, saw, hidden, end_section=True)
    to.print(shown)
    paragraph(
        to,
        "Both units know the schema, everybody's public keys, who uploaded how many records and when, which chunks "
        "were withdrawn, and how many questions were asked. They must not collude: together they hold the whole key. "
        "Nor may the Secondary tap the owners' and clients' lines to the Master.",
    )
    if scene.options:
        paragraph(to, "An option of a classifier may make more public than this; its documentation says which.")
    paragraph(
        to,
        "In this demo all of them share one process, so nothing was hidden from whoever ran it. The units of a real "
        "provider run on machines of two organisations.",
        style="yellow",
    )


def _rows(scene: Scene, outcome: Outcome) -> list[tuple[str, str, str]]:
    sealed = sum(len(part.table) for part in scene.parts if part.path == "sealed")
    homomorphic = [part for part in scene.parts if part.path == "homomorphic"]
    chunks = sum(len(outcome.uploads[part.owner]) for part in homomorphic)
    counted = sum(len(part.table) for part in homomorphic)
    asked = len(scene.test) * len(outcome.rounds)
    # only where the classifier has a homomorphic path
    counts = f"the counts of {counted} other records, as {chunks} encrypted chunks; " if chunks else ""
    checked = f"the {chunks} encrypted chunks, to check their proofs; " if chunks else ""
    blinded = "sums of counts under random numbers that are 64 bits longer; " if chunks else ""
    return [
        (
            "Master",
            f"{sealed} records and {asked} questions, each under a one-time pad; {counts}from the Secondary, "
            "uniformly random numbers, and the answers under the client's pad",
            "a record, a count, the model, a question, an answer: it has no pad, and only half of the key",
        ),
        (
            "Secondary",
            f"the pads of those {sealed} records and {asked} questions; {checked}{blinded}from the Master, uniformly "
            "random numbers",
            "a record, a count, the model, a question, an answer: it has no masked record or question, and only the "
            "other half of the key",
        ),
        (
            "authority",
            "the keys, which it made, split and forgot; the random masks that it dealt to both units",
            "anything else: no ciphertext or other message came to it. As it knows the masks, it may not tap the line "
            "between the units",
        ),
        (
            "each owner",
            "its own records, and that its uploads were taken",
            "others' records, the model, questions, answers: nothing of them is sent to owners",
        ),
        (
            "client",
            f"its own {len(scene.test)} records, and their labels after each of its {len(outcome.rounds)} rounds",
            "owners' records, the model, how sure it is: this model answers with labels only",
        ),
    ]
