"""One measurement as it is written down, the same for all experiments, and where it was made."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import gmpy2  # type: ignore[import-untyped]
import numpy as np

from experiments.targets import Limit


@dataclass(frozen=True, slots=True)
class Machine:
    """What the figures depend on besides the code."""

    cpu: str
    cores: int
    python: str
    numpy: str
    gmpy2: str

    @classmethod
    def here(cls) -> Machine:
        """Describe this machine. `cores` are those that this process may use."""
        affinity = getattr(os, "sched_getaffinity", None)  # not everywhere
        cores = len(affinity(0)) if affinity else os.cpu_count() or 1
        return cls(_cpu_model(), cores, platform.python_version(), np.__version__, gmpy2.version())


@dataclass(frozen=True, slots=True)
class Record:
    """One measurement.

    Parameters
    ----------
    experiment
        The command that made it.
    name
        What was measured.
    value, unit
        The measurement; for times the median of several runs.
    peer, peer_value
        What it is compared with, measured in the same run, in the same unit; None if with nothing.
    ratio
        Ours divided by the peer's, below 1 where ours takes less: value / peer_value, for times the median of the
        quotients of each turn. None without a peer, or if its value is zero.
    target, met
        The limit (`experiments.targets`) and whether it is kept; None where there is none for these settings.
    key_bits
        Size of the key; None where no key takes part.
    seed
        Of the public test data; secrets come from the operating system and have none.
    commit
        Of the code, with "-dirty" if files differ from it; None outside a repository.
    machine
        Where it was measured.
    """

    experiment: str
    name: str
    value: float
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    target: str | None
    met: bool | None
    key_bits: int | None
    seed: int
    commit: str | None
    machine: Machine


@dataclass(frozen=True, slots=True)
class Peer:
    """What a measurement is compared with, in the same unit.

    Parameters
    ----------
    name
        Of the peer.
    value
        Its measurement.
    ratio
        Ours divided by the peer's; None for the quotient of the values.
    """

    name: str
    value: float
    ratio: float | None = None

    def divides(self, value: float) -> float | None:
        """Ours divided by the peer's; None where the peer's is zero."""
        if self.ratio is not None:
            return self.ratio
        return float(value / self.value) if self.value else None


@dataclass(frozen=True, slots=True)
class Scribe:
    """Makes the records of one experiment.

    Parameters
    ----------
    experiment
        Name of the experiment.
    key_bits
        Size of the keys that it uses.
    seed
        Of its public test data.
    """

    experiment: str
    key_bits: int
    seed: int

    def record(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        peer: Peer | None = None,
        limit: Limit | None = None,
        keyless: bool = False,
    ) -> Record:
        """Write a measurement down.

        Parameters
        ----------
        limit
            What the target says, if the measurement has the sizes that it is about. It is left out where it is about
            another key size.
        keyless
            No key takes part.

        Raises
        ------
        ValueError
            The measurement is no finite number, or its unit is not the limit's.
        """
        if not math.isfinite(value):
            raise ValueError(f"{name}: {value} is no measurement")
        if limit is not None and limit.measure.name != "RATIO" and limit.unit != unit:
            raise ValueError(f"{name}: measured in {unit!r}, and its target is in {limit.unit!r}")
        if limit is not None and limit.key_bits not in (None, self.key_bits):
            limit = None
        ratio = peer.divides(value) if peer else None
        return Record(
            experiment=self.experiment,
            name=name,
            value=float(value),
            unit=unit,
            peer=peer.name if peer else None,
            peer_value=float(peer.value) if peer else None,
            ratio=ratio,
            target=limit.text if limit else None,
            met=limit.met(value, peer.value if peer else None, ratio) if limit else None,
            key_bits=None if keyless else self.key_bits,
            seed=self.seed,
            commit=_commit(),
            machine=_machine(),
        )


def write_json(path: Path, records: Iterable[Record]) -> None:
    """Write records as a JSON array."""
    path.write_text(json.dumps([asdict(record) for record in records], indent=1, allow_nan=False) + "\n", "utf-8")


@cache
def _machine() -> Machine:
    return Machine.here()


@cache
def _commit() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(  # noqa: S603 - a fixed command, of which nothing comes from outside
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.strip() or None


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()
