"""The table of commands as an argparse parser: the front end of `airflow-aib`."""

from __future__ import annotations

import argparse
from typing import Any

from airflow_aib import __version__
from airflow_aib.cli.arguments import COMMANDS, DESCRIPTION, PROGRAM, Argument


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands; `command` is the chosen one."""
    made = argparse.ArgumentParser(prog=PROGRAM, description=DESCRIPTION)
    made.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = made.add_subparsers(dest="command", metavar="COMMAND", title="commands", required=True)
    for command in COMMANDS:
        own = commands.add_parser(command.name, help=command.text, description=command.text, epilog=command.more)
        for argument in command.arguments:
            own.add_argument(*argument.flags, **argument_options(argument))
    return made


def argument_options(argument: Argument) -> dict[str, Any]:
    """Give what argparse is told beside the flags."""
    return {"help": argument.text, **argument.options}
