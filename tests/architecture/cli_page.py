"""The page on the command line, from the table of its commands."""

from __future__ import annotations

from airflow_aib.cli.arguments import COMMANDS, DESCRIPTION, PROGRAM, Argument, Command

NOTE = "<!-- Written by `make fix` from airflow_aib/cli/arguments.py. Change that, not this page. -->"
HEAD = f"""\
# Command line

{DESCRIPTION}

`{PROGRAM} COMMAND` and `airflow image-builder COMMAND` are the same commands with the same arguments. The first starts
in a tenth of a second and needs, of all that this package asks for, only `lark` and `pyyaml`; the second is there
wherever Airflow is. [Checks in CI](../how-to/ci.md) has recipes for pre-commit, GitHub Actions and Azure DevOps.

| exit code | meaning |
| --- | --- |
| 0 | nothing is wrong; there may be warnings, unless `--strict` is given |
| 1 | something is wrong, or a value is missing |
| 2 | it was not called rightly: a wrong option, a path that does not exist, a parameters file that cannot be read |
| 3 | `diagnose`: something is wrong, and nothing of it is recognised |

What was asked for is written to standard output, and everything else to standard error. Text is coloured on a
terminal; `NO_COLOR` and `FORCE_COLOR` decide otherwise. No output holds a secret: not the value of a secure parameter,
not a signature in an address, nor anything else that the rules [secret-in-text](rules/secret-in-text.md) and
[secret-likely](rules/secret-likely.md) know by its form. `check` shows only the key of a line that may hold one;
`render` and `upgrade` show `***` in its place. The one exception is `render --show-secrets`; the files that
`upgrade --write` writes are whole."""


def cli_page() -> str:
    """Return the page."""
    return "\n".join([NOTE, "", HEAD, *(line for command in COMMANDS for line in _command_lines(command))]) + "\n"


def _command_lines(command: Command) -> list[str]:
    rows = [f"| {_name(argument)} | {_default(argument)} | {argument.text} |" for argument in command.arguments]
    more = ["", command.more] if command.more else []
    return [
        "",
        f"## `{command.name}`",
        "",
        command.text,
        *more,
        "",
        "| argument | default | meaning |",
        "| --- | --- | --- |",
        *rows,
    ]


def _name(argument: Argument) -> str:
    metavar = str(argument.options.get("metavar", ""))
    if not argument.flags[0].startswith("-"):
        return f"`{metavar}`" + (" ..." if argument.options.get("nargs") == "+" else "")
    choices = "\\|".join(argument.options.get("choices", ()))
    return f"`{' '.join(filter(None, (argument.flags[0], metavar or choices)))}`"


def _default(argument: Argument) -> str:
    default = argument.options.get("default")
    if default:
        return f"`{default}`"
    is_required = not argument.flags[0].startswith("-") and argument.options.get("nargs") != "?"
    return "required" if is_required else "none"
