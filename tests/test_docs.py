"""What the pages say is so: snippets and commands run, links and names lead somewhere, and figures are the tests'."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from building_blocks.comparison import sign
from privml.crypto import keygen
from privml.crypto.dtpkc import PublicParameters
from privml.crypto.keygen import StrongKey
from privml.units.correlations import Correlation
from privml.units.dealer import Dealer
from tests.two_units import run, split

ROOT = Path(__file__).parent.parent
FOLDERS = ("*.md", "docs/**/*.md", "building_blocks/*.md")
PAGES = sorted(page.relative_to(ROOT) for folder in FOLDERS for page in ROOT.glob(folder))
# to make a new environment, or to measure for minutes, is for people
PROJECT_COMMANDS = ("pytest", "ruff", "mypy", "lint-imports", "pip")

each_page = pytest.mark.parametrize("page", PAGES, ids=str)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int
    """Line of the page on which the text begins."""


def text_of(page: Path) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(text: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    return [Block(each[1], each[2], text.count("\n", 0, each.start(2)) + 1) for each in found]


def prose(text: str) -> str:
    """A page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def printed_after(text: str, block: Block) -> str | None:
    """What a page says that a block prints: the text block that follows with nothing in between, or after a phrase."""
    end = text.index(block.text) + len(block.text)
    follows = re.match(r"```\n\n(?:It prints\n\n)?```text\n(.*?)^```$", text[end:], re.MULTILINE | re.DOTALL)
    return None if follows is None else follows[1]


@pytest.fixture
def small_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys of 512 bits, whatever size is asked for: pages show what users write, and tests must be fast."""
    generate = keygen.generate

    def small(bits: int = 2048, *, allow_insecure_test_size: bool = False) -> tuple[PublicParameters, StrongKey]:
        assert bits in keygen.SECURE_SIZES, "pages recommend secure keys"
        assert not allow_insecure_test_size
        return generate(512, allow_insecure_test_size=True)

    for module in ("privml.crypto.keygen", "privml.roles.authority"):
        monkeypatch.setattr(import_module(module), "generate", small)


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with the tables that the pages' commands read."""
    cells = ["age,job,income", *(f"{20 + k % 50},{'abc'[k % 3]},{'high' if k % 7 < 3 else 'low'}" for k in range(240))]
    (tmp_path / "table.csv").write_text("\n".join(cells), encoding="utf-8")
    (tmp_path / "july.csv").write_text("\n".join(cells[:61]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@each_page
@pytest.mark.usefixtures("small_keys", "elsewhere")
def test_snippets_and_commands_run_in_their_order(page: Path) -> None:
    text = text_of(page)
    names: dict[str, Any] = {"__name__": "snippet"}
    for block in blocks(text):
        if block.language == "python":
            code = compile("\n" * (block.line - 1) + block.text, str(page), "exec")
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(code, names)  # noqa: S102 - the project's own pages
            assert output.getvalue() == (printed_after(text, block) or "")
        elif block.language == "sh":
            for command in block.text.splitlines():
                check_command(shlex.split(command, comments=True))
        else:
            # pictures and output are text; anything else would go untested
            assert block.language == "text"


def check_command(words: list[str]) -> None:
    """Run a command of the project's own, or see to it that it would run; commands that nobody knows are refused."""
    match words:
        case ["make", *targets]:
            assert set(targets) <= makefile_targets()
        case ["privml", *arguments]:
            invoke("privml.cli", arguments)
        case ["python", "-m", "experiments", name, *options]:
            invoke("experiments.cli", [name, "--help"])
            group = import_module("experiments.cli").main
            known = {option for parameter in group.commands[name].params for option in parameter.opts}
            assert {option for option in options if option.startswith("-")} <= known
        case ["python", "-m", "building_blocks.catalogue"]:
            invoke("building_blocks.catalogue.__main__", ["--help"])
        case [program, *arguments] if program.startswith(".venv/bin/"):
            assert program.removeprefix(".venv/bin/") in PROJECT_COMMANDS
            assert all((ROOT / argument).exists() for argument in arguments if "/" in argument)
        case _:
            pytest.fail(f"the pages name a command that this test does not know: {shlex.join(words)}")


def test_the_demonstration_prints_what_the_readme_shows(small_keys: None, elsewhere: Path) -> None:
    (shown,) = [block.text for block in blocks(text_of(Path("README.md"))) if "Equal predictions" in block.text]
    printed = invoke("privml.cli", ["demo"])
    words = [[line.split() for line in text.splitlines() if "─" not in line] for text in (shown, printed)]
    assert words[0]
    assert all(line in words[1] for line in words[0])


def makefile_targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def invoke(module: str, arguments: list[str]) -> str:
    command: click.Command = import_module(module).main
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    "words", [["make", "coffee"], ["privml", "no-such-command"], ["curl", "example.org"], [".venv/bin/pytest", "a/b"]]
)
def test_wrong_commands_are_found(words: list[str]) -> None:
    with pytest.raises((AssertionError, pytest.fail.Exception)):
        check_command(words)


def test_the_block_reader_finds_what_it_should() -> None:
    text = "a\n\n```python\nprint(1)\n```\n\n```text\n1\n```\n\n```sh\nmake test\n```\n"
    found = blocks(text)
    assert [(block.language, block.line) for block in found] == [("python", 4), ("text", 8), ("sh", 12)]
    assert printed_after(text, found[0]) == "1\n"
    assert "print" not in prose(text)


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", prose(text_of(page))):
        if not target.startswith("https://"):
            file, _, anchor = target.partition("#")
            path = (ROOT / page).parent / file if file else ROOT / page
            assert path.exists(), target
            assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), target


def anchors(text: str) -> set[str]:
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_page
def test_files_and_tests_that_a_page_names_exist(page: Path) -> None:
    code = re.findall(r"`([^`\n]+)`", prose(text_of(page)))
    # a path begins with a folder or file of the project, and so does not fit e.g. "a/b"
    paths = [word for word in code if re.fullmatch(r"(privml|building_blocks|classifiers|tests|docs)/[\w./-]*", word)]
    assert [path for path in paths if not (ROOT / path).exists()] == []
    tests = {word for word in code if re.fullmatch(r"(test_|Test)\w+", word)}
    assert tests <= names_of_tests()


def names_of_tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return {
        name for file in files for name in re.findall(r"(?:def|class) ([tT]est\w+)", file.read_text(encoding="utf-8"))
    }


def test_every_decision_is_linked_from_the_readme() -> None:
    readme = text_of(Path("README.md"))
    assert all(f"({page.as_posix()})" in readme for page in PAGES if page.parent.name == "decisions")


def test_a_comparison_takes_as_many_correction_words_as_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    dealt: list[int] = []
    corrections = Dealer.corrections

    def counted(dealer: Dealer, number: int, correlation: Correlation) -> list[NDArray[Any]]:
        words = corrections(dealer, number, correlation)
        dealt.append(sum(array.nbytes for array in words))
        return words

    monkeypatch.setattr(Dealer, "corrections", counted)
    run(sign, split(np.zeros(100, dtype=np.int64)))
    assert [size / 100 for size in dealt] == [64, 28, 10]
    page = " ".join(text_of(Path("docs/decisions/comparison-by-opening-a-mask.md")).split())
    assert "102 bytes of correction words" in page
    assert "(64 for the opened word, 28 and 10 for the two gates)" in page
