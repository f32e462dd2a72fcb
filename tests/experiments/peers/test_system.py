"""Taking turns with a peer that is none, and environments made from a wheel that is made here: no network."""

import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from experiments.peers import system
from experiments.peers.system import PeerError, System, interpreter

FAKE = System("fake", "fake==1", "tests.experiments.peers.fake")


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Peers run in the environment of the tests."""
    monkeypatch.setattr(system, "interpreter", lambda requirement, folder: Path(sys.executable))


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All that pip can find: one package."""
    folder, info = tmp_path / "index", "tiny-1.dist-info"
    folder.mkdir()
    with ZipFile(folder / "tiny-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("tiny.py", "")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.mark.usefixtures("here")
def test_it_measures_when_it_is_its_turn(tmp_path: Path) -> None:
    with FAKE.running(tmp_path, {"turns": np.array(3)}) as peer:
        assert peer.facts["messages"] == 1000
        assert [peer.turn()["seconds"] for _ in range(2)] == [5.0, 5.0]
        with pytest.raises(PeerError, match="StopIteration"):  # the first of three was its warm-up
            peer.turn()


@pytest.mark.usefixtures("here")
def test_it_ends_when_it_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []

    class Watched(subprocess.Popen[str]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            started.append(self)

    monkeypatch.setattr(subprocess, "Popen", Watched)
    with pytest.raises(KeyboardInterrupt), FAKE.running(tmp_path, {}):
        raise KeyboardInterrupt
    assert [process.returncode for process in started] == [0]


@pytest.mark.usefixtures("here")
def test_why_it_does_not_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="RuntimeError: no AVX2 here"), FAKE.running(tmp_path, {"broken": np.array(1)}):
        pass


@pytest.mark.usefixtures("index")
def test_an_environment_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = interpreter("tiny==1", tmp_path / "peers")
    found = subprocess.run(  # noqa: S603 - the environment just made
        [python, "-c", "import tiny; print(tiny.__file__)"], capture_output=True, text=True, check=True
    )
    assert Path(found.stdout).is_relative_to(tmp_path / "peers" / "tiny-1")

    def create(*_: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(venv.EnvBuilder, "create", create)
    assert interpreter("tiny==1", tmp_path / "peers") == python


@pytest.mark.usefixtures("index")
def test_what_pip_does_not_have_is_said(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match=r"^No matching distribution found for tiny==2 \(Python 3\.\d+\.\d+ on \w+ "):
        interpreter("tiny==2", tmp_path)


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(PeerError, match="no environment can be made in"):
        interpreter("tiny==1", tmp_path / "file")
