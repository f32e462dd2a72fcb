"""How a system is installed in an environment of its own, and run beside ours with the same inputs."""

from __future__ import annotations

import json
import platform
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any, Final

import numpy as np

from experiments.peers.turns import Figures, Inputs
from privml.errors import PrivMLError

ROOT: Final = Path(__file__).parents[2]
"""Where the peer's Python finds the module that it runs."""


class PeerError(PrivMLError):
    """A system cannot be installed or run here; its message says why."""


@dataclass(frozen=True, slots=True)
class System:
    """A system to compare with.

    Parameters
    ----------
    name
        As reports call it.
    requirement
        What pip installs: one version, so that figures can be repeated.
    module
        Runs it; see `experiments.peers.turns`.
    """

    name: str
    requirement: str
    module: str

    @contextmanager
    def running(self, folder: Path, inputs: Inputs) -> Iterator[RunningSystem]:
        """Install it below a folder, unless it is there, and have it wait for its turns in a process of its own.

        Raises
        ------
        PeerError
            It cannot be installed, or ended.
        """
        python = interpreter(self.requirement, folder)
        with TemporaryDirectory(prefix="privml-") as place:
            file = Path(place) / "inputs.npz"
            np.savez(file, **dict(inputs))  # type: ignore[arg-type] # no input is called allow_pickle
            # nothing of our environment: -E ignores its variables, -s the user's packages
            command = [str(python), "-E", "-s", "-m", self.module, str(file)]
            pipe = subprocess.PIPE
            with (
                (Path(place) / "log").open("w+") as log,
                subprocess.Popen(  # noqa: S603 - a module of ours, in an environment that the user asked for
                    command, cwd=ROOT, stdin=pipe, stdout=pipe, stderr=log, text=True
                ) as process,
            ):
                # leaving closes its stdin, which ends it
                yield RunningSystem(process, log)


class RunningSystem:
    """A system that waits for its turns.

    Attributes
    ----------
    facts
        What it found out in preparing.
    """

    def __init__(self, process: subprocess.Popen[str], log: IO[str]) -> None:
        self._process, self._log = process, log
        self.facts = self._answer()

    def turn(self) -> Figures:
        """Have it measure once, while we wait.

        Raises
        ------
        PeerError
            It ended.
        """
        self._process.stdin.write("\n")  # type: ignore[union-attr] # it is a pipe
        self._process.stdin.flush()  # type: ignore[union-attr]
        return self._answer()

    def _answer(self) -> Figures:
        line = self._process.stdout.readline()  # type: ignore[union-attr]
        if not line:
            status = self._process.wait()
            self._log.seek(0)
            raise PeerError(_last_line(self._log.read()) or f"it ended with status {status}")
        answer: dict[str, Any] = json.loads(line)
        return answer


def interpreter(requirement: str, folder: Path) -> Path:
    """Return the Python of an environment that has a requirement; it is made where there is none.

    Raises
    ------
    PeerError
        pip cannot install it.
    """
    place = folder / requirement.replace("==", "-")
    builder = venv.EnvBuilder(with_pip=True)
    try:
        context = builder.ensure_directories(place)
        if not any(Path(context.bin_path).glob("pip*")):  # it comes last
            print(f"installing {requirement} in {place}", file=sys.stderr)
            builder.create(place)
    except (OSError, subprocess.CalledProcessError) as error:
        raise PeerError(f"no environment can be made in {place}: {error}") from error
    command = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", requirement]
    done = subprocess.run(  # noqa: S603 - a fixed command, for which the user asked
        [context.env_exe, *command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        here = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
        raise PeerError(f"{_last_line(done.stderr).removeprefix('ERROR: ')} ({here})")
    return Path(context.env_exe)


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2].strip()
