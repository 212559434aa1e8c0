from __future__ import annotations

import argparse

import pytest
from airflow.cli.cli_config import GroupCommand

from airflow_aib.cli.airflow_commands import get_image_builder_cli_commands
from airflow_aib.cli.arguments import COMMANDS, Command
from airflow_aib.cli.parser import parser


def options_of(command: Command) -> set[str]:
    """Return the option strings and names of a command in the table."""
    return {flag for argument in command.arguments for flag in argument.flags}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_both_front_ends_are_made_from_the_table(command: Command) -> None:
    """A command takes the same arguments, with the same destinations, whichever front end parses it."""
    (group,) = get_image_builder_cli_commands()
    assert isinstance(group, GroupCommand)
    (action,) = [one for one in group.subcommands if one.name == command.name]
    airflows = argparse.ArgumentParser()
    for arg in action.args:
        arg.add_to_parser(airflows)
    (ours,) = [one.choices[command.name] for one in parser()._actions if isinstance(one, argparse._SubParsersAction)]
    described = [
        {(*(action.option_strings or [action.dest]), action.dest, str(action.default)) for action in made._actions}
        for made in (airflows, ours)
    ]

    assert described[0] == described[1]
    assert options_of(command) <= {flag for row in described[0] for flag in row}


def test_every_text_is_a_sentence() -> None:
    """Help is written in sentences, and without what a help formatter takes for markup."""
    texts = [command.text for command in COMMANDS] + [argument.text for one in COMMANDS for argument in one.arguments]

    assert [text for text in texts if not text.endswith(".") or "[" in text or "%" in text] == []
