"""Where the story plays: every step is timed, what it sends is counted, and who waits sees it move."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from privml.crypto.parameters import PublicParameters
from privml.roles.card import ModelCard
from privml.roles.data_owner import Progress as Advance
from privml.roles.endpoint import Endpoint
from privml.roles.provider import Provider
from privml.units.channel import ChannelStatistics


@dataclass(frozen=True, slots=True)
class Step:
    """What a step took.

    Attributes
    ----------
    seconds
        Of everybody in it: owners or clients, both units and the dealer, in this one process.
    traffic
        Between the units, as the Master counts it.
    sent
        Bytes that owners and clients sent to the provider.
    """

    name: str
    seconds: float
    traffic: ChannelStatistics
    sent: int


class CountedEndpoint(Endpoint):
    """A provider, and the bytes of all messages that owners and clients sent it."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self.sent = 0

    @property
    def parameters(self) -> PublicParameters:
        """The public parameters."""
        return self._provider.parameters

    @property
    def epoch(self) -> bytes:
        """Names this run of the provider."""
        return self._provider.epoch

    def card(self, model: str) -> ModelCard:
        """The public description of a model."""
        return self._provider.card(model)

    def register(self, message: bytes) -> None:
        """Register a public key with its proof."""
        self._provider.register(self._counted(message))

    def upload(self, message: bytes) -> None:
        """Take a chunk."""
        self._provider.upload(self._counted(message))

    def withdraw(self, message: bytes) -> None:
        """Forget a chunk."""
        self._provider.withdraw(self._counted(message))

    def open_session(self, message: bytes) -> None:
        """Open a query session."""
        self._provider.open_session(self._counted(message))

    def close_session(self, message: bytes) -> None:
        """Close a query session."""
        self._provider.close_session(self._counted(message))

    def query(self, message: bytes) -> bytes:
        """Answer a query."""
        return self._provider.query(self._counted(message))

    def reveal(self, model: str, recipient: str) -> bytes:
        """The model, encrypted for a recipient; the request is no message of its own here."""
        return self._provider.reveal(model, recipient)

    def _counted(self, message: bytes) -> bytes:
        self.sent += len(message)
        return message


class Stage:
    """Times and counts steps, and shows them as progress bars on a terminal.

    Parameters
    ----------
    console
        For the bars; nothing is shown if it is no terminal.
    """

    def __init__(self, console: Console) -> None:
        self.steps: list[Step] = []
        self._provider: Provider | None = None
        self._endpoint: CountedEndpoint | None = None
        self._bars = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description:<34}", markup=False),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            disable=not console.is_terminal,
        )

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._bars.stop()

    def connect(self, provider: Provider) -> Endpoint:
        """Count what goes over a provider's channel, and what comes in by the endpoint returned."""
        self._provider, self._endpoint = provider, CountedEndpoint(provider)
        return self._endpoint

    @contextmanager
    def step(self, name: str, records: int = 1) -> Iterator[Advance]:
        """Time and count what happens inside; it is told as many `records` as it is through with, or none at all.

        What fails is no step.
        """
        bar = self._bars.add_task(name, total=records)
        traffic, sent, start = *self._counts(), perf_counter()
        try:
            yield lambda done: self._bars.advance(bar, done)
        except BaseException:
            self._bars.remove_task(bar)
            raise
        seconds = perf_counter() - start
        now, sent_now = self._counts()
        self.steps.append(Step(name, seconds, now - traffic, sent_now - sent))
        self._bars.update(bar, completed=records)

    def _counts(self) -> tuple[ChannelStatistics, int]:
        if self._provider is None or self._endpoint is None:
            return ChannelStatistics(), 0
        return self._provider.statistics, self._endpoint.sent
