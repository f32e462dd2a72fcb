"""What each unit takes where it runs alone, linked by TLS."""

from __future__ import annotations

import time

from experiments.apart import PROVIDER, ApartProvider
from experiments.both_units import BothUnits
from experiments.learners.data import Source
from experiments.learners.options import options_for
from experiments.report import Report
from experiments.settings import Settings
from experiments.targets import LIMITS
from privml.crypto.envelope import IDENTIFIER_BYTES
from privml.crypto.randomness import random_bytes
from privml.data.encoding import EncodedTable
from privml.roles.authority import Authority
from privml.roles.card import ModelCard
from privml.roles.data_owner import SEALED_CHUNK, DataOwner


def measure_units(report: Report, settings: Settings, both: BothUnits, learner: str, source: Source) -> None:
    """Upload sealed chunks and bring the model up to date, with each unit in a process of its own."""
    del both  # they share a process
    section = f"{source.title}, each unit in a process of its own: {learner}"
    split = source.prepared(learner, settings.records)[0]
    options = options_for(learner, split.schema, split.train)
    authority = Authority.create(settings.key_bits, allow_insecure_test_size=settings.allow_insecure_test_size)
    codes, labels = split.train.codes, split.train.labels
    with ApartProvider(authority) as provider:
        idle = provider.peaks()
        card = ModelCard(provider.parameters, PROVIDER, "model", learner, split.schema, options=options)
        provider.host(card)
        owner = DataOwner.join(provider, "owner")
        messages = [
            owner.seal(card, EncodedTable(codes[part], None if labels is None else labels[part], 0), _identifier())
            for part in (slice(start, start + SEALED_CHUNK) for start in range(0, len(codes), SEALED_CHUNK))
        ]
        start = time.perf_counter()
        for message in messages:
            provider.upload(message)
        provider.refresh(card.model)
        seconds = time.perf_counter() - start
        peaks = provider.peaks()
    report.add(section, "train + refresh, over TLS here", seconds, "s")
    limit = LIMITS["memory"] if settings.records is None else None
    for role, before, after in zip(("Master", "Secondary with dealer"), idle, peaks, strict=True):
        if before is not None and after is not None:
            report.add(section, f"{role}: peak memory of the process", after, "MiB", limit=limit)
            report.add(section, f"{role}: of it, before the first upload", before, "MiB")


def _identifier() -> bytes:
    return random_bytes(IDENTIFIER_BYTES)
