"""The story that the demonstration plays. Without the stage around it, these are the ten lines of any user."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from numpy.typing import NDArray

from privml.cli.demo.data import Part, Scene
from privml.cli.demo.stage import Stage
from privml.data.table import Table
from privml.errors import ClassifierError
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
        The receipt of the chunk that its owner took back; None if the classifier cannot forget.
    refusal
        What the units said then.
    """

    rounds: tuple[Round, ...]
    uploads: dict[str, list[Receipt]]
    withdrawn: Receipt | None
    refusal: str | None = None


def play(stage: Stage, scene: Scene, authority: Authority, *, n_jobs: int = 1) -> Outcome:
    """Play it: owners upload, a client asks, one more owner joins, one withdraws a chunk, and the client asks again."""
    with stage.step("both units start"):
        provider = Provider.embedded(authority, "demo-provider", n_jobs=n_jobs)
        endpoint = stage.connect(provider)
    with provider:
        # both operators take on the model; its card is public, and everything sent is bound to it
        card = provider.create_model(
            MODEL,
            scene.classifier,
            scene.schema,
            options=scene.options,
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

        def withdraw(owner: DataOwner, receipt: Receipt) -> tuple[Receipt | None, str | None]:
            try:
                with stage.step(f"{owner.identity} withdraws a chunk"):
                    owner.withdraw(card, receipt)
            except ClassifierError as refusal:  # some learners keep nothing that they could take a chunk out of
                return None, str(refusal)
            return receipt, None

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
            withdrawn, refusal = withdraw(owners[0], uploads[scene.early[0].owner][0])
            refresh()
            first = scene.early[0].table
            left = first if withdrawn is None else first.rows(withdrawn.rows, len(first))
            rest = tuple(part.table for part in scene.parts[1:])
            after = Round((left, *rest), ask(session))
            with stage.step("client closes the session"):
                session.close()
    return Outcome((before, after), uploads, withdrawn, refusal)
