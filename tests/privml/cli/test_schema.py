from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from privml import Categorical, Numeric, Schema
from privml.cli import main

TABLE = "name,age,colour,class\n" + "".join(
    f"n{row},{row},{'?' if row == 7 else ('red', 'blue')[row % 2]},{'yn'[row % 3 == 0]}\n" for row in range(40)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "table.csv"
    path.write_text(TABLE)
    return path


def schema(file: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["schema", str(file), *arguments])


LEAN = ("--target", "class", "--leave-out", "name", "--missing", "?")


def test_json_goes_to_stdout_and_what_is_for_people_to_stderr(file: Path) -> None:
    result = schema(file, *LEAN, "--bins", "4")
    assert result.exit_code == 0, result.output
    found = Schema.from_json(result.stdout)
    assert found.features == (Numeric("age", (9, 19, 29)), Categorical("colour", ("blue", "red")))
    assert found.classes == ("n", "y")
    for words in (
        "become PUBLIC",
        "age: numbers in 4 bins; public edges: 9, 19, 29",
        "name: left out",
        "1 empty cells",
    ):
        assert words in " ".join(result.stderr.split())
    assert "\x1b" not in result.output


def test_a_file_gets_the_same_json_and_is_not_overwritten(file: Path, tmp_path: Path) -> None:
    out = tmp_path / "schema.json"
    first = schema(file, *LEAN, "--out", str(out))
    assert first.exit_code == 0, first.output
    assert "become PUBLIC" in first.stdout
    assert out.read_text() == schema(file, *LEAN).stdout
    out.write_text("edited")
    second = schema(file, *LEAN, "--out", str(out))
    assert (second.exit_code, out.read_text()) == (2, "edited")
    assert "exists already" in second.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--target", "nothing"), "no column 'nothing'"),
        (("--target", "class", "--max-categories", "10"), "column 'name' of table.csv has 40 categories"),
        ((*LEAN, "--bins", "1"), "bins: at least 2"),
        ((*LEAN, "--delimiter", "--"), "delimiter: one character"),
    ],
)
def test_what_does_not_fit_is_one_line_and_exit_code_2(file: Path, arguments: tuple[str, ...], complaint: str) -> None:
    result = schema(file, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_directory_that_is_not_there_is_named(file: Path, tmp_path: Path) -> None:
    result = schema(file, *LEAN, "--out", str(tmp_path / "nowhere" / "schema.json"))
    assert result.exit_code == 1
    assert "nowhere/schema.json: No such file or directory" in result.stderr


def test_markup_in_a_table_is_text(tmp_path: Path) -> None:
    file = tmp_path / "odd.csv"
    file.write_text("[red]x[/red],:smile:\na,1\nb,2\n")
    result = schema(file, "--target", ":smile:")
    assert "[red]x[/red]" in result.stderr
    assert ":smile:" in result.stderr
