"""The story that the demonstration plays. Without the stage around it, these are the ten lines of any user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from privml.cli.demo.data import Part, Scene
from privml.cli.demo.stage import Stage
from privml.data.table import Table
from privml.roles.authority import Authority
from privml.roles.client import Client, ClientSession
from privml.roles.data_owner import DataOwner, Receipt
from privml.roles.provider import Provider

MODEL: Final = "demo"


@dataclass(frozen=True)
class Round:
    """The client asks for the labels of all test rows, of a model that holds these tables."""

    holds: tuple[Table, ...]
    labels: NDArray[Any]


@dataclass(frozen=True)
class Outcome:
    """What came of it.

    Attributes
    ----------
    uploads
        Receipts by owner, those of the withdrawn chunk included.
    withdrawn
        The receipt of the chunk that its owner took back.
    """

    rounds: tuple[Round, ...]
    uploads: dict[str, list[Receipt]]
    withdrawn: Receipt


def play(stage: Stage, scene: Scene, authority: Authority, *, n_jobs: int = 1) -> Outcome:
    """Play it: owners upload, a client asks, one more owner joins, one withdraws a chunk, and the client asks again."""
    with stage.step("both units start"):
        provider = Provider.embedded(authority, "demo-provider", n_jobs=n_jobs)
        endpoint = stage.connect(provider)
    with provider:
        # both operators take on the model; its card is public, and everything sent is bound to it
        card = provider.create_model(
            MODEL,
            "naive_bayes",
            scene.schema,
            chunk_rows=max(part.chunk_rows for part in scene.parts),
            new_records=scene.new_records,
        )

        def join(part: Part) -> DataOwner:
            with stage.step(f"{part.owner} registers a key"):
                return DataOwner.join(endpoint, part.owner)

        def upload(owner: DataOwner, part: Part) -> list[Receipt]:
            with stage.step(f"{part.owner} uploads, {part.path}", len(part.table)) as advance:
                return owner.upload(
                    card, part.table, path=part.path, chunk_rows=part.chunk_rows, unknown="ignore", progress=advance
                )

        def refresh() -> None:
            with stage.step("units refresh the model"):
                provider.refresh(MODEL)

        def ask(session: ClientSession) -> NDArray[Any]:
            with stage.step(f"client asks {len(scene.test)} questions", len(scene.test)) as advance:
                return session.predict(scene.test, unknown="ignore", progress=advance)

        owners = [join(part) for part in scene.early]
        uploads = {part.owner: upload(owner, part) for owner, part in zip(owners, scene.early, strict=True)}
        refresh()
        with stage.step("client registers a key"):
            client = Client.join(endpoint, "client")
        with stage.step("client opens a session"):
            session = client.open_session(card)
        with session:
            before = Round(tuple(part.table for part in scene.early), ask(session))
            uploads[scene.late.owner] = upload(join(scene.late), scene.late)
            first, withdrawn = scene.early[0], uploads[scene.early[0].owner][0]
            with stage.step(f"{first.owner} withdraws a chunk"):
                owners[0].withdraw(card, withdrawn)
            refresh()
            left = first.table.rows(withdrawn.rows, len(first.table))
            rest = tuple(part.table for part in scene.parts[1:])
            after = Round((left, *rest), ask(session))
            with stage.step("client closes the session"):
                session.close()
    return Outcome((before, after), uploads, withdrawn)
