"""The command line: `airflow-aib check`, `render`, `upgrade` and others, also as `airflow image-builder ...`.

It reads files, says what it finds, and writes them only when told to. It talks to Azure only where `diagnose` is asked
about an image template, and else needs neither Airflow nor an Azure SDK.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

__all__ = ["main"]


def main(argv: Sequence[str] | None = None, *, stdin: BinaryIO | None = None) -> int:
    """Run the command that `argv` names, and return the exit code: 0 good, 1 not good, 2 unusable, 3 not known.

    :param argv: arguments, without the program's name; those of the process if not given
    :param stdin: what `-` reads; the process's own if not given
    """
    from airflow_aib.cli.parser import parser
    from airflow_aib.cli.running import run_command

    options = parser().parse_args(argv)
    return run_command(options.command, options, stdin=stdin)
