"""One command from its name to its exit code."""

from __future__ import annotations

import importlib
import os
from typing import TYPE_CHECKING

from airflow_aib.cli.arguments import COMMANDS
from airflow_aib.cli.console import process_console
from airflow_aib.cli.unusable import UnusableCallError

if TYPE_CHECKING:
    import argparse
    from typing import BinaryIO

GOOD, NOT_GOOD, UNUSABLE, NOT_KNOWN = 0, 1, 2, 3


def run_command(name: str, options: argparse.Namespace, *, stdin: BinaryIO | None = None) -> int:
    """Run a command, and give the exit code.

    :param name: of the command
    :param options: its arguments, whichever front end has parsed them
    :param stdin: what to read instead of the process's standard input
    """
    console = process_console(stdin)
    (command,) = (command for command in COMMANDS if command.name == name)
    module, _, function = command.function.partition(":")
    try:
        code: int = getattr(importlib.import_module(module), function)(options, console)
        console.stdout.flush()
    except UnusableCallError as error:
        console.remark(str(error))
        return UNUSABLE
    except BrokenPipeError:
        # Whoever read has gone, as `head` does; the interpreter must not flush into the closed pipe at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), console.stdout.fileno())
        return NOT_GOOD
    return code
