"""Logistic regression on private scales, from moments that owners sent homomorphically, beside the same in public."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from experiments.both_units import BothUnits
from experiments.learners.comparison import Scores, scores
from experiments.learners.data import Prepared, Source
from experiments.learners.options import REGRESSION, options_for
from experiments.naive_bayes.scene import chunks, make_authority, seal
from experiments.record import Peer
from experiments.report import Report
from experiments.settings import Settings
from experiments.timing import Timing
from privml.crypto.envelope import IDENTIFIER_BYTES
from privml.crypto.randomness import random_bytes
from privml.data.continuous import UNIT_BITS, Continuous
from privml.data.encoding import one_hot
from privml.roles.card import ModelCard
from privml.roles.client import Client
from privml.roles.data_owner import DataOwner
from privml.roles.provider import Provider
from privml.units.channel import ChannelStatistics

PRIVATE_SCALES: Final = f"Breast cancer, private scales: {REGRESSION}"
PUBLIC: Final = "public scales"
FLOOR: Final = 2.0**-8
"""What private scales add to variances, in units of the range squared."""


@dataclass(frozen=True)
class Part:
    """Something that was done: seconds, and what the units said to each other."""

    seconds: float
    traffic: ChannelStatistics


@dataclass(frozen=True)
class Training:
    """One model: what its owners and the units did for it, and what it answers."""

    encrypted: Part
    sent: int
    taken: Part
    trained: Part
    quality: Scores
    probabilities: NDArray[np.float64]


@dataclass(frozen=True)
class Scene:
    """Two owners with half of the records each."""

    provider: Provider
    owners: tuple[DataOwner, DataOwner]
    client: Client
    split: Prepared

    def train(self, name: str, standardisation: Mapping[str, Any] | str) -> Training:
        """Send moments if scales are private, then records, and ask about the test records."""
        train = self.split.train
        options = {**options_for(REGRESSION, self.split.schema, train), "standardisation": standardisation}
        answers = ("label", "probabilities")
        card = self.provider.create_model(name, REGRESSION, self.split.schema, options=options, answers=answers)
        parts = list(zip(self.owners, chunks(train, -(-len(train) // len(self.owners))), strict=True))
        moments: list[bytes] = []

        def encrypt() -> None:
            for owner, part in parts if card.takes_statistics else ():
                moments.append(owner.encrypt(card, part, random_bytes(IDENTIFIER_BYTES)))

        encrypted = self._timed(encrypt)
        sealed = seal(card, parts)

        def take() -> None:
            for message in moments:
                self.provider.upload(message)

        def learn() -> None:
            for message in sealed:
                self.provider.upload(message)
            self.provider.refresh(name)

        taken = self._timed(take)
        trained = self._timed(learn)
        return Training(encrypted, sum(map(len, moments)), taken, trained, *self._asked(card))

    def _asked(self, card: ModelCard) -> tuple[Scores, NDArray[np.float64]]:
        rows, truth = one_hot(self.split.schema, self.split.test.codes), np.asarray(self.split.test.labels)
        found = {}
        with self.client.open_session(card) as session:
            for answer in card.answers:
                found[answer] = session.read(self.provider.query(session.query(rows, answer)), len(rows), answer)
        labels = np.array([card.schema.classes.index(label) for label in found["label"]])
        return scores(truth, labels, found["probabilities"]), found["probabilities"]

    def _timed(self, work: Callable[[], object]) -> Part:
        before, start = self.provider.statistics, time.perf_counter()
        work()
        return Part(time.perf_counter() - start, self.provider.statistics - before)


def measure_scales(report: Report, settings: Settings, both: BothUnits, source: Source) -> None:
    """Train on private scales and on the same in public, in turns."""
    del both  # owners need a provider with keys
    (split,) = source.prepared(REGRESSION, settings.records)
    private, public = [], []
    with Provider.embedded(make_authority(settings)) as provider:
        owners = DataOwner.join(provider, "one"), DataOwner.join(provider, "other")
        scene = Scene(provider, owners, Client.join(provider, "client"), split)
        for turn in range(1 + settings.repeats):
            private.append(scene.train(f"private {turn}", "private"))
            public.append(scene.train(f"public {turn}", _same_in_public(split)))
        layout = provider.card("private 0").layout
        ciphertexts = layout.ciphertexts(provider.parameters)
    section, last = PRIVATE_SCALES, private[-1]

    def timing(of: Callable[[Training], Part], trainings: list[Training]) -> Timing:
        return Timing(tuple(of(each).seconds for each in trainings[1:]))  # the first one is a warm-up

    encrypting, taking = timing(lambda each: each.encrypted, private), timing(lambda each: each.taken, private)
    report.time(section, "owners encrypt two chunks of moments", encrypting, "s")
    report.add(section, "owners to the Master", last.sent, "bytes")
    report.add(section, "ciphertexts to a chunk", ciphertexts, "ciphertexts")
    report.time(section, "both units verify, convert and check them", taking, "s")
    ours, theirs = (timing(lambda each: each.trained, trainings) for trainings in (private, public))
    report.time(section, "sealed records, train + refresh", ours, "s", peer=(PUBLIC, theirs))
    for what, value, peer in (
        ("rounds to train", last.trained.traffic.rounds, public[-1].trained.traffic.rounds),
        ("accuracy", last.quality.accuracy, public[-1].quality.accuracy),
        ("AUC", last.quality.auc, public[-1].quality.auc),
    ):
        if value is not None and peer is not None:
            report.add(section, what, value, "", peer=Peer(PUBLIC, peer))
    furthest = float(np.abs(last.probabilities - public[-1].probabilities).max())
    report.add(section, f"largest difference of a probability from that with {PUBLIC}", furthest, "")
    report.step(section, "moments: verify, convert, check", taking.median, last.taken.traffic)
    report.step(section, "training", ours.median, last.trained.traffic)
    report.note(
        section,
        f"{len(split.train):,} records of two owners, {len(split.schema.features)} features; both scale by "
        "sqrt(variance + (range / 16)^2), and round one over that to 1/16 of the range",
    )


def _same_in_public(split: Prepared) -> dict[str, tuple[float, float]]:
    """Means and scales as the units work them out, in the features' own units."""
    found = {}
    for index, feature in enumerate(split.schema.features):
        if isinstance(feature, Continuous):
            places, reach = split.train.codes[:, index] / 2**UNIT_BITS, feature.high - feature.low
            scale = float(np.sqrt(places.var() + FLOOR))
            found[feature.name] = (feature.low + reach * float(places.mean()), reach * scale)
    return found
