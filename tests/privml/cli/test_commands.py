import subprocess
import sys
from importlib.metadata import version

import click
import pytest
from click.testing import CliRunner, Result

from privml.cli import main
from privml.cli.commands import Commands
from privml.errors import ChannelTimeoutError, PrivMLError, SchemaError, SettingError

COMMANDS = ("demo", "keygen", "predict", "schema", "train")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def fail_with(error: BaseException) -> Result:
    @click.group(cls=Commands)
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise error

    return CliRunner().invoke(group, ["fail"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (SettingError("bits: not 7"), 2),
        (SchemaError("no feature"), 2),
        (PrivMLError("a unit is away"), 1),
        (ChannelTimeoutError("a unit\nis away"), 1),
    ],
)
def test_what_the_library_refuses_becomes_one_line_and_a_code(error: PrivMLError, code: int) -> None:
    result = fail_with(error)
    assert (result.exit_code, result.stdout) == (code, "")
    assert result.stderr == f"Error: {str(error).replace(chr(10), ' ')}\n"


def test_what_the_system_refuses_names_the_file() -> None:
    result = fail_with(PermissionError(13, "Permission denied", "/secret"))
    assert (result.exit_code, result.stderr) == (1, "Error: /secret: Permission denied\n")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_ends_with_130(error: BaseException) -> None:
    result = fail_with(error)
    assert (result.exit_code, result.stderr) == (130, "\nInterrupted.\n")


def test_a_bug_keeps_its_traceback() -> None:
    assert isinstance(fail_with(ZeroDivisionError()).exception, ZeroDivisionError)


def test_version_is_the_installed_one() -> None:
    assert run("--version").output == f"privml {version('privml')}\n"


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help_has_examples_as_written(command: tuple[str, ...]) -> None:
    output = run(*command, "--help").output
    examples = output.partition("Examples:\n")[2].splitlines()
    assert examples
    assert all(line.startswith("    ") for line in examples[:3])


def test_help_lists_every_command_and_hides_what_is_for_tests() -> None:
    assert all(f"  {name} " in run("--help").output for name in COMMANDS)
    assert all("insecure" not in run(name, "--help").output for name in COMMANDS)


def test_an_unknown_command_is_a_usage_error() -> None:
    assert run("trian").exit_code == 2


def test_the_module_runs_as_a_process_and_ends_without_a_traceback() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "privml", "keygen", "--bits", "100", "--out", "nowhere"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("Error: a key has 2048 or 3072 bits")
    assert done.stderr.count("\n") == 1
