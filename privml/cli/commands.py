"""How every command ends: a failure is one line on stderr that says what to do, and an exit code."""

from __future__ import annotations

from typing import Any

import click

from privml.errors import DataError, PrivMLError, SettingError

INTERRUPTED = 130  # what shells report for Ctrl-C: 128 + SIGINT


class Failure(click.ClickException):
    """What was asked for did not work: one line, exit code 1."""

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))


class WrongInput(Failure):
    """A setting or the data are wrong, so it cannot work: exit code 2, as for click's wrong options."""

    exit_code = 2


class Commands(click.Group):
    """A group of commands that never show a traceback for what they foresee."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, and turn what it raises into a message and an exit code."""
        try:
            return super().invoke(ctx)
        except PrivMLError as error:
            kind = WrongInput if isinstance(error, (SettingError, DataError)) else Failure
            raise kind(str(error)) from error
        except BrokenPipeError:  # `privml demo | head`: click ends quietly
            raise
        except OSError as error:
            raise Failure(f"{error.filename}: {error.strerror}" if error.filename else str(error)) from error
        except (KeyboardInterrupt, click.Abort):
            click.echo("\nInterrupted.", err=True)
            raise click.exceptions.Exit(INTERRUPTED) from None
