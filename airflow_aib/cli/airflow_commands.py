"""The table of commands as Airflow's own: the front end of `airflow image-builder`.

Every `airflow` command calls this function, so what works is loaded when a command runs.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from airflow.cli.cli_config import ActionCommand, Arg, GroupCommand

from airflow_aib.cli.arguments import COMMANDS, DESCRIPTION, Argument, Command
from airflow_aib.cli.parser import argument_options
from airflow_aib.cli.running import run_command

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from airflow.cli.cli_config import CLICommand

GROUP = "image-builder"


def get_image_builder_cli_commands() -> list[CLICommand]:
    """Give the group of commands that Airflow adds to its own."""
    actions = [
        ActionCommand(
            name=command.name,
            help=command.text,
            func=_function(command),
            args=[_arg(argument) for argument in command.arguments],
            description=command.text,
            epilog=command.more,
        )
        for command in COMMANDS
    ]
    return [
        GroupCommand(name=GROUP, help="Check and render image templates", description=DESCRIPTION, subcommands=actions)
    ]


def _arg(argument: Argument) -> Arg:
    return Arg(flags=argument.flags, **argument_options(argument))  # type: ignore[no-untyped-call]  # Airflow's


def _function(command: Command) -> Callable[[argparse.Namespace], None]:
    """Make what Airflow calls: it looks at no result, so the exit code is told to the interpreter."""

    def run(options: argparse.Namespace) -> None:
        sys.exit(run_command(command.name, options))

    return run
